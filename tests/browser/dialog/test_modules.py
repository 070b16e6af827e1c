"""The pure functions of the dialog's modules, called in the browser."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from mock_klarna import MockKlarna
from mock_klarna.web.bundle import bundle_modules

if TYPE_CHECKING:
    from playwright.async_api import Browser, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
CALL = "([path, name, given]) => import(path).then((module) => module[name](...given))"
SWEDEN = {"dialling": "+46", "postal_code": "\\d{3} ?\\d{2}", "region_needed": False, "titles": {}}

CASES: list[tuple[str, str, list[Any], Any]] = [
    ("countries", "isPostalCode", [" 111 34", SWEDEN], True),
    ("countries", "isPostalCode", ["1113", SWEDEN], False),
    ("texts", "money", [124000, "SEK", "sv-SE"], "1\xa0240,00\xa0kr"),
    ("texts", "money", [1999, "USD", "en-US"], "$19.99"),
    ("texts", "money", [500, "JPY", "en-US"], "¥500"),
    ("texts", "money", [500, "nothing", "en-US"], "nothing 5.00"),
    ("elements", "safeUrl", ["https://shop.example/thanks?a=1"], "https://shop.example/thanks?a=1"),
    ("elements", "safeUrl", ["javascript:alert(1)"], None),
    ("elements", "safeUrl", [" JaVaScRiPt:alert(1)"], None),
    ("elements", "safeUrl", ["data:text/html,hello"], None),
    ("elements", "safeUrl", ["/thanks"], None),
    ("elements", "safeUrl", [None], None),
    ("texts", "language", ["sv-SE"], "sv"),
    ("texts", "language", ["NN-no"], "nb"),
    ("texts", "language", ["es-ES"], "en"),
    ("texts", "filled", ["{a} and {b}", {"a": "{b}"}], "{b} and {b}"),
    ("draft", "fieldOf", ["billing_address.postal_code"], "postal_code"),
    ("draft", "fieldOf", ["shipping_address.postal_code"], "shipping_postal_code"),
    ("draft", "fieldOf", ["customer.date_of_birth"], "date_of_birth"),
    (
        "draft",
        "draftOf",
        [
            {
                "purchase_country": "SE",
                "billing_address": {"city": "Lund", "title": ""},
                "customer": {"title": "Frau"},
                "shipping_address": {"city": "", "street_address2": "", "country": "SE"},
                "options": {"allow_separate_shipping_address": True},
            }
        ],
        {"values": {"country": "SE", "city": "Lund", "title": "frau"}, "separate": False, "shopper": ""},
    ),
    ("session", "stepOf", [{"state": "started", "identified": True}, False], "review"),
    ("session", "stepOf", [{"state": "started", "identified": True}, True], "identification"),
    ("session", "stepOf", [{"state": "placed", "outcome": {"fraud_status": "REJECTED"}}, False], "rejected"),
    (
        "session",
        "stepOf",
        [{"state": "denied", "outcome": {"redirect_url": "https://a.example"}}, False],
        "redirecting",
    ),
    ("session", "stepOf", [{"state": "expired"}, False], "expired"),
]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def blank(browser: "Browser") -> "AsyncIterator[Page]":
    """An empty page, which may load the modules as pages of any origin may."""
    page = await browser.new_page()
    yield page
    await page.close()


@pytest.mark.parametrize(("module", "name", "given", "answer"), CASES)
async def test_a_function_returns_the_expected_value(
    blank: "Page", mock_klarna: MockKlarna, module: str, name: str, given: list[Any], answer: Any
) -> None:
    path = f"{mock_klarna.url}/instantshopping/static/dialog/{module}.js"
    assert await blank.evaluate(CALL, [path, name, given]) == answer


RED_S, RED_M, BLUE_M = (
    {
        "group_identifier": "g",
        "reference": f"{clr}-{size}",
        "product_attributes": [
            {"identifier": "clr", "identifier_label": "Colour", "value": clr, "value_label": clr},
            {"identifier": "size", "identifier_label": "Size", "value": size, "value_label": size},
        ],
    }
    for clr, size in (("red", "s"), ("red", "m"), ("blue", "m"))
)


async def test_an_unavailable_variation_leads_to_the_nearest_one(blank: "Page", mock_klarna: MockKlarna) -> None:
    path = f"{mock_klarna.url}/instantshopping/static/dialog/variations.js"
    items = [RED_S, RED_M, BLUE_M]
    colours, _sizes = await blank.evaluate(CALL, [path, "choices", [items, RED_S]])
    assert [(value["value"], value["available"]) for value in colours["values"]] == [("red", True), ("blue", False)]
    assert await blank.evaluate(CALL, [path, "nearestItem", [items, RED_S, "clr", "blue"]]) == BLUE_M


def offered(*values: str) -> list[Json]:
    """Return items of one product by the values of their attributes a, b, c, …; an item does not have those that are `-`."""
    return [
        {
            "group_identifier": "g",
            "reference": text,
            "product_attributes": [
                {"identifier": name, "identifier_label": name.upper(), "value": value, "value_label": value.upper()}
                for name, value in zip("abcdef", text, strict=False)
                if value != "-"
            ],
        }
        for text in values
    ]


REACHED = """async ([path, items]) => {
    const { choices, nearestItem } = await import(path);
    const reached = (from, to) => {
        const wanted = Object.fromEntries(choices(items, to).map(({ identifier, chosen }) => [identifier, chosen]));
        return choices(items, from).reduce((now, { identifier, values }) => {
            const value = values.find((one) => one.value === wanted[identifier]);
            return value ? nearestItem(items, now, identifier, value.value) : now;
        }, from);
    };
    return items.map((to) => items.map((from) => reached(from, to).reference));
}"""
"""For each item, where a shopper comes from each item who chooses its values from the first to the last."""


@pytest.mark.parametrize(
    "items",
    [
        ("1", "-"),
        ("-", "1"),
        ("1-", "11"),
        ("11", "1-"),
        ("1-", "-1"),
        ("--", "1-", "-1", "11"),
        ("111", "211", "121", "112", "222"),
        ("1111", "1222", "2111", "2122", "3-1-", "31-1"),
    ],
    ids=" ".join,
)
async def test_every_item_of_a_product_can_be_reached(
    blank: "Page", mock_klarna: MockKlarna, items: tuple[str, ...]
) -> None:
    path = f"{mock_klarna.url}/instantshopping/static/dialog/variations.js"
    assert await blank.evaluate(REACHED, [path, offered(*items)]) == [[to] * len(items) for to in items]


async def test_an_attribute_that_only_some_items_have_is_a_choice_of_all(
    blank: "Page", mock_klarna: MockKlarna
) -> None:
    path = f"{mock_klarna.url}/instantshopping/static/dialog/variations.js"
    items = offered("1-", "1x", "2-")
    for item, chosen, available in (
        (items[0], None, [True, True]),
        (items[1], "x", [True, True]),
        (items[2], None, [True, False]),
    ):
        _first, second = await blank.evaluate(CALL, [path, "choices", [items, item]])
        assert (second["label"], second["chosen"]) == ("B", chosen)
        assert [(each["value"], each["label"]) for each in second["values"]] == [(None, None), ("x", "X")]
        assert [each["available"] for each in second["values"]] == available


MODULES = {
    "main.js": """
        import { count, Counter as Other, later } from "./counter.js";
        import { text } from "./text.js";
        window.combined = [count(), new Other(3).value, later.name, text("a/b/* c */")]; // not a comment: "
    """,
    "counter.js": """
        import { text } from "./text.js";
        let calls = 0; /* in this module alone */
        export function count() { return (calls += 1) + text("x") }
        export class Counter { constructor(start) { this.value = start / 2 / 3 } }
        export const later = async () => { await null }
        ;(() => count())()
    """,
    "text.js": """
        const calls = [];
        export const text = (value) => `${calls.push(value)}: ${`${value}`.replace(/[/*"`]+/g, "`//`")}`;
    """,
}


async def test_a_combined_script_does_what_its_modules_do(blank: "Page") -> None:
    await blank.evaluate(bundle_modules("main.js", MODULES.__getitem__))
    expected = ["22: x", 0.5, "later", "3: a`//`b`//` c `//`"]
    assert await blank.evaluate("window.combined") == expected
