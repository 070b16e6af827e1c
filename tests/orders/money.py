"""A model of an order's money, written from the protocol (9.3) and not from the emulator: sums, a status, and who may do what."""

from dataclasses import dataclass, field
from typing import Any

HOURS_OF_A_DAY = 24
ACCOUNT_PERIOD = 28 * HOURS_OF_A_DAY
LONGEST_PERIOD = 180 * HOURS_OF_A_DAY
GRACE = 4
KEY_LIVES = 24


@dataclass(frozen=True)
class Wish:
    """Something that is asked for: `amount` is money, hours or nothing, `word` a verdict or an idempotency key."""

    name: str
    amount: int = 0
    word: str = ""


@dataclass(frozen=True)
class Seen:
    """What came of it: the HTTP status, and the id of what was made."""

    status: int
    made: str | None = None


@dataclass
class Money:
    """One order. `now` and every other time is in hours since the order was placed."""

    authorized: int
    fraud: str
    captures: list[tuple[str, int]] = field(default_factory=list)
    refunds: list[tuple[str, int]] = field(default_factory=list)
    released: int = 0
    ended: str | None = None
    now: int = 0
    expires: int = ACCOUNT_PERIOD
    doomed: int | None = None
    keys: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    @property
    def captured(self) -> int:
        return sum(amount for _, amount in self.captures)

    @property
    def refunded(self) -> int:
        return sum(amount for _, amount in self.refunds)

    @property
    def status(self) -> str:
        if self.ended:
            return self.ended
        if self.captured and self.captured + self.released == self.authorized:
            return "CAPTURED"
        if self.now >= self.expires:
            return "CLOSED" if self.captured else "EXPIRED"
        return "PART_CAPTURED" if self.captured else "AUTHORIZED"

    @property
    def is_open(self) -> bool:
        return self.status in ("AUTHORIZED", "PART_CAPTURED")

    @property
    def remaining(self) -> int:
        is_alive = self.is_open or self.status == "CAPTURED"
        return self.authorized - self.captured - self.released if is_alive else 0

    def shown(self) -> dict[str, Any]:
        """What GET has to answer."""
        return {
            "status": self.status,
            "fraud_status": "REJECTED" if self.fraud == "STOPPED" else self.fraud,
            "order_amount": self.authorized,
            "captured_amount": self.captured,
            "refunded_amount": self.refunded,
            "remaining_authorized_amount": self.remaining,
            "captures": self.captures,
            "refunds": self.refunds,
        }

    def take(self, wish: Wish, seen: Seen) -> bool:
        """Do what is wished for; tell whether what was seen is what has to come of it."""
        expected = getattr(self, wish.name)(wish, seen)
        return bool(expected == seen)

    def capture(self, wish: Wish, seen: Seen) -> Seen:
        allowed = self.is_open and self.fraud in ("ACCEPTED", "REJECTED") and 0 < wish.amount <= self.remaining
        return self._made(wish, seen, self.captures, allowed=allowed)

    def refund(self, wish: Wish, seen: Seen) -> Seen:
        allowed = 0 < wish.amount <= self.captured - self.refunded
        return self._made(wish, seen, self.refunds, allowed=allowed)

    def _made(self, wish: Wish, seen: Seen, book: list[tuple[str, int]], *, allowed: bool) -> Seen:
        known = self.keys.get((wish.name, wish.word)) if wish.word else None
        if known and self.now < known[1]:
            return Seen(201, known[0])
        if not allowed:
            return Seen(403)
        if seen.made is None or seen.made in dict(book):
            return Seen(201, "another one")
        book.append((seen.made, wish.amount))
        if wish.word:
            self.keys[wish.name, wish.word] = seen.made, self.now + KEY_LIVES
        return Seen(201, seen.made)

    def cancel(self, _wish: Wish, _seen: Seen) -> Seen:
        if self.status != "AUTHORIZED":
            return Seen(403)
        self.ended = "CANCELLED"
        return Seen(204)

    def release(self, _wish: Wish, _seen: Seen) -> Seen:
        if self.status != "PART_CAPTURED":
            return Seen(403)
        self.released += self.remaining
        return Seen(204)

    def extend(self, _wish: Wish, _seen: Seen) -> Seen:
        if not self.is_open:
            return Seen(403)
        self.expires = max(self.expires, min(self.now + ACCOUNT_PERIOD, LONGEST_PERIOD))
        return Seen(204)

    def authorize(self, wish: Wish, _seen: Seen) -> Seen:
        if not self.is_open or self.fraud != "ACCEPTED" or wish.amount < self.captured:
            return Seen(403)
        self.authorized = wish.amount
        return Seen(204)

    def acknowledge(self, _wish: Wish, _seen: Seen) -> Seen:
        return Seen(403 if self.status in ("CANCELLED", "EXPIRED", "CLOSED") else 204)

    def decide(self, wish: Wish, _seen: Seen) -> Seen:
        is_alive = self.status not in ("CANCELLED", "EXPIRED", "CLOSED")
        if not is_alive or not (self.fraud == "PENDING" or (self.fraud, wish.word) == ("ACCEPTED", "STOPPED")):
            return Seen(409)
        self.fraud = wish.word
        self.doomed = self.now + GRACE if wish.word == "REJECTED" else None
        return Seen(200)

    def advance(self, wish: Wish, _seen: Seen) -> Seen:
        arrival = self.now + wish.amount
        if self.doomed is not None and self.doomed <= arrival:
            self.now, self.doomed = max(self.now, self.doomed), None
            self.cancel(wish, Seen(0))
        self.now = arrival
        return Seen(200)
