"""The findings in the dashboard: live, grouped, and each with links to the entries that show it."""

import asyncio
import copy
import re
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser import axe
from tests.browser.dashboard.conftest import Open
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Request, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
OF_SHOP = {"User-Agent": "Shop/1.0"}
NASTY = "<img src=x onerror=window.wasRun=1>"


@pytest.fixture
def broken_rules(mock_klarna: MockKlarna, shop: Shop) -> list[Json]:
    """What a shop does wrong, with and without a purchase; returns the findings."""
    urls = {**shop.merchant_urls, "push": f"{shop.url}/push"}
    created = [
        mock_klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls}, headers=OF_SHOP) for _ in "12"
    ]

    def decide(callback: Json) -> None:
        order = copy.deepcopy(callback["order"])
        order["order_lines"][0]["total_tax_amount"] = 1
        path = f"/instantshopping/v1/authorizations/{callback['authorization_token']}/orders"
        mock_klarna.send("POST", path, order, headers=OF_SHOP)
        placed = mock_klarna.send("POST", path, callback["order"], headers=OF_SHOP).body
        for amount in (100, 200):
            captures = f"/ordermanagement/v1/orders/{placed['order_id']}/captures"
            headers = {**OF_SHOP, "Klarna-Idempotency-Key": NASTY}
            mock_klarna.send("POST", captures, {"captured_amount": amount}, headers=headers)

    shop.decide = decide
    bought = mock_klarna.purchase(
        button_key=created[1].body["button_key"], cart="se-battery-pack", shopper="se-approved", wait=30
    )
    mock_klarna.wait_for("place_order", purchase_id=bought["purchase_id"])
    found: list[Json] = mock_klarna.findings()
    assert {finding["rule"] for finding in found} >= {"K2", "C3", "O2", "M6"}
    return found


async def _show_findings(tab: "Page", open_dashboard: Open) -> None:
    await open_dashboard()
    await tab.get_by_role("button", name="Findings").click()
    await expect(tab.locator("#findings-title")).to_be_focused()


async def test_every_evidence_link_opens_the_entry_that_it_names(
    tab: "Page", open_dashboard: Open, mock_klarna: MockKlarna, broken_rules: list[Json]
) -> None:
    await _show_findings(tab, open_dashboard)
    links = tab.locator("a.evidence")
    await expect(links).to_have_count(sum(len(finding["evidence"]) for finding in broken_rules))
    entries = {f"/_mock/journal/{entry['seq']}": entry for entry in mock_klarna.journal(limit=1000)}
    opened = {"purchase": 0, "alone": 0}
    for at in range(await links.count()):
        path = await links.nth(at).get_attribute("href")
        entry = entries[str(path)]
        await links.nth(at).click()
        if entry["purchase_id"]:
            opened["purchase"] += 1
            step = tab.locator(f"#step-{entry['seq']}")
            await expect(step).to_have_attribute("aria-expanded", "true")
            await expect(step).to_be_in_viewport()
            assert f"purchase_id={entry['purchase_id']}" in tab.url
            await tab.go_back()
        else:
            opened["alone"] += 1
            await expect(tab.locator("dialog h2")).to_have_text(re.compile(rf"^Entry {entry['seq']}: "))
            await expect(tab.locator("dialog h4").first).to_have_text(f"{entry['method']} {entry['path']}")
            await tab.keyboard.press("Escape")
            await expect(tab.locator("dialog")).to_have_count(0)
        await expect(tab.locator("#findings-view")).to_be_visible()
    assert min(opened.values()) >= 2


async def test_findings_are_grouped_with_all_that_a_developer_needs_and_stay_text(
    tab: "Page", open_dashboard: Open, mock_klarna: MockKlarna, broken_rules: list[Json]
) -> None:
    await _show_findings(tab, open_dashboard)
    groups = ["Keys", "Callbacks", "Validation", "Placing", "Denying", "After the order", "Transport"]
    await expect(tab.locator(".family > h3")).to_have_text(groups)
    (finding,) = (one for one in broken_rules if one["rule"] == "M6")
    card = tab.get_by_role("region", name="After the order").locator("article", has_text="M6")
    for member in ("severity", "title", "seen", "expected", "remedy", "source"):
        await expect(card).to_contain_text(finding[member])
    assert NASTY in finding["seen"]
    assert await tab.evaluate("() => 'wasRun' in window") is False
    await tab.locator(".family summary").first.click()
    found: dict[str, list[str]] = {}
    for width in (1280, 820, 390):
        await tab.set_viewport_size({"width": width, "height": 800})
        for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
            await tab.emulate_media(color_scheme=scheme, forced_colors=forced, reduced_motion="reduce")  # type: ignore[arg-type]
            found[f"{width} {scheme} {forced}"] = await axe.problems(tab)
    assert {where: problems for where, problems in found.items() if problems} == {}
    await tab.get_by_role("button", name="← Purchases").click()
    await expect(tab.locator("#findings-view")).to_be_hidden()
    await expect(tab.locator("#findings")).to_be_focused()
    await expect(tab.locator("#list")).to_be_visible()


async def test_findings_go_with_their_merchant_and_an_entry_whose_purchase_is_gone_is_shown_alone(
    tab: "Page",
    open_dashboard: Open,
    mock_klarna: MockKlarna,
    broken_rules: list[Json],
    console_errors: list[str],
) -> None:
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    other.order(cart="se-battery-pack")
    await _show_findings(tab, open_dashboard)
    await tab.route("**/_mock/purchases/*", lambda route: route.fulfill(status=404, json={"detail": "not known"}))
    of_purchase = tab.locator("article", has_text="O2").locator("a.evidence").first
    await of_purchase.click()
    await expect(tab.locator("dialog h2")).to_contain_text(": create order")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#purchase .hint")).to_contain_text("Select a purchase")
    free = asyncio.Event()

    async def wait(route: "Route") -> None:
        await free.wait()
        await route.continue_()

    await tab.route("**/_mock/findings?*", wait)
    await tab.locator("#merchant").select_option(other.merchant)
    await expect(tab.locator("a.evidence")).to_have_count(0)
    await expect(tab.locator("#findings-view")).to_contain_text("The rules are applied to the journal")
    free.set()
    await expect(tab.locator("#findings-view")).to_contain_text(f"for {other.merchant}.")
    other.reset()
    console_errors.clear()


async def test_findings_follow_the_journal_only_while_they_are_shown(
    tab: "Page", open_dashboard: Open, mock_klarna: MockKlarna, shop: Shop
) -> None:
    requests: list[str] = []

    def count(request: "Request") -> None:
        requests.extend([request.url] if "/_mock/findings" in request.url else [])

    tab.on("request", count)
    await open_dashboard()
    key = mock_klarna.create_button(merchant_urls=shop.merchant_urls)["button_key"]
    mock_klarna.purchase(button_key=key, cart="se-battery-pack", wait=0)
    await expect(tab.locator(".row")).to_have_count(1)
    assert requests == []
    await tab.keyboard.press("g")
    await tab.keyboard.press("f")
    await expect(tab.locator("#findings-title")).to_be_focused()
    assert "view=findings" in tab.url
    await expect(tab.locator("article", has_text="K1")).to_have_count(0)
    before = len(requests)
    for number in range(30):
        urls = {"place_order": f"http://shop.example.com/{number}"}
        mock_klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls}, headers=OF_SHOP)
    await expect(tab.locator("article", has_text="27 more cases")).to_have_count(1)
    assert len(requests) - before < 30
    card = tab.locator("article", has_text="K1")
    await expect(card.locator(".case:visible")).to_have_count(3)
    await card.locator("summary").click()
    await expect(card.locator(".case:visible")).to_have_count(20)
    await expect(card).to_contain_text("and 10 more")
    assert await axe.problems(tab) == []
    await card.locator("summary").click()
    await tab.keyboard.press("Escape")
    await expect(tab.locator("#findings-view")).to_be_hidden()
    await tab.keyboard.press("g")
    await tab.keyboard.press("f")
    await expect(tab.locator("#findings-title")).to_be_focused()
    await tab.reload()
    await expect(tab.locator("article", has_text="K1")).to_be_visible()
