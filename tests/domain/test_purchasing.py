from typing import Any

import pytest

from mock_klarna.domain import purchase as messages
from mock_klarna.domain import purchase as purchasing
from mock_klarna.domain.events import PurchaseAuthorized, PurchaseDeclined, PurchaseFailed, SessionUpdated
from mock_klarna.domain.purchase import PlacingRules
from mock_klarna.domain.records import Outcome, Purchase
from mock_klarna.errors import StateConflict
from tests.domain.samples import LENIENT, NOW, STATES, body, purchase


def test_authorizing_issues_a_token_for_an_hour_and_has_the_merchant_asked_at_once() -> None:
    decision = purchasing.authorize(purchase("started", merchant_timeout=60.0), "t-1", body(), b"{raw}", NOW, LENIENT)
    (authorized,) = decision.writes
    assert isinstance(authorized, Purchase)
    assert (authorized.authorization_token, authorized.expires_at) == ("t-1", NOW + 3600)
    assert (authorized.order, authorized.order_amount) == (b"{raw}", 124000)
    assert (authorized.currency, authorized.country) == ("SEK", "SE")
    assert [(job.job_id, job.due - NOW) for job in decision.jobs] == [("place_order:p-1", 0.0), ("time_out:p-1", 60.0)]
    assert decision.events == (PurchaseAuthorized(purchase_id="p-1", authorization_token="t-1", order_amount=124000),)


def test_the_life_of_a_token_is_a_setting() -> None:
    rules = PlacingRules(token_lifetime=5.0)
    decision = purchasing.authorize(purchase("started"), "t-1", body(), b"{}", NOW, rules)
    assert [(job.job_id, job.due - NOW) for job in decision.jobs] == [("place_order:p-1", 0.0), ("expire:p-1", 5.0)]


def test_a_refused_shopper_reads_why_not_and_the_merchant_is_not_called() -> None:
    decision = purchasing.decline(purchase("started"), "denied")
    (declined,) = decision.writes
    assert isinstance(declined, Purchase)
    assert (declined.state, declined.consumer_message) == ("declined", messages.DECLINED)
    assert decision.jobs == ()
    assert decision.events == (PurchaseDeclined(purchase_id="p-1", reason="denied"),)


def test_a_session_that_fails_tells_the_reason_once() -> None:
    decision = purchasing.fail(purchase("started"), "no answer")
    assert decision.events == (PurchaseFailed(purchase_id="p-1", reason="no answer"),)
    assert purchasing.fail(purchase("failed"), "no answer").events == ()


def test_a_change_keeps_the_session_and_raises_the_version() -> None:
    event = SessionUpdated(purchase_id="p-1", changed=("locale",))
    decision = purchasing.changed(purchase("started"), b'{"a":1}', event)
    (changed,) = decision.writes
    assert isinstance(changed, Purchase)
    assert (changed.session, changed.version, decision.events) == (b'{"a":1}', 4, (event,))


@pytest.mark.parametrize("state", [state for state in STATES if state != "started"])
def test_nothing_can_be_chosen_after_the_final_button(state: str) -> None:
    with pytest.raises(StateConflict, match=state):
        purchasing.changed(purchase(state), b"{}")


@pytest.mark.parametrize("status", ["ACCEPTED", "PENDING", "REJECTED"])
def test_an_outcome_is_a_status(status: str) -> None:
    assert purchasing.outcome(status) == Outcome(status) == purchasing.outcome({"fraud_status": status})


@pytest.mark.parametrize(
    ("after", "seconds"), [(0, 0.0), (90, 90.0), ("90s", 90.0), ("1h30m", 5400.0), ("2d", 172800.0), (None, None)]
)
def test_a_planned_outcome_says_what_follows_and_when(after: Any, seconds: float | None) -> None:
    wanted = {"fraud_status": "PENDING", "then": "REJECTED", **({} if after is None else {"after": after})}
    assert purchasing.outcome(wanted) == Outcome("PENDING", "REJECTED", seconds)
