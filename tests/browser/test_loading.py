"""All known ways in which shops load lib.js (klarna.md §6.1)."""

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
CONTAINER = '<klarna-instant-shopping data-instance-id="button-1"></klarna-instant-shopping>'

PAGES = {
    "callback first, script async": "<script>window.klarnaAsyncCallback = CALL</script><script src=LIB async></script>BOX",
    "callback first, script not async": "<script>window.klarnaAsyncCallback = CALL</script><script src=LIB></script>BOX",
    "script at the end": "BOX<script>window.klarnaAsyncCallback = CALL</script><script src=LIB></script>",
    "callback set too late": "<script src=LIB></script>BOX<script>window.klarnaAsyncCallback = CALL</script>",
    "callback declared too late": "<script src=LIB></script>BOX<script>function klarnaAsyncCallback() { (CALL)() }</script>",
    "callback set much too late": (
        "<script src=LIB></script>BOX<script>addEventListener('load', () => setTimeout(() => "
        "{ klarnaAsyncCallback = CALL }, 20))</script>"
    ),
    "injected, without any callback": (
        "BOX<script>const script = document.createElement('script'); script.onload = CALL; script.src = 'LIB';"
        "document.head.append(script)</script>"
    ),
    "twice": "<script>window.klarnaAsyncCallback = CALL</script><script src=LIB></script><script src=LIB></script>BOX",
    "at the script's own load event": "BOX<script src=LIB onload='(CALL)()'></script>",
    "callback declared first and set later": (
        "<script>var klarnaAsyncCallback</script><script src=LIB></script>BOX<script>klarnaAsyncCallback = CALL</script>"
    ),
    "twice, with a function that is declared between": (
        "<script src=LIB></script>BOX<script>call = CALL; addEventListener('load', () => setTimeout(() => {"
        "for (const members of [{ text: 'function klarnaAsyncCallback() { call() }' }, { src: 'LIB' }])"
        "document.body.append(Object.assign(document.createElement('script'), members)) }))</script>"
    ),
    "without entries of performance": (
        "<script>performance.getEntriesByType = undefined; klarnaAsyncCallback = CALL</script><script src=LIB></script>BOX"
    ),
    "elements with the names of members of the document": (
        "<img name=scripts><img name=currentScript><img name=body>"
        "<script>klarnaAsyncCallback = CALL</script><script src=LIB></script>BOX"
    ),
}


@pytest.mark.parametrize("page_kind", PAGES)
async def test_the_button_appears_and_the_callback_is_called_once(
    tab: "Page", shop: Shop, mock_klarna: MockKlarna, options: Json, page_kind: str
) -> None:
    script = f"window.called = (window.called || 0) + 1; {load(options, 'window.answer = answer')}"
    html = PAGES[page_kind].replace("CALL", f"function () {{ {script} }}").replace("BOX", CONTAINER)
    await tab.goto(shop.show("<!doctype html>" + html.replace("LIB", mock_klarna.url + LIBRARY)))
    await tab.get_by_role("button", name="Expresskassa").wait_for()
    assert await tab.evaluate("[window.called, window.answer]") == [1, {"show_button": True}]


@pytest.mark.parametrize("members", ["{Payments: 'mine'}", "Object.freeze({Payments: 'mine'})"])
async def test_other_members_of_the_global_object_are_kept(
    tab: "Page", shop: Shop, mock_klarna: MockKlarna, members: str
) -> None:
    lib = mock_klarna.url + LIBRARY
    await tab.goto(shop.show(f"<script>window.Klarna = {members}</script><script src={lib}></script>"))
    assert await tab.evaluate("[Klarna.Payments, Object.keys(Klarna.InstantShopping)]") == [
        "mine",
        ["load", "update", "on", "off"],
    ]


async def test_an_error_in_the_pages_callback_is_reported_as_an_error_of_the_page(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    throwing = load(options, "throw new Error('of the shop')")
    async with tab.expect_event("pageerror", lambda error: "of the shop" in str(error)):
        await tab.goto(product_page(throwing + load(options)))
    await tab.wait_for_function("answers.length === 1")
    console_errors.clear()


LOADERS = {
    "fetch and eval": "fetch('LIB').then((answer) => answer.text()).then((text) => (0, eval)(text))",
    "fetch and new Function": "fetch('LIB').then((answer) => answer.text()).then((text) => new Function(text)())",
    "import()": "import('LIB')",
    "a module script": (
        "new Promise((done) => document.head.append(Object.assign(document.createElement('script'),"
        "{ type: 'module', src: 'LIB', onload: done })))"
    ),
    "a copied element": (
        "new Promise((done) => { const script = document.createRange().createContextualFragment("
        "'<script src=LIB></' + 'script>').firstChild; script.onload = done; document.body.append(script) })"
    ),
    "the readable file": "import('LIB'.replace('lib/v1', 'static'))",
    "another query": "import('LIB?v=5#x')",
}


@pytest.mark.parametrize("loader", LOADERS)
async def test_the_library_finds_its_server_however_it_is_loaded(
    tab: "Page", shop: Shop, mock_klarna: MockKlarna, options: Json, loader: str
) -> None:
    await tab.goto(shop.show(f"<!doctype html><title>Product</title>{CONTAINER}"))
    script = LOADERS[loader].replace("LIB", mock_klarna.url + LIBRARY)
    await tab.evaluate(f"window.answers = []; ({script}).then(() => {{ {load(options)} }})")
    await tab.get_by_role("button", name="Expresskassa").click()
    await tab.frame_locator("iframe").locator("#close-button").wait_for()


async def test_a_copy_on_another_path_says_that_it_cannot_find_its_server(
    tab: "Page", shop: Shop, mock_klarna: MockKlarna, options: Json
) -> None:
    source = await (await tab.request.get(mock_klarna.url + LIBRARY)).text()
    shop.show(source, "/copy.js")
    warnings: list[str] = []
    tab.on("console", lambda shown: warnings.append(shown.text) if shown.type == "warning" else None)
    head = f"<script>answers = []; klarnaAsyncCallback = () => {{ {load(options)} }}</script><script src=/copy.js></script>"
    await tab.goto(shop.show("<!doctype html>" + head + CONTAINER))
    await tab.wait_for_function("answers.length === 1")
    (answer,) = await tab.evaluate("answers")
    assert (answer["show_button"], answer["error"]["code"]) == (False, "network_error")
    assert "/instantshopping/lib/v1/lib.js" in answer["error"]["message"]
    assert warnings == [f"mock-klarna: {answer['error']['message']}"]


async def test_a_second_library_takes_over_the_containers_of_a_removed_one(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna
) -> None:
    await tab.goto(product_page())
    again = "(address) => { delete window.Klarna; return import(address + '?again') }"
    await tab.evaluate(again, mock_klarna.url + LIBRARY)
    await tab.evaluate(load(options))
    await tab.get_by_role("button", name="Expresskassa").wait_for()
    await tab.evaluate(f"document.body.innerHTML = '{CONTAINER}'")
    await tab.get_by_role("button", name="Expresskassa").wait_for()


async def test_the_library_is_small_and_revalidated_each_time(tab: "Page", mock_klarna: MockKlarna) -> None:
    address = mock_klarna.url + LIBRARY
    answer = await tab.request.get(address, headers={"Accept-Encoding": "gzip, deflate, br"})
    assert answer.headers["content-encoding"] == "gzip"
    assert int(answer.headers["content-length"]) <= 6_000
    assert answer.headers["vary"] == "Accept-Encoding"
    assert answer.headers["cache-control"] == "no-cache"
    assert answer.headers["access-control-allow-origin"] == "*"
    tag = answer.headers["etag"]
    again = await tab.request.get(address, headers={"If-None-Match": tag, "Accept-Encoding": "gzip"})
    assert again.status == 304
    plain = await tab.request.get(address, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.headers["etag"] != tag
    assert await plain.body() == await answer.body()
