"""What the page of a shop called, in the lanes of its purchase: accepted and refused calls, and what they changed."""

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.conftest import load
from tests.browser.dashboard.conftest import Open

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


async def test_the_lanes_have_the_calls_of_the_page_and_what_an_update_changed(
    tab: "Page",
    open_dashboard: Open,
    product_page: Callable[..., str],
    options: Json,
    mock_klarna: MockKlarna,
) -> None:
    await tab.goto(product_page(load(options)))
    await tab.locator("klarna-instant-shopping button").click()
    opened: Json = mock_klarna.wait_for("session_initiated", within=20)
    dearer = [options["order_lines"][0] | {"unit_price": 120000, "total_amount": 120000, "total_tax_amount": 24000}]
    wrong = [options["order_lines"][0] | {"total_amount": 7}]
    for lines in (dearer, wrong):
        changes = json.dumps({"order_lines": lines})
        await tab.evaluate(f"() => new Promise((done) => Klarna.InstantShopping.update({changes}, done))")
    mock_klarna.wait_for("session_updated", within=20)
    await open_dashboard(purchase_id=opened["purchase_id"])
    lines_of_page = tab.locator(".lanes .step", has_text="page to klarna:")
    await expect(lines_of_page.filter(has_text="load() or update()")).to_have_count(2)
    await expect(lines_of_page.filter(has_text="load() or update()").first).to_contain_text("200")
    await expect(tab.locator(".failure h3")).to_have_text("load() or update(): 1 problem")
    await expect(tab.locator(".failure")).to_contain_text("order_lines[0].total_amount")
    update = lines_of_page.filter(has_text="update()", has_not_text="load()")
    await update.click()
    await expect(tab.locator(".exchange").first).to_contain_text("/update")
    copies = tab.locator(".exchange").first.get_by_role("button")
    await expect(copies).to_have_text(["Copy as curl", "Copy as pytest line"])  # scenarios have no steps for pages
    await tab.locator(".lanes .step", has_text="session updated").click()
    table = tab.locator(".differences").filter(has=tab.locator("th", has_text="Before"))
    changed = await table.locator("tbody tr").all_inner_texts()
    assert [row.split() for row in changed if "unit_price" in row] == [
        ["order_lines[0].unit_price", "119000", "120000"]
    ]
