"""What is kept: the aggregates that commands decide on, and the jobs that wait for their time.

Bodies stay the JSON bytes that will be sent back; a record holds beside them only what the emulator decides on.
Times are seconds since 1970 in UTC, on the merchant's own clock.
"""

from collections.abc import Mapping
from typing import ClassVar

from msgspec import Struct

from mock_klarna.domain.events import Event


class Capture(Struct, frozen=True, kw_only=True, gc=False):
    """Money that was taken. `details` is the JSON of what the merchant said of it; `extended_days` moves its due date."""

    capture_id: str
    captured_amount: int
    captured_at: float
    details: bytes = b"{}"
    extended_days: int = 0


class Refund(Struct, frozen=True, kw_only=True, gc=False):
    """Money that went back. `details` is the JSON of what the merchant said of it."""

    refund_id: str
    refunded_amount: int
    refunded_at: float
    details: bytes = b"{}"


class Fulfilment(Struct, frozen=True, kw_only=True, gc=False):
    """Everything that happened to an order since it was placed; None and empty mean "as it was placed".

    order_amount: what is authorized since the merchant changed it. released: what the merchant gave up of it.
    ended: CANCELLED or CLOSED. expires_at: set anew by an extension. changes: JSON of the members that replace the order's.
    """

    order_amount: int | None = None
    released: int = 0
    ended: str | None = None
    expires_at: float | None = None
    captures: tuple[Capture, ...] = ()
    refunds: tuple[Refund, ...] = ()
    changes: bytes = b"{}"


UNTOUCHED = Fulfilment()
"""An order that nothing happened to yet: one for all, so that a fresh order costs nothing."""
REFUSED = Fulfilment(ended="CANCELLED")
"""An order that Klarna's risk check refused while it was placed (protocol 5)."""


class Record(Struct, frozen=True, kw_only=True, gc=False):
    """Anything a store keeps: it has a key, an owner and a version that every commit raises by one."""

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
    """A button key and its options as JSON, `button_key` included (protocol 3.1)."""

    kind: ClassVar[str] = "button"
    button_key: str
    body: bytes
    created_at: float

    @property
    def key(self) -> str:
        """The button key itself."""
        return self.button_key


class Outcome(Struct, frozen=True, gc=False):
    """What Klarna's risk check will say of an order: the first answer, and for PENDING the one `after` seconds later."""

    fraud_status: str = "ACCEPTED"
    then: str | None = None
    after: float | None = None


class Purchase(Record, frozen=True, kw_only=True):
    """One shopper's purchase from the click to its end.

    `session` is the JSON of what the page and the shopper chose so far; `order` is the JSON of the authorized order, the
    very bytes that `GET` answers and `place_order` delivers. `state` follows `lifecycle.PURCHASE`.
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
    outcome: Outcome = Outcome()
    expires_at: float = 0.0
    merchant_timeout: float | None = None
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
    """A placed order: its body as the merchant posted it, and what became of it since."""

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
    """Trouble ordered for the next `times` matching requests or callbacks."""

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


JOBS = (
    "place_order",
    "time_out",
    "expire",
    "end_review",
    "cancel_rejected",
    "push",
    "notification",
    "forget_answer",
)
"""What can wait for its time: callbacks, and what happens by itself."""


class Job(Struct, frozen=True, kw_only=True, gc=False):
    """Something to be done when the merchant's clock reaches `due`. `number` counts the tries of a schedule from 1."""

    due: float
    merchant: str
    kind: str
    subject: str
    number: int = 1

    @property
    def job_id(self) -> str:
        """The job's name: one job of a kind waits for a subject at a time."""
        return f"{self.kind}:{self.subject}"


class Decision(Struct, frozen=True, kw_only=True, gc=False):
    """What a command comes to: records to write, facts, jobs to schedule and jobs that are no longer needed."""

    writes: tuple[Record, ...] = ()
    events: tuple[Event, ...] = ()
    jobs: tuple[Job, ...] = ()
    cancels: tuple[str, ...] = ()


REMEMBERED_SECONDS = 24 * 3600
"""How long the first answer to a key is given again, on the merchant's clock."""


class RememberedAnswer(Record, frozen=True, kw_only=True):
    """The first answer to an operation of a merchant under one key; `name` stands for all three."""

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
    """Keep an answer until its time is over."""
    job = Job(due=answer.until, merchant=answer.merchant, kind="forget_answer", subject=answer.name)
    return Decision(writes=(answer,), jobs=(job,))
