"""Placed orders in the sandbox's hands: looking, ending fraud reviews, closing (protocol 4.5 and 9.3)."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from mock_klarna.domain import captures
from mock_klarna.domain import order as order_management
from mock_klarna.domain import order as reviewing
from mock_klarna.domain.records import Capture, Decision, Order, Purchase, Refund
from mock_klarna.emulator.context import Context
from mock_klarna.errors import NoSuchOrder, NotAllowed, UnknownName, WriteConflict


class Orders:
    """What happens to an order that its merchant does not do itself."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, merchant: str | None, order_id: str) -> Order:
        """Return an order; raises `UnknownName` when there is none, or none of this merchant."""
        order = await self._context.store.get(Order, order_id)
        if order is None or (merchant is not None and order.merchant != merchant):
            raise UnknownName(
                f"order {order_id!r} is not known", where="order_id", hint="an id that placing an order answered"
            )
        return order

    async def end_review(self, merchant: str | None, order_id: str, verdict: str) -> Order:
        """End a fraud review with ACCEPTED, REJECTED or STOPPED; raises `StateConflict` when there is none to end."""
        return await self._context.persist(lambda: self._end_review(merchant, order_id, verdict))

    async def _end_review(self, merchant: str | None, order_id: str, verdict: str) -> Order:
        order = await self.find(merchant, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if purchase is None:
            raise WriteConflict(f"order {order_id}")  # both are gone by now
        return await self._decide_review(order, purchase, verdict)

    async def _decide_review(self, order: Order, purchase: Purchase, verdict: str) -> Order:
        now = await self._context.now(order.merchant)
        decision = reviewing.decide(order, purchase, verdict, now, self._context.rules.push_schedule)
        await self._context.commit(order.merchant, decision, now)
        decided = decision.writes[0]
        assert isinstance(decided, Order)
        return decided

    async def end_planned_review(self, order_id: str) -> None:
        """End a review as its purchase's outcome planned (a job of the clock); one that was ended by hand stays as it is."""
        await self._context.persist(lambda: self._end_planned_review(order_id))

    async def _end_planned_review(self, order_id: str) -> None:
        order = await self.find(None, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if order.fraud_status == "PENDING" and purchase is not None and purchase.outcome.then:
            await self._decide_review(order, purchase, purchase.outcome.then)

    async def cancel_rejected(self, order_id: str) -> None:
        """Cancel a rejected order that nothing was captured of in time (a job of the clock)."""
        await self._context.decide(lambda: self.find(None, order_id), order_management.cancel_rejected)

    async def close(self, merchant: str | None, order_id: str) -> Order:
        """Close an order, so that nothing but refunds is possible any more."""
        _, decision = await self._context.decide(lambda: self.find(merchant, order_id), order_management.close)
        closed = decision.writes[0]
        assert isinstance(closed, Order)
        return closed


Json = Mapping[str, Any]
Command = Callable[[Order, float], Decision]
_BILLING = "Billing address cannot be updated for user account order. Customer details cannot be updated."


class OrderManagement:
    """Each command is decided on the order as it is when it is written, so concurrent ones never spend an amount twice."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, merchant: str, order_id: str, tail: str = "") -> tuple[Order, float]:
        """Return a merchant's order and the time on its clock.

        Raises `NoSuchOrder`, whose words end with `tail`, for an order that is unknown or another merchant's.
        """
        return await self._own(merchant, order_id, tail), await self._context.now(merchant)

    async def _own(self, merchant: str, order_id: str, tail: str) -> Order:
        order = await self._context.store.get(Order, order_id)
        if order is None or order.merchant != merchant:
            raise NoSuchOrder(f"Order {order_id} cannot be found. {tail}".rstrip())
        return order

    async def _decide(self, merchant: str, order_id: str, command: Command, tail: str = "") -> Order:
        """Carry a command out and return the order as it was found."""
        order, _ = await self._context.decide(lambda: self._own(merchant, order_id, tail), command)
        return order

    async def acknowledge(self, merchant: str, order_id: str) -> Order:
        """Take note that the merchant knows the order, which ends the pushes."""
        return await self._decide(merchant, order_id, order_management.acknowledge, "Acknowledgement not possible.")

    async def update_authorization(self, merchant: str, order_id: str, wish: Json) -> Order:
        """Authorize another amount; lines that are not sent again are dropped from the order (protocol 9.1)."""

        def command(order: Order, now: float) -> Decision:
            changes = _changes(order, order_lines=wish.get("order_lines") or [], **_given(wish, "description"))
            return order_management.update_authorization(order, wish["order_amount"], changes, now)

        return await self._decide(merchant, order_id, command, "Authorization cannot be updated.")

    async def capture(self, merchant: str, order_id: str, wish: Json) -> tuple[Order, str]:
        """Capture an amount; returns the order and the id of the capture."""
        await self.read(merchant, order_id, "Capture not possible.")
        capture_id = await self._context.new_id(merchant, "capture")
        details = _without(wish, "captured_amount")

        def command(order: Order, now: float) -> Decision:
            return captures.capture(order, capture_id, wish["captured_amount"], details, now)

        return await self._decide(merchant, order_id, command, "Capture not possible."), capture_id

    async def refund(self, merchant: str, order_id: str, wish: Json) -> tuple[Order, str]:
        """Refund an amount; returns the order and the id of the refund."""
        await self.read(merchant, order_id, "Refund not possible.")
        refund_id = await self._context.new_id(merchant, "refund")
        details = _without(wish, "refunded_amount")

        def command(order: Order, now: float) -> Decision:
            return captures.refund(order, refund_id, wish["refunded_amount"], details, now)

        return await self._decide(merchant, order_id, command, "Refund not possible."), refund_id

    async def find_capture(self, merchant: str, order_id: str, capture_id: str) -> tuple[Order, Capture]:
        """Return a capture with its order."""
        order, _ = await self.read(merchant, order_id)
        return order, captures.find_capture(order, capture_id)

    async def find_refund(self, merchant: str, order_id: str, refund_id: str) -> tuple[Order, Refund]:
        """Return a refund with its order."""
        order, _ = await self.read(merchant, order_id)
        return order, captures.find_refund(order, refund_id)

    async def add_capture_shipping_info(self, merchant: str, order_id: str, capture_id: str, wish: Json) -> Order:
        """Add to the shipping info of a capture."""

        def command(order: Order, _now: float) -> Decision:
            captures.require_captures(order)
            known = orjson.loads(captures.find_capture(order, capture_id).details)
            return captures.changed(order, capture_id, orjson.dumps({**known, **_more_shipping_info(known, wish)}))

        return await self._decide(merchant, order_id, command)

    async def send_out(self, merchant: str, order_id: str, capture_id: str) -> Order:
        """Have the invoice of a capture sent to the shopper again."""
        return await self._decide(merchant, order_id, lambda order, _now: captures.send_out(order, capture_id))

    async def extend_due_date(self, merchant: str, order_id: str, capture_id: str, days: int) -> Order:
        """Move the due date of a capture by a number of days."""
        return await self._decide(
            merchant, order_id, lambda order, _now: captures.extend_due_date(order, capture_id, days)
        )

    async def cancel(self, merchant: str, order_id: str) -> Order:
        """Cancel an order that nothing was captured of."""
        return await self._decide(merchant, order_id, order_management.cancel, "Cancel not possible.")

    async def release(self, merchant: str, order_id: str) -> Order:
        """Give up what remains authorized."""
        tail = "Remaining authorization cannot be released."
        return await self._decide(merchant, order_id, order_management.release, tail)

    async def extend(self, merchant: str, order_id: str) -> Order:
        """Let the authorization live longer."""
        tail = "Authorization time cannot be extended."
        return await self._decide(merchant, order_id, order_management.extend, tail)

    async def change_references(self, merchant: str, order_id: str, wish: Json) -> Order:
        """Change merchant references: "" clears one, and one that is not named stays as it is."""
        given = _given(wish, "merchant_reference1", "merchant_reference2")

        def command(order: Order, now: float) -> Decision:
            return order_management.change_references(order, _changes(order, **given), now)

        return await self._decide(merchant, order_id, command, "Merchant references cannot be updated.")

    async def change_customer(self, merchant: str, order_id: str, wish: Json) -> Order:
        """Change members of the shipping address; raises `NotAllowed` for a billing address (protocol 9.1)."""

        def command(order: Order, now: float) -> Decision:
            if wish.get("billing_address"):
                raise NotAllowed(_BILLING)
            address = {**shipping_address(order), **(wish.get("shipping_address") or {})}
            return order_management.change_customer(order, _changes(order, shipping_address=address), now)

        return await self._decide(merchant, order_id, command, "Customer details cannot be updated.")

    async def add_shipping_info(self, merchant: str, order_id: str, wish: Json) -> Order:
        """Add to the shipping info of the whole order."""

        def command(order: Order, _now: float) -> Decision:
            changes = _changes(order, **_more_shipping_info(orjson.loads(order.fulfilment.changes), wish))
            return order_management.add_shipping_info(order, changes)

        return await self._decide(merchant, order_id, command)


def shipping_address(order: Order) -> Json:
    """Return where the goods go: as changed, else as placed, else where the bill goes (protocol 3.11)."""
    placed = orjson.loads(order.body)
    held: Json = orjson.loads(order.fulfilment.changes).get("shipping_address") or placed.get("shipping_address")
    return held or placed.get("billing_address") or {}


def _changes(order: Order, **members: Any) -> bytes:
    return orjson.dumps({**orjson.loads(order.fulfilment.changes), **members})


def _given(wish: Json, *names: str) -> dict[str, Any]:
    return {name: wish[name] for name in names if name in wish}


def _without(wish: Json, name: str) -> bytes:
    return orjson.dumps({member: value for member, value in wish.items() if member != name})


def _more_shipping_info(known: Json, wish: Json) -> dict[str, Any]:
    return {"shipping_info": [*(known.get("shipping_info") or ()), *wish["shipping_info"]]}
