"""Where an order stands: its amounts in minor units, and the status that follows from them (protocol 9.3)."""

from mock_klarna.domain.facts import value
from mock_klarna.domain.fulfilment import Fulfilment
from mock_klarna.domain.records import Order

DAY = 86400
ACCOUNT_PERIOD = 28 * DAY
"""Seconds for which an authorization lives, and by which an extension prolongs it (protocol 9.1)."""
LONGEST_PERIOD = 180 * DAY
"""Seconds after its placing beyond which no authorization is extended (protocol 9.1)."""
OPEN = ("AUTHORIZED", "PART_CAPTURED")
"""The statuses of an order that is not finished: it can be captured, changed, released or extended."""


@value
class Balance:
    """An order's money at one moment: authorized >= captured >= refunded >= 0, and nothing remains of a finished order."""

    status: str
    authorized: int
    captured: int
    refunded: int
    released: int

    @property
    def remaining(self) -> int:
        """What may still be captured."""
        return self.authorized - self.captured - self.released

    @property
    def refundable(self) -> int:
        """What may still be refunded."""
        return self.captured - self.refunded

    @property
    def words(self) -> str:
        """Why nothing more can be done, as refusals put it: "Order is fully captured."; empty for an open order."""
        return _WORDS.get(self.status, "")


_WORDS = {
    "CAPTURED": "Order is fully captured.",
    "CANCELLED": "Order is cancelled.",
    "EXPIRED": "Order is expired.",
    "CLOSED": "Order is closed.",
}


def expires_at(order: Order) -> float:
    """Return when the authorization ends: 28 days after the order was placed unless it was extended (protocol 9.2)."""
    extended = order.fulfilment.expires_at
    return order.created_at + ACCOUNT_PERIOD if extended is None else extended


def balance(order: Order, now: float) -> Balance:
    """Return where an order stands at a time of its merchant's clock; an expired one needs nobody to tell it so."""
    done = order.fulfilment
    authorized = order.order_amount if done.order_amount is None else done.order_amount
    captured = sum(capture.captured_amount for capture in done.captures)
    refunded = sum(refund.refunded_amount for refund in done.refunds)
    status = _status(done, authorized, captured, expired=now >= expires_at(order))
    released = done.released if status in (*OPEN, "CAPTURED") else authorized - captured
    return Balance(status, authorized, captured, refunded, released)


def _status(done: Fulfilment, authorized: int, captured: int, *, expired: bool) -> str:
    """Return the status (protocol 9.3); a release makes CAPTURED of PART_CAPTURED, which is a guess there as here."""
    if done.ended:
        return done.ended
    if captured and captured + done.released == authorized:
        return "CAPTURED"
    if expired:
        return "CLOSED" if captured else "EXPIRED"
    return "PART_CAPTURED" if captured else "AUTHORIZED"


def klarna_reference(order_id: str) -> str:
    """Return the short reference that people read out: four letters and four digits (protocol 9.2)."""
    number = int.from_bytes(order_id.encode())
    letters = ""
    for _ in range(4):
        number, letter = divmod(number, 26)
        letters += chr(ord("A") + letter)
    return f"{letters}{number % 10_000:04}"
