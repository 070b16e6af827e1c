"""Sending goods, which is when a shop takes its money, and looking at an order together with Klarna's books."""

import orjson
from aiohttp import web

from mock_klarna.demo import order_page
from mock_klarna.demo.callbacks import DESK
from mock_klarna.demo.ledger import Order


def _order(request: web.Request) -> Order:
    order = request.app[DESK].ledger.order(request.match_info["order_id"])
    if order is None:
        raise web.HTTPNotFound(text="no such order\n")
    return order


async def show(request: web.Request) -> web.StreamResponse:
    """Show an order as Klarna's Order Management has it; what Klarna answers is passed on."""
    order = _order(request)
    call = await request.app[DESK].klarna.managed_order(order.merchant, order.order_id)
    return web.Response(status=call.status or 502, body=call.answer, content_type="application/json")


async def ship(request: web.Request) -> web.StreamResponse:
    """Send the goods of an order and capture its money; 409 with Klarna's words when Klarna refuses. A browser goes back."""
    order, klarna = _order(request), request.app[DESK].klarna
    amount = order.body["order_amount"] - order.captured
    call = await klarna.capture(order.merchant, order.order_id, amount)
    if call.status != 201:
        return web.Response(status=409 if call.status else 502, body=call.answer, content_type="application/json")
    order.captured += amount
    order.acknowledged = True
    if order_page.is_wanted(request):
        raise web.HTTPSeeOther("/orders")
    said = {"order_id": order.order_id, "captured": order.captured}
    return web.Response(body=orjson.dumps(said), content_type="application/json")
