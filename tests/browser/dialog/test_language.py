"""Every view of a Swedish dialog: its texts are those of the Swedish table, or data of the shop and the shopper."""

import asyncio
import json
import re
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

import mock_klarna.web
from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import ALICE, Dialog, held

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]
TABLE: Json = json.loads((Path(mock_klarna.web.__file__).parent / "static" / "texts" / "sv.json").read_bytes())
VISIBLE_TEXTS = """() => {
  const ignored = "script, style, noscript, [id$=country], #drawer, #drawer-button, body > h1";
  const attributes = ["aria-label", "alt", "title", "placeholder"];
  const texts = new Set();
  const collect = (node) => {
    if (node instanceof Text) texts.add(node.data);
    if (node instanceof Element) {
      if (node.matches(ignored) || !(node.checkVisibility() || node.matches("option, head, title"))) return;
      for (const name of attributes) texts.add(node.getAttribute(name) ?? "");
      if (node.shadowRoot) node.shadowRoot.childNodes.forEach(collect);
    }
    node.childNodes.forEach(collect);
  };
  collect(document);
  return [...texts];
}"""
"""Texts and the attributes that are read out; names of countries come from the browser."""

FLAGS = ("phone_mandatory", "title_mandatory", "date_of_birth_mandatory", "national_identification_number_mandatory")
METHODS = ("PickUpStore", "Home", "BoxReg", "BoxUnreg", "PickUpPoint", "Own", "Postal")
OPTION = {"description": "[1]", "promo": "[2]", "tax_amount": 0, "tax_rate": 0}
DELIVERY = {"carrier": "[3]", "location": {"name": "[4]"}}
CHOICE = {"identifier": "size", "identifier_label": "[5]", "value": "s", "value_label": "[6]"}
ITEM = {"type": "physical", "group_identifier": "[7]", "name": "[8]", "reference": "r", "unit_price": 19900}
CART: Json = {
    "locale": "sv-SE",
    "order_lines": None,
    "items": [{**ITEM, "tax_rate": 0, "total_amount": 19900, "total_tax_amount": 0, "product_attributes": [CHOICE]}],
    "options": dict.fromkeys((*FLAGS, "allow_separate_shipping_address"), True),
    "additional_checkboxes": [{"id": "news", "text": "[9]"}],
    "shipping_options": [
        {**OPTION, "id": f"{at}", "name": "[10]", "price": at, "shipping_method": method, "delivery_details": DELIVERY}
        for at, method in enumerate(METHODS)
    ],
}
"""What the shop writes is in brackets."""
DECORATION = re.compile(r"Instant Shopping ?·?|mock-klarna ?·?|\[\d+\]")
"""The names of the products, and data of the test's cart."""
DATA = {*ALICE.values(), "Sverige", "Product", "order-1"}
ENDS: list[tuple[str, str, Json]] = [
    ("placed", "placed", {"fraud_status": "ACCEPTED", "order_id": "order-1"}),
    ("rejected", "placed", {"fraud_status": "REJECTED"}),
    ("rejected", "declined", {}),
    ("timed_out", "timed_out", {}),
    ("expired", "expired", {}),
    ("failed", "failed", {}),
    ("redirecting", "denied", {"redirect_url": "data:,"}),
    ("waiting", "authorized", {}),
    *(("denied", "denied", {"deny_code": name[7:]}) for name in TABLE if re.match("denied_(?!heading)", name)),
]
"""The step of the dialog, the state of the purchase and its outcome."""


def foreign(texts: list[str], data: set[str]) -> set[str]:
    """Return the texts that are neither in the Swedish table nor data, and have letters."""
    known = re.compile("|".join(re.sub(r"\\\{\w+\\\}", ".+", re.escape(text)) for text in TABLE.values()))

    def is_known(text: str) -> bool:
        return text in data or known.fullmatch(text) is not None or not re.search("[^\\W\\d_]", text.removesuffix("kr"))

    def is_made_of_known(text: str) -> bool:
        return all(is_known(part.strip()) or is_known(part.strip(" ().")) for part in text.split(": "))

    return {text for text in texts if not is_known(text) and not is_made_of_known(DECORATION.sub("", text))}


def refusing(where: str, status: int = 409) -> Callable[["Route"], Awaitable[None]]:
    """Return the answer of a server that refuses a request."""

    async def answer(route: "Route") -> None:
        await route.fulfill(status=status, json={"where": where, "detail": "English"})

    return answer


async def test_every_text_of_a_swedish_form_and_review_is_swedish(
    tab: "Page", open_dialog: Open, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    dialog = await open_dialog(**CART)
    shoppers = {shopper["name"]: shopper for shopper in mock_klarna.shoppers("SE")}
    alice, address = shoppers["se-approved"], shoppers["se-approved"]["billing_address"]
    data = {*DATA, *address.values(), *alice["customer"].values(), *shoppers}
    data |= {f"{address['given_name']} {address['family_name']}", f"{address['postal_code']} {address['city']}"}
    found: dict[str, set[str]] = {"page": foreign(await tab.evaluate(VISIBLE_TEXTS), data)}

    async def look(view: str, place: str, words: str) -> None:
        """Wait for words, then look at all texts."""
        await expect(dialog.find(place)).to_contain_text(words)
        found[view] = foreign(await dialog.find("html").evaluate(VISIBLE_TEXTS), data)

    await look("form", "#step-heading", "Dina uppgifter")
    await dialog.find("#separate-shipping").check()
    await dialog.find("#address-button").click()
    await look("empty form", "#shipping_city__error", "Fyll i")
    await dialog.find("#separate-shipping").uncheck()
    await dialog.fill({**ALICE, "email": "alice", "postal_code": "1"})
    await dialog.find("#address-button").click()
    await look("invalid form", "#email__error", "e-post")
    await dialog.fill({**ALICE, "phone": "+46 12", "date_of_birth": "i går", "national_identification_number": "1"})
    await dialog.find("#title").select_option("ms")
    await dialog.find("#address-button").click()
    await look("form that the server refuses", "#phone__error", "+46")
    for shopper in shoppers:
        await dialog.find("#test-shopper").select_option(shopper)
        await look(shopper, "#test-shopper-is", "Klarna")
    await dialog.fill_in("se-approved")
    await dialog.continue_to_review()
    await dialog.find("#shipping-option-3").check()
    await look("review", "#checkout-button", "199,03")
    for where, words in (("amount", "ändrats"), ("state", "gick inte")):
        await tab.route("**/pay", refusing(where))
        await dialog.pay()
        await look(f"refused for its {where}", "#error-message", words)
        await tab.unroute("**/pay")
    await tab.route("**/pay", lambda route: route.abort())
    await dialog.pay()
    await look("unreachable", "#error-message", "anslutning")
    await tab.unroute("**/pay")
    mock_klarna.reset()
    await dialog.pay()
    await look("gone", "#error-message", "sessionen")
    assert {view: texts for view, texts in found.items() if texts} == {}
    assert len(console_errors) == 5  # the requests that were refused
    console_errors.clear()


REFRESH = """(dialog) => {
  const origin = new URLSearchParams(location.search).get("parent");
  const data = { source: "mock-klarna", type: "update" };
  window.dispatchEvent(new MessageEvent("message", { source: window.parent, origin, data }));
}"""
"""Lets the dialog fetch its session, as when the page has changed it."""


async def test_every_text_of_the_end_of_a_swedish_purchase_is_swedish(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog(**CART)
    await dialog.identify()
    current: Json = {}

    async def answer(route: "Route") -> None:
        view = await (await route.fetch()).json()
        await route.fulfill(json={**view, **current})

    await tab.route("**/wait?*", lambda _route: None)
    await tab.route(re.compile("/sdk/sessions/[^/]+$"), answer)
    found = {}
    for step, state, outcome in ENDS:
        current.update(state=state, outcome=outcome)
        await dialog.find("#dialog").evaluate(REFRESH)
        words = TABLE[f"denied_{outcome['deny_code']}" if step == "denied" else f"{step}_text"]
        await expect(dialog.find(f"#outcome[data-step={step}] #consumer-message")).to_have_text(words)
        texts = await dialog.find("html").evaluate(VISIBLE_TEXTS)
        found[f"{state} {outcome}"] = foreign(texts, DATA)
    assert {view: texts for view, texts in found.items() if texts} == {}


async def test_a_swedish_dialog_that_cannot_start_says_so_in_swedish(
    tab: "Page", open_dialog: Open, console_errors: list[str]
) -> None:
    await tab.route(re.compile("/sdk/sessions/[^/]+$"), refusing("session", 404))
    dialog = await open_dialog(locale="sv-SE")
    await expect(dialog.find("#step")).to_have_text(TABLE["gone"])
    assert await dialog.find("html").get_attribute("lang") == "sv"
    assert all("404" in error for error in console_errors)
    console_errors.clear()


async def test_the_close_button_is_swedish_before_the_texts_have_arrived(tab: "Page", open_dialog: Open) -> None:
    async with held(tab, "**/texts/sv.json") as arrived:
        opening = asyncio.ensure_future(open_dialog(locale="sv-SE"))
        await arrived.wait()
        frame = tab.frame_locator("#klarna-instant-shopping-fullscreen")
        await expect(frame.locator("#close-button")).to_have_attribute("aria-label", "Stäng")
        await expect(frame.locator("#step")).to_have_text("")
    await opening


async def test_every_text_of_a_swedish_buy_page_is_swedish(
    tab: "Page", mock_klarna: MockKlarna, page: Callable[[str], Any], key: str
) -> None:
    cart = page("se-battery-pack")
    mock_klarna.update_button(key, **{name: cart[name] for name in cart if name != "merchant_urls"})
    await tab.goto(f"{mock_klarna.url}/instantshopping/buy/{key}")
    await tab.locator("#close-button").click()
    await tab.locator("#resume-button").wait_for()
    assert foreign(await tab.evaluate(VISIBLE_TEXTS), DATA) == set()
