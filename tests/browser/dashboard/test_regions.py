"""The dashboard where regions are separate: what it sends and copies is of the merchant of the purchase, at any address."""

import base64
import shlex
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Page, expect

from mock_klarna import MockKlarna, Settings
from tests.browser.dashboard.conftest import Buy, Open

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
AMERICA, EUROPE = "api-na.klarna.com", "api.playground.klarna.com"
CURL = """async ([module, entry, origin]) => {
    const { curl } = await import(module);
    return curl(entry, origin);
}"""


@pytest.fixture
def mock_klarna_settings() -> Settings:
    return Settings(port=0, separate_regions=True)


@pytest.fixture(params=[f"regions@{AMERICA}", "regions-europe"])
def mock_klarna_merchant(request: pytest.FixtureRequest) -> tuple[str, str]:
    return request.param, "secret"


async def test_an_order_is_captured_as_the_merchant_of_its_purchase(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    order_id = mock_klarna.find_purchase((bought := buy())["purchase_id"], wait=20)["order_id"]
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.locator("#manage").click()
    name, _, host = mock_klarna.merchant.partition("@")
    await expect(tab.locator("dialog")).to_contain_text(f"as {name}@{host or EUROPE}.")
    await tab.locator("dialog [name=amount]").fill("100")
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.locator("#status")).to_have_text("The order: capture was accepted")
    assert mock_klarna.managed_order(order_id)["captured_amount"] == 100


async def test_a_copied_command_acts_as_the_merchant_of_its_purchase(
    tab: Page, buy: Buy, mock_klarna: MockKlarna
) -> None:
    order_id = mock_klarna.find_purchase(buy()["purchase_id"], wait=20)["order_id"]
    mock_klarna.managed_order(order_id)
    (entry,) = mock_klarna.journal(name="get_managed_order")
    await tab.goto(f"{mock_klarna.url}/?modules")
    module = f"{await tab.locator('script').get_attribute('src')}".replace("main.js", "copies.js")
    for origin in (mock_klarna.url, f"https://{AMERICA}", f"https://{EUROPE}", "https://api-oc.playground.klarna.com"):
        command = shlex.split(await tab.evaluate(CURL, [module, entry, origin]))
        (host,) = [part.partition(": ")[2] for part in command if part.startswith("Host: ")] or [
            urlsplit(origin).netloc
        ]
        token = base64.b64encode(command[command.index("-u") + 1].encode()).decode()
        answer = mock_klarna.send("GET", entry["path"], headers={"Host": host, "Authorization": f"Basic {token}"})
        assert (answer.status, answer.body["order_id"]) == (200, order_id), command
