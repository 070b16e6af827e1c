"""Entries of the journal as commands, steps of scenarios and lines of tests: they are valid, and do the same again."""

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.async_api import Page, expect

from mock_klarna import MockKlarna
from mock_klarna.scenario.loader import load_scenarios
from tests.browser.dashboard.conftest import Buy, Open, with_wrong_tax

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
COPIES = """async ([module, entries]) => {
    const { scenarioStep, pytestLine } = await import(module);
    return entries.map((entry) => [scenarioStep(entry), pytestLine(entry)]);
}"""


@pytest.fixture
def entries(mock_klarna: MockKlarna, buy: Buy) -> list[Json]:
    """The journal of two purchases, with refused requests, and Order Management."""
    buy(with_wrong_tax)
    order_id = mock_klarna.find_purchase(buy()["purchase_id"], wait=5)["order_id"]
    mock_klarna.advance_clock("5m")
    mock_klarna.wait_for("push")
    mock_klarna.update_order_authorization(order_id, 130000, description='it\'s ünïcödé \\ "one" more')
    mock_klarna.capture(order_id, 1000, shipping_info=[{"shipping_company": "DHL"}])
    mock_klarna.refund(order_id, 500)
    mock_klarna.extend_authorization_time(order_id)
    mock_klarna.release_remaining_authorization(order_id)
    mock_klarna.managed_order(order_id)
    mock_klarna.send("POST", f"/ordermanagement/v1/orders/{order_id}/cancel")
    mock_klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": {"place_order": "${x}"}, "theme": None})
    mock_klarna.send("GET", "/instantshopping/v1/buttons/unknown")
    mock_klarna.acknowledge(order_id)
    denied = buy(decides=False)
    mock_klarna.deny_authorization(denied["authorization_token"], deny_code="other", deny_message="No")
    return mock_klarna.journal(limit=1000)


async def _copies(tab: Page, url: str, entries: list[Json]) -> list[list[str]]:
    await tab.goto(f"{url}/?modules")
    script = await tab.locator("script").get_attribute("src")
    copies: list[list[str]] = await tab.evaluate(COPIES, [f"{script}".replace("main.js", "copies.js"), entries])
    return copies


async def test_a_text_is_shown_to_be_copied_by_hand_where_there_is_no_clipboard(
    tab: Page, open_dashboard: Open, mock_klarna: MockKlarna
) -> None:
    await tab.add_init_script("Object.defineProperty(navigator, 'clipboard', { value: undefined })")
    await open_dashboard()
    status = tab.locator("#status")
    await expect(tab.get_by_role("status").and_(status)).to_have_count(1)  # screen readers know it while it is empty
    await tab.keyboard.press("y")
    await expect(status).to_have_text(tab.url)
    await status.click(click_count=3)
    await tab.keyboard.press("Control+c")
    await expect(status).to_have_text(tab.url)
    assert (await tab.evaluate("() => getSelection().toString()")).strip() == tab.url
    await tab.keyboard.press("j")
    await expect(status).to_be_empty()


async def test_the_steps_of_every_entry_are_a_valid_scenario(
    tab: Page, mock_klarna: MockKlarna, entries: list[Json], tmp_path: Path
) -> None:
    steps = [step for step, _ in await _copies(tab, mock_klarna.url, entries)]
    file = tmp_path / "copied.yaml"
    file.write_text("name: Copied\nsteps:\n" + "\n".join(steps) + "\n")
    (scenario,) = load_scenarios([file], {})
    loaded = scenario.data["steps"]
    names = [next(iter(step)) for step in loaded]
    assert len(names) == len(entries)
    assert {"create_button", "place", "deny", "capture", "refund", "acknowledge", "extend", "release"} <= set(names)
    assert {"read_order", "update_authorization", "cancel", "expect_callback", "expect_event"} <= set(names)
    refused = next(at for at, entry in enumerate(entries) if entry["name"] == "create_order" and entry["status"] == 400)
    assert loaded[refused] == {"place": {"body": entries[refused]["request_body"]}, "status": 400}


async def test_the_line_of_an_entry_sends_the_same_in_a_test(
    tab: Page, mock_klarna: MockKlarna, entries: list[Json], buy: Buy
) -> None:
    copies = await _copies(tab, mock_klarna.url, entries)
    lines = {(entry["name"], entry.get("status")): line for entry, (_, line) in zip(entries, copies, strict=True)}
    bought = buy(decides=False)
    names = {"mock_klarna": mock_klarna, "purchase": mock_klarna.find_purchase(bought["purchase_id"])}
    exec(lines["create_order", 400], names)
    exec(lines["create_order", 200], names)
    names["purchase"] = mock_klarna.find_purchase(bought["purchase_id"], wait=5)
    mock_klarna.advance_clock("5m")
    for known in (
        ("update_order_authorization", 204),
        ("capture_order", 201),
        ("refund_order", 201),
        ("cancel_order", 403),
        ("place_order", 200),
        ("purchase_placed", None),
        ("push", 200),
        ("create_button", 400),
    ):
        exec(lines[known], names)
    sent = mock_klarna.journal(name="update_order_authorization")
    assert len(sent) == 2
    assert sent[0]["request_body"] == sent[1]["request_body"]
    assert json.dumps(sent[1]["path"]) != json.dumps(sent[0]["path"])
