"""The dialog when the server cannot be reached or no longer has the session."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import FRAME, Dialog
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Open = Callable[..., Awaitable[Dialog]]
PAY = "**/sessions/*/pay"
CHOICES: dict[str, dict[str, Any]] = {
    "shipping": {
        "shipping_options": [
            {"id": name, "name": name, "price": 0, "tax_amount": 0, "tax_rate": 2500} for name in ("express", "post")
        ]
    },
    "checkboxes": {"additional_checkboxes": [{"id": "news", "text": "Post me news"}]},
}
"""Options of the page that offer a choice named "post", by the request that sends the choice."""


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("lost", ["request", "end of the answer"])
async def test_a_lost_connection_shows_an_error_and_can_be_retried(
    tab: "Page", open_dialog: Open, console_errors: list[str], lost: str
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await tab.route(PAY, lambda route: route.abort() if lost == "request" else route.fulfill(body='{"state": "author'))
    await dialog.pay()
    await expect(dialog.frame.get_by_role("alert").filter(has_text="no connection")).to_be_visible()
    await tab.unroute(PAY)
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await expect(dialog.find("#error-message")).to_be_hidden()
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()


@pytest.mark.parametrize("path", CHOICES)
async def test_a_choice_that_the_network_loses_is_neither_shown_nor_paid(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, console_errors: list[str], path: str
) -> None:
    dialog = await open_dialog(**CHOICES[path])
    await dialog.identify()
    requests: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route(f"**/sessions/*/{path}", requests.put_nowait)
    choice = dialog.frame.get_by_label("post")
    for pays in (False, True):
        await choice.click()
        await expect(choice).to_be_checked()
        if pays:
            await dialog.find("#checkout-button").click()
        await (await requests.get()).abort()
        await expect(choice).not_to_be_checked()
        await dialog.idle()
        await expect(dialog.find("#error-message")).to_contain_text("no connection")
    assert [purchase["state"] for purchase in mock_klarna.purchases()] == ["started"]
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()


async def test_the_dialog_waits_for_the_decision_while_the_server_is_replaced(
    tab: "Page", open_dialog: Open, shop: Shop, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    answers = iter([503, 502])

    async def answer(route: "Route") -> None:
        status = next(answers, None)
        await (route.fulfill(status=status, body="<h1>Bad gateway</h1>") if status else route.continue_())

    await tab.route("**/sessions/*/wait?*", answer)
    await dialog.pay()
    async with tab.expect_response(lambda answer: answer.status == 502):
        await dialog.frame.get_by_text("The shop is confirming your order").wait_for()
    callback = shop.callbacks[-1]
    mock_klarna.create_order(callback["authorization_token"], callback["order"])
    await dialog.find("#confirmation__bottom").wait_for()
    assert all("50" in error for error in console_errors)
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
