"""What became of an order after it was placed: its captures and refunds, and what the merchant changed (protocol 9)."""

from mock_klarna.domain.facts import fact


@fact
class Capture:
    """Money that was taken. `details` is the JSON of what the merchant said of it; `extended_days` moves its due date."""

    capture_id: str
    captured_amount: int
    captured_at: float
    details: bytes = b"{}"
    extended_days: int = 0


@fact
class Refund:
    """Money that went back. `details` is the JSON of what the merchant said of it."""

    refund_id: str
    refunded_amount: int
    refunded_at: float
    details: bytes = b"{}"


@fact
class Fulfilment:
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
