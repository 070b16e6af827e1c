"""The dialog with a keyboard, on a phone and with a screen reader."""

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.browser.dialog.dialog import ALICE, BUTTON, FRAME, HIDDEN, Dialog

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
FOCUSED = "() => document.activeElement.id"


async def _tab_to(tab: "Page", dialog: Dialog, name: str, key: str = "Tab") -> list[str]:
    """Press a key until an element has the focus; return the ids of all focused elements."""
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    way: list[str] = []
    while name not in way and len(way) < 60:
        await tab.keyboard.press(key)
        way.append(await frame.evaluate(FOCUSED))
    assert name in way, way
    return way


@pytest.mark.usefixtures("order")
async def test_a_purchase_is_possible_without_a_mouse(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog()
    await expect(dialog.find("#step-heading")).to_be_focused()
    await _tab_to(tab, dialog, "fill-button")
    await tab.keyboard.press("Enter")
    await dialog.find("#status").get_by_text("se-approved").wait_for(state="attached")
    await _tab_to(tab, dialog, "address-button")
    await tab.keyboard.press("Enter")
    await expect(dialog.find("#step-heading")).to_have_text("Review and pay")
    await expect(dialog.find("#step-heading")).to_be_focused()
    await _tab_to(tab, dialog, "checkout-button")
    await tab.keyboard.press("Enter")
    await dialog.find("#confirmation__bottom").wait_for()
    await expect(dialog.find("#step-heading")).to_be_focused()
    await _tab_to(tab, dialog, "confirmation__bottom")
    await tab.keyboard.press("Enter")
    await tab.wait_for_url("**/confirmation")


async def test_the_dialog_takes_the_focus_only_from_the_page(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.has_focus()
    await dialog.find("#city").focus()
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    give_focus = """() => new Promise((resolve) => {
        addEventListener("message", resolve, { once: true });
        const message = { source: "mock-klarna", type: "focus" };
        const [origin] = location.ancestorOrigins;
        dispatchEvent(new MessageEvent("message", { data: message, origin, source: parent }));
    })"""
    await frame.evaluate(give_focus)
    await expect(dialog.find("#city")).to_be_focused()


@pytest.mark.parametrize("pressed", ["Tab", "Shift+Tab"])
async def test_the_focus_stays_in_the_dialog(tab: "Page", open_dialog: Open, pressed: str) -> None:
    dialog = await open_dialog()
    await expect(dialog.find("#step-heading")).to_be_focused()
    await _tab_to(tab, dialog, "address-button", pressed)
    way = await _tab_to(tab, dialog, "address-button", pressed)
    assert {"close-button", "drawer-button", "email"} < set(way)
    assert "" not in way


@pytest.mark.parametrize(("width", "height"), [(320, 256), (390, 600)])
@pytest.mark.parametrize("pressed", ["Tab", "Shift+Tab"])
async def test_the_focus_is_never_behind_something(
    tab: "Page", open_dialog: Open, width: int, height: int, pressed: str
) -> None:
    await tab.set_viewport_size({"width": width, "height": height})
    await tab.emulate_media(reduced_motion="reduce")
    dialog = await open_dialog()
    await expect(dialog.find("#step-heading")).to_be_focused()
    frame = tab.frame(name="klarna-instant-shopping-fullscreen")
    assert frame is not None
    hidden = []
    for _ in range(20):
        await tab.keyboard.press(pressed)
        hidden.append(await frame.evaluate(HIDDEN))
    await dialog.find("#drawer-button").click()
    await dialog.find("#timeline li").first.wait_for()
    for _ in range(8):
        await tab.keyboard.press(pressed)
        hidden.append(await frame.evaluate(HIDDEN))
    assert [text for text in hidden if text] == []


async def test_names_of_any_direction_are_isolated(
    tab: "Page", open_dialog: Open, options: Json, order: Callable[[], Json]
) -> None:
    name = "باور بنك (أسود)"
    dialog = await open_dialog(order_lines=[{**options["order_lines"][0], "name": name, "quantity": 1}])
    await expect(dialog.find(".order-summary bdi")).to_have_text(name)
    await dialog.fill({**ALICE, "given_name": "أليس", "street_address": "شارع الملك 5"})
    directions = "one => getComputedStyle(one).direction"
    assert [
        await dialog.find(f"#{each}").evaluate(directions) for each in ("given_name", "street_address", "city")
    ] == [
        "rtl",
        "rtl",
        "ltr",
    ]
    await dialog.continue_to_review()
    street = dialog.find("address span", has_text="شارع")
    assert await street.evaluate(directions) == "rtl"
    await dialog.pay()
    await expect(dialog.find("#step-heading")).to_have_text("Thank you, \u2068أليس\u2069!")


async def test_escape_closes_the_dialog_and_gives_the_focus_back(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog()
    await expect(dialog.find("#step-heading")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(tab.locator(FRAME)).to_have_count(0)
    await expect(tab.locator(BUTTON)).to_be_focused()


async def test_escape_closes_the_drawer_first(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.find("#drawer-button").click()
    await expect(dialog.find("#drawer-close")).to_be_focused()
    await tab.keyboard.press("Escape")
    await expect(dialog.find("#drawer-button")).to_be_focused()
    await expect(dialog.find("#drawer")).to_be_hidden()


async def test_a_changed_total_is_announced(open_dialog: Open, page: Callable[[str], Any]) -> None:
    cart = page("se-variations")
    dialog = await open_dialog(order_lines=None, items=cart["items"], shipping_options=cart["shipping_options"])
    await dialog.identify()
    await dialog.find("#shipping-option-1").check()
    await expect(dialog.find("[role=status]")).to_have_text("Total: 249,00\xa0kr")
    await expect(dialog.find("#shipping-option-1")).to_be_focused()


@pytest.mark.usefixtures("order")
async def test_every_step_fits_a_phone(tab: "Page", open_dialog: Open, page: Callable[[str], Any]) -> None:
    await tab.set_viewport_size({"width": 360, "height": 640})
    items = page("se-variations")["items"]
    dialog = await open_dialog(order_lines=None, items=[{**item, "name": "W" * 120} for item in items])
    await dialog.find("#email").wait_for()
    await _fits(dialog)
    await dialog.identify()
    await _fits(dialog)
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    await _fits(dialog)


async def _fits(dialog: Dialog) -> None:
    wide = "step => [document.documentElement.scrollWidth, step.scrollWidth - step.clientWidth]"
    assert await dialog.find("#step").evaluate(wide) == [360, 0]


async def test_nothing_is_animated_with_reduced_motion(tab: "Page", open_dialog: Open) -> None:
    await tab.emulate_media(reduced_motion="reduce")
    dialog = await open_dialog()
    await dialog.identify()
    await dialog.pay()
    await dialog.find(".busy .outcome-icon").wait_for()
    assert await dialog.find(".busy .outcome-icon").evaluate("icon => document.getAnimations().length") == 0


@pytest.mark.parametrize(
    ("locale", "words"),
    [("sv-SE", "Dina uppgifter"), ("de-SE", "Ihre Angaben"), ("no-SE", "Dine opplysninger"), ("es-SE", "Your details")],
)
async def test_the_dialog_uses_the_language_of_the_locale_or_english(
    open_dialog: Open, locale: str, words: str
) -> None:
    dialog = await open_dialog(locale=locale)
    await expect(dialog.find("#step-heading")).to_have_text(words)
    spoken = await dialog.find("html").get_attribute("lang")
    assert spoken == {"sv-SE": "sv", "de-SE": "de", "no-SE": "nb", "es-SE": "en"}[locale]


async def test_fields_have_the_autocomplete_names_of_addresses(open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.find("#email").wait_for()
    received = await dialog.find("#email, #postal_code, #given_name").evaluate_all(
        "all => all.map((one) => one.autocomplete)"
    )
    assert received == ["email", "billing given-name", "billing postal-code"]
    await dialog.fill(ALICE)
