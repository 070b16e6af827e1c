"""A dialog whose server is away, or has forgotten it."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.driving import FRAME, Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Awaitable[Dialog]]
PAY = "**/sessions/*/pay"


@pytest.mark.usefixtures("order")
async def test_a_lost_connection_is_said_and_the_button_works_again(
    tab: "Page", opened: Open, complaints: list[str]
) -> None:
    dialog = await opened()
    await dialog.identify()
    await tab.route(PAY, lambda route: route.abort())
    await dialog.pay()
    await expect(dialog.frame.get_by_role("alert").filter(has_text="no connection")).to_be_visible()
    await tab.unroute(PAY)
    await dialog.pay()
    await dialog.at("#confirmation__bottom").wait_for()
    await expect(dialog.at("#complaint")).to_be_hidden()
    assert all("ERR_FAILED" in complaint for complaint in complaints)
    complaints.clear()


async def test_a_session_that_is_gone_is_said_to_be_and_can_be_closed(
    tab: "Page", opened: Open, mock_klarna: MockKlarna, complaints: list[str]
) -> None:
    dialog = await opened()
    await dialog.identify()
    mock_klarna.reset()
    await dialog.pay()
    await expect(dialog.at("#complaint")).to_contain_text("does not exist any more")
    await dialog.at("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    assert all("404" in complaint for complaint in complaints)
    complaints.clear()


async def test_a_purchase_that_ends_elsewhere_shows_how_it_ended(
    opened: Open, mock_klarna: MockKlarna, complaints: list[str]
) -> None:
    dialog = await opened()
    await dialog.identify()
    session = mock_klarna.purchases()[0]["purchase_id"]
    mock_klarna.send("POST", f"/instantshopping/sdk/sessions/{session}/pay", {"outcome": "REJECTED"})
    token = mock_klarna.find_purchase(session)["authorization_token"]
    mock_klarna.deny_authorization(token, deny_code="item_out_of_stock")
    await dialog.pay()
    await expect(dialog.at("#consumer-message")).to_contain_text("no longer in stock")
    await expect(dialog.at("#complaint")).to_be_hidden()
    assert all("409" in complaint for complaint in complaints)
    complaints.clear()
