"""Placed orders in the control API: looking at them, ending fraud reviews, closing."""

from typing import Any

import orjson

from mock_klarna.domain.records import Order
from mock_klarna.web import order_views, query, render
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk


async def list_orders(desk: Desk, call: Call) -> Reply:
    """List placed orders, newest first."""
    held = await desk.emulator.store.records(Order, call.merchant or None)
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = sorted(held, key=lambda order: order.created_at)[-limit:][::-1] if limit else []
    return _json({"orders": [await _order(desk, order) for order in newest], "total": len(held)})


async def get_order(desk: Desk, call: Call) -> Reply:
    """Return a placed order, as it was posted and as Order Management shows it."""
    return _json(await _order(desk, await desk.emulator.orders.find(call.merchant or None, call.path("order_id"))))


async def close_order(desk: Desk, call: Call) -> Reply:
    """Close an order, so that nothing but refunds is possible any more."""
    order = await desk.emulator.orders.close(call.merchant or None, call.path("order_id"))
    return _json(await _order(desk, order))


async def decide(desk: Desk, call: Call) -> Reply:
    """End a fraud review; the merchant is notified."""
    verdict = call.body["fraud_status"]
    order = await desk.emulator.orders.end_review(call.merchant or None, call.path("order_id"), verdict)
    return _json(await _order(desk, order))


async def _order(desk: Desk, order: Order) -> dict[str, Any]:
    now = await desk.emulator.context.now(order.merchant)
    return {**render.order(order), "order_management": order_views.managed_order(order, now)}


def _json(data: Any) -> Reply:
    return Reply(200, orjson.dumps(data))
