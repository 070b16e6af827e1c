"""The elements that the button is drawn in (klarna.md §6.2)."""

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from mock_klarna import MockKlarna
from tests.browser.conftest import LIBRARY, load
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"


def instance(options: Json, instance_id: object) -> Json:
    return {**options, "setup": {**options["setup"], "instance_id": instance_id}}


async def test_the_unclosed_container_of_the_guide_leaves_the_page_visible(
    tab: "Page", product_page: Product, options: Json
) -> None:
    body = '<klarna-instant-shopping data-instance-id="button-1" /><p id="after">still here</p><button>Add</button>'
    await tab.goto(product_page(load(options), body))
    await tab.get_by_role("button", name="Expresskassa").wait_for()
    assert await tab.locator("#after").is_visible()
    assert await tab.get_by_role("button", name="Add").is_visible()
    assert await tab.get_by_role("heading", name="Battery Power Pack").is_visible()


async def test_several_buttons_are_independent(tab: "Page", product_page: Product, options: Json) -> None:
    body = '<klarna-instant-shopping data-instance-id="1" /><p>and</p><klarna-instant-shopping data-instance-id="2" />'
    buy = {**instance(options, 2), "styling": {"theme": {"type": "buy"}}}
    await tab.goto(product_page(load(instance(options, "1")) + load(buy), body))
    await tab.wait_for_function("answers.length === 2")
    assert await tab.locator(BUTTON).all_inner_texts() == ["Expresskassa", "Köp nu"]


@pytest.mark.parametrize("callback", [True, False])
async def test_the_older_container_has_key_environment_and_region(
    tab: "Page", product_page: Product, options: Json, key: str, callback: bool
) -> None:
    old = {name: value for name, value in options.items() if name != "setup"}
    data = f'data-key="{key}" data-environment="playground" data-region="eu"'
    script = load(old) if callback else f"Klarna.InstantShopping.load({old!r})".replace("'", '"')
    await tab.goto(product_page(script, f"<klarna-instant-shopping {data}></klarna-instant-shopping>"))
    await tab.locator(BUTTON).wait_for()


async def test_an_older_container_after_the_script_gets_its_button(
    tab: "Page", shop: Shop, mock_klarna: MockKlarna, options: Json, key: str
) -> None:
    old = {name: value for name, value in options.items() if name != "setup"}
    head = f"<script src={mock_klarna.url}{LIBRARY}></script><script>answers = []; {load(old)}</script>"
    await tab.goto(shop.show(f"{head}<klarna-instant-shopping data-key={key}></klarna-instant-shopping>"))
    await tab.locator(BUTTON).wait_for()
    assert await tab.evaluate("answers") == [{"show_button": True}]


async def test_a_container_that_is_added_later_gets_its_button(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(options), ""))
    await tab.wait_for_function("answers.length === 1")
    await tab.evaluate(
        """() => {
            const element = document.createElement('klarna-instant-shopping');
            document.body.append(element);
            element.setAttribute('data-instance-id', 'button-1');
        }"""
    )
    await tab.locator(BUTTON).wait_for()


async def test_a_container_that_the_page_empties_stays_empty_until_it_loads_again(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    await tab.evaluate("document.querySelector('klarna-instant-shopping').innerHTML = ''")
    await tab.evaluate("document.body.append(document.createElement('p'))")
    assert await tab.locator(BUTTON).count() == 0
    await tab.evaluate(load(options))
    await tab.locator(BUTTON).wait_for()
    assert await tab.locator(BUTTON).count() == 1


async def test_load_answers_for_an_instance_without_a_container(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(instance(options, 42))))
    await tab.wait_for_function("answers.length === 1")
    assert await tab.locator(BUTTON).count() == 0


async def test_an_instance_id_may_be_a_number(tab: "Page", product_page: Product, options: Json) -> None:
    body = '<klarna-instant-shopping data-instance-id="7"></klarna-instant-shopping>'
    await tab.goto(product_page(load(instance(options, 7)), body))
    await tab.locator(BUTTON).wait_for()
