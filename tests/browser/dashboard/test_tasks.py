"""What a newcomer wants to know or do: each task by keyboard and by pointer, in at most five actions."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dashboard.conftest import Buy, Open, with_wrong_tax

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
MAX_ACTIONS = 5


def _refused(klarna: MockKlarna, buy: Buy) -> None:
    buy()
    buy(with_wrong_tax)


def _pushed(klarna: MockKlarna, buy: Buy) -> None:
    buy()
    klarna.advance_clock("5m")
    klarna.wait_for("push")


def _undecided(klarna: MockKlarna, buy: Buy) -> None:
    buy(decides=False)


def _one_failed_push(klarna: MockKlarna, buy: Buy) -> None:
    klarna.fault("callback", operation="push", drop=True)
    buy()
    klarna.advance_clock("5m")
    klarna.wait_for("push")
    buy()


def _higher_amount(klarna: MockKlarna, buy: Buy) -> None:
    def change(order: Json) -> None:
        order["order_amount"] += 5000

    buy(change)


def _placed(klarna: MockKlarna, buy: Buy) -> None:
    buy()


def _denied_and_placed(klarna: MockKlarna, buy: Buy) -> None:
    bought = buy(decides=False)
    klarna.deny_authorization(bought["authorization_token"], deny_code="other")
    buy()


@dataclass(frozen=True)
class Task:
    """A task of a newcomer.

    keys: what is pressed; `'text` is typed, and a person waits until they see `?selector`.
    clicks: what is clicked; `select = option` chooses an option, in two actions.
    shown: where its result appears, and the text of it.
    result: what has happened on the server, or what was copied.
    """

    prepare: Callable[[MockKlarna, Buy], None]
    keys: tuple[str, ...]
    clicks: tuple[str, ...]
    shown: tuple[str, str]
    result: Callable[[MockKlarna, str], bool] = lambda _klarna, _copied: True


def _is_captured(klarna: MockKlarna, _copied: str) -> bool:
    (order,) = klarna.orders()
    return bool(klarna.managed_order(order["order_id"])["captured_amount"] == 124000)


TASKS = {
    "Why was my order refused?": Task(
        _refused, ("j", "Enter"), (".row >> nth=0",), (".failure", "order_lines[0].total_tax_amount expected 23800")
    ),
    "Send that push again": Task(
        _pushed,
        ("j", "Enter", "?#resend-push", "r"),
        (".row", "#resend-push"),
        ("#status", "push was sent again: 200"),
        lambda klarna, _: len(klarna.callbacks(kind="push")[0]["attempts"]) == 2,
    ),
    "What happens after 60 minutes?": Task(
        _undecided,
        ("j", "Enter", "?.lanes", "t", "?dialog", "Tab", "Enter"),
        (".row", "#clock", "text=+1 h"),
        (".lanes", "no decision after 60 s"),
    ),
    "Which callback failed?": Task(
        _one_failed_push,
        ("/", "'callback", "Enter", "Enter"),
        (".row:has(.mark)",),
        (".failure", "push got no answer"),
    ),
    "Buy as the denied shopper": Task(
        _placed,
        ("b", "?dialog", "'se-denied", "Enter"),
        ("#buy", "[name=shopper] = se-denied", "dialog form button"),
        ("#purchase-title", "declined"),
    ),
    "Why is the amount different?": Task(
        _higher_amount,
        ("j", "Enter", "?#show-failure", "f"),
        (".row", "#show-failure"),
        (".differences", "order_amount"),
    ),
    "Capture this order": Task(
        _placed,
        ("j", "Enter", "?#manage", "m", "?dialog", "Enter"),
        (".row", "#manage", "dialog form button"),
        ("#status", "The order: capture was accepted"),
        _is_captured,
    ),
    "Copy the request as curl": Task(
        _refused,
        ("j", "Enter", "?.failure", "c"),
        (".row >> nth=0", ".step.failed", "text=Copy as curl"),
        ("#status", "Copied"),
        lambda _, copied: copied.startswith("curl -i -X POST 'http://") and "/orders'" in copied,
    ),
    "Show only the denied purchases and share the link": Task(
        _denied_and_placed,
        ("s", "'denied", "Escape", "y"),
        ("#state = denied", "#link"),
        ("#count", "1 purchase"),
        lambda klarna, copied: copied == f"{klarna.url}/?merchant={klarna.merchant}&state=denied",
    ),
    "Make the next order fail": Task(
        _placed,
        ("x", "?dialog", "1"),
        ("#faults", ".presets button >> nth=0"),
        ("#faults", "Faults (1)"),
        lambda klarna, _: klarna.faults()[0]["operation"] == "create_order",
    ),
}


async def _by_keyboard(tab: "Page", task: Task) -> int:
    for key in task.keys:
        if key.startswith("?"):
            await tab.locator(key[1:]).wait_for()
        else:
            await (tab.keyboard.type(key[1:]) if key.startswith("'") else tab.keyboard.press(key))
    return sum(not key.startswith("?") for key in task.keys)


async def _by_pointer(tab: "Page", task: Task) -> int:
    actions = 0
    for click in task.clicks:
        place, _, option = click.partition(" = ")
        await (tab.locator(place).select_option(option) if option else tab.locator(place).click())
        actions += 2 if option else 1
    return actions


@pytest.mark.parametrize("way", [_by_keyboard, _by_pointer], ids=["keyboard", "pointer"])
@pytest.mark.parametrize("task", TASKS.values(), ids=TASKS)
async def test_a_newcomer_does_it_in_five_actions(
    tab: "Page",
    open_dashboard: Open,
    buy: Buy,
    mock_klarna: MockKlarna,
    task: Task,
    way: Callable[["Page", Task], Any],
) -> None:
    task.prepare(mock_klarna, buy)
    await tab.context.grant_permissions(["clipboard-read", "clipboard-write"])
    await open_dashboard()
    await expect(tab.locator(".row").first).to_be_visible()
    assert await way(tab, task) <= MAX_ACTIONS
    where, text = task.shown
    await expect(tab.locator(where).first).to_contain_text(text)
    assert task.result(mock_klarna, await tab.evaluate("() => navigator.clipboard.readText()"))
