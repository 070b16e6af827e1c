"""Updates of the page while the dialog is open: they never disturb the shopper, and nothing is paid that was not shown."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import ALICE, BUTTON, FRAME, Dialog, held, painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
Order = Callable[[], Json]
ASK = "(changes) => new Promise((done) => Klarna.InstantShopping.update(changes, done))"
SHIPPING = [
    {"id": name, "name": name, "price": 0, "tax_amount": 0, "tax_rate": 2500} for name in ("express", "post", "pigeon")
]


def frame_of(tab: "Page") -> "Frame":
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    return frame


def line(options: Json, price: int, name: str = "White") -> Json:
    """Return changes to the price and the name of the first order line."""
    amounts = {"unit_price": price, "total_amount": price, "total_tax_amount": price // 5}
    return {"order_lines": [options["order_lines"][0] | amounts | {"name": name}]}


async def update(tab: "Page", changes: Json) -> None:
    assert await tab.evaluate(ASK, changes) == {"show_button": True}


async def test_text_that_is_typed_during_updates_stays_in_order(tab: "Page", open_dialog: Open, options: Json) -> None:
    dialog = await open_dialog()
    street = dialog.find("#street_address")
    for number, text in enumerate(("Svea", "vaegen", " 4", "6")):
        await street.press_sequentially(text)
        await update(tab, line(options, 10000, f"Pack {number}"))
        await expect(dialog.find(".order-summary")).to_contain_text(f"Pack {number}")
    await expect(street).to_have_value("Sveavaegen 46")
    await expect(street).to_be_focused()


AT_REST = """async () => {
    const ends = (one) => one.effect.getComputedTiming().endTime !== Infinity;
    await Promise.allSettled(document.getAnimations().filter(ends).map((one) => one.finished));
    await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
}"""
"""Waits until the dialog has been laid out and nothing slides any more."""


async def test_an_update_keeps_the_elements_the_selection_and_the_scroll_position(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    await tab.set_viewport_size({"width": 390, "height": 500})
    state = """() => {
        const [step, city] = ["step", "city"].map((id) => document.getElementById(id));
        return [step.scrollTop, window.scrollY, document.activeElement.id, city.selectionStart, city.selectionEnd];
    }"""
    try:
        dialog = await open_dialog()
        await dialog.fill(ALICE)
        await dialog.find("#city").evaluate(
            "(city) => { city.focus({preventScroll: true}); city.setSelectionRange(2, 5); }"
        )
        await frame_of(tab).evaluate(AT_REST)
        await frame_of(tab).evaluate("() => { document.getElementById('step').scrollTop = 150; scrollTo(0, 150) }")
        before = await frame_of(tab).evaluate(state)
        await frame_of(tab).evaluate("() => document.querySelectorAll('#step *').forEach((one) => (one.isKept = true))")
        await update(tab, line(options, 10000))
        await expect(dialog.find(".order-summary")).to_contain_text("White")
        assert await frame_of(tab).evaluate(state) == before
        assert 150 in before[:2]
    finally:
        await tab.set_viewport_size({"width": 1280, "height": 720})
    count = "() => [...document.querySelectorAll('#step *')].filter((one) => !one.isKept).length"
    assert await frame_of(tab).evaluate(count) == 0


async def test_an_update_does_not_end_a_composition_of_characters(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.has_focus()
    await dialog.find("#city").focus()
    await frame_of(tab).evaluate(
        "() => { window.ended = 0; document.addEventListener('compositionend', () => (window.ended += 1)) }"
    )
    keyboard = await tab.context.new_cdp_session(frame_of(tab))
    await keyboard.send("Input.imeSetComposition", {"text": "とうき", "selectionStart": 3, "selectionEnd": 3})
    escape = "new KeyboardEvent('keydown', {key: 'Escape', isComposing: true, bubbles: true})"
    await dialog.find("#city").evaluate(f"(city) => city.dispatchEvent({escape})")  # ends the composition alone
    await update(tab, line(options, 10000))
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    assert await frame_of(tab).evaluate("window.ended") == 0
    await keyboard.send("Input.imeSetComposition", {"text": "とうきょう", "selectionStart": 5, "selectionEnd": 5})
    await keyboard.send("Input.insertText", {"text": "東京"})
    await expect(dialog.find("#city")).to_have_value("東京")


@pytest.mark.parametrize("locale", ["en-SE", "sv-SE"])
async def test_marks_of_invalid_fields_survive_updates(
    tab: "Page", open_dialog: Open, options: Json, locale: str
) -> None:
    dialog = await open_dialog()
    await dialog.fill({**ALICE, "postal_code": "1134", "city": ""})
    await dialog.find("#address-button").click()
    await expect(dialog.find("[aria-invalid=true]")).to_have_count(2)
    await update(tab, {**line(options, 10000), "locale": locale})
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    await expect(dialog.find("[aria-invalid=true]")).to_have_count(2)
    text = {"en-SE": "Please fill this in.", "sv-SE": "Fyll i det här fältet."}[locale]
    await expect(dialog.find("#city__error")).to_have_text(text)
    await expect(dialog.find("#postal_code")).to_be_focused()


async def test_a_choice_that_is_not_sent_yet_survives_updates(tab: "Page", open_dialog: Open, options: Json) -> None:
    dialog = await open_dialog()
    await dialog.find("#test-shopper").wait_for()
    names = await dialog.find("#test-shopper option").all_inner_texts()
    await dialog.find("#test-shopper").select_option(names[-1])
    await update(tab, line(options, 10000))
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    await expect(dialog.find("#test-shopper")).to_have_value(names[-1])
    await dialog.find("#fill-button").click()
    await dialog.find("#status").get_by_text(names[-1]).wait_for(state="attached")


async def test_the_focus_follows_a_shipping_option_to_its_new_place(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog(shipping_options=SHIPPING)
    await dialog.identify()
    await dialog.frame.get_by_label("post").focus()
    await update(tab, {"shipping_options": SHIPPING[::-1]})
    await expect(dialog.find("#shipping .option-name").first).to_have_text("pigeon")
    await expect(dialog.frame.get_by_label("post")).to_be_focused()
    await expect(dialog.frame.get_by_label("express")).to_be_checked()
    await update(tab, {"shipping_options": SHIPPING[1:]})
    await expect(dialog.find("#shipping .option")).to_have_count(2)
    await expect(dialog.frame.get_by_label("post")).to_be_focused()


async def test_choices_in_quick_succession_add_up(tab: "Page", open_dialog: Open, page: Callable[[str], Any]) -> None:
    cart = page("se-variations")
    boxes = [{"id": "news", "text": "Send me news"}, {"id": "adult", "text": "I am 18 or older"}]
    more = {"items": cart["items"], "shipping_options": cart["shipping_options"], "additional_checkboxes": boxes}
    dialog = await open_dialog(order_lines=None, **more)
    await dialog.identify()
    async with held(tab, "**/sessions/*/specify") as arrived:
        await dialog.frame.get_by_text("blå").click()
        await arrived.wait()
        await dialog.frame.get_by_text("L", exact=True).click()
        await dialog.find("#quantity-more").click()
        await dialog.find("#quantity-more").click()
        for box in boxes:
            await dialog.frame.get_by_label(box["text"]).check()
    await expect(dialog.find("#quantity")).to_have_value("3")
    await dialog.idle()
    for box in boxes:
        await expect(dialog.frame.get_by_label(box["text"])).to_be_checked()
    view = await frame_of(tab).evaluate(
        "() => fetch(location.pathname.replace('dialog', 'sdk/sessions')).then((answer) => answer.json())"
    )
    assert (view["order_lines"][0]["reference"], view["order_lines"][0]["quantity"]) == ("TS-blue-l", 3)
    assert view["merchant_requested"] == {"news": True, "adult": True}


async def test_a_total_that_changes_before_the_payment_is_shown_and_asked_for_again(
    tab: "Page", open_dialog: Open, order: Order, options: Json, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 1 240,00\xa0kr")
    async with held(tab, "**/sessions/*/pay") as arrived:
        await dialog.pay()
        await arrived.wait()
        await update(tab, line(options, 9900000))
    await expect(dialog.find("#error-message")).to_contain_text("The total is now 99 050,00\xa0kr")
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 99 050,00\xa0kr")
    assert [purchase["state"] for purchase in mock_klarna.purchases()] == ["started"]
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_amount"] == 9905000
    assert all("409" in error for error in console_errors)
    console_errors.clear()


async def test_other_goods_at_the_same_price_are_asked_for_again(
    tab: "Page", open_dialog: Open, order: Order, options: Json, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    async with held(tab, "**/sessions/*/pay") as arrived:
        await dialog.pay()
        await arrived.wait()
        await update(tab, {"order_lines": [options["order_lines"][0] | {"name": "White"}]})
    await expect(dialog.find("#error-message")).to_contain_text("The order has changed")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["name"] == "White"
    assert all("409" in error for error in console_errors)
    console_errors.clear()


async def test_an_update_between_the_click_and_the_start_of_the_session_is_sold(
    tab: "Page", product_page: Callable[..., str], order: Order, options: Json
) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    dialog = Dialog(tab)
    async with held(tab, "**/sdk/sessions") as arrived:
        await tab.locator(BUTTON).click()
        await arrived.wait()
        await update(tab, line(options, 20000, "Grey"))
        await update(tab, {"merchant_reference1": "later"})
        await update(tab, line(options, 10000))
    await dialog.identify()
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 150,00\xa0kr")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["name"] == "White"
    assert order()["merchant_reference1"] == "later"


async def test_an_update_after_a_second_click_is_sold_if_the_first_session_starts_late(
    tab: "Page", product_page: Callable[..., str], options: Json
) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    requests: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route("**/sdk/sessions", requests.put_nowait)
    await tab.locator(BUTTON).click()
    first = await requests.get()
    await tab.keyboard.press("Escape")
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)
    await tab.locator(BUTTON).click()
    second = await requests.get()
    await update(tab, line(options, 10000))
    async with tab.expect_response("**/sdk/sessions") as answer:
        await first.continue_()
    await (await answer.value).finished()
    await second.continue_()
    await expect(Dialog(tab).find(".order-summary")).to_contain_text("White")


async def test_a_dialog_that_is_closed_during_two_updates_opens_again_with_the_last_one(
    tab: "Page", product_page: Callable[..., str], options: Json
) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    async with held(tab, "**/sessions/*/update") as sent:
        async with held(tab, "**/sdk/sessions") as started:
            await tab.locator(BUTTON).click()
            await started.wait()
            await update(tab, line(options, 20000, "Grey"))
        await sent.wait()
        await tab.evaluate("(changes) => Klarna.InstantShopping.update(changes)", line(options, 10000))
        await tab.keyboard.press("Escape")
        await expect(tab.locator(FRAME)).to_have_count(0)
        await painted(tab)
    await tab.locator(BUTTON).click()
    await expect(Dialog(tab).find(".order-summary")).to_contain_text("White")


@pytest.mark.parametrize("is_open", [False, True])
async def test_the_goods_of_another_key_are_sold_with_that_key(
    tab: "Page", product_page: Callable[..., str], options: Json, mock_klarna: MockKlarna, shop: Shop, is_open: bool
) -> None:
    other = mock_klarna.create_button(merchant_urls=shop.merchant_urls)["button_key"]
    later = {**options, **line(options, 10000), "setup": {**options["setup"], "key": other}}
    load_later = "(options) => new Promise((done) => Klarna.InstantShopping.load(options, done))"
    await tab.goto(product_page(load(options)))
    dialog = Dialog(tab)
    if is_open:
        await tab.locator(BUTTON).click()
        await dialog.find("#address-button").wait_for()
        await tab.evaluate(load_later, later)
        await expect(tab.locator(FRAME)).to_have_count(0)
        await painted(tab)
        await tab.locator(BUTTON).click()
    else:
        async with held(tab, "**/sdk/sessions") as arrived:
            await tab.locator(BUTTON).click()
            await arrived.wait()
            await tab.evaluate(load_later, later)
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    path = await dialog.find("html").evaluate("() => location.pathname")
    assert mock_klarna.find_purchase(path.split("/")[-1])["button_key"] == other


async def test_a_separate_address_that_the_page_no_longer_allows_is_not_sent(
    tab: "Page", open_dialog: Open, order: Order
) -> None:
    dialog = await open_dialog(options={"allow_separate_shipping_address": True})
    await dialog.fill(ALICE)
    await dialog.find("#separate-shipping").check()
    await dialog.find("#shipping_city").fill("Lund")
    await update(tab, {"options": {"allow_separate_shipping_address": False}})
    await expect(dialog.find("#shipping-address")).to_have_count(0)
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["shipping_address"]["city"] == "Stockholm"


@pytest.mark.parametrize("is_separate", [False, True])
async def test_an_address_that_the_page_does_not_accept_any_more_is_asked_for_again(
    tab: "Page", open_dialog: Open, order: Order, console_errors: list[str], is_separate: bool
) -> None:
    dialog = await open_dialog(options={"allow_separate_shipping_address": True}, billing_countries=["SE", "NO"])
    country = "shipping_country" if is_separate else "country"
    await dialog.fill(ALICE)
    if is_separate:
        await dialog.find("#separate-shipping").check()
        await dialog.fill({f"shipping_{name}": value for name, value in ALICE.items() if name != "email"})
        await dialog.fill({"shipping_city": "Lund"})
        await dialog.find("#shipping_country").select_option("SE")
    await dialog.continue_to_review()
    await update(tab, {"shipping_countries": ["NO"]})
    await dialog.pay()
    await expect(dialog.find("#step-heading")).to_have_text("Your details")
    await expect(dialog.find(f"#{country}__error")).to_have_text("The shop does not serve this country.")
    await expect(dialog.find("#form-error")).to_have_text("Please check the marked fields (1).")
    await expect(dialog.find(f"#{country}")).to_be_focused()
    prefix = country.removesuffix("country")
    await dialog.find(f"#{country}").select_option("NO")
    await dialog.fill({f"{prefix}postal_code": "0194", f"{prefix}city": "Oslo"})
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    addresses = [order()[f"{kind}_address"] for kind in ("billing", "shipping")]
    assert [one["country"] for one in addresses] == ["SE" if is_separate else "NO", "NO"]
    assert addresses[1]["city"] == "Oslo"
    assert all("400" in error for error in console_errors)
    console_errors.clear()


async def test_a_field_that_the_page_requires_later_is_asked_for(
    tab: "Page", open_dialog: Open, order: Order, console_errors: list[str]
) -> None:
    dialog = await open_dialog()
    await dialog.fill(ALICE)
    await dialog.continue_to_review()
    await update(tab, {"options": {"phone_mandatory": True}})
    await dialog.pay()
    await expect(dialog.find("#phone__error")).to_have_text("Please fill this in.")
    await dialog.find("#phone").fill("070 174 06 15")
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["billing_address"]["phone"] == "+46701740615"
    assert all("400" in error for error in console_errors)
    console_errors.clear()


async def test_an_update_while_the_texts_are_loading_is_shown(
    tab: "Page", product_page: Callable[..., str], options: Json
) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    async with held(tab, "**/texts/en.json") as arrived:
        await tab.locator(BUTTON).click()
        await arrived.wait()
        await update(tab, line(options, 10000))
    await expect(Dialog(tab).find(".order-summary")).to_contain_text("White")


async def test_updates_before_the_first_answer_of_the_server_are_sold(
    tab: "Page", product_page: Callable[..., str], order: Order, options: Json
) -> None:
    await tab.goto(product_page(load({**options, "locale": "en-SE"})))
    await tab.locator(BUTTON).wait_for()
    async with held(tab, "**/sdk/load") as arrived:
        await tab.evaluate("(changes) => Klarna.InstantShopping.update(changes)", line(options, 10000))
        await arrived.wait()
        await tab.locator(BUTTON).click()
        dialog = Dialog(tab)
        await dialog.identify()
        await dialog.pay()
        await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["name"] == "White"


@pytest.mark.parametrize("path", ["load", "sessions/*/update"])
async def test_an_update_that_the_network_loses_is_sent_again(
    tab: "Page", open_dialog: Open, options: Json, console_errors: list[str], path: str
) -> None:
    dialog = await open_dialog()
    await dialog.find("#address-button").wait_for()
    lost: list[str] = []

    async def lose_first(route: "Route") -> None:
        lost.append(route.request.url)
        await (route.abort() if len(lost) == 1 else route.continue_())

    await tab.route(f"**/sdk/{path}", lose_first)
    answer = await tab.evaluate(ASK, line(options, 10000))
    assert answer["show_button"] is (path != "load")
    await expect(dialog.find(".order-summary")).to_contain_text("White")
    assert len(lost) == (1 if path == "load" else 2)
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()


async def test_an_update_while_the_dialog_is_closed_is_sold(
    tab: "Page", open_dialog: Open, order: Order, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.find("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)
    await update(tab, line(options, 10000))
    await tab.locator(BUTTON).click()
    await dialog.continue_to_review()
    await expect(dialog.find("#checkout-button")).to_have_text("Pay 150,00\xa0kr")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["order_lines"][0]["name"] == "White"


UPDATES_OF_A_SECOND = """(lines) => {
    let number = 0;
    const timer = setInterval(() => {
        const name = `Pack ${number}`;
        Klarna.InstantShopping.update({order_lines: [{...lines[0], name}]}, (offer) => answers.push([name, offer.show_button]));
        if ((number += 1) === 100) clearInterval(timer);
    }, 10);
}"""


@pytest.mark.parametrize("status", [0, 500])
async def test_an_update_is_shown_without_the_texts_of_its_language_and_the_next_one_with_them(
    tab: "Page", open_dialog: Open, options: Json, console_errors: list[str], status: int
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    texts = "**/texts/fi.json"
    await tab.route(texts, lambda route: route.fulfill(status=status, json={}) if status else route.abort())
    await update(tab, line(options, 10000) | {"locale": "fi-FI"})
    await expect(dialog.find("#checkout-button")).to_contain_text("Pay 150,00")
    await tab.unroute(texts)
    await update(tab, line(options, 20000))
    await expect(dialog.find("#checkout-button")).to_contain_text("Maksa 250,00")
    assert console_errors
    console_errors.clear()


async def test_texts_that_arrive_after_another_update_do_not_change_its_language(
    tab: "Page", open_dialog: Open, options: Json
) -> None:
    dialog = await open_dialog()
    await dialog.identify()
    async with held(tab, "**/texts/fi.json") as arrived:
        async with tab.expect_request("**/texts/fi.json") as texts:
            await update(tab, {"locale": "fi-FI"})
        await arrived.wait()
        await update(tab, line(options, 10000) | {"locale": "sv-SE"})
        await expect(dialog.find("#checkout-button")).to_have_text("Betala 150,00\xa0kr")
    request = await texts.value
    assert await request.response()
    await frame_of(tab).evaluate("(url) => fetch(url).then((answer) => answer.json())", request.url)
    await dialog.find("#edit-button").click()
    await expect(dialog.find("#step-heading")).to_have_text("Dina uppgifter")


@pytest.mark.parametrize("step", ["identification", "review"])
async def test_a_hundred_updates_of_a_second_need_few_requests(
    timed: "Page", product_page: Callable[..., str], options: Json, step: str
) -> None:
    await timed.goto(product_page(load(options)))
    await timed.locator(BUTTON).click()
    dialog = Dialog(timed)
    if step == "review":
        await dialog.identify()
    await dialog.find("#address-button, #checkout-button").wait_for()
    await dialog.idle()
    requests: list[str] = []
    timed.on("request", lambda request: requests.append(request.url))
    await timed.evaluate(UPDATES_OF_A_SECOND, options["order_lines"])
    for _ in range(40):
        await timed.clock.run_for(100)
    await timed.wait_for_function("answers.length === 101")
    place = ".order-summary" if step == "identification" else ".totals"
    await expect(dialog.find(place)).to_contain_text("Pack 99")
    assert await timed.evaluate("answers.slice(1)") == [[f"Pack {number}", True] for number in range(100)]
    assert len(requests) <= 12, requests


@pytest.mark.usefixtures("order")
async def test_a_choice_that_does_not_change_the_order_does_not_refuse_the_payment(
    tab: "Page", open_dialog: Open
) -> None:
    dialog = await open_dialog(additional_checkboxes=[{"id": "news", "text": "Send me news"}])
    await dialog.identify()
    async with held(tab, "**/sessions/*/checkboxes") as arrived:
        await dialog.frame.get_by_label("Send me news").check()
        await arrived.wait()
        await dialog.find("#checkout-button").click()
    await dialog.find("#confirmation__bottom").wait_for()


async def test_items_in_place_of_lines_are_offered_and_an_empty_list_of_lines_leaves_the_choice(
    tab: "Page", open_dialog: Open, page: Callable[[str], Any]
) -> None:
    items = page("se-variations")["items"]
    dialog = await open_dialog()
    await dialog.identify()
    await update(tab, {"order_lines": [], "items": items})
    await expect(dialog.find(".totals .line")).to_contain_text(items[0]["name"])
    await dialog.frame.get_by_text("blå").click()
    await expect(dialog.find(".totals .line")).to_contain_text("blå")
    await update(tab, {"order_lines": [], "additional_checkboxes": [{"id": "news", "text": "Send me news"}]})
    await dialog.frame.get_by_label("Send me news").wait_for()
    await expect(dialog.find(".totals .line")).to_contain_text("blå")
