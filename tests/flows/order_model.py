"""A model of the amounts of one order, written from klarna.md §9.3 and not from the emulator: sums, status, and what is allowed."""

from dataclasses import dataclass, field
from typing import Any

HOURS_PER_DAY = 24
AUTHORIZATION_PERIOD = 28 * HOURS_PER_DAY
LONGEST_AUTHORIZATION = 180 * HOURS_PER_DAY
REJECTED_IS_CANCELLED_AFTER = 4
IDEMPOTENCY_KEY_LIFETIME = 24


@dataclass(frozen=True)
class Command:
    """One request. `amount` is money, hours or 0; `detail` is a fraud status or an idempotency key."""

    name: str
    amount: int = 0
    detail: str = ""


@dataclass(frozen=True)
class Result:
    """The answer to a command: its HTTP status, and the id of the capture or refund that was created."""

    status: int
    created: str | None = None


@dataclass
class OrderModel:
    """One order. `now` and every other time is in hours since the order was placed."""

    authorized: int
    fraud: str
    captures: list[tuple[str, int]] = field(default_factory=list)
    refunds: list[tuple[str, int]] = field(default_factory=list)
    released: int = 0
    cancelled: bool = False
    now: int = 0
    expires: int = AUTHORIZATION_PERIOD
    cancels_at: int | None = None
    keys: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)

    @property
    def captured(self) -> int:
        return sum(amount for _, amount in self.captures)

    @property
    def refunded(self) -> int:
        return sum(amount for _, amount in self.refunds)

    @property
    def status(self) -> str:
        if self.cancelled:
            return "CANCELLED"
        if self.captured and self.captured + self.released == self.authorized:
            return "CAPTURED"
        if self.now >= self.expires:
            return "CLOSED" if self.captured else "EXPIRED"
        return "PART_CAPTURED" if self.captured else "AUTHORIZED"

    @property
    def is_open(self) -> bool:
        return self.status in ("AUTHORIZED", "PART_CAPTURED")

    @property
    def has_ended(self) -> bool:
        return self.status in ("CANCELLED", "EXPIRED", "CLOSED")

    @property
    def remaining(self) -> int:
        return 0 if self.has_ended else self.authorized - self.captured - self.released

    def as_shown(self) -> dict[str, Any]:
        """Return the members that a GET of the order has to answer."""
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

    def explains(self, command: Command, result: Result) -> bool:
        """Execute the command; return whether the result is the expected one."""
        expected = getattr(self, command.name)(command, result)
        return bool(expected == result)

    def capture(self, command: Command, result: Result) -> Result:
        can_capture = self.is_open and self.fraud in ("ACCEPTED", "REJECTED")
        allowed = can_capture and 0 < command.amount <= self.remaining
        return self._create(command, result, self.captures, allowed=allowed)

    def refund(self, command: Command, result: Result) -> Result:
        allowed = 0 < command.amount <= self.captured - self.refunded
        return self._create(command, result, self.refunds, allowed=allowed)

    def _create(self, command: Command, result: Result, entries: list[tuple[str, int]], *, allowed: bool) -> Result:
        known = self.keys.get((command.name, command.detail)) if command.detail else None
        if known and self.now < known[1]:
            return Result(201, known[0])
        if not allowed:
            return Result(403)
        if result.created is None or result.created in dict(entries):
            return Result(201, "a new id")
        entries.append((result.created, command.amount))
        if command.detail:
            self.keys[command.name, command.detail] = result.created, self.now + IDEMPOTENCY_KEY_LIFETIME
        return Result(201, result.created)

    def cancel(self, _command: Command, _result: Result) -> Result:
        if self.status != "AUTHORIZED":
            return Result(403)
        self.cancelled = True
        return Result(204)

    def release(self, _command: Command, _result: Result) -> Result:
        if self.status != "PART_CAPTURED":
            return Result(403)
        self.released += self.remaining
        return Result(204)

    def extend(self, _command: Command, _result: Result) -> Result:
        if not self.is_open:
            return Result(403)
        self.expires = max(self.expires, min(self.now + AUTHORIZATION_PERIOD, LONGEST_AUTHORIZATION))
        return Result(204)

    def authorize(self, command: Command, _result: Result) -> Result:
        if not self.is_open or self.fraud != "ACCEPTED" or command.amount < self.captured:
            return Result(403)
        self.authorized = command.amount
        return Result(204)

    def acknowledge(self, _command: Command, _result: Result) -> Result:
        return Result(403 if self.has_ended else 204)

    def decide(self, command: Command, _result: Result) -> Result:
        can_decide = self.fraud == "PENDING" or (self.fraud, command.detail) == ("ACCEPTED", "STOPPED")
        if self.has_ended or not can_decide:
            return Result(409)
        self.fraud = command.detail
        self.cancels_at = self.now + REJECTED_IS_CANCELLED_AFTER if command.detail == "REJECTED" else None
        return Result(200)

    def advance(self, command: Command, _result: Result) -> Result:
        arrival = self.now + command.amount
        if self.cancels_at is not None and self.cancels_at <= arrival:
            self.now, self.cancels_at = max(self.now, self.cancels_at), None
            self.cancel(command, Result(0))
        self.now = arrival
        return Result(200)
