"""An exported purchase in a browser: the file that the dashboard saves, opened without a network."""

import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio
from playwright.async_api import expect

from mock_klarna import MockKlarna
from mock_klarna.web import export
from tests.browser import axe
from tests.browser.conftest import TIMEOUT_MS, load
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext, Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
NASTY = "</script><img src=x onerror=window.wasRun=1><!--<script>\u2028\u2029]]>&lt;"
_CONTENT = """() => {
  for (let step; step = document.querySelector('#purchase .step[aria-expanded="false"]');) {
    step.click();
  }
  const texts = (root, selector) => [...root.querySelectorAll(selector)].map((found) => found.innerText);
  return {
    head: texts(document, "#purchase-title, .reason, .facts, .failure"),
    lanes: texts(document, ".lane-names, .lanes .step, .lanes .gap"),
    exchanges: [...document.querySelectorAll(".exchange")].map((one) => texts(one, ":scope > :not(.buttons)")),
    marked: texts(document, ".line.wrong"),
  };
}"""


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def offline(browser: "Browser") -> "AsyncIterator[BrowserContext]":
    """A browser context without a network, once for this module."""
    context = await browser.new_context(offline=True)
    context.set_default_timeout(TIMEOUT_MS)
    yield context
    await context.close()


@pytest.fixture
def messages() -> list[str]:
    """What the console of the file's tab has shown; a test that provokes messages clears them."""
    return []


@pytest_asyncio.fixture(loop_scope="session")
async def file_tab(offline: "BrowserContext", messages: list[str]) -> "AsyncIterator[Page]":
    """A tab that may request nothing but the file that it opens, and whose console must stay empty."""
    page = await offline.new_page()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("pageerror", lambda error: messages.append(str(error)))
    page.on("console", lambda message: messages.append(message.text))
    yield page
    address = page.url
    await page.close()
    assert address.startswith("file://")
    assert (requests, messages) == ([address], [])


@pytest.fixture
def bought(mock_klarna: MockKlarna, shop: Shop) -> Json:
    """A purchase whose order was refused, then placed and captured, with a push an hour later."""
    urls = {**shop.merchant_urls, "push": f"{shop.url}/push?order={{checkout.order.id}}"}
    key = mock_klarna.create_button(merchant_urls=urls)["button_key"]
    address = {"given_name": NASTY, "family_name": "Test", "city": NASTY}
    made = mock_klarna.purchase(
        button_key=key, cart="se-battery-pack", shopper={"country": "SE", "billing_address": address}, wait=0
    )
    mock_klarna.wait_for("place_order", purchase_id=made["purchase_id"])
    order = {**made["order"], "order_lines": [dict(line) for line in made["order"]["order_lines"]]}
    order["order_lines"][0] |= {"total_tax_amount": 1, "name": NASTY}
    orders = f"/instantshopping/v1/authorizations/{made['authorization_token']}/orders"
    assert mock_klarna.send("POST", orders, order).status == 400
    placed = mock_klarna.create_order(made["authorization_token"], made["order"])
    mock_klarna.advance_clock("1h")
    mock_klarna.wait_for("push", purchase_id=made["purchase_id"])
    mock_klarna.capture(placed["order_id"], 1000)
    return mock_klarna.find_purchase(made["purchase_id"])


def _written(mock_klarna: MockKlarna, purchase: Json, folder: Path) -> str:
    """Write the exported file of a purchase and return its address."""
    path = folder / "purchase.html"
    path.write_bytes(mock_klarna.send("GET", f"/_mock/purchases/{purchase['purchase_id']}/export.html").body.encode())
    return path.as_uri()


async def test_the_saved_file_shows_without_a_network_what_the_dashboard_shows(
    tab: "Page", file_tab: "Page", mock_klarna: MockKlarna, bought: Json, tmp_path: Path
) -> None:
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}&purchase_id={bought['purchase_id']}")
    async with tab.expect_download() as archive:
        await tab.locator("#export-har").click()
    assert (await archive.value).suggested_filename == f"purchase-{bought['purchase_id']}.har"
    async with tab.expect_download() as saved:
        await tab.keyboard.press("e")
    file = tmp_path / (await saved.value).suggested_filename
    assert file.name == f"purchase-{bought['purchase_id']}.html"
    await (await saved.value).save_as(file)
    assert file.stat().st_size < 300_000
    await file_tab.goto(file.as_uri())
    await expect(file_tab.locator("#bar")).to_contain_text(mock_klarna.url)
    shown, live = await file_tab.evaluate(_CONTENT), await tab.evaluate(_CONTENT)
    assert shown == live
    entries = mock_klarna.journal(purchase_id=bought["purchase_id"])
    assert len(shown["exchanges"]) == len(entries)
    assert any("order_lines[0].total_tax_amount" in text for text in shown["head"])
    assert any("Authorized and placed orders differ" in part for parts in shown["exchanges"] for part in parts)
    assert shown["marked"]


async def test_the_file_shows_what_the_page_called_before_and_during_the_purchase(
    tab: "Page",
    file_tab: "Page",
    product_page: Callable[..., str],
    options: Json,
    mock_klarna: MockKlarna,
    tmp_path: Path,
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator("klarna-instant-shopping button").click()
    opened: Json = mock_klarna.wait_for("session_initiated", within=20)
    for name, amount in ((NASTY, 119000), ("Tea", 7)):
        change = {"order_lines": [options["order_lines"][0] | {"name": name, "total_amount": amount}]}
        await tab.evaluate("(it) => new Promise((done) => Klarna.InstantShopping.update(it, done))", change)
    mock_klarna.wait_for("session_updated", within=20)
    await tab.goto(f"{mock_klarna.url}/?merchant={mock_klarna.merchant}&purchase_id={opened['purchase_id']}")
    await expect(tab.locator(".failure")).to_contain_text("order_lines")
    await file_tab.goto(_written(mock_klarna, opened, tmp_path))
    shown, live = await file_tab.evaluate(_CONTENT), await tab.evaluate(_CONTENT)
    assert shown == live
    assert len([line for line in shown["lanes"] if "load() or update()" in line]) == 2


async def test_the_file_copies_requests_and_has_no_action(
    file_tab: "Page", offline: "BrowserContext", mock_klarna: MockKlarna, bought: Json, tmp_path: Path
) -> None:
    await offline.grant_permissions(["clipboard-read", "clipboard-write"])
    await file_tab.goto(_written(mock_klarna, bought, tmp_path))
    await file_tab.keyboard.press("f")
    await expect(file_tab.locator(".step.failed")).to_be_focused()
    await file_tab.keyboard.press("j")
    await expect(file_tab.locator(".step.failed")).not_to_be_focused()
    names = await file_tab.locator("button:not(.step), a, input, select, form").all_inner_texts()
    assert names == ["Show the exchange", *(f"Copy as {name}" for name in ("curl", "scenario step", "pytest line"))]
    await file_tab.get_by_role("button", name="Copy as curl").click()
    await expect(file_tab.locator("#status")).to_have_text("Copied")
    copied = await file_tab.evaluate("() => navigator.clipboard.readText()")
    assert f"'{mock_klarna.url}/instantshopping/v1/authorizations/{bought['authorization_token']}/orders'" in copied


async def test_what_merchants_send_stays_text_in_the_file(
    file_tab: "Page", mock_klarna: MockKlarna, bought: Json, tmp_path: Path
) -> None:
    await file_tab.goto(_written(mock_klarna, bought, tmp_path))
    shown = await file_tab.evaluate(_CONTENT)
    assert NASTY in (await file_tab.locator("#purchase-title").text_content() or "")
    assert any("onerror=window.wasRun=1" in part for parts in shown["exchanges"] for part in parts)
    assert await file_tab.locator("img, iframe, object").count() == 0
    assert await file_tab.locator("script").count() == 2
    assert await file_tab.evaluate("() => 'wasRun' in window") is False
    data = await file_tab.evaluate("() => JSON.parse(document.querySelector('#export').textContent)")
    assert data["entries"] == mock_klarna.journal(purchase_id=bought["purchase_id"])
    assert data["purchase"] == mock_klarna.find_purchase(bought["purchase_id"])


async def test_the_file_runs_no_script_but_its_own(
    file_tab: "Page", mock_klarna: MockKlarna, bought: Json, tmp_path: Path, messages: list[str]
) -> None:
    address = _written(mock_klarna, bought, tmp_path)
    added = "<script>window.wasRun = 1</script><button id=added onclick='window.wasRun = 1'>added</button></body>"
    path = tmp_path / "purchase.html"
    path.write_text(path.read_text(encoding="utf-8").replace("</body>", added), encoding="utf-8")
    await file_tab.goto(address)
    await file_tab.locator("#added").dispatch_event("click")
    await expect(file_tab.locator(".step").first).to_be_visible()
    assert await file_tab.evaluate("() => 'wasRun' in window") is False
    assert [("inline" in message, "Content Security Policy" in message) for message in messages] == [(True, True)] * 2
    messages.clear()


async def test_a_browser_replays_the_archive(
    offline: "BrowserContext", mock_klarna: MockKlarna, bought: Json, tmp_path: Path
) -> None:
    order = mock_klarna.managed_order(bought["order_id"])
    archive = tmp_path / "purchase.har"
    archive.write_text(json.dumps(mock_klarna.export_har(bought["purchase_id"])), encoding="utf-8")
    page = await offline.new_page()
    await page.route_from_har(archive, not_found="abort")
    answer = await page.goto(f"{mock_klarna.url}/ordermanagement/v1/orders/{bought['order_id']}")
    assert answer is not None
    assert (answer.status, await answer.json()) == (200, order)
    await page.close()


async def test_a_long_journal_says_what_is_left_out(
    file_tab: "Page", mock_klarna: MockKlarna, bought: Json, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(export, "MAX_ENTRIES", 4)
    entries = mock_klarna.journal(purchase_id=bought["purchase_id"])
    await file_tab.goto(_written(mock_klarna, bought, tmp_path))
    await expect(file_tab.locator(".step")).to_have_count(4)
    left_out = f"{len(entries) - 4} entries are left out here: a file has at most 4 entries"
    await expect(file_tab.locator(".step >> nth=1")).to_be_visible()
    await expect(file_tab.locator("li.gap", has_text="left out")).to_contain_text(left_out)


async def test_axe_finds_nothing_in_the_file(
    file_tab: "Page", mock_klarna: MockKlarna, bought: Json, tmp_path: Path
) -> None:
    await file_tab.goto(_written(mock_klarna, bought, tmp_path))
    await file_tab.locator("#show-failure").click()
    await file_tab.locator("div.exchange").wait_for()
    found: dict[str, list[str]] = {}
    for width in (1280, 820, 390):
        await file_tab.set_viewport_size({"width": width, "height": 800})
        for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
            await file_tab.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")  # type: ignore[arg-type]
            found[f"{width} {scheme} {forced}"] = await axe.problems(file_tab)
    assert {where: problems for where, problems in found.items() if problems} == {}
