"""The kinds of callbacks: when each is caused, repeated and ended, and the states of one callback."""

from collections.abc import Callable
from itertools import accumulate, count, takewhile
from typing import Any

import orjson
import pytest

from mock_klarna import resources
from mock_klarna.domain.callbacks import (
    CALLBACKS,
    JOBS,
    KEPT_BYTES,
    KINDS_OF_JOB,
    MAX_ATTEMPTS,
    SCHEDULES,
    Attempt,
    Delivery,
    abandoned,
    callback_jobs,
    first_pause,
    interrupted,
    is_delivered,
    is_wanted_again,
    job_of,
    pause_after,
    read_back,
    resumed,
    with_attempts,
)
from mock_klarna.domain.events import (
    OrderAcknowledged,
    OrderCancelled,
    OrderCaptured,
    OrderClosed,
    OrderFromToken,
    PurchaseAuthorized,
    PurchasePlaced,
    SessionUpdated,
)
from mock_klarna.domain.records import Decision, Fulfilment, Job, Order
from tests.domain.samples import NOW, jobs, order, purchase

MINUTE, HOUR = 60, 3600
ACCEPTED = order("ACCEPTED", push_url="https://shop/push", notification_url="https://shop/news")
ACKNOWLEDGED = order("ACCEPTED", push_url="https://shop/push", acknowledged=True)
PLACED = PurchasePlaced(purchase_id="p-1", order_id="o-1", fraud_status="ACCEPTED", order_amount=1)
ENDS = (
    OrderAcknowledged(order_id="o-1"),
    OrderCaptured(order_id="o-1", capture_id="c-1", captured_amount=1, remaining_authorized_amount=0),
    OrderCancelled(order_id="o-1", reason="by the merchant"),
    OrderClosed(order_id="o-1"),
)


def tries(schedule: str) -> list[int]:
    """Return when each try is due, from the first pause and those that follow."""
    pauses = takewhile(lambda pause: pause is not None, (pause_after(schedule, number) for number in count(1)))
    return list(accumulate((pause for pause in pauses if pause is not None), initial=first_pause(schedule)))


def test_a_push_is_tried_often_at_first_then_every_four_hours_for_two_days() -> None:
    first = [5 * MINUTE, 15 * MINUTE, 30 * MINUTE, 60 * MINUTE]
    assert tries("push") == [*first, *range(5 * HOUR, 48 * HOUR + 1, 4 * HOUR)]


def test_the_older_push_is_tried_every_two_hours_for_two_days() -> None:
    assert tries("push-old") == [2 * MINUTE + 2 * HOUR * number for number in range(24)]


def test_a_notification_is_tried_every_ten_minutes_for_a_day() -> None:
    assert tries("notification") == [10 * MINUTE * number for number in range(145)]


@pytest.mark.parametrize("schedule", [name for name in SCHEDULES if name != "once"])
def test_after_the_last_try_there_is_none(schedule: str) -> None:
    most = len(SCHEDULES[schedule])
    assert pause_after(schedule, most - 1) is not None
    assert pause_after(schedule, most) is None
    assert pause_after(schedule, most + 5) is None


def test_place_order_is_tried_once() -> None:
    assert tries(CALLBACKS["place_order"].schedule_name("push")) == [0]


def test_an_authorization_causes_place_order_at_once() -> None:
    event = PurchaseAuthorized(purchase_id="p-1", authorization_token="t-1", order_amount=1)
    assert jobs(Decision(writes=(purchase(),), events=(event,))) == [("place_order", 0.0)]


@pytest.mark.parametrize(
    "event", [PLACED, OrderFromToken(customer_token="c", order_id="o-1", fraud_status="ACCEPTED", order_amount=1)]
)
@pytest.mark.parametrize(("schedule", "due"), [("push", 300.0), ("push-old", 120.0)])
def test_an_accepted_order_causes_a_push_by_the_schedule_of_the_settings(
    event: PurchasePlaced | OrderFromToken, schedule: str, due: float
) -> None:
    assert jobs(Decision(writes=(ACCEPTED,), events=(event,)), schedule) == [("push", due)]


@pytest.mark.parametrize(
    "placed",
    [order("PENDING", push_url="https://shop/push"), order("REJECTED", push_url="x"), order("ACCEPTED"), ACKNOWLEDGED],
)
def test_other_orders_cause_no_push(placed: Order) -> None:
    assert jobs(Decision(writes=(placed,), events=(PLACED,))) == []


@pytest.mark.parametrize("event", ENDS, ids=lambda event: type(event).__name__)
def test_the_waiting_push_of_an_order_that_needs_none_is_due_at_once(event: OrderAcknowledged) -> None:
    assert jobs(Decision(writes=(ACKNOWLEDGED,), events=(event,))) == [("push", 0.0)]
    assert jobs(Decision(writes=(order("ACCEPTED"),), events=(event,))) == []


def test_other_events_cause_no_callback() -> None:
    event = SessionUpdated(purchase_id="p-1", changed=())
    assert callback_jobs(Decision(writes=(purchase(),), events=(event,)), NOW) == ()


ATTEMPT = Attempt(at=NOW, duration=0.1, outcome="answered", status=200)
FAILED = Attempt(at=NOW, duration=0.1, outcome="answered", status=500)
CREATED = Attempt(at=NOW, duration=0.1, outcome="answered", status=201)


@pytest.mark.parametrize(
    ("kind", "record", "last", "repeated"),
    [
        ("place_order", purchase(), FAILED, False),
        ("push", ACCEPTED, ATTEMPT, True),
        ("push", ACKNOWLEDGED, FAILED, False),
        ("push", order("ACCEPTED", fulfilment=Fulfilment(ended="CANCELLED")), FAILED, False),
        ("push", None, FAILED, False),
        ("notification", ACCEPTED, ATTEMPT, False),
        ("notification", ACCEPTED, CREATED, True),
        ("notification", ACCEPTED, FAILED, True),
        ("notification", None, FAILED, True),
    ],
)
def test_a_push_is_repeated_until_the_order_is_acknowledged_and_a_notification_until_200(
    kind: str, record: Order | None, last: Attempt, repeated: bool
) -> None:
    assert is_wanted_again(CALLBACKS[kind], record, last) is repeated


@pytest.mark.parametrize(
    ("outcome", "status", "delivered"),
    [
        ("answered", 200, True),
        ("answered", 299, True),
        ("too_long", 200, True),
        ("answered", 300, False),
        ("redirected", 302, False),
        ("answered", 199, False),
        ("timed_out", 200, False),
        ("refused", None, False),
    ],
)
def test_a_callback_is_delivered_by_an_answer_of_2xx(outcome: str, status: int | None, delivered: bool) -> None:
    assert is_delivered(Attempt(at=NOW, duration=0.1, outcome=outcome, status=status)) is delivered


def delivery(callback: str, **members: object) -> Delivery:
    given = {"merchant": "shop", "callback_id": "c-1", "url": "u", "purchase_id": "p-1", "order_id": "o-1"}
    return Delivery(**{**given, "callback": callback, "body": b"", "created_at": NOW, **members})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("callback", "job"),
    [
        ("place_order", "place_order:p-1"),
        ("create_customer_token", "place_order:p-1"),
        ("push", "push:o-1"),
        ("notification", "notification:o-1"),
        ("update", None),
    ],
)
def test_a_callback_belongs_to_the_job_that_sends_it(callback: str, job: str | None) -> None:
    assert job_of(delivery(callback)) == job


@pytest.mark.parametrize(("waiting", "state"), [({"push:o-1"}, "waiting"), (set(), "failed")])
def test_a_callback_that_was_being_sent_waits_for_its_job_or_has_failed_when_it_is_read_back(
    waiting: set[str], state: str
) -> None:
    read = read_back(delivery("push"), waiting)
    assert isinstance(read, Delivery)
    assert (read.state, read.version, [attempt.outcome for attempt in read.attempts]) == (state, 1, ["interrupted"])


@pytest.mark.parametrize("record", [delivery("push", state="failed"), delivery("push", state="waiting"), ACCEPTED])
def test_other_records_are_read_back_as_they_are(record: Delivery | Order) -> None:
    assert read_back(record, ()) is record


def test_a_callback_that_is_sent_again_keeps_its_attempts_and_closes_an_unfinished_one() -> None:
    again = resumed(delivery("push", state="waiting", attempts=(FAILED,)))
    assert (again.state, again.version, again.attempts) == ("in_flight", 2, (FAILED,))
    after_crash = resumed(delivery("push", attempts=(FAILED,)))
    assert after_crash.attempts == interrupted(delivery("push", attempts=(FAILED,))).attempts
    done = with_attempts(again, (ATTEMPT,), "delivered")
    assert (done.state, done.version, done.attempts) == ("delivered", 3, (FAILED, ATTEMPT))


def test_every_job_of_a_callback_is_a_kind_of_job() -> None:
    assert set(KINDS_OF_JOB) < set(JOBS)
    assert Job(due=NOW, merchant="shop", kind="push", subject="o-1").job_id == job_of(delivery("push"))


@pytest.mark.parametrize(
    ("file", "kinds"),
    [
        ("components/callback_kind.json", lambda schema: schema["enum"]),
        ("snapshot.json", lambda schema: schema["$defs"]["callback"]["properties"]["callback"]["enum"]),
        (
            "components/merchant_urls.json",
            lambda schema: [name for name, url in schema["properties"].items() if url["$ref"] == "server_url.json"],
        ),
    ],
)
def test_the_schemas_name_every_kind(file: str, kinds: Callable[[Any], list[str]]) -> None:
    schema = orjson.loads((resources.schemas() / file).read_bytes())
    assert sorted(kinds(schema)) == sorted(CALLBACKS)


def test_the_schema_of_snapshots_names_every_kind_of_job() -> None:
    schema = orjson.loads((resources.schemas() / "snapshot.json").read_bytes())
    assert sorted(schema["$defs"]["job"]["properties"]["kind"]["enum"]) == sorted(JOBS)


@pytest.mark.parametrize("kind", [name for name in CALLBACKS if name != "push"])
def test_every_kind_with_a_body_has_a_schema(kind: str) -> None:
    assert (resources.schemas() / "callbacks" / f"{kind}.json").is_file()


@pytest.mark.parametrize(
    ("state", "ends", "outcomes"), [("in_flight", "failed", ["interrupted"]), ("delivered", "delivered", [])]
)
def test_an_abandoned_callback_has_no_open_attempt(state: str, ends: str, outcomes: list[str]) -> None:
    delivery = Delivery(
        merchant="shop",
        callback_id="c",
        callback="place_order",
        url="http://shop/x",
        purchase_id="p",
        order_id=None,
        body=b"",
        created_at=1.0,
        state=state,
    )
    ended = abandoned(delivery)
    assert (ended.version, ended.state, [attempt.outcome for attempt in ended.attempts]) == (2, ends, outcomes)


def _answered(number: int, answer: int, headers: int = 0) -> Attempt:
    pairs = tuple((f"x-{index}", "v" * 100) for index in range(headers))
    return Attempt(
        at=float(number),
        duration=0.0,
        outcome="answered",
        status=200,
        answer=b"a" * answer,
        answer_headers=pairs,
    )


def _resent(times: int, answer: int, headers: int = 0) -> Delivery:
    resent = Delivery(
        merchant="shop",
        callback_id="c",
        callback="push",
        url="u",
        purchase_id="p",
        order_id="o",
        body=b"",
        created_at=NOW,
    )
    for number in range(1, times + 1):
        resent = with_attempts(resent, (_answered(number, answer, headers),), "delivered")
    return resent


def test_a_callback_keeps_the_newest_attempts_and_counts_the_others() -> None:
    resent = _resent(MAX_ATTEMPTS + 50, 10)
    assert [attempt.at for attempt in resent.attempts] == list(range(51, MAX_ATTEMPTS + 51))
    assert resent.attempts_dropped == 50


def test_every_try_of_a_schedule_is_kept() -> None:
    assert max(map(len, SCHEDULES.values())) < MAX_ATTEMPTS


@pytest.mark.parametrize(("answer", "headers"), [(64 << 10, 0), (20_000, 50), (0, 50), (100, 0)])
def test_the_answers_that_a_callback_keeps_are_bounded(answer: int, headers: int) -> None:
    resent = _resent(100, answer, headers)
    older = resent.attempts[:-1]
    assert resent.attempts[-1] == _answered(100, answer, headers)
    assert (
        sum(len(each.answer) + sum(len(name + text) for name, text in each.answer_headers) for each in older)
        <= KEPT_BYTES + len(older) * 64
    )


def test_an_old_answer_says_how_long_it_was() -> None:
    resent = _resent(3, 40_000)
    assert [attempt.answer for attempt in resent.attempts[:2]] == ["… (40000 bytes)".encode(), b"a" * 40_000]
