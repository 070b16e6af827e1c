"""Answers of `load` and `update`, which never throw (klarna.md §6.3 and §6.4)."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"

ASK = "(changes) => new Promise((done) => Klarna.InstantShopping.update(changes, done))"
ASK_LOAD = "(options) => new Promise((done) => Klarna.InstantShopping.load(options, done))"

INVALID_ARGUMENTS = (
    "",
    "null",
    "undefined, undefined",
    "5",
    "'text'",
    "[]",
    "{}",
    "{setup: null}",
    "{setup: 5}",
    "{setup: {instance_id: {}}}",
    "{order_lines: [1n]}",
    "(() => { const round = {}; round.round = round; return round })()",
    "{get setup() { throw new Error('no') }}",
    "{setup: {instance_id: 'x'}}, 'no function'",
    "{styling: null, options: [], merchant_urls: 5}",
)


async def test_load_answers_that_the_button_is_shown(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page())
    assert await tab.evaluate(ASK_LOAD, options) == {"show_button": True}


async def test_load_answers_with_every_invalid_field(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page())
    options["order_lines"][0]["total_tax_amount"] = 1
    answer = await tab.evaluate(ASK_LOAD, {**options, "locale": None})
    assert answer["show_button"] is False
    assert answer["error"]["invalid_fields"] == ["locale", "order_lines[0].total_tax_amount"]
    assert await tab.locator(BUTTON).count() == 0


async def test_a_disabled_key_shows_no_button_and_no_error(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product_page())
    assert await tab.evaluate(ASK_LOAD, options) == {"show_button": True}
    mock_klarna.update_button(options["setup"]["key"], disabled=True)
    assert await tab.evaluate(ASK_LOAD, options) == {"show_button": False}
    assert await tab.locator(BUTTON).count() == 0


@pytest.mark.parametrize("function", ["load", "update"])
async def test_invalid_arguments_never_throw(tab: "Page", product_page: Product, function: str) -> None:
    await tab.goto(product_page())
    for arguments in INVALID_ARGUMENTS:
        await tab.evaluate(f"() => {{ Klarna.InstantShopping.{function}({arguments}) }}")


@pytest.mark.parametrize("given", ["5", "[]", "{order_lines: [1n]}", "{setup: {instance_id: 'unheard-of'}}"])
async def test_invalid_arguments_are_answered_with_an_error(tab: "Page", product_page: Product, given: str) -> None:
    await tab.goto(product_page())
    answer = await tab.evaluate(f"new Promise((done) => Klarna.InstantShopping.update({given}, done))")
    assert answer["show_button"] is False
    assert answer["error"]["message"]


async def test_an_update_changes_only_its_members_and_needs_no_setup_for_one_button(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load({**options, "styling": {"theme": {"type": "pay", "variation": "dark"}}})))
    await tab.get_by_role("button", name="Betala nu").wait_for()
    assert await tab.evaluate(ASK, {"locale": "en-SE", "styling": {"theme": {"variation": "light"}}}) == {
        "show_button": True
    }
    await tab.get_by_role("button", name="Pay now").wait_for()
    assert await tab.locator(BUTTON).get_attribute("class") == "light"


async def test_null_in_an_update_changes_neither_the_button_nor_a_later_session(
    tab: "Page", product_page: Product, options: Json
) -> None:
    given = {
        **options,
        "styling": {"theme": {"type": "pay", "variation": "dark"}},
        "options": {"phone_mandatory": True},
        "merchant_reference1": "cart 1",
    }
    await tab.goto(product_page(load(given)))
    await tab.locator(BUTTON).wait_for()
    inner = {"setup": {"key": None}, "merchant_urls": {"terms": None}, "styling": {"theme": {"variation": None}}}
    for changes in (dict.fromkeys(given), inner, {"options": {"phone_mandatory": None}, "styling": {"theme": None}}):
        assert await tab.evaluate(ASK, changes) == {"show_button": True}, changes
    assert await tab.locator(BUTTON).get_attribute("class") == "dark"
    async with tab.expect_request("**/sdk/sessions") as request:
        await tab.locator(BUTTON).click()
    assert json.loads((await request.value).post_data or "")["options"] == given


async def test_a_refused_update_removes_the_button_until_the_next_valid_one(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    wrong = [{**options["order_lines"][0], "total_tax_amount": 5}]
    assert (await tab.evaluate(ASK, {"order_lines": wrong}))["show_button"] is False
    assert await tab.locator(BUTTON).count() == 0
    assert await tab.evaluate(ASK, {"order_lines": options["order_lines"]}) == {"show_button": True}
    assert await tab.locator(BUTTON).count() == 1


async def test_a_method_that_the_page_adds_to_all_arrays_does_not_change_the_options(
    tab: "Page", product_page: Product, options: Json
) -> None:
    added = (
        "Array.prototype.toJSON = () => 'of the page';"  # as Prototype.js does; Playwright does not expect it either
    )
    removed = "window.kept = JSON.stringify([7]); delete Array.prototype.toJSON; document.title = 'answered';"
    changes = json.dumps({"order_lines": options["order_lines"]})
    then = f"answers.push(answer); Klarna.InstantShopping.update({changes}, (answer) => {{ answers.push(answer); {removed} }});"
    await tab.goto(product_page(added + load(options, then)))
    await expect(tab).to_have_title("answered")
    assert await tab.evaluate("[answers, kept]") == [[{"show_button": True}] * 2, '"of the page"']
    async with tab.expect_request("**/sdk/sessions") as request:
        await tab.locator(BUTTON).click()
    sent = json.loads((await request.value).post_data or "")
    assert sent["options"]["order_lines"] == options["order_lines"]


async def test_an_update_without_setup_is_refused_with_several_buttons(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page())
    for instance_id in ("a", "b"):
        await tab.evaluate(ASK_LOAD, {**options, "setup": {**options["setup"], "instance_id": instance_id}})
    answer = await tab.evaluate(ASK, {"locale": "en-SE"})
    assert answer["error"]["invalid_fields"] == ["setup.instance_id"]
    assert "a, b" in answer["error"]["message"]


async def test_calls_take_effect_in_the_order_in_which_they_were_made(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page())
    script = """(options) => {
        window.order = [];
        Klarna.InstantShopping.load(options, () => order.push("load"));
        for (const locale of ["de-DE", "fi-FI", "fr-FR"]) {
            Klarna.InstantShopping.update({locale}, () => order.push(locale));
        }
    }"""
    await tab.evaluate(script, options)
    await tab.wait_for_function("order.length === 4")
    assert await tab.evaluate("order") == ["load", "de-DE", "fi-FI", "fr-FR"]
    assert await tab.locator(BUTTON).inner_text() == "Achat express"


async def test_later_changes_to_the_passed_object_have_no_effect(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page())
    script = """(options) => new Promise((done) => {
        Klarna.InstantShopping.load(options, done);
        options.locale = "nonsense";
    })"""
    assert await tab.evaluate(script, options) == {"show_button": True}
