"""The journal's entries: every exchange, every callback attempt and every event, in the order in which they happened."""

from msgspec import Struct

from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import Event
from mock_klarna.errors import Problem

EXCHANGE, CALLBACK, EVENT = "exchange", "callback", "event"
KINDS = (EXCHANGE, CALLBACK, EVENT)
"""`exchange`: a merchant called us. `callback`: we called a merchant. `event`: something became true."""

NOBODY = ""
"""Whose the entries are that belong to no merchant: strangers whose credentials were refused have no state of their own."""

EVENT_BYTES = 400
"""Roughly what an entry takes in memory beside its bodies."""


def readable(text: str) -> str:
    """Return text with the bytes that are no UTF-8 written out in hexadecimal: JSON has no other way to show them."""
    return text if text.isascii() else text.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


class Exchange(Struct, frozen=True, kw_only=True, gc=False):
    """One request of a merchant and our answer; bodies as bytes, duration in seconds, `explanation` why it was refused."""

    method: str
    path: str
    status: int
    correlation_id: str
    duration: float
    request_headers: tuple[tuple[str, str], ...] = ()
    request_body: bytes = b""
    response_body: bytes = b""
    problems: tuple[Problem, ...] = ()
    explanation: str = ""

    def size(self) -> int:
        """Return roughly how many bytes the exchange takes in memory."""
        return EVENT_BYTES + len(self.request_body) + len(self.response_body) + len(self.path) + len(self.explanation)


class Sent(Struct, frozen=True, kw_only=True, gc=False):
    """One attempt to call a merchant: what was sent where, and what came of it. `number` counts the tries from 1."""

    callback_id: str
    url: str
    number: int
    request_body: bytes
    attempt: Attempt

    def size(self) -> int:
        """Return roughly how many bytes the attempt takes in memory."""
        return EVENT_BYTES + len(self.request_body) + len(self.attempt.answer) + len(self.url)


class Entry(Struct, frozen=True, kw_only=True, gc=False):
    """One line of a merchant's history. `seq` rises over all merchants; `at` is the merchant's clock; `size` is in bytes."""

    seq: int
    at: float
    merchant: str
    kind: str
    name: str
    purchase_id: str | None
    data: Exchange | Sent | Event
    size: int = EVENT_BYTES


class Watch(Struct, frozen=True, kw_only=True, gc=False):
    """Which entries somebody asks for or waits for; None means any. `status` is such as 404, or 4xx for all of them."""

    merchant: str | None = None
    purchase_id: str | None = None
    kind: str | None = None
    name: str | None = None
    status: str | None = None
    correlation_id: str | None = None

    def matches(self, entry: Entry) -> bool:
        """Tell whether an entry is one of those."""
        return (
            (self.merchant is None or entry.merchant == self.merchant)
            and (self.purchase_id is None or entry.purchase_id == self.purchase_id)
            and (self.kind is None or entry.kind == self.kind)
            and (self.name is None or entry.name == self.name)
            and (self.status is None or self._is_answer(entry.data))
            and (self.correlation_id is None or self.correlation_id == getattr(entry.data, "correlation_id", None))
        )

    def _is_answer(self, data: Exchange | Sent | Event) -> bool:
        """Tell whether something was answered with the status: an exchange by us, an attempt by the merchant."""
        answered = data.attempt if isinstance(data, Sent) else data
        text = str(getattr(answered, "status", None) or "")
        return self.status in (text, f"{text[:1]}xx")
