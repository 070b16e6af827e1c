"""Placed orders in the sandbox's hands: looking, ending fraud reviews, closing (protocol 4.5 and 9.3)."""

from mock_klarna.domain import order_management, reviewing
from mock_klarna.domain.errors import Conflict, UnknownName
from mock_klarna.domain.records import Order, Purchase
from mock_klarna.emulator.context import Context


class Orders:
    """What happens to an order that its merchant does not do itself."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, merchant: str | None, order_id: str) -> Order:
        """Return an order; raises `UnknownName` when there is none, or none of this merchant."""
        order = await self._context.store.get(Order, order_id)
        if order is None or (merchant is not None and order.merchant != merchant):
            raise UnknownName(
                f"order {order_id!r} is not known", where="order_id", right="an id that placing an order answered"
            )
        return order

    async def end_review(self, merchant: str | None, order_id: str, verdict: str) -> Order:
        """End a fraud review with ACCEPTED, REJECTED or STOPPED; raises `NotPossibleNow` when there is none to end."""
        return await self._context.persist(lambda: self._end_review(merchant, order_id, verdict))

    async def _end_review(self, merchant: str | None, order_id: str, verdict: str) -> Order:
        order = await self.find(merchant, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if purchase is None:
            raise Conflict(f"order {order_id}")  # both are gone by now
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
