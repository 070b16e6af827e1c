"""What a page hears of its shopper, and that nobody else can make it hear anything (protocol 6.5)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import load
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
LISTEN = f"""window.told = [];
for (const event of {list(EVENTS)}) {{
    Klarna.InstantShopping.on(event, (payload) => told.push([event, payload]), {{setup: {{instance_id: "button-1"}}}});
}}"""


async def opened(tab: "Page") -> None:
    await tab.locator(BUTTON).click()
    await tab.frame_locator(FRAME).locator("#close-button").wait_for()


async def test_the_frame_is_there_when_the_handlers_of_the_click_run(
    tab: "Page", product: Product, options: Json
) -> None:
    reach = """Klarna.InstantShopping.on("buy_button_clicked", (payload) => {
        const frame = document.getElementById("klarna-instant-shopping-fullscreen");
        window.seen = [frame.name, frame.style.zIndex, payload.instanceId, payload.instance_id];
        frame.style.zIndex = "1500";
    });"""
    await tab.goto(product(reach + load(options)))
    await opened(tab)
    assert await tab.evaluate("seen") == [FRAME[1:], "2147483647", "button-1", "button-1"]


async def test_a_session_begins_after_the_click_and_both_are_told_in_order(
    tab: "Page", product: Product, options: Json
) -> None:
    await tab.goto(product(LISTEN + load(options)))
    await opened(tab)
    await tab.wait_for_function("told.length >= 2")
    assert [name for name, _ in await tab.evaluate("told")][:2] == ["buy_button_clicked", "session_initiated"]


async def test_a_handler_that_was_taken_off_hears_nothing_and_the_others_do(
    tab: "Page", product: Product, options: Json
) -> None:
    script = """const {on, off} = Klarna.InstantShopping;
    window.told = [];
    const gone = () => told.push("gone"), other = () => told.push("other"), stays = () => told.push("stays");
    on("buy_button_clicked", gone);
    on("buy_button_clicked", other, {setup: {instance_id: "button-2"}});
    on("buy_button_clicked", stays, {setup: {instance_id: "button-1"}});
    off("buy_button_clicked", gone);
    on("no_such_event", gone);
    on("buy_button_clicked");
    on();
    off("never_heard", () => {});"""
    await tab.goto(product(script + load(options)))
    await opened(tab)
    assert await tab.evaluate("told") == ["stays"]


async def test_a_handler_that_throws_keeps_nobody_from_buying(
    tab: "Page", product: Product, options: Json, complaints: list[str]
) -> None:
    script = 'Klarna.InstantShopping.on("buy_button_clicked", () => { throw new Error("of the shop") });'
    await tab.goto(product(script + LISTEN + load(options)))
    await opened(tab)
    assert (await tab.evaluate("told"))[0][0] == "buy_button_clicked"
    assert [complaint for complaint in complaints if "of the shop" not in complaint] == []
    complaints.clear()


async def test_messages_that_others_forge_are_not_heard(tab: "Page", product: Product, options: Json) -> None:
    await tab.goto(product(LISTEN + load(options)))
    await opened(tab)
    await tab.wait_for_function("told.length >= 2")
    forge = """async () => {
        const before = told.length;
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
        await new Promise((done) => setTimeout(done, 50));
        return [told.length - before, document.getElementById("klarna-instant-shopping-fullscreen") !== null];
    }"""
    assert await tab.evaluate(forge) == [0, True]


async def test_a_second_click_opens_no_second_dialog(tab: "Page", product: Product, options: Json) -> None:
    await tab.goto(product(LISTEN + load(options)))
    await tab.locator(BUTTON).wait_for()
    await tab.locator(BUTTON).evaluate("(button) => { button.click(); button.click() }")
    assert await tab.locator(FRAME).count() == 1
    assert len([name for name, _ in await tab.evaluate("told") if name == "buy_button_clicked"]) == 1


async def test_a_dialog_that_was_closed_is_gone_on_with(
    tab: "Page", product: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product(load(options)))
    await opened(tab)
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await tab.locator(FRAME).wait_for(state="detached")
    assert await tab.evaluate("document.documentElement.style.overflow") == ""
    await opened(tab)
    assert len(mock_klarna.purchases()) == 1


async def test_options_that_changed_begin_another_session(
    tab: "Page", product: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product(load(options)))
    await opened(tab)
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await tab.locator(FRAME).wait_for(state="detached")
    await tab.evaluate("new Promise((done) => Klarna.InstantShopping.update({merchant_reference1: 'B'}, done))")
    await opened(tab)
    assert len(mock_klarna.purchases()) == 2


async def test_what_the_page_updates_while_the_dialog_is_open_is_seen_in_it(
    tab: "Page", product: Product, options: Json
) -> None:
    await tab.goto(product(load(options)))
    await opened(tab)
    await tab.frame_locator(FRAME).get_by_text("Battery Power Pack Black").first.wait_for()
    lines = [{**options["order_lines"][0], "name": "Battery Power Pack White"}]
    update = "(lines) => new Promise((done) => Klarna.InstantShopping.update({order_lines: lines}, done))"
    assert await tab.evaluate(update, lines) == {"show_button": True}
    await tab.frame_locator(FRAME).get_by_text("Battery Power Pack White").first.wait_for()


async def test_a_page_that_takes_the_container_away_closes_the_dialog(
    tab: "Page", product: Product, options: Json
) -> None:
    await tab.goto(product(load(options)))
    await opened(tab)
    await tab.evaluate("document.querySelector('klarna-instant-shopping').remove()")
    await tab.locator(FRAME).wait_for(state="detached")


async def test_a_purchase_that_cannot_begin_says_so_beside_the_button(
    tab: "Page", product: Product, options: Json, mock_klarna: MockKlarna, complaints: list[str]
) -> None:
    await tab.goto(product(load(options)))
    await tab.locator(BUTTON).wait_for()
    mock_klarna.update_button(options["setup"]["key"], disabled=True)
    asked: list[str] = []
    tab.on("request", lambda request: asked.append(request.url))
    await tab.locator(BUTTON).click()
    await tab.get_by_role("alert").get_by_text("Det går inte att köpa just nu.").wait_for()
    await tab.locator("iframe").wait_for(state="detached")
    assert [url.rsplit("/", 1)[-1] for url in asked] == ["sessions"]
    complaints.clear()


async def test_a_shopper_buys_and_lands_on_the_confirmation_page(
    tab: "Page", product: Product, options: Json, mock_klarna: MockKlarna, shop: Shop
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
    await tab.goto(product(LISTEN + load(options)))
    await opened(tab)
    frame = tab.frame_locator(FRAME)
    await frame.locator("#address-button").click()
    await frame.locator("#checkout-button").click()
    await frame.locator("#confirmation__bottom").wait_for()
    told = await tab.evaluate("told")
    names = [name for name, _ in told]
    assert names[0] == "buy_button_clicked"
    assert names[-1] == "confirmation_displayed"
    assert names.index("session_initiated") < names.index("identification_updated") < len(names) - 1
    payload = next(payload for name, payload in told if name == "identification_updated")
    assert payload | {"customer_country": "SE", "customer_postal_code": "11148", "instanceId": "button-1"} == payload
    await frame.locator("#confirmation__bottom").click()
    await tab.wait_for_url(f"{shop.url}/confirmation")
