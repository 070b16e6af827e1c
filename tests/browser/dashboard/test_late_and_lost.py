"""The dashboard while answers are late, events come in another order, and purchases go."""

import asyncio
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from mock_klarna import MockKlarna
from tests.browser.dashboard.conftest import Buy, Open
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


async def test_a_purchase_that_a_reset_deleted_is_said_to_be_gone_with_a_way_back(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    buy()
    await open_dashboard()
    await tab.locator(".row").click()
    await expect(tab.locator("#purchase-title")).to_be_focused()
    mock_klarna.reset()
    text = "This purchase does not exist any more. Purchases are deleted by a reset, by loading a snapshot"
    await expect(tab.get_by_role("alert").filter(has_text=text)).to_be_visible()
    await expect(tab.locator("#back")).to_be_focused()
    await expect(tab.locator("#empty")).to_be_visible()
    await expect(tab.get_by_role("alert").filter(has_text=text)).to_be_visible()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#list")).to_be_focused()
    await expect(tab.locator("#purchase")).to_contain_text("Select a purchase")
    await open_dashboard(purchase_id="unknown")
    await expect(tab.get_by_role("alert")).to_contain_text("There is no purchase unknown. Purchases are deleted by")
    console_errors.clear()


async def test_a_purchase_with_the_id_of_a_deleted_one_has_a_journal_and_marks_of_its_own(
    tab: Page, open_dashboard: Open, shop: Shop, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    def buy_first() -> Json:
        mock_klarna.reset(seed=7)
        key = mock_klarna.create_button(merchant_urls=shop.merchant_urls)["button_key"]
        bought: Json = mock_klarna.purchase(button_key=key, cart="se-battery-pack", wait=0)
        mock_klarna.wait_for("place_order", purchase_id=bought["purchase_id"])
        return bought

    bought = buy_first()
    path = f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders"
    assert mock_klarna.send("POST", path, {}).status == 400
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator(".row .mark")).to_have_text("1 refused")
    await expect(tab.locator(".failure")).to_be_visible()
    assert buy_first()["purchase_id"] == bought["purchase_id"]
    await expect(tab.locator(".failure")).to_have_count(0)
    await expect(tab.locator(".row .mark")).to_have_count(0)
    await expect(tab.locator(".step")).to_have_count(len(mock_klarna.journal(purchase_id=bought["purchase_id"])))
    console_errors.clear()


async def test_nothing_can_be_done_with_a_purchase_while_another_one_is_loaded(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    first, second = buy(), buy()
    await open_dashboard(purchase_id=first["purchase_id"])
    await expect(tab.locator("#manage")).to_be_enabled()
    free, requests = asyncio.Event(), list[str]()
    tab.on("request", lambda request: requests.append(request.url))

    async def wait(route: Route) -> None:
        await free.wait()
        await route.continue_()

    await tab.route(f"**/_mock/purchases/{second['purchase_id']}", wait)
    await tab.locator(".row").first.click()
    await expect(tab.locator("#purchase")).to_have_attribute("inert", "")
    for key in ("m", "r", "c"):
        await tab.keyboard.press(key)
    free.set()
    await expect(tab.locator(".facts")).to_contain_text(second["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_be_focused()
    assert [url for url in requests if "/_mock/orders/" in url or url.endswith("/resend")] == []
    await tab.keyboard.press("m")
    await expect(tab.locator("dialog")).to_contain_text("Status AUTHORIZED")


async def test_a_purchase_that_is_shown_stays_when_it_cannot_be_read_again(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    failures = iter([True])

    async def fail_once(route: Route) -> None:
        await (route.abort() if next(failures, False) else route.continue_())

    await tab.route(f"**/_mock/purchases/{bought['purchase_id']}", fail_once)
    mock_klarna.send("GET", f"/instantshopping/v1/authorizations/{bought['authorization_token']}")
    await expect(tab.locator("#status")).to_have_text("The server does not answer.")
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(tab.locator("#purchase-title")).to_contain_text("placed")
    console_errors.clear()


async def test_an_answer_that_is_slower_than_the_next_event_is_shown(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    answers: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route(f"**/_mock/purchases/{bought['purchase_id']}", answers.put)
    path = f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders"
    assert mock_klarna.send("POST", path, {}).status == 400
    slow = await answers.get()
    assert mock_klarna.send("POST", path, {"order_amount": 1}).status == 400
    await expect(tab.locator(".row .mark")).to_have_text("2 refused")
    await slow.continue_()
    await expect(tab.locator(".failure")).to_contain_text("create order was answered 400")
    await (await answers.get()).continue_()
    await expect(tab.locator(".failure")).to_contain_text("the last of 2 failures")


async def test_the_earlier_entries_of_a_long_journal_get_the_focus(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy()
    (entry,) = mock_klarna.journal(name="purchase_placed")
    entries = [{**entry, "seq": 1000 + at} for at in range(301)]
    answer = {"entries": entries, "position": 2000, "dropped": 0, "complete": False}
    await tab.route("**/_mock/journal?*purchase_id=*", lambda route: route.fulfill(json=answer))
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator(".step")).to_have_count(300)
    await tab.get_by_role("button", name="Show earlier entries (1)").press("Enter")
    await expect(tab.locator(".step")).to_have_count(301)
    await expect(tab.locator("#step-1000")).to_be_focused()
