"""Events that a page receives, and messages that it must not accept (klarna.md §6.5)."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"
FRAME = "#klarna-instant-shopping-fullscreen"
EVENTS = (
    "buy_button_clicked",
    "session_initiated",
    "identification_updated",
    "shipping_updated",
    "confirmation_displayed",
)
LISTEN = f"""window.received = [];
for (const event of {list(EVENTS)}) {{
    Klarna.InstantShopping.on(event, (payload) => received.push([event, payload]), {{setup: {{instance_id: "button-1"}}}});
}}"""


async def open_dialog(tab: "Page") -> None:
    await tab.locator(BUTTON).click()
    await tab.frame_locator(FRAME).locator("#close-button").wait_for()


async def test_the_frame_exists_when_click_handlers_run(tab: "Page", product_page: Product, options: Json) -> None:
    reach = """Klarna.InstantShopping.on("buy_button_clicked", (payload) => {
        const frame = document.getElementById("klarna-instant-shopping-fullscreen");
        window.seen = [frame.name, frame.style.zIndex, payload.instanceId, payload.instance_id];
        frame.style.zIndex = "1500";
    });"""
    await tab.goto(product_page(reach + load(options)))
    await open_dialog(tab)
    assert await tab.evaluate("seen") == [FRAME[1:], "2147483647", "button-1", "button-1"]


async def test_the_click_event_comes_before_the_session_event(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(LISTEN + load(options)))
    await open_dialog(tab)
    await tab.wait_for_function("received.length >= 2")
    assert [name for name, _ in await tab.evaluate("received")][:2] == ["buy_button_clicked", "session_initiated"]


@pytest.mark.parametrize(
    ("callback", "known"),
    [("", "none"), (", () => {}", "without_parameters"), (", (result) => result", "with_parameters")],
    ids=["none", "without parameters", "with parameters"],
)
async def test_the_session_knows_the_callback_of_load(
    tab: "Page", mock_klarna: MockKlarna, product_page: Product, options: Json, callback: str, known: str
) -> None:
    await tab.goto(product_page(f"Klarna.InstantShopping.load({json.dumps(options)}{callback});"))
    await open_dialog(tab)
    assert mock_klarna.wait_for("session_initiated")["load_callback"] == known


async def test_a_removed_handler_is_not_called(tab: "Page", product_page: Product, options: Json) -> None:
    script = """const {on, off} = Klarna.InstantShopping;
    window.received = [];
    const gone = () => received.push("gone"), other = () => received.push("other"), stays = () => received.push("stays");
    on("buy_button_clicked", gone);
    on("buy_button_clicked", other, {setup: {instance_id: "button-2"}});
    on("buy_button_clicked", stays, {setup: {instance_id: "button-1"}});
    off("buy_button_clicked", gone);
    on("no_such_event", gone);
    on("buy_button_clicked");
    on();
    off("never_heard", () => {});"""
    await tab.goto(product_page(script + load(options)))
    await open_dialog(tab)
    assert await tab.evaluate("received") == ["stays"]


async def test_a_handler_that_throws_does_not_stop_the_purchase(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    script = 'Klarna.InstantShopping.on("buy_button_clicked", () => { throw new Error("of the shop") });'
    await tab.goto(product_page(script + LISTEN + load(options)))
    await open_dialog(tab)
    assert (await tab.evaluate("received"))[0][0] == "buy_button_clicked"
    assert [error for error in console_errors if "of the shop" not in error] == []
    console_errors.clear()


async def test_forged_messages_are_ignored(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(LISTEN + load(options)))
    await open_dialog(tab)
    await tab.wait_for_function("received.length >= 2")
    forge = """async () => {
        const before = received.length;
        const session_id = document.querySelector("iframe").src.split("/").pop().split("?")[0];
        const forged = {source: "mock-klarna", session_id, state: "placed", url: "https://evil.example/"};
        for (const type of ["close", "redirect", "event"]) {
            window.postMessage({...forged, type, name: "confirmation_displayed", payload: {}}, "*");
        }
        const frame = document.createElement("iframe");
        frame.srcdoc = "<p>";
        document.body.append(frame);
        await new Promise((done) => frame.addEventListener("load", done));
        const script = frame.contentDocument.createElement("script");
        script.textContent = `parent.postMessage(${JSON.stringify({...forged, type: "close"})}, "*")`;
        frame.contentDocument.body.append(script);
        await new Promise((done) => { addEventListener("message", ({data}) => data === "last" && done()); postMessage("last") });
        return [received.length - before, document.getElementById("klarna-instant-shopping-fullscreen") !== null];
    }"""
    assert await tab.evaluate(forge) == [0, True]


async def test_a_double_click_opens_one_dialog(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(LISTEN + load(options)))
    await tab.locator(BUTTON).wait_for()
    await tab.locator(BUTTON).evaluate("(button) => { button.click(); button.click() }")
    assert await tab.locator(FRAME).count() == 1
    assert len([name for name, _ in await tab.evaluate("received") if name == "buy_button_clicked"]) == 1


async def test_a_closed_dialog_resumes_its_session(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product_page(load(options)))
    await open_dialog(tab)
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await tab.locator(FRAME).wait_for(state="detached")
    await painted(tab)
    assert await tab.evaluate("document.documentElement.style.overflow") == ""
    await open_dialog(tab)
    assert len(mock_klarna.purchases()) == 1


async def test_changed_options_start_a_new_session(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product_page(load(options)))
    await open_dialog(tab)
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await tab.locator(FRAME).wait_for(state="detached")
    await painted(tab)
    await tab.evaluate("new Promise((done) => Klarna.InstantShopping.update({merchant_reference1: 'B'}, done))")
    await open_dialog(tab)
    assert len(mock_klarna.purchases()) == 2


async def test_the_open_dialog_shows_updates_of_the_page(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(load(options)))
    await open_dialog(tab)
    await tab.frame_locator(FRAME).get_by_text("Battery Power Pack Black").first.wait_for()
    lines = [{**options["order_lines"][0], "name": "Battery Power Pack White"}]
    update = "(lines) => new Promise((done) => Klarna.InstantShopping.update({order_lines: lines}, done))"
    assert await tab.evaluate(update, lines) == {"show_button": True}
    await tab.frame_locator(FRAME).get_by_text("Battery Power Pack White").first.wait_for()


async def test_removing_the_container_closes_the_dialog(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(load(options)))
    await open_dialog(tab)
    await tab.evaluate("document.querySelector('klarna-instant-shopping').remove()")
    await tab.locator(FRAME).wait_for(state="detached")


async def test_a_purchase_that_cannot_start_shows_an_error_beside_the_button(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    mock_klarna.update_button(options["setup"]["key"], disabled=True)
    sent: list[str] = []
    tab.on("request", lambda request: sent.append(request.url))
    await tab.locator(BUTTON).click()
    await tab.get_by_role("alert").get_by_text("Det går inte att köpa just nu.").wait_for()
    await tab.locator("iframe").wait_for(state="detached")
    assert [url.rsplit("/", 1)[-1] for url in sent] == ["sessions"]
    console_errors.clear()


async def test_a_purchase_ends_on_the_confirmation_page(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, shop: Shop
) -> None:
    def place(callback: Json) -> None:
        mock_klarna.create_order(callback["authorization_token"], callback["order"])

    shop.decide = place
    options["billing_address"] = {
        "given_name": "Alice",
        "family_name": "Test",
        "email": "alice@example.com",
        "street_address": "Södra Blasieholmshamnen 2",
        "postal_code": "11148",
        "city": "Stockholm",
        "phone": "+46701740615",
        "country": "SE",
    }
    await tab.goto(product_page(LISTEN + load(options)))
    await open_dialog(tab)
    frame = tab.frame_locator(FRAME)
    await frame.locator("#address-button").click()
    await frame.locator("#checkout-button").click()
    await frame.locator("#confirmation__bottom").wait_for()
    await tab.wait_for_function("received.some(([name]) => name === 'confirmation_displayed')")
    received = await tab.evaluate("received")
    names = [name for name, _ in received]
    assert names[0] == "buy_button_clicked"
    assert names[-1] == "confirmation_displayed"
    assert names.index("session_initiated") < names.index("identification_updated") < len(names) - 1
    payload = next(payload for name, payload in received if name == "identification_updated")
    assert payload | {"customer_country": "SE", "customer_postal_code": "11148", "instanceId": "button-1"} == payload
    await frame.locator("#confirmation__bottom").click()
    await tab.wait_for_url(f"{shop.url}/confirmation")
