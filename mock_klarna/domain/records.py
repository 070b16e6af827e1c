"""The records that a store keeps, the jobs that are due later, and the decisions that change both.

Bodies are the JSON bytes that are sent back; the other members of a record are those that commands read.
Times are seconds since 1970 in UTC, on the merchant's own clock.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import ClassVar, Generic, NamedTuple, TypeVar

from msgspec import Struct

from mock_klarna.domain.events import Event


class Capture(Struct, frozen=True, kw_only=True, gc=False):
    """A capture. `details` is the JSON that the merchant sent beside the amount; `extended_days` moves its due date."""

    capture_id: str
    captured_amount: int
    captured_at: float
    details: bytes = b"{}"
    extended_days: int = 0


class Refund(Struct, frozen=True, kw_only=True, gc=False):
    """A refund. `details` is the JSON that the merchant sent beside the amount."""

    refund_id: str
    refunded_amount: int
    refunded_at: float
    details: bytes = b"{}"


class Fulfilment(Struct, frozen=True, kw_only=True, gc=False):
    """The changes to an order since it was placed; None and empty mean "as it was placed".

    order_amount: the authorized amount, once the merchant has changed it. released: the amount that was released.
    ended: CANCELLED or CLOSED. expires_at: set by an extension. changes: JSON of the members that replace the order's.
    """

    order_amount: int | None = None
    released: int = 0
    ended: str | None = None
    expires_at: float | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    changes: bytes = b"{}"


UNTOUCHED = Fulfilment()
"""The fulfilment of every new order."""
REFUSED = Fulfilment(ended="CANCELLED")
"""The fulfilment of an order that Klarna's risk check refused while it was placed (klarna.md §5)."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """A stored record: it has a key, an owner and a version that every commit raises by one."""

    kind: ClassVar[str]
    merchant: str
    version: int = 1

    @property
    def key(self) -> str:
        """The identifier the record is stored under."""
        raise NotImplementedError

    @property
    def alias(self) -> str | None:
        """A second identifier the record can be loaded by."""
        return None

    @property
    def subject(self) -> str | None:
        """The purchase the record belongs to, where it is not one itself."""
        return None


class ButtonKey(Record, frozen=True, kw_only=True):
    """A button key and its options as JSON, `button_key` included (klarna.md §3.1)."""

    kind: ClassVar[str] = "button"
    button_key: str
    body: bytes
    created_at: float

    @property
    def key(self) -> str:
        """The button key itself."""
        return self.button_key


class Outcome(Struct, frozen=True, gc=False):
    """The result of Klarna's risk check: the fraud status, and for PENDING the status that follows `after` seconds later."""

    fraud_status: str = "ACCEPTED"
    then: str | None = None
    after: float | None = None


class Purchase(Record, frozen=True, kw_only=True):
    """One shopper's purchase from the click to its end.

    `session` is the JSON of what the page and the shopper have chosen; `order` is the JSON of the authorized order, the
    bytes that `GET` answers and `place_order` sends. `state` is a key of `purchase.PURCHASE_TRANSITIONS`. `page_version` is the
    number of the page's latest options that the session has, counted by the page. `draft` is the JSON of what the shopper has
    typed into the form. `order_amount`, `currency`, `country` and `locale` are those of the order.
    """

    kind: ClassVar[str] = "purchase"
    purchase_id: str
    button_key: str
    state: str
    created_at: float
    session: bytes = b""
    authorization_token: str | None = None
    order: bytes = b""
    order_amount: int = 0
    currency: str = ""
    country: str = ""
    locale: str = ""
    outcome: Outcome = Outcome()
    expires_at: float = 0.0
    merchant_timeout: float | None = None
    page_version: int = 0
    draft: bytes = b""
    order_id: str | None = None
    fraud_status: str | None = None
    deny: Mapping[str, str] | None = None
    redirect_url: str | None = None
    consumer_message: str | None = None
    customer_token: str | None = None

    @property
    def key(self) -> str:
        """The purchase's id."""
        return self.purchase_id

    @property
    def alias(self) -> str | None:
        """The authorization token, once there is one."""
        return self.authorization_token


class Order(Record, frozen=True, kw_only=True):
    """A placed order: its body as the merchant posted it, and what has changed since."""

    kind: ClassVar[str] = "order"
    order_id: str
    purchase_id: str
    body: bytes
    fraud_status: str
    order_amount: int
    created_at: float
    push_url: str | None = None
    notification_url: str | None = None
    acknowledged: bool = False
    fulfilment: Fulfilment = UNTOUCHED

    @property
    def key(self) -> str:
        """The order's id."""
        return self.order_id

    @property
    def subject(self) -> str | None:
        """The purchase that became this order."""
        return self.purchase_id


class Fault(Record, frozen=True, kw_only=True):
    """A fault to inject into the next `times` matching requests or callbacks."""

    kind: ClassVar[str] = "fault"
    fault_id: str
    body: bytes
    on: str
    operation: str | None
    times: int

    @property
    def key(self) -> str:
        """The fault's id."""
        return self.fault_id


class Merchant(Record, frozen=True, kw_only=True):
    """A merchant's own clock and seed. `clock_offset` is seconds ahead of real time."""

    kind: ClassVar[str] = "merchant"
    clock_offset: float = 0.0
    seed: str | None = None

    @property
    def key(self) -> str:
        """The merchant's username."""
        return self.merchant


class MerchantSummary(NamedTuple):
    """What a merchant has: how many records, its clock as in `Merchant`, and its newest journal entry, if there is one."""

    merchant: str
    buttons: int
    purchases: int
    orders: int
    clock_offset: float
    last_seq: int | None
    last_at: float | None


class FirstHost(Record, frozen=True, kw_only=True):
    """The API host where a username was used first, if regions are separate: that of `merchant` (klarna.md §1.2)."""

    kind: ClassVar[str] = "first_host"
    username: str

    @property
    def key(self) -> str:
        """The username."""
        return self.username


class RecordJob(StrEnum):
    """The kinds of jobs that change a record when its time has come; all other jobs send callbacks."""

    TIME_OUT = "time_out"
    EXPIRE = "expire"
    END_REVIEW = "end_review"
    CANCEL_REJECTED = "cancel_rejected"
    FORGET_ANSWER = "forget_answer"


def job_id(kind: str, subject: str) -> str:
    """Return the id of a job: a subject has at most one waiting job of a kind."""
    return f"{kind}:{subject}"


class Job(Struct, frozen=True, kw_only=True, gc=False):
    """Work that is due when the merchant's clock reaches `due`. `number` counts the tries of a schedule from 1."""

    due: float
    merchant: str
    kind: str
    subject: str
    number: int = 1

    @property
    def job_id(self) -> str:
        """The job's id."""
        return job_id(self.kind, self.subject)


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """What a store commits in one transaction: records, events, new jobs, and the ids of jobs to cancel.

    finished: claimed jobs that are done with it.
    """

    writes: tuple[Record, ...] = ()
    events: tuple[Event, ...] = ()
    jobs: tuple[Job, ...] = ()
    cancels: tuple[str, ...] = ()
    finished: tuple[Job, ...] = ()


T_co = TypeVar("T_co", covariant=True)


class CommandResult(Decision, Generic[T_co], frozen=True, kw_only=True):
    """A decision with `value`, which the command returns once the decision is committed: the records as written."""

    value: T_co


REMEMBERED_SECONDS = 24 * 3600
"""Seconds for which the first answer to an idempotency key is repeated, on the merchant's clock."""


class RememberedAnswer(Record, frozen=True, kw_only=True):
    """The first answer to a merchant's operation under an idempotency key; `name` identifies the three together."""

    kind: ClassVar[str] = "answer"
    name: str
    status: int
    body: bytes
    answer_headers: tuple[tuple[str, str], ...]
    until: float

    @property
    def key(self) -> str:
        """The name."""
        return self.name


def remembered(answer: RememberedAnswer) -> Decision:
    """Store an answer, with the job that deletes it when it is too old."""
    job = Job(due=answer.until, merchant=answer.merchant, kind=RecordJob.FORGET_ANSWER, subject=answer.name)
    return Decision(writes=(answer,), jobs=(job,))
