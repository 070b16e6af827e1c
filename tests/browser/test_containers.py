"""The elements that the button is drawn in (klarna.md §6.2)."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

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


async def test_an_older_container_beside_one_with_an_id_gets_a_button_of_its_own(
    tab: "Page", product_page: Product, options: Json, key: str
) -> None:
    old = {name: value for name, value in options.items() if name != "setup"}
    buy = {**old, "styling": {"theme": {"type": "buy"}}}
    body = f'<klarna-instant-shopping data-instance-id="1" /><p>and</p><klarna-instant-shopping data-key="{key}" />'
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


NO_CONTAINER = "the page has no <klarna-instant-shopping"


@pytest.mark.parametrize(
    ("body", "instance_id", "message"),
    [
        ("", "button-1", f'{NO_CONTAINER} data-instance-id="button-1">, only the ids []'),
        (
            "<klarna-instant-shopping data-instance-id=b />",
            42,
            f'{NO_CONTAINER} data-instance-id="42">, only the ids ["b"]',
        ),
        ("<klarna-instant-shopping />", "b", f'{NO_CONTAINER} data-instance-id="b">, only the ids [""]'),
    ],
)
async def test_load_says_which_container_is_missing(
    tab: "Page",
    product_page: Product,
    mock_klarna: MockKlarna,
    options: Json,
    body: str,
    instance_id: str,
    message: str,
) -> None:
    warnings: list[str] = []
    tab.on("console", lambda shown: warnings.append(shown.text) if shown.type == "warning" else None)
    await tab.goto(product_page(load(instance(options, instance_id)), body))
    await tab.wait_for_function("answers.length === 1")
    error = {"code": "not_drawn", "message": message, "invalid_fields": [], "problems": []}
    assert await tab.evaluate("answers") == [{"show_button": False, "error": error}]
    assert warnings == [f"mock-klarna: {message}"]
    journal = mock_klarna.send("GET", "/_mock/journal?name=sdk_problem&wait=20").body
    assert journal["entries"][-1]["explanation"] == f"{tab.url}: {message}"
    await tab.evaluate(f"document.body.innerHTML = '<klarna-instant-shopping data-instance-id={instance_id} />'")
    await tab.locator(BUTTON).wait_for()


async def test_a_refused_load_without_a_callback_says_why_in_the_console(
    tab: "Page", product_page: Product, options: Json
) -> None:
    wrong = {**options, "setup": {**options["setup"], "key": "no-key"}}
    await tab.goto(product_page())
    async with tab.expect_console_message(lambda shown: shown.type == "warning") as warning:
        await tab.evaluate("(options) => Klarna.InstantShopping.load(options)", wrong)
    refused = await tab.evaluate(
        "(options) => new Promise((done) => Klarna.InstantShopping.load(options, done))", wrong
    )
    assert refused["error"]["message"]
    assert (await warning.value).text == f"mock-klarna: {refused['error']['message']}"


BREAKS = {
    "without shared style sheets": ("delete window.CSSStyleSheet;", None),
    "without shadow roots": ("Element.prototype.attachShadow = undefined;", "attachShadow"),
    "with its own prepend": ("Element.prototype.prepend = () => { throw new Error('the shop'); };", "the shop"),
    "with its own createElement": ("document.createElement = () => null;", "cannot be drawn"),
}


@pytest.mark.parametrize("page_kind", BREAKS)
async def test_a_button_that_cannot_be_drawn_is_an_error_and_later_calls_work(
    tab: "Page", product_page: Product, options: Json, page_kind: str
) -> None:
    script, reason = BREAKS[page_kind]
    keep = "window.kept = [Element.prototype.attachShadow, Element.prototype.prepend, document.createElement];"
    repair = "[Element.prototype.attachShadow, Element.prototype.prepend, document.createElement] = kept;"
    await tab.goto(product_page(f"window.repair = () => {{ {repair} }}; {keep} {script} {load(options)}"))
    await tab.wait_for_function("answers.length === 1")
    await tab.evaluate(f"() => {{ repair(); {load(options)} }}")
    await tab.wait_for_function("answers.length === 2")
    first, second = await tab.evaluate("answers")
    assert first["show_button"] is (reason is None)
    assert (reason or "") in str(first.get("error"))
    assert second == {"show_button": True}
    height = "(button) => [button.clientHeight >= 44, getComputedStyle(button).backgroundColor]"
    assert await tab.locator(BUTTON).evaluate(height) == [True, "rgb(11, 92, 107)"]


SHADOW = """(mode) => {
    const host = document.createElement("shop-product");
    document.body.append(host);
    const inner = host.attachShadow({ mode });
    inner.innerHTML = "<style>* { all: unset }</style><div><klarna-instant-shopping data-instance-id=button-1 /></div>";
    window.containerInside = inner.querySelector("klarna-instant-shopping");
}"""


async def test_a_container_with_another_id_gets_the_button_of_that_id(
    tab: "Page", product_page: Product, options: Json
) -> None:
    boxes = "".join(f"<klarna-instant-shopping data-instance-id={name}></klarna-instant-shopping>" for name in "ab")
    locales = {"a": "sv-SE", "b": "fi-FI", "c": "de-DE"}
    calls = "".join(load({**instance(options, name), "locale": locale}) for name, locale in locales.items())
    await tab.goto(product_page(calls, boxes))
    await tab.wait_for_function("answers.length === 3")
    rename = """(ids) => document.querySelectorAll("klarna-instant-shopping").forEach((box, at) => {
        box.dataset.instanceId = ids[at];
    })"""
    swedish, finnish, german = "Expresskassa", "Pikakassa", "Express-Kauf"
    for ids, labels in (("bc", [finnish, german]), ("ab", [swedish, finnish]), ("ba", [finnish, swedish])):
        await tab.evaluate(rename, ids)
        await expect(tab.locator(BUTTON)).to_have_text(labels)
    async with tab.expect_request("**/sdk/sessions") as request:
        await tab.locator(BUTTON).first.click()
    sent = json.loads((await request.value).post_data or "")
    assert sent["options"]["setup"]["instance_id"] == "b"


@pytest.mark.parametrize("mode", ["open", "closed"])
@pytest.mark.parametrize("first", ["load", "container"])
async def test_a_container_in_a_shadow_root_gets_its_button_and_its_removal_closes_the_dialog(
    tab: "Page", product_page: Product, options: Json, mode: str, first: str
) -> None:
    await tab.goto(product_page("", "<p>"))
    if first == "container":
        await tab.evaluate(SHADOW, mode)
    await tab.evaluate(load(options))
    if first == "load":
        await tab.wait_for_function("answers.length === 1")
        await tab.evaluate(SHADOW, mode)
    await tab.wait_for_function("containerInside.firstElementChild && containerInside.firstElementChild.shadowRoot")
    await tab.evaluate("containerInside.firstElementChild.shadowRoot.querySelector('button').click()")
    frame = tab.frame_locator("#klarna-instant-shopping-fullscreen")
    await frame.get_by_text("Battery Power Pack Black").first.wait_for()
    await tab.evaluate("document.querySelector('shop-product').remove()")
    await tab.locator("iframe").wait_for(state="detached")


async def test_a_container_in_a_declared_shadow_root_gets_its_button(
    tab: "Page", product_page: Product, options: Json
) -> None:
    inner = "<klarna-instant-shopping data-instance-id=button-1></klarna-instant-shopping>"
    body = f"<shop-product><template shadowrootmode=open>{inner}</template></shop-product>"
    await tab.goto(product_page(load(options), body))
    await tab.locator(BUTTON).wait_for()


async def test_an_instance_id_may_be_a_number(tab: "Page", product_page: Product, options: Json) -> None:
    body = '<klarna-instant-shopping data-instance-id="7"></klarna-instant-shopping>'
    await tab.goto(product_page(load(instance(options, 7)), body))
    await tab.locator(BUTTON).wait_for()
