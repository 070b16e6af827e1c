"""The dashboard while answers are late, events come in another order, and purchases go."""

import asyncio
import json
from typing import Any

import pytest
from playwright.async_api import Page, Route, expect

from mock_klarna import MockKlarna
from tests.browser.dashboard.conftest import Buy, Open, Wait
from tests.browser.shop import Shop

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
FRAMES_AND_VISIBILITY = """
    const frame = window.requestAnimationFrame.bind(window);
    window.hasFrames = true;
    window.isHidden = false;
    window.requestAnimationFrame = (draw) => window.hasFrames ? frame(draw) : 0;
    Object.defineProperty(document, "hidden", { get: () => window.isHidden });
"""
HIDE = "() => { window.isHidden = true; document.dispatchEvent(new Event('visibilitychange')); }"
CHECK_MS = 5000
"""How often the page looks whether purchases are gone."""
TWO_FRAMES = "() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
KEEP_MANY = """async (module) => {
    const { Store } = await import(module);
    const store = new Store();
    for (let time = 0; time < 10_005; time += 1) {
        const purchase_id = `id-${time}`;
        store.purchases.set(purchase_id, { purchase_id, time });
    }
    for (const purchase_id of ["id-0", "id-10000"]) {
        store.marks.add({ kind: "exchange", seq: 1, purchase_id });
    }
    store.sorted = null;
    return [store.rows().length, store.purchases.size, store.rows()[0].purchase_id, store.marks.failures.size];
}"""
COUNT_CHANGES = """() => {
    window.changes = 0;
    const count = (records) => { changes += records.length };
    new MutationObserver(count).observe(document.querySelector("#list"), { attributes: true });
}"""


async def test_a_purchase_that_a_reset_deleted_is_said_to_be_gone_with_a_way_back(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    buy()
    await open_dashboard()
    await tab.locator(".row").click()
    await expect(tab.locator("#purchase-title")).to_be_focused()
    mock_klarna.reset()
    text = "This purchase does not exist any more. Purchases are deleted by a reset, by loading a snapshot"
    await expect(tab.get_by_role("alert").filter(has_text=text)).to_be_visible()
    await expect(tab.locator("#back")).to_be_focused()
    await expect(tab.locator("#empty")).to_be_visible()
    await expect(tab.get_by_role("alert").filter(has_text=text)).to_be_visible()
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#list")).to_be_focused()
    await expect(tab.locator("#purchase")).to_contain_text("Select a purchase")
    await open_dashboard(purchase_id="unknown")
    await expect(tab.get_by_role("alert")).to_contain_text("There is no purchase unknown. Purchases are deleted by")
    console_errors.clear()


async def test_a_purchase_with_the_id_of_a_deleted_one_has_a_journal_and_marks_of_its_own(
    tab: Page, open_dashboard: Open, shop: Shop, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    def buy_first() -> Json:
        mock_klarna.reset(seed=7)
        key = mock_klarna.create_button(merchant_urls=shop.merchant_urls)["button_key"]
        bought: Json = mock_klarna.purchase(button_key=key, cart="se-battery-pack", wait=0)
        mock_klarna.wait_for("place_order", purchase_id=bought["purchase_id"])
        return bought

    bought = buy_first()
    path = f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders"
    assert mock_klarna.send("POST", path, {}).status == 400
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator(".row .mark")).to_have_text("1 refused")
    await expect(tab.locator(".failure")).to_be_visible()
    assert buy_first()["purchase_id"] == bought["purchase_id"]
    await expect(tab.locator(".failure")).to_have_count(0)
    await expect(tab.locator(".row .mark")).to_have_count(0)
    await expect(tab.locator(".step")).to_have_count(len(mock_klarna.journal(purchase_id=bought["purchase_id"])))
    console_errors.clear()


async def test_a_purchase_is_found_by_the_state_and_the_ids_that_it_got_while_the_page_is_open(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard()
    rows = tab.locator(".row")
    await expect(rows).to_contain_text("authorized")
    placed = mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(rows).to_contain_text("placed")
    for text, count in ((placed["order_id"], 1), ("placed", 1), ("authorized", 0), ("timed out", 0)):
        await tab.locator("#search").fill(text)
        await expect(rows).to_have_count(count)


async def test_a_purchase_that_ends_with_a_customer_token_is_placed_and_found_by_it(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    rows = tab.locator(".row")
    await expect(rows).to_contain_text("authorized")
    token = mock_klarna.create_token(bought["authorization_token"])["token_id"]
    await expect(rows).to_contain_text("placed")
    await expect(tab.locator(".facts")).to_contain_text(f"Customer token{token}")
    for text, count in ((token, 1), ("authorized", 0)):
        await tab.locator("#search").fill(text)
        await expect(rows).to_have_count(count)


async def test_a_callback_that_is_delivered_while_its_mark_is_loaded_is_not_marked(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    mock_klarna.fault("callback", operation="push", drop=True)
    bought = buy()
    mock_klarna.advance_clock("5m")
    mock_klarna.wait_for("push")
    fetched, free = asyncio.Event(), asyncio.Event()

    async def wait(route: Route) -> None:
        answer = await route.fetch()
        fetched.set()
        await free.wait()
        await route.fulfill(response=answer)

    await tab.route("**/_mock/callbacks?*state=waiting*", wait)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await fetched.wait()
    (push,) = mock_klarna.callbacks(kind="push")
    mock_klarna.resend(push["callback_id"])
    await expect(tab.get_by_role("button", name="push, attempt 2")).to_be_visible()
    async with tab.expect_response("**/_mock/callbacks?*state=waiting*") as answered:
        free.set()
    await (await answered.value).finished()
    await tab.evaluate(TWO_FRAMES)
    await expect(tab.locator(".row .mark")).to_have_count(0)


async def test_entries_that_wait_for_a_frame_are_taken_when_the_page_is_hidden(
    tab: Page, buy: Buy, wait_for_streams: Wait, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    await tab.add_init_script(FRAMES_AND_VISIBILITY)
    streams = await wait_for_streams()
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(tab.locator("#empty")).to_be_visible()
    stream = await streams.get()
    await tab.evaluate("() => { window.hasFrames = false }")
    buy()
    (started,) = mock_klarna.journal(name="session_initiated")
    body = f"event: event\ndata: {json.dumps(started)}\n\n"
    await stream.fulfill(body=body, content_type="text/event-stream")
    await streams.get()  # the page has read the first one to its end
    await tab.evaluate(HIDE)
    await expect(tab.locator("#count")).to_have_text("1 purchase")
    console_errors.clear()


async def test_nothing_can_be_done_with_a_purchase_while_another_one_is_loaded(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    first, second = buy(), buy()
    await open_dashboard(purchase_id=first["purchase_id"])
    await expect(tab.locator("#manage")).to_be_enabled()
    free, requests = asyncio.Event(), list[str]()
    tab.on("request", lambda request: requests.append(request.url))

    async def wait(route: Route) -> None:
        await free.wait()
        await route.continue_()

    await tab.route(f"**/_mock/purchases/{second['purchase_id']}", wait)
    await tab.locator(".row").first.click()
    await expect(tab.locator("#purchase")).to_have_attribute("inert", "")
    for key in ("m", "r", "c"):
        await tab.keyboard.press(key)
    free.set()
    await expect(tab.locator(".facts")).to_contain_text(second["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_be_focused()
    assert [url for url in requests if "/_mock/orders/" in url or url.endswith("/resend")] == []
    await tab.keyboard.press("m")
    await expect(tab.locator("dialog")).to_contain_text("Status AUTHORIZED")


async def test_a_purchase_that_is_shown_stays_when_it_cannot_be_read_again(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    failures = iter([True])

    async def fail_once(route: Route) -> None:
        await (route.abort() if next(failures, False) else route.continue_())

    await tab.route(f"**/_mock/purchases/{bought['purchase_id']}", fail_once)
    mock_klarna.send("GET", f"/instantshopping/v1/authorizations/{bought['authorization_token']}")
    await expect(tab.locator("#status")).to_have_text("The server does not answer.")
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(tab.locator("#purchase-title")).to_contain_text("placed")
    console_errors.clear()


async def test_an_answer_that_is_slower_than_the_next_event_is_shown(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator("#purchase-title")).to_contain_text("authorized")
    answers: asyncio.Queue[Route] = asyncio.Queue()
    await tab.route(f"**/_mock/purchases/{bought['purchase_id']}", answers.put)
    path = f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders"
    assert mock_klarna.send("POST", path, {}).status == 400
    slow = await answers.get()
    assert mock_klarna.send("POST", path, {"order_amount": 1}).status == 400
    await expect(tab.locator(".row .mark")).to_have_text("2 refused")
    await slow.continue_()
    await expect(tab.locator(".failure")).to_contain_text("create order was answered 400")
    await (await answers.get()).continue_()
    await expect(tab.locator(".failure")).to_contain_text("the last of 2 failures")


async def test_a_purchase_that_leaves_the_state_of_the_filter_is_not_taken_for_a_deleted_one(
    timed: Page, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    checks: asyncio.Queue[Route] = asyncio.Queue()
    await timed.route("**/_mock/purchases?*limit=0", checks.put)
    await timed.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}&state=authorized")
    await expect(timed.locator("#live")).to_have_text("live")
    await expect(timed.locator(".row")).to_have_count(1)
    lists: list[str] = []
    timed.on("request", lambda request: lists.append(request.url) if "limit=50" in request.url else None)

    async def check() -> Route:
        await timed.clock.fast_forward(CHECK_MS)
        return await checks.get()

    empty = {"purchases": [], "total": 0}
    await (await check()).fulfill(json=empty)  # the entry of what changed has not come yet
    second = await check()
    mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(timed.locator(".row")).to_have_count(0)
    await second.fulfill(json=empty)
    third = await check()
    assert lists == []
    buy(decides=False)
    await expect(timed.locator(".row")).to_have_count(1)
    await third.fulfill(json=empty)
    async with timed.expect_request("**/_mock/purchases?*limit=50"):
        for _ in range(4):
            await (await check()).fulfill(json=empty)


async def test_a_list_that_could_not_be_loaded_is_loaded_again(timed: Page, buy: Buy, mock_klarna: MockKlarna) -> None:
    buy()
    failures, free = iter([True]), asyncio.Event()

    async def fail_once(route: Route) -> None:
        if next(failures, False):
            await route.fulfill(status=503, json={"title": "busy"})
        else:
            await free.wait()
            await route.continue_()

    await timed.route("**/_mock/purchases?*", fail_once)
    await timed.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(timed.locator("#status")).to_have_text("503: busy")
    await expect(timed.locator("#live")).to_have_text("connecting")
    free.set()
    await timed.clock.fast_forward(CHECK_MS)
    await expect(timed.locator(".row")).to_contain_text("placed")
    await expect(timed.locator("#live")).to_have_text("live")


async def test_the_list_keeps_its_place_and_is_not_read_again_on_the_way_back(
    tab: Page, open_dashboard: Open, buy: Buy
) -> None:
    bought = buy()
    await open_dashboard()
    await tab.locator(".row").click()
    await expect(tab.locator(".facts")).to_contain_text(bought["purchase_id"])
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    await tab.go_back()
    await expect(tab.locator("#purchase .hint")).to_be_visible()
    await expect(tab.locator(".row")).to_have_attribute("aria-selected", "false")
    await tab.evaluate(TWO_FRAMES)
    assert [url for url in requests if "/_mock/purchases?" in url and "limit=50" in url] == []
    assert [url for url in requests if "/_mock/journal?" in url] == []


async def test_a_list_of_another_merchant_that_comes_after_the_way_back_is_not_shown(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy()
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    other.order(cart="se-battery-pack")
    await open_dashboard(merchant="")
    rows = tab.locator(".row").filter(has_text=mock_klarna.merchant)
    await expect(rows).to_have_count(2)
    await rows.last.click()
    await expect(tab.locator(".facts")).to_contain_text(bought["purchase_id"])
    free = asyncio.Event()

    async def wait(route: Route) -> None:
        await free.wait()
        await route.continue_()

    await tab.route("**/_mock/purchases?*", wait)
    await tab.locator("#merchant").select_option(other.merchant)
    await expect(rows).to_have_count(1)
    await tab.go_back()
    free.set()
    await expect(rows).to_have_count(2)
    await expect(tab.locator("#merchant")).to_have_value("")
    other.reset()


async def test_the_menu_of_the_right_button_does_not_stop_the_list(tab: Page, open_dashboard: Open, buy: Buy) -> None:
    buy()
    await open_dashboard()
    await tab.locator(".row").hover()
    await tab.mouse.down(button="right")
    buy()
    await expect(tab.locator(".row")).to_have_count(2)
    await tab.mouse.up(button="right")


async def test_the_active_row_is_read_out_only_when_another_one_becomes_it(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard()
    await tab.keyboard.press("j")
    await expect(tab.locator("#list")).to_have_attribute("aria-activedescendant", "row-0")
    await tab.evaluate(COUNT_CHANGES)
    mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(tab.locator(".row")).to_contain_text("placed")
    assert await tab.evaluate("changes") == 0
    buy()
    await expect(tab.locator("#list")).to_have_attribute("aria-activedescendant", "row-1")
    assert await tab.evaluate("changes") >= 1


async def test_more_purchases_than_are_listed_are_said_to_be_left_out(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    purchases = [mock_klarna.find_purchase(buy()["purchase_id"])]

    async def answer(route: Route) -> None:
        found = [] if "before=" in route.request.url or "limit=0" in route.request.url else purchases
        await route.fulfill(json={"purchases": found, "total": 12_000})

    await tab.route("**/_mock/purchases?*", answer)
    await open_dashboard()
    count = tab.locator("#count")
    await expect(count).to_have_text("12000 purchases, the newest 10000 are listed")
    await tab.locator("#search").fill("nobody")
    await expect(count).to_have_text("0 of 12000 purchases, the newest 10000 are searched")
    await tab.locator("#search").fill("")
    buy()  # how many there are says the server, since this one can be older than the listed ones
    await expect(tab.locator(".row")).to_have_count(2)
    await expect(count).to_have_text("12000 purchases, the newest 10000 are listed")


async def test_the_page_keeps_only_the_newest_purchases(tab: Page, mock_klarna: MockKlarna) -> None:
    await tab.goto(f"{mock_klarna.url}/?modules")
    script = await tab.locator("script").get_attribute("src")
    sizes = await tab.evaluate(KEEP_MANY, f"{script}".replace("main.js", "store.js"))
    assert sizes == [10_000, 10_000, "id-10004", 1]


async def test_the_earlier_entries_of_a_long_journal_get_the_focus(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy()
    (entry,) = mock_klarna.journal(name="purchase_placed")
    entries = [{**entry, "seq": 1000 + at} for at in range(301)]
    answer = {"entries": entries, "position": 2000, "dropped": 0, "complete": False}
    await tab.route("**/_mock/journal?*purchase_id=*", lambda route: route.fulfill(json=answer))
    await open_dashboard(purchase_id=bought["purchase_id"])
    await expect(tab.locator(".step")).to_have_count(300)
    await tab.get_by_role("button", name="Show earlier entries (1)").press("Enter")
    await expect(tab.locator(".step")).to_have_count(301)
    await expect(tab.locator("#step-1000")).to_be_focused()


async def test_the_newest_entries_are_shown_when_more_came_than_are_read_at_once(
    tab: Page, buy: Buy, wait_for_streams: Wait, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    streams = await wait_for_streams()
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}&purchase_id={bought['purchase_id']}")
    await expect(tab.locator(".step.of-callback")).to_have_count(1)
    for _ in range(1100):
        mock_klarna.send("POST", f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders", [])
    (newest,) = mock_klarna.journal(order="newest", limit=1)
    text = f"event: exchange\ndata: {json.dumps({**newest, 'seq': 1})}\n\n"
    await (await streams.get()).fulfill(body=text, content_type="text/event-stream")
    await expect(tab.locator(f"#step-{newest['seq']}")).to_be_visible()
    await expect(tab.locator("#earlier")).to_have_text("Show earlier entries (700)")
    console_errors.clear()
