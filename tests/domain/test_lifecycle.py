"""The table of states against what the commands really do."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.domain import order as reviewing
from mock_klarna.domain import purchase as placing
from mock_klarna.domain import purchase as purchasing
from mock_klarna.domain.purchase import FRAUD, PURCHASE, PlacingRules, may
from mock_klarna.domain.records import Decision, Purchase
from mock_klarna.errors import KlarnaError, NotAllowed, NotFound, StateConflict
from tests.cases import in_turn
from tests.domain.samples import LENIENT, NOW, PATIENT, STATES, body, order, purchase

WHOLE = {**body(), "merchant_urls": {}}
COMMANDS: dict[str, Callable[[Purchase, PlacingRules], Decision]] = {
    "authorized": lambda held, rules: purchasing.authorize(held, "t-1", WHOLE, b"{}", NOW, rules),
    "declined": lambda held, _rules: purchasing.decline(held, "denied"),
    "failed": lambda held, _rules: purchasing.fail(held, "no answer"),
    "placed": lambda held, rules: placing.place(held, {}, body(), b"{}", "o-1", NOW, rules),
    "denied": lambda held, rules: placing.deny(held, {}, NOW, rules),
    "timed_out": placing.time_out,
    "expired": lambda held, _rules: placing.expire(held),
}


def reached(command: str, state: str, rules: PlacingRules) -> str | None:
    """Return the state that a command leads to from another, or None when it refuses or does nothing."""
    try:
        decision = COMMANDS[command](purchase(state), rules)
    except (KlarnaError, StateConflict):
        return None
    written = [record for record in decision.writes if isinstance(record, Purchase)]
    return written[0].state if written else None


@pytest.mark.parametrize("state", STATES)
def test_a_command_does_what_the_table_allows_and_nothing_else(state: str) -> None:
    allowed = {command: command if may(PURCHASE, state, command) else None for command in COMMANDS}
    assert {command: reached(command, state, PATIENT) for command in COMMANDS} == allowed


@pytest.mark.parametrize("command", ["placed", "denied"])
def test_a_token_is_dead_once_its_shopper_stopped_waiting_unless_it_may_outlive_them(command: str) -> None:
    assert reached(command, "timed_out", LENIENT) is None
    assert reached(command, "timed_out", PATIENT) == command


def test_every_state_that_follows_is_in_the_table_itself() -> None:
    for state in STATES:
        assert PURCHASE[state] <= set(STATES) - {state}


def test_every_state_but_the_first_can_be_reached() -> None:
    assert set().union(*PURCHASE.values()) == set(STATES) - {"started"}


@in_turn(
    ("state", "rules", "refusal"),
    [
        ("started", LENIENT, NotFound),
        ("placed", LENIENT, NotAllowed),
        ("denied", LENIENT, NotAllowed),
        ("declined", LENIENT, NotFound),
        ("failed", LENIENT, NotFound),
        ("expired", LENIENT, NotFound),
        ("timed_out", LENIENT, NotFound),
        ("placed", PATIENT, NotAllowed),
        ("expired", PATIENT, NotFound),
    ],
)
@in_turn("command", ["placed", "denied"])
def test_a_token_that_is_used_up_is_forbidden_and_one_without_an_authorized_order_is_not_found(
    state: str, rules: PlacingRules, refusal: type[KlarnaError], command: str
) -> None:
    with pytest.raises(refusal, match=state):
        COMMANDS[command](purchase(state), rules)


@pytest.mark.parametrize(("seconds", "is_open"), [(-3600.0, True), (-0.001, True), (0.0, False), (1.0, False)])
@pytest.mark.parametrize("rules", [LENIENT, PATIENT])
def test_a_token_ends_at_the_end_of_its_life_even_before_its_job_was_done(
    seconds: float, is_open: bool, rules: PlacingRules
) -> None:
    held = purchase(expires_at=NOW)
    if is_open:
        placing.require_open(held, NOW + seconds, rules)
        return
    with pytest.raises(NotFound, match="expired"):
        placing.require_open(held, NOW + seconds, rules)


@in_turn("following", FRAUD)
@in_turn("status", FRAUD)
def test_a_review_ends_as_the_table_of_fraud_states_allows(status: str, following: str) -> None:
    decide: Any = lambda: reviewing.decide(order(status), purchase("placed"), following, NOW)  # noqa: E731
    if may(FRAUD, status, following):
        assert [record.fraud_status for record in decide().writes] == [following, following]
    else:
        with pytest.raises(StateConflict, match=status):
            decide()
