"""The keys of the dashboard, and where the focus is."""

import pytest
from playwright.async_api import Page, expect

from mock_klarna import MockKlarna
from tests.browser.dashboard.conftest import Buy, Open, with_wrong_tax

pytestmark = pytest.mark.asyncio(loop_scope="session")
OPENED = ("b", "t", "x", "n", "?")


async def test_keys_walk_through_the_list_and_the_lines(tab: Page, open_dashboard: Open, buy: Buy) -> None:
    ids = [buy()["purchase_id"] for _ in range(3)][::-1]
    await open_dashboard()
    active, focused = tab.locator(".row.active"), tab.locator(":focus")
    await expect(tab.locator(".row")).to_have_count(3)
    for key, position in (("j", "1"), ("j", "2"), ("j", "3"), ("j", "3"), ("k", "2"), ("Home", "1"), ("End", "3")):
        await tab.keyboard.press(key)
        await expect(active).to_have_attribute("aria-posinset", position)
    await tab.keyboard.press("Enter")
    await expect(tab.locator(".facts")).to_contain_text(ids[2])
    for key, shown in (("K", ids[1]), ("K", ids[0]), ("J", ids[1])):
        await tab.keyboard.press(key)
        await expect(tab.locator(".facts")).to_contain_text(shown)
        await expect(tab.locator("#purchase-title")).to_be_focused()
    await tab.keyboard.press("j")
    await expect(focused).to_contain_text("clicks the button")
    await tab.keyboard.press("j")
    await tab.keyboard.press("Enter")
    await expect(focused).to_have_attribute("aria-expanded", "true")
    assert (
        await focused.evaluate("(line) => line.matches(':focus-visible') && getComputedStyle(line).outlineStyle")
        == "solid"
    )
    for keys in (["Escape"], ["Enter", "g", "p"]):
        for key in keys:
            await tab.keyboard.press(key)
        await expect(tab.locator("#list")).to_be_focused()
        await expect(active).to_have_attribute("aria-posinset", "2")
        assert "purchase_id" not in tab.url


async def test_the_focus_stays_where_it_was_while_entries_arrive(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    bought = buy(with_wrong_tax)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.keyboard.press("f")
    line = tab.locator(".step.failed")
    await expect(line).to_be_focused()
    await tab.locator(".exchange .body").first.evaluate("(body) => { body.scrollTop = 30 }")
    mock_klarna.create_order(bought["authorization_token"], bought["order"])
    await expect(tab.locator("#purchase-title")).to_contain_text("placed")
    await expect(line).to_be_focused()
    assert await tab.locator(".exchange .body").first.evaluate("(body) => body.scrollTop") == 30


async def test_dialogs_take_the_focus_and_give_it_back(tab: Page, open_dashboard: Open, buy: Buy) -> None:
    buy()
    await open_dashboard()
    await tab.locator(".row").click()
    await expect(tab.locator("#purchase-title")).to_be_focused()
    await tab.keyboard.press("j")
    line = tab.locator(".step").first
    for key in OPENED:
        await expect(line).to_be_focused()
        await tab.keyboard.press(key)
        await tab.locator("dialog").wait_for()
        await expect(tab.locator("dialog :focus")).to_have_count(1)
        await tab.keyboard.press("j")
        await tab.keyboard.press("Escape")
        await expect(tab.locator("dialog")).to_have_count(0)
    await tab.locator("#manage").click()
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.locator("#status")).to_contain_text("capture was accepted")
    await expect(tab.locator("#manage")).to_be_focused()
    await tab.locator("#faults").click()
    await tab.locator("dialog").wait_for()
    await tab.go_back()
    await expect(tab.locator("dialog")).to_have_count(0)
    await expect(tab.locator("#manage")).to_have_count(0)


async def test_the_help_lists_every_key_and_each_button_says_its_own(tab: Page, open_dashboard: Open) -> None:
    await open_dashboard()
    keys = await tab.locator("[aria-keyshortcuts]").evaluate_all(
        "(buttons) => Object.fromEntries(buttons.map((button) => [button.id, button.getAttribute('aria-keyshortcuts')]))"
    )
    assert keys.items() >= {"buy": "b", "clock": "t", "faults": "x", "scenarios": "n", "link": "y", "help": "?"}.items()
    await tab.keyboard.press("?")
    listed = await tab.locator("dialog kbd").all_inner_texts()
    assert {"j / k", "J / K", "Enter", "Escape", "/", "s", "r", "c", "g p", *keys.values()} <= set(listed)
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("/")
    await tab.keyboard.type("gp?")
    await expect(tab.locator("#search")).to_have_value("gp?")
    await expect(tab.locator("dialog")).to_have_count(0)
    await tab.keyboard.press("Escape")
    await tab.keyboard.press("g")
    await tab.locator("#search").click()
    await tab.keyboard.type("f")
    await expect(tab.locator("#search")).to_have_value("gp?f")
    await expect(tab.locator("#findings-view")).to_be_hidden()
