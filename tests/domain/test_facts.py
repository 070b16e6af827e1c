from dataclasses import replace

import pytest

from mock_klarna.domain.events import Event, PurchasePlaced, PurchaseTimedOut
from mock_klarna.domain.records import Job, Outcome

PLACED = PurchasePlaced(purchase_id="p", order_id="o", fraud_status="ACCEPTED", order_amount=1)


def test_facts_with_the_same_members_are_equal_and_found_by_each_other() -> None:
    assert replace(PLACED) == PLACED
    assert {PLACED: "found"}[replace(PLACED)] == "found"


@pytest.mark.parametrize(
    "other",
    [replace(PLACED, order_amount=2), PurchaseTimedOut(purchase_id="p", seconds=1), Event(purchase_id="p"), "p"],
)
def test_facts_that_differ_in_a_member_or_in_kind_are_not_equal(other: object) -> None:
    assert other != PLACED


def test_a_fact_shows_its_kind_and_every_member() -> None:
    job = Job(due=1.5, merchant="m", kind="push", subject="o")
    assert repr(job) == "Job(due=1.5, merchant='m', kind='push', subject='o', number=1)"


def test_a_value_takes_its_members_by_position() -> None:
    assert Outcome("PENDING", "ACCEPTED", 2.0) == Outcome(fraud_status="PENDING", then="ACCEPTED", after=2.0)


def test_a_fact_takes_no_member_that_it_does_not_have() -> None:
    with pytest.raises(AttributeError):
        PLACED.note = "n"  # type: ignore[attr-defined]
