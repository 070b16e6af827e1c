"""Between the click and the dialog there is always a way out, and a sentence that names what is wrong."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dialog.dialog import painted
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Product = Callable[..., str]
BUTTON = "klarna-instant-shopping button"
FRAME = "#klarna-instant-shopping-fullscreen"
OVERLAY = "mock-klarna-overlay:not([hidden])"
NOT_NOW = "Det går inte att köpa just nu."
READY = OVERLAY + " dialog.ready"
SCROLLING = "document.documentElement.style.overflow"
TWO_FRAMES = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
SESSIONS, DIALOG, MODULE = "**/sdk/sessions", "**/instantshopping/dialog/**", "**/dialog/main.js"


@asynccontextmanager
async def waiting(tab: "Page", address: str) -> AsyncIterator[list["Route"]]:
    """Let the requests to an address wait until the block ends, except those that it takes out of the list."""
    requests: list[Route] = []
    has_ended = False

    async def keep(route: "Route") -> None:
        if has_ended:
            await route.continue_()
        else:
            requests.append(route)

    await tab.route(address, keep)
    yield requests
    has_ended = True
    for route in requests:
        await route.continue_()
    await tab.unroute(address)


async def open_ready(tab: "Page") -> None:
    """Click the button and wait for the dialog."""
    await tab.locator(BUTTON).click()
    await tab.frame_locator(FRAME).locator("#close-button").wait_for()
    await expect(tab.locator(READY)).to_be_visible()


async def assert_recovered(tab: "Page") -> None:
    """The page scrolls, and a click opens the dialog again."""
    await expect(tab.locator(FRAME)).to_have_count(0)
    await painted(tab)
    assert await tab.evaluate(SCROLLING) == ""
    await open_ready(tab)


@pytest.mark.parametrize("step", [SESSIONS, DIALOG, MODULE])
@pytest.mark.parametrize("way", ["button", "Escape"])
async def test_a_dialog_that_is_not_ready_can_be_closed(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str], step: str, way: str
) -> None:
    await tab.goto(product_page(load(options)))
    async with waiting(tab, step):
        await tab.locator(BUTTON).click()
        close = tab.get_by_role("button", name="Stäng")
        await expect(close).to_be_focused()
        assert await tab.evaluate(SCROLLING) == "hidden"
        await (close.click() if way == "button" else tab.keyboard.press("Escape"))
        await expect(tab.locator(FRAME)).to_have_count(0)
        await expect(tab.locator(BUTTON)).to_be_focused()
    await assert_recovered(tab)
    console_errors.clear()


async def test_escape_closes_on_a_page_that_uses_the_key_itself(
    tab: "Page", product_page: Product, options: Json
) -> None:
    taken = "document.addEventListener('keydown', (event) => event.preventDefault(), true);"
    await tab.goto(product_page(load(options) + taken))
    async with waiting(tab, SESSIONS):
        await tab.locator(BUTTON).click()
        await tab.keyboard.press("Escape")
        await expect(tab.locator(FRAME)).to_have_count(0)


@pytest.mark.parametrize(
    ("step", "sentence"),
    [(SESSIONS, "does not answer"), (DIALOG, "does not send the dialog"), (MODULE, "module")],
)
async def test_a_dialog_that_takes_too_long_says_what_it_waits_for_and_may_still_become_ready(
    timed: "Page", product_page: Product, options: Json, step: str, sentence: str
) -> None:
    await timed.goto(product_page(load(options)))
    await timed.evaluate("addEventListener('message', ({data}) => { document.title = data.type })")
    await timed.clock.pause_at(datetime(2031, 1, 1, tzinfo=UTC))
    requests: list[Route] = []

    def keep(route: "Route") -> None:
        requests.append(route)

    await timed.route(step, keep)
    async with timed.expect_request(step):
        await timed.locator(BUTTON).click()
    if step == MODULE:
        await expect(timed).to_have_title("arrived")
    alert = timed.locator(f"{OVERLAY} [role=alert]")
    await timed.clock.fast_forward(9_000)
    assert await alert.text_content() == ""
    await timed.clock.fast_forward(2_000)
    await expect(alert).to_contain_text(NOT_NOW)
    await expect(alert.locator("[lang=en]")).to_contain_text(sentence)
    for route in requests:
        await route.continue_()
    await expect(timed.locator(READY)).to_be_visible()
    await expect(alert).to_be_hidden()


async def test_a_policy_without_frames_is_named_at_once(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    policy = f"default-src 'self' {mock_klarna.url}; frame-src 'self'"
    await tab.goto(product_page(load(options), Content_Security_Policy=policy))
    await tab.locator(BUTTON).click()
    await expect(tab.locator(OVERLAY).get_by_role("alert")).to_contain_text(f"frame-src {mock_klarna.url}")
    await tab.keyboard.press("Escape")
    await expect(tab.locator(FRAME)).to_have_count(0)
    assert console_errors
    console_errors.clear()


async def test_a_policy_without_connections_is_named_in_the_answer(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    policy = f"script-src 'self' {mock_klarna.url}; connect-src 'self'"
    await tab.goto(product_page(load(options), Content_Security_Policy=policy))
    await tab.wait_for_function("answers.length === 1")
    answer = (await tab.evaluate("answers"))[0]
    assert (answer["show_button"], answer["error"]["code"]) == (False, "network_error")
    assert f"connect-src {mock_klarna.url}" in answer["error"]["message"]
    console_errors.clear()


async def test_a_script_that_cannot_be_loaded_is_named_at_once(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.route(MODULE, lambda route: route.fulfill(status=500))
    await tab.locator(BUTTON).click()
    await expect(tab.locator(OVERLAY).get_by_role("alert")).to_contain_text("main.js")
    await tab.get_by_role("button", name="Stäng").click()
    await tab.unroute(MODULE)
    await assert_recovered(tab)
    console_errors.clear()


@pytest.mark.parametrize("module", ["main.js", "review.js", "texts.js"])
async def test_a_module_that_is_loaded_as_it_is_and_fails_is_named_at_once(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str], module: str
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.route(DIALOG, lambda route: route.continue_(url=f"{route.request.url}&modules"))
    await tab.route(f"**/dialog/{module}", lambda route: route.fulfill(status=500))
    await tab.locator(BUTTON).click()
    await expect(tab.locator(OVERLAY).get_by_role("alert")).to_contain_text(module)
    await tab.get_by_role("button", name="Stäng").click()
    await tab.unroute(f"**/dialog/{module}")
    await assert_recovered(tab)
    console_errors.clear()


async def test_a_module_that_throws_is_named_at_once(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.route(
        "**/dialog/main.js",
        lambda route: route.fulfill(content_type="text/javascript", body="throw new Error('broken module')"),
    )
    await tab.locator(BUTTON).click()
    await expect(tab.locator(OVERLAY).get_by_role("alert")).to_contain_text("broken module")
    console_errors.clear()


async def test_a_session_that_the_dialog_cannot_read_is_said_and_can_be_closed(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.route("**/sdk/sessions/*", lambda route: route.abort())
    await tab.locator(BUTTON).click()
    frame = tab.frame_locator(FRAME)
    await expect(frame.get_by_role("alert").filter(has_text="anslutning")).to_be_visible()
    await frame.locator("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    console_errors.clear()


async def test_a_server_that_cannot_be_reached_is_named_beside_the_button(
    tab: "Page", product_page: Product, options: Json, mock_klarna: MockKlarna, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator(BUTTON).wait_for()
    await tab.route(SESSIONS, lambda route: route.abort())
    await tab.locator(BUTTON).click()
    await expect(tab.get_by_role("alert")).to_contain_text(NOT_NOW)
    await expect(tab.get_by_role("alert").locator("[lang=en]")).to_contain_text(f"no answer from {mock_klarna.url}")
    await tab.unroute(SESSIONS)
    await assert_recovered(tab)
    console_errors.clear()


@pytest.mark.parametrize("embedder", ["require-corp", "credentialless"])
async def test_the_dialog_opens_on_a_cross_origin_isolated_page(
    tab: "Page", product_page: Product, options: Json, embedder: str
) -> None:
    policy = {"Cross_Origin_Embedder_Policy": embedder, "Cross_Origin_Opener_Policy": "same-origin"}
    await tab.goto(product_page(load(options), **policy))
    assert await tab.evaluate("crossOriginIsolated")
    await open_ready(tab)


CONTAINER = '<klarna-instant-shopping data-instance-id="button-1"></klarna-instant-shopping>'
REWRITES = {
    "the frame is removed": "document.querySelector('iframe').remove()",
    "the frame is hidden in another element": "document.createElement('p').append(document.querySelector('iframe'))",
    "the overlay is removed": "document.querySelector('mock-klarna-overlay').remove()",
    "the body is emptied and filled": f"document.body.innerHTML = '{CONTAINER}'",
    "the body is replaced by a copy": "document.body.replaceWith(document.body.cloneNode(true))",
    "the body is replaced by a new one": (
        "const body = document.createElement('body');"
        f"body.innerHTML = '{CONTAINER}'; document.documentElement.replaceChild(body, document.body)"
    ),
    "the children of the body are replaced": (
        f"const box = document.createElement('main'); box.innerHTML = '{CONTAINER}'; document.body.replaceChildren(box)"
    ),
    "the whole document is replaced": (
        "const html = document.documentElement.cloneNode(true);"
        "html.querySelector('mock-klarna-overlay')?.remove(); html.style.overflow = '';"
        "document.documentElement.replaceWith(html)"
    ),
}


@pytest.mark.parametrize("rewrite", REWRITES)
@pytest.mark.parametrize("ready", [True, False])
async def test_a_page_that_loses_the_dialog_recovers(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str], rewrite: str, ready: bool
) -> None:
    await tab.goto(product_page(load(options)))
    if ready:
        await open_ready(tab)
        await tab.evaluate(f"() => {{ {REWRITES[rewrite]} }}")
    else:
        async with waiting(tab, SESSIONS):
            await tab.locator(BUTTON).click()
            await tab.evaluate(f"() => {{ {REWRITES[rewrite]} }}")
            await expect(tab.locator(FRAME)).to_have_count(0)
        console_errors.clear()
    await assert_recovered(tab)


IS_HIT = """() => {
  const host = document.querySelector("mock-klarna-button");
  const { left, top, right, bottom } = host.shadowRoot.querySelector("button").getBoundingClientRect();
  return document.elementFromPoint((left + right) / 2, (top + bottom) / 2) === host;
}"""
"""Whether a click at the button reaches it."""
CLOSE_AND_LOOK = f"""async () => {{
  const overlay = document.querySelector("{OVERLAY}").shadowRoot;
  const isHit = {IS_HIT};
  overlay.querySelector("button").click();
  const atOnce = isHit();
  await {TWO_FRAMES};
  return [atOnce, isHit(), document.activeElement === document.querySelector("mock-klarna-button")];
}}"""


async def test_a_container_that_is_replaced_behind_the_dialog_gets_the_error_and_the_focus(
    tab: "Page", product_page: Product, options: Json, console_errors: list[str]
) -> None:
    await tab.goto(product_page(load(options)))
    replace = """() => {
        const container = document.querySelector("klarna-instant-shopping");
        container.replaceWith(container.cloneNode());
    }"""
    async with waiting(tab, SESSIONS) as requests:
        async with tab.expect_request(SESSIONS):
            await tab.locator(BUTTON).click()
        await tab.evaluate(replace)
        await requests.pop().abort()
    alert = tab.locator("klarna-instant-shopping").get_by_role("alert")
    await expect(alert).to_contain_text("no answer from")
    await expect(tab.locator(BUTTON)).to_be_focused()
    await open_ready(tab)
    await tab.evaluate(replace)
    await tab.frame_locator(FRAME).locator("#close-button").click()
    await expect(tab.locator(FRAME)).to_have_count(0)
    await expect(tab.locator(BUTTON)).to_be_focused()
    assert all("ERR_FAILED" in error for error in console_errors)
    console_errors.clear()


async def test_the_page_takes_no_click_until_it_is_painted_without_the_dialog(
    tab: "Page", product_page: Product, options: Json
) -> None:
    """A click at once reaches the closed frame in the browser, so that nothing happens."""
    await tab.goto(product_page(load(options)))
    await open_ready(tab)
    assert await tab.evaluate(CLOSE_AND_LOOK) == [False, True, True]


async def test_the_page_takes_no_click_while_a_slow_browser_does_not_paint_it(
    timed: "Page", product_page: Product, options: Json
) -> None:
    await timed.goto(product_page(load(options)))
    await open_ready(timed)
    await timed.clock.pause_at(datetime(2031, 1, 1, tzinfo=UTC))
    await timed.evaluate("() => { window.paints = []; window.requestAnimationFrame = (run) => paints.push(run) }")
    await timed.evaluate(f"document.querySelector('{OVERLAY}').shadowRoot.querySelector('button').click()")
    await timed.clock.run_for(900)
    assert await timed.evaluate(IS_HIT) is False
    for _ in range(2):
        await timed.evaluate("() => paints.splice(0).forEach((run) => run())")
    assert await timed.evaluate(IS_HIT) is True
    await expect(timed.locator(BUTTON)).to_be_focused()


async def test_a_dialog_that_a_script_opens_again_at_once_stays_open(
    tab: "Page", product_page: Product, options: Json
) -> None:
    await tab.goto(product_page(load(options)))
    await open_ready(tab)
    again = "document.querySelector('mock-klarna-button').shadowRoot.querySelector('button').click();"
    await tab.evaluate(f"document.querySelector('{OVERLAY}').shadowRoot.querySelector('button').click(); {again}")
    await expect(tab.locator(READY)).to_be_visible()
    await expect(tab.locator("mock-klarna-overlay")).to_have_count(1)
    assert await tab.evaluate("document.activeElement.localName") == "iframe"


async def test_a_page_that_comes_back_from_the_history_scrolls_and_has_a_button(
    tab: "Page", product_page: Product, options: Json, shop: Shop
) -> None:
    await tab.goto(product_page(load(options)))
    await open_ready(tab)
    await tab.goto(shop.url + "/terms")
    await tab.go_back()
    await assert_recovered(tab)


async def test_the_pages_own_lock_of_scrolling_is_restored(tab: "Page", product_page: Product, options: Json) -> None:
    await tab.goto(product_page(load(options)))
    await tab.evaluate("document.documentElement.style.setProperty('overflow', 'clip', 'important')")
    await open_ready(tab)
    await tab.keyboard.press("Escape")
    await expect(tab.locator(FRAME)).to_have_count(0)
    read = "(({style}) => [style.overflow, style.getPropertyPriority('overflow')])(document.documentElement)"
    assert await tab.evaluate(read) == ["clip", "important"]
