"""Placed orders: fraud reviews and their end (protocol 4.5)."""

from mock_klarna.domain import reviewing
from mock_klarna.domain.errors import UnknownName
from mock_klarna.domain.records import Decision, Order, Purchase
from mock_klarna.emulator.context import Context


class Orders:
    """What happens to an order after it was placed."""

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
        order = await self.find(merchant, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        assert purchase is not None

        def command(current: Order, now: float) -> Decision:
            return reviewing.decide(current, purchase, verdict, now, self._context.rules.push_schedule)

        decision = await self._context.decide(Order, order_id, command)
        decided = decision.writes[0]
        assert isinstance(decided, Order)
        return decided

    async def end_planned_review(self, order_id: str) -> None:
        """End a review as its purchase's outcome planned (a job of the clock); one that was ended by hand stays as it is."""
        order = await self.find(None, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if order.fraud_status == "PENDING" and purchase is not None and purchase.outcome.then:
            await self.end_review(order.merchant, order_id, purchase.outcome.then)
