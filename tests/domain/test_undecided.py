"""For how long a decision of the merchant can still come, by what came of the callback that asks for it."""

from math import inf

import pytest

from mock_klarna.domain.callbacks import Attempt, Delivery
from mock_klarna.domain.undecided import GRACE_SECONDS, hint, patience, patience_of
from tests.domain import samples

URL = "http://shop:3000/place"


def delivery(callback: str = "place_order", state: str = "failed", **attempt: object) -> Delivery:
    """Return a callback with one attempt, or with none where nothing is said of it."""
    made = Attempt(**{"at": samples.NOW, "duration": 0.1, **attempt}) if attempt else None  # type: ignore[arg-type]
    return Delivery(
        merchant="shop",
        callback_id="c-1",
        callback=callback,
        url=URL,
        purchase_id="p-1",
        order_id=None,
        body=b"",
        created_at=samples.NOW,
        state=state,
        attempts=(made,) if made else (),
    )


def test_a_decision_is_expected_for_a_time_that_depends_on_the_outcome() -> None:
    for outcome, status, seconds in (
        ("refused", None, 0),
        ("unreachable", None, 0),
        ("untrusted", None, 0),
        ("not_allowed", None, 0),
        ("dropped", None, 0),
        ("answered", 404, GRACE_SECONDS),
        ("answered", 500, GRACE_SECONDS),
        ("too_long", 500, GRACE_SECONDS),
        ("redirected", 302, GRACE_SECONDS),
        ("broken", None, GRACE_SECONDS),
        ("answered", 200, inf),
        ("too_long", 200, inf),
        ("timed_out", None, inf),
        ("timed_out", 500, inf),
        ("interrupted", None, inf),
    ):
        assert patience(outcome, status) == seconds, (outcome, status)
        asked = [delivery(outcome=outcome, status=status)]
        assert patience_of(asked, is_refused=False) == seconds, (outcome, status)
        assert patience_of(asked, is_refused=True) == min(seconds, GRACE_SECONDS), (outcome, status)


@pytest.mark.parametrize(
    "deliveries",
    [
        [],
        [delivery(state="in_flight")],
        [delivery(state="waiting", outcome="refused")],
        [delivery("update", outcome="refused")],
        [delivery(outcome="refused"), delivery(outcome="answered", status=200, state="delivered")],
    ],
    ids=["not sent", "being sent", "sent again", "update", "sent again and answered"],
)
def test_a_callback_that_may_still_be_answered_has_no_limit(deliveries: list[Delivery]) -> None:
    assert patience_of(deliveries, is_refused=False) == inf


@pytest.mark.parametrize(
    ("deliveries", "text"),
    [
        ([], None),
        ([delivery("update", outcome="refused")], None),
        ([delivery(state="in_flight")], f"the shop has not answered place_order at {URL} yet"),
        (
            [delivery(outcome="refused", error="no", remedy="start it")],
            f"the connection to {URL} for place_order was refused: start it",
        ),
        (
            [delivery(outcome="untrusted", error="it is self-signed", remedy="trust it")],
            f"place_order to {URL} failed (untrusted: it is self-signed): trust it",
        ),
        (
            [delivery("create_customer_token", outcome="answered", status=500)],
            f"the shop answered create_customer_token at {URL} with 500, and neither placed nor denied the order",
        ),
        (
            [delivery(outcome="redirected", status=302, error="not followed: /login", remedy="register it")],
            (
                f"the shop answered place_order at {URL} with 302 (not followed: /login), "
                "and neither placed nor denied the order: register it"
            ),
        ),
        (
            [delivery(outcome="answered", status=200, state="delivered")],
            f"the shop answered place_order at {URL} with 200, and neither placed nor denied the order yet",
        ),
    ],
)
def test_the_hint_says_what_came_of_the_callback(deliveries: list[Delivery], text: str | None) -> None:
    for state in ("authorized", "timed_out", "expired"):
        assert hint(samples.purchase(state), deliveries) == text
    for state in ("started", "placed", "denied", "declined", "failed"):
        assert hint(samples.purchase(state), deliveries) is None
