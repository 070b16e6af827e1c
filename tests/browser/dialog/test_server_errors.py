"""The dialog when the server cannot be reached or no longer has the session."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import FRAME, Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Awaitable[Dialog]]
PAY = "**/sessions/*/pay"


@pytest.mark.usefixtures("order")
async def test_a_lost_connection_shows_an_error_and_can_be_retried(
    tab: "Page", open_dialog: Open, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await tab.route(PAY, lambda route: route.abort())
    await dialog.pay()
    await expect(dialog.frame.get_by_role("alert").filter(has_text="no connection")).to_be_visible()
    await tab.unroute(PAY)
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await expect(dialog.find("#error-message")).to_be_hidden()
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()


async def test_a_deleted_session_shows_an_error_and_can_be_closed(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    mock_klarna.reset()
    await dialog.pay()
    await expect(dialog.find("#error-message")).to_contain_text("does not exist any more")
    await dialog.find("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    assert all("404" in error for error in console_errors)
    console_errors.clear()


async def test_a_purchase_that_another_client_ended_shows_its_outcome(
    open_dialog: Open, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    session = mock_klarna.purchases()[0]["purchase_id"]
    mock_klarna.send("POST", f"/instantshopping/sdk/sessions/{session}/pay", {"outcome": "REJECTED"})
    token = mock_klarna.find_purchase(session)["authorization_token"]
    mock_klarna.deny_authorization(token, deny_code="item_out_of_stock")
    await dialog.pay()
    await expect(dialog.find("#consumer-message")).to_contain_text("no longer in stock")
    await expect(dialog.find("#error-message")).to_be_hidden()
    assert all("409" in error for error in console_errors)
    console_errors.clear()
