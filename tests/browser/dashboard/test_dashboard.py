"""The dashboard in a browser: what a developer does with it, by keyboard and by pointer."""

import asyncio
import json
import shlex
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit
from uuid import uuid4

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser import axe
from tests.browser.dashboard.conftest import Buy, Open, Wait, with_wrong_tax
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
COUNT_DRAWINGS = """() => {
    window.drawn = 0;
    new MutationObserver(() => { drawn += 1 }).observe(document.querySelector("#rows"), { childList: true });
}"""
NASTY = "<img src=x onerror=window.wasRun=1>"


@pytest.mark.parametrize("path", ["/", "/_mock/"])
async def test_a_purchase_appears_while_the_page_is_open(
    tab: "Page", open_dashboard: Open, buy: Buy, path: str
) -> None:
    await open_dashboard(path)
    await expect(tab.locator("#empty")).to_be_visible()
    buy()
    row = tab.locator(".row")
    await expect(row).to_contain_text("placed")
    await expect(row).to_contain_text("Alice")
    await expect(row).to_contain_text("SEK")
    await expect(tab.locator("#count")).to_have_text("1 purchase")


async def test_three_keys_show_why_an_order_was_refused(
    tab: "Page", open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy(with_wrong_tax)
    await open_dashboard()
    await expect(tab.locator(".row .mark")).to_have_text("1 refused")
    await tab.keyboard.press("j")
    await tab.keyboard.press("Enter")
    failure = tab.locator(".failure")
    await expect(failure).to_contain_text("create order was answered 400")
    await expect(failure).to_contain_text("order_lines[0].total_tax_amount")
    await tab.keyboard.press("f")
    wrong = tab.locator(".exchange .line.wrong")
    await expect(wrong.first).to_contain_text('"total_tax_amount":')
    await expect(wrong.first).to_be_in_viewport()
    await expect(tab.locator(".differences tbody tr th").first).to_have_text("order_lines[0].total_tax_amount")
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await tab.get_by_role("button", name="Copy as curl").click()
    await expect(tab.locator("#status")).to_have_text("Copied")
    command = shlex.split(await tab.evaluate("() => navigator.clipboard.readText()"))
    assert command[:4] == ["curl", "-i", "-X", "POST"]
    assert command[4].endswith("/orders")
    assert f"{mock_klarna.merchant}:PASSWORD" in command
    assert json.loads(command[-1])["order_lines"][0]["name"]
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#list")).to_be_focused()
    await expect(tab.locator(".failure")).to_have_count(0)


async def test_filters_and_the_opened_purchase_are_in_the_url(tab: "Page", open_dashboard: Open, buy: Buy) -> None:
    placed = buy()
    refused = buy(with_wrong_tax)
    await open_dashboard()
    rows = tab.locator(".row")
    await expect(rows).to_have_count(2)
    await tab.locator("#state").select_option("placed")
    await expect(rows).to_have_count(1)
    await rows.click()
    await expect(tab.locator(".facts")).to_contain_text(placed["purchase_id"])
    assert "state=placed" in tab.url
    assert f"purchase_id={placed['purchase_id']}" in tab.url
    await tab.reload()
    await expect(rows).to_have_count(1)
    await expect(tab.locator("#state")).to_have_value("placed")
    await expect(tab.locator(".facts")).to_contain_text(placed["purchase_id"])
    await tab.locator("#state").select_option("")
    await expect(rows).to_have_count(2)
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("/")
    await tab.keyboard.type(refused["purchase_id"])
    await expect(rows).to_have_count(1)
    await expect(rows).to_contain_text("1 refused")
    await expect(tab.locator("#count")).to_have_text("1 of 2 purchases")
    assert f"search={refused['purchase_id']}" in tab.url


async def test_purchases_that_a_new_filter_leaves_out_go_before_the_others_come(
    tab: "Page", open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    buy(decides=False)
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    bought = other.order(cart="se-battery-pack")
    await open_dashboard(merchant="")
    rows = tab.locator(".row")
    await expect(rows.filter(has_text=mock_klarna.merchant)).to_have_count(3)
    free = asyncio.Event()

    async def wait(route: "Route") -> None:
        await free.wait()
        await route.continue_()

    await tab.route("**/_mock/purchases?*", wait)
    await tab.locator("#merchant").select_option(mock_klarna.merchant)
    await expect(rows).to_have_count(2)
    await tab.locator("#state").select_option("authorized")
    await expect(rows).to_have_count(1)
    await tab.locator("#merchant").select_option(other.merchant)
    await expect(rows).to_have_count(0)
    await expect(tab.locator("#empty")).to_be_hidden()
    await tab.locator("#state").select_option("")
    free.set()
    await rows.click()
    await expect(tab.locator(".facts")).to_contain_text(bought["purchase_id"])
    other.reset()


async def test_a_push_is_sent_again_with_three_clicks(
    tab: "Page", open_dashboard: Open, buy: Buy, shop: Shop, mock_klarna: MockKlarna
) -> None:
    buy()
    mock_klarna.advance_clock("5m")
    mock_klarna.wait_for("push")
    await open_dashboard()
    sent = len(shop.callbacks)
    await tab.locator(".row").click()
    await tab.get_by_role("button", name="Send push again").click()
    await expect(tab.locator("#status")).to_have_text("push was sent again: 200")
    assert len(shop.callbacks) == sent + 1
    await expect(tab.get_by_role("button", name="klarna to shop: push")).to_have_count(2)


async def test_the_actions_use_the_documented_endpoints(
    tab: "Page", open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(outcome="PENDING")
    await open_dashboard(purchase_id=bought["purchase_id"])
    status = tab.locator("#status")
    await tab.get_by_role("button", name="Accept review").click()
    await expect(status).to_have_text("The review ended: ACCEPTED")
    await tab.locator("#manage").click()
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(status).to_have_text("The order: capture was accepted")
    await expect(tab.get_by_role("button", name="klarna: captured SEK")).to_be_visible()
    await tab.locator("#clock").click()
    await tab.get_by_role("button", name="+1 h").click()
    await expect(tab.locator("#clock")).to_have_class("ahead")
    assert mock_klarna.clock()["ahead_seconds"] == 3600
    await tab.keyboard.press("Escape")
    await tab.locator("#faults").click()
    await tab.get_by_role("button", name="Next create_order request is answered 500").click()
    await expect(tab.locator("dialog .plain").first).to_contain_text("create_order: status 500")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#faults")).to_have_text("Faults (1)")
    await tab.locator("#buy").click()
    await tab.locator("dialog form button").click()
    await expect(tab.locator(".failure")).to_contain_text("create order was answered 500")
    await expect(tab.get_by_role("button", name="klarna to shop: place order")).to_be_visible()
    await expect(tab.locator(".row")).to_have_count(2)


async def test_a_scenario_runs_and_shows_its_merchant(tab: "Page", open_dashboard: Open) -> None:
    await open_dashboard()
    await tab.locator("#scenarios").click()
    await tab.locator("dialog select").select_option("dead-merchant")
    await tab.get_by_role("button", name="Run").click()
    await expect(tab.locator("dialog pre")).to_contain_text("passed")
    await tab.keyboard.press("Escape")
    await expect(tab.locator(".row .mark").first).to_contain_text("callback")


async def test_what_merchants_send_stays_text(
    tab: "Page", open_dashboard: Open, buy: Buy, console_errors: list[str]
) -> None:
    address = {"given_name": NASTY, "family_name": NASTY, "city": NASTY}

    def change(order: Json) -> None:
        order["order_lines"][0]["name"] = NASTY
        order["purchase_currency"] = NASTY

    bought = buy(change, shopper={"country": "SE", "billing_address": address})
    await open_dashboard(purchase_id=bought["purchase_id"], search=NASTY)
    await tab.locator("#show-failure").click()
    await expect(tab.locator(".who").first).to_contain_text(NASTY)
    await expect(tab.locator("#purchase-title")).to_contain_text(NASTY)
    await expect(tab.locator("pre").first).to_contain_text("onerror=window.wasRun=1")
    assert await tab.locator("img, script:not([src])").count() == 0
    assert await tab.evaluate("() => 'wasRun' in window") is False


async def test_thousands_of_purchases_are_a_few_rows(
    tab: "Page", open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    record = mock_klarna.find_purchase(buy()["purchase_id"])
    many = [
        {**record, "purchase_id": str(uuid4()), "created_at": f"2026-01-01T00:{at // 60 % 60:02}:{at % 60:02}Z"}
        for at in range(3000)
    ]

    sent: list[int] = []

    async def answer(route: "Route") -> None:
        query = parse_qs(urlsplit(route.request.url).query)
        ids = [purchase["purchase_id"] for purchase in many]
        first = ids.index(query["before"][0]) + 1 if "before" in query else 0
        found = many[first : first + int(query["limit"][0])]
        if found:  # the page asks for the number alone now and then
            sent.append(len(found))
        await route.fulfill(json={"purchases": found, "total": len(many)})

    await tab.route("**/_mock/purchases?*", answer)
    await open_dashboard()
    await expect(tab.locator("#count")).to_have_text("3000 purchases")
    await expect(tab.locator(".row").first).to_have_attribute("aria-setsize", "3000")
    assert await tab.locator(".row").count() < 50
    assert (max(sent), len(sent)) == (300, 11)
    await tab.locator("#list").focus()
    await tab.keyboard.press("End")
    await expect(tab.locator(".row.active")).to_have_attribute("aria-posinset", "3000")
    await expect(tab.locator(".row.active")).to_be_in_viewport()
    assert await tab.locator(".row").count() < 50


async def test_two_hundred_entries_at_once_are_drawn_together(
    tab: "Page", buy: Buy, wait_for_streams: Wait, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy()
    entry = {**mock_klarna.journal(name="create_order")[0], "status": 400, "purchase_id": bought["purchase_id"]}
    streams = await wait_for_streams()
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(tab.locator(".row")).to_contain_text("placed")
    await tab.evaluate(COUNT_DRAWINGS)
    requests: list[str] = []
    tab.on("request", lambda request: requests.append(request.url))
    texts = [f"event: exchange\ndata: {json.dumps({**entry, 'seq': 1000 + at})}\n\n" for at in range(200)]
    await (await streams.get()).fulfill(body="".join(texts), content_type="text/event-stream")
    await expect(tab.locator(".row .mark")).to_have_text("200 refused")
    assert 1 <= await tab.evaluate("drawn") <= 20
    assert [url for url in requests if "/_mock/purchases/" in url] == []  # none for each entry
    assert len([url for url in requests if "/_mock/purchases?" in url]) < 20
    console_errors.clear()


@pytest.mark.parametrize(
    ("event", "after"), [('skipped\ndata: {"position": 100000}', "after=100000"), ("dropped\ndata: {}", "after=")]
)
async def test_entries_that_the_server_does_not_send_are_read_from_the_lists(
    tab: "Page",
    buy: Buy,
    wait_for_streams: Wait,
    console_errors: list[str],
    mock_klarna: MockKlarna,
    event: str,
    after: str,
) -> None:
    streams = await wait_for_streams()
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(tab.locator("#empty")).to_be_visible()
    buy(with_wrong_tax)
    await (await streams.get()).fulfill(body=f"event: {event}\n\n", content_type="text/event-stream")
    await expect(tab.locator(".row")).to_contain_text("1 refused")
    assert after in (await streams.get()).request.url
    console_errors.clear()


async def test_a_link_with_an_unknown_state_shows_all_states(tab: "Page", open_dashboard: Open, buy: Buy) -> None:
    buy()
    await open_dashboard(state="nonsense")
    await expect(tab.locator(".row")).to_contain_text("placed")
    assert "nonsense" not in tab.url


async def test_the_stream_connects_again(
    tab: "Page", open_dashboard: Open, buy: Buy, console_errors: list[str]
) -> None:
    failures = iter([True])

    async def answer(route: "Route") -> None:
        await (route.abort() if next(failures, False) else route.continue_())

    await tab.route("**/_mock/events?*", answer)
    await open_dashboard()
    buy()
    await expect(tab.locator(".row")).to_contain_text("placed")
    console_errors.clear()


async def test_everything_is_read_again_from_a_server_that_was_started_anew(
    tab: "Page", open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    entry = {"seq": 10_000_000, "kind": "event", "name": "clock_moved", "merchant": mock_klarna.merchant}
    bodies = iter([f"event: event\ndata: {json.dumps(entry)}\n\n"])

    async def answer(route: "Route") -> None:
        body = next(bodies, None)
        await (route.fulfill(body=body, content_type="text/event-stream") if body else route.continue_())

    await tab.route("**/_mock/events?*", answer)
    async with tab.expect_request(lambda request: "after=10000000&" in request.url):
        await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}")
    await expect(tab.locator("#live")).to_have_text("live")
    buy()
    await expect(tab.locator(".row")).to_contain_text("placed")
    console_errors.clear()


async def test_what_another_client_deleted_goes(
    tab: "Page", open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    await open_dashboard()
    await expect(tab.locator(".row")).to_have_count(1)
    mock_klarna.reset()
    await expect(tab.locator(".row")).to_have_count(0)
    await expect(tab.locator("#empty")).to_contain_text("No purchase yet")


async def test_axe_finds_nothing_in_any_width_and_colour(tab: "Page", open_dashboard: Open, buy: Buy) -> None:
    bought = buy(with_wrong_tax)
    buy()
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.locator("#show-failure").click()
    await tab.locator("div.exchange").wait_for()
    found: dict[str, list[str]] = {}
    for width in (1280, 820, 390):
        await tab.set_viewport_size({"width": width, "height": 800})
        for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
            await tab.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")  # type: ignore[arg-type]
            found[f"{width} {scheme} {forced}"] = await axe.problems(tab)
    await tab.emulate_media(forced_colors="none")
    await tab.locator("#back").click()
    found["list on a phone"] = await axe.problems(tab)
    assert {where: problems for where, problems in found.items() if problems} == {}
