"""The developer's drawer: what went wrong and why, what can be done again, and the conditions of a test."""

import asyncio
import json
import shlex
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna, MockKlarnaError
from tests.browser.dialog.dialog import Dialog, painted, placing
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
MARKUP = '<img src=x onerror="top.hit=1">\''


async def _opened(dialog: Dialog) -> Dialog:
    await dialog.find("#drawer-button").wait_for()
    await painted(dialog.tab)
    await dialog.find("#drawer-button").click()
    await expect(dialog.find("#clock")).not_to_be_empty()
    return dialog


def _entry(dialog: Dialog, name: str) -> "Locator":
    return dialog.find(f"#timeline li[data-name={name}]")


async def _copied(dialog: Dialog, entry: "Locator") -> str:
    """Copy an entry as curl and return the command, which the browser takes from the selection."""
    keep = "(drawer) => document.addEventListener('copy', () => (drawer.copied = document.activeElement.value))"
    await dialog.find("#drawer").evaluate(keep)
    await entry.get_by_role("button", name="Copy as curl").click()
    await entry.get_by_role("button", name="Copied").wait_for()
    command: str = await dialog.find("#drawer").evaluate("(drawer) => drawer.copied")
    return command


def _placing_wrongly(mock_klarna: MockKlarna) -> Callable[[Json], None]:
    """Post an order that is refused, then one that is placed; both differ from the authorized one."""

    def place(callback: Json) -> None:
        token, order = callback["authorization_token"], callback["order"]
        wrong = json.loads(json.dumps(order))
        wrong["order_lines"][0] |= {"total_tax_amount": 1, "name": MARKUP}
        with pytest.raises(MockKlarnaError):
            mock_klarna.create_order(token, wrong)
        mock_klarna.create_order(token, {**order, "merchant_reference1": MARKUP})

    return place


async def test_a_refused_order_shows_why_how_it_differs_and_how_to_send_it_again(
    tab: "Page", open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = _placing_wrongly(mock_klarna)
    dialog = await _opened(await open_dialog())
    await dialog.find("#buy-button").click()
    await _entry(dialog, "purchase_placed").wait_for()
    refused, placed = _entry(dialog, "create_order").first, _entry(dialog, "create_order").last
    await expect(refused).to_have_class("refused")
    await expect(refused.locator(".reasons dd")).to_have_text(
        ["1", "23800 (23799 to 23801)", "119000 − 119000×10000/(10000+2500) = 23800"]  # noqa: RUF001
    )
    await expect(refused.locator(".reasons dt")).to_have_text(["sent", "expected", "formula"])
    await expect(refused.locator(".reasons code")).to_have_text("order_lines[0].total_tax_amount")
    paths = refused.locator(".differences code")
    await expect(paths).to_have_text(["order_lines[0].name", "order_lines[0].total_tax_amount"])
    await expect(refused.locator(".differences dd").nth(1)).to_have_text(MARKUP)
    await placed.locator("summary").click()
    await expect(placed.locator(".differences")).to_contain_text("merchant_reference1authorizednothing")
    command = await _copied(dialog, refused)
    sent = json.loads(await _run(command))
    assert sent["error_code"] in ("not_allowed", "bad_value")
    async with tab.expect_popup() as popup:
        await refused.get_by_role("link", name="Journal entry").click()
    assert json.loads(await (await popup.value).locator("body").inner_text())["problems"][0]["value"] == 1
    assert await tab.evaluate("window.hit") is None


async def _run(command: str) -> str:
    """Run a command of the drawer as a developer does in a shell."""
    program, *arguments = shlex.split(command)
    assert program == "curl"
    process = await asyncio.create_subprocess_exec("curl", "-s", *arguments, stdout=asyncio.subprocess.PIPE)
    output, _ = await process.communicate()
    return output.decode()


async def test_an_order_like_the_authorized_one_has_no_differences_and_the_drawer_keeps_the_focus(
    open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = placing(mock_klarna)
    dialog = await _opened(await open_dialog())
    await dialog.find("#buy-button").press("Enter")
    await dialog.find("#confirmation__bottom").wait_for()
    await expect(dialog.find("#buy-button")).to_be_focused()
    placed = _entry(dialog, "create_order")
    await placed.locator("summary").click()
    await expect(placed.locator(".same")).to_be_visible()
    await expect(placed).not_to_have_class("refused")
    await expect(dialog.find("#buy-button")).to_be_disabled()
    assert (await dialog.heading(), mock_klarna.purchases()[0]["state"]) == ("Thank you, Alice!", "placed")


async def test_an_invalid_call_of_the_page_is_shown_with_its_problems(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await _opened(await open_dialog())
    wrong = {"order_lines": [options["order_lines"][0] | {"total_amount": 7}]}
    await tab.evaluate("(changes) => Klarna.InstantShopping.update(changes, () => 0)", wrong)
    accepted, call = _entry(dialog, "sdk_load").first, _entry(dialog, "sdk_load").last
    await expect(accepted).not_to_have_class("refused")
    await expect(call).to_contain_text("load() or update()")
    await expect(call.locator(".reasons code")).to_have_text("order_lines[0].total_amount")
    await expect(call.locator(".reasons dd").first).to_have_text("7")


async def test_a_callback_can_be_sent_again(open_dialog: Open, shop: Shop, mock_klarna: MockKlarna) -> None:
    dialog = await _opened(await open_dialog())
    await dialog.find("#buy-button").click()
    callback = _entry(dialog, "place_order")
    await callback.locator("summary").click()
    await callback.get_by_role("button", name="Resend").click()
    await expect(dialog.find("#drawer-status")).to_have_text("place_order was sent again")
    await expect(callback).to_have_count(2)
    assert len(shop.callbacks) == 2
    command = await _copied(dialog, callback.first)
    await _run(command)
    assert shop.callbacks[2] == shop.callbacks[0]


@pytest.mark.usefixtures("order")
async def test_the_chosen_behaviour_happens_to_the_next_callback(
    open_dialog: Open, shop: Shop, mock_klarna: MockKlarna
) -> None:
    dialog = await _opened(await open_dialog())
    for choice, said, count in (
        ("Gets a garbled callback", "once", 1),
        ("Its own", "Nothing will go wrong", 0),
        ("Gets the callback twice", "once", 1),
    ):
        await dialog.find("#set-behaviour").select_option(choice)
        await expect(dialog.find("#drawer-status")).to_contain_text(said)
        assert len(mock_klarna.send("GET", "/_mock/faults").body["faults"]) == count
    await dialog.find("#buy-button").click()
    await expect(_entry(dialog, "place_order")).to_have_count(2)
    assert len(shop.callbacks) == 2


async def test_language_country_and_clock_are_changed_in_the_drawer(open_dialog: Open, mock_klarna: MockKlarna) -> None:
    dialog = await _opened(await open_dialog())
    await dialog.find("#set-language").select_option("Swedish")
    await expect(dialog.find("#step-heading")).to_have_text("Dina uppgifter")
    await expect(dialog.find("#drawer-heading")).to_have_text("Developer")
    await dialog.find("#set-country").select_option("Germany")
    await expect(dialog.find(".order-summary .price")).to_contain_text("€")
    await expect(dialog.find("#buy-button")).to_have_text("Buy as de-approved")
    before = await dialog.find("#clock").inner_text()
    await dialog.find("#conditions").get_by_role("button", name="+30 d").click()
    await expect(dialog.find("#clock")).not_to_have_text(before)
    assert mock_klarna.send("GET", "/_mock/clock").body["ahead_seconds"] == 30 * 86400


async def test_a_change_that_is_not_possible_says_why(
    tab: "Page", open_dialog: Open, console_errors: list[str]
) -> None:
    problem = {"path": "purchase_country", "expected": "one of SE"}
    dialog = await _opened(await open_dialog())
    await tab.route("**/update", lambda route: route.fulfill(status=400, json={"errors": [problem]}))
    await dialog.find("#set-country").select_option("Germany")
    await expect(dialog.find("#drawer-status")).to_have_text("purchase_country: expected one of SE")
    await expect(dialog.find("#set-country")).to_have_value("SE")
    assert ["400" in error for error in console_errors] == [True]
    console_errors.clear()


HELD = """(dialog) => {
  dialog.held = [];
  window.setTimeout = (run, ms) => dialog.held.push([ms, run]);
}"""
"""Keeps what the dialog wants to do later, so that the test decides when."""


async def test_a_slow_network_holds_every_request_of_the_dialog(tab: "Page", open_dialog: Open) -> None:
    dialog = await _opened(await open_dialog())
    await dialog.find("#set-network").select_option("5 s for each request")
    await dialog.fill_in("se-approved")
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(request.url.rpartition("/")[2]))
    await dialog.find("#dialog").evaluate(HELD)
    await dialog.find("#address-button").click()
    await expect(dialog.find("#step")).to_have_attribute("aria-busy", "true")
    assert "identify" not in sent
    await dialog.find("#dialog").evaluate("(dialog) => dialog.held.find(([ms]) => ms === 5000)[1]()")
    await dialog.find("#checkout-button").wait_for()
    assert "identify" in sent
