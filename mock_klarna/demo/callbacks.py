"""The merchant URLs that Klarna calls (protocol 4): each note what came, then behave as the URL asks."""

from collections.abc import Mapping
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.demo.behaviours import BEHAVIOURS, CHANGES, MISBEHAVIOURS
from mock_klarna.demo.books import Desk, PlaceOrder, Received, Wish, wish_of

Json = dict[str, Any]
DESK = web.AppKey("desk", Desk)
FORGET = "forget"
"""What a push URL asks for that is to be repeated: nobody acknowledges."""


def _received(request: web.Request, kind: str, usual: str) -> Wish:
    """Note a callback and return what its URL asks for, the usual behaviour and the shop's own merchant filled in."""
    asked, desk = wish_of(request.rel_url.raw_query_string), request.app[DESK]
    wish = Wish(asked.merchant or desk.merchant, asked.then or usual, asked.more)
    desk.ledger.note(Received(kind, wish.merchant, wish.then))
    return wish


async def _body(request: web.Request) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="expected JSON\n") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="expected a JSON object\n")
    return body


async def place_order(request: web.Request) -> web.StreamResponse:
    """Place or deny, before answering, as integrations do (protocol 4.1)."""
    wish = _received(request, "place_order", "place")
    if wish.then in MISBEHAVIOURS:
        return await MISBEHAVIOURS[wish.then](request)
    if wish.then not in BEHAVIOURS:
        return _unknown(wish.then, BEHAVIOURS)
    callback = _callback(request.app[DESK], wish, await _body(request))
    return await BEHAVIOURS[wish.then](callback) or web.Response()


def _callback(desk: Desk, wish: Wish, body: Json) -> PlaceOrder:
    token, order = body.get("authorization_token"), body.get("order")
    if not (isinstance(token, str) and isinstance(order, dict)):
        raise web.HTTPBadRequest(text="expected authorization_token and order\n")
    return PlaceOrder(desk, wish.merchant, token, order, wish)


async def create_customer_token(request: web.Request) -> web.StreamResponse:
    """Make a customer token for a subscription, before answering (protocol 4.3)."""
    wish = _received(request, "create_customer_token", "")
    if wish.then:
        return await _misbehave(request, wish.then)
    callback = _callback(request.app[DESK], wish, await _body(request))
    await callback.desk.klarna.create_token(callback.merchant, callback.token)
    return web.Response()


async def update(request: web.Request) -> web.StreamResponse:
    """Change the session, or leave it as it is (protocol 4.2)."""
    wish = _received(request, "update", "not_modified")
    if wish.then in MISBEHAVIOURS:
        return await MISBEHAVIOURS[wish.then](request)
    if wish.then not in CHANGES:
        return _unknown(wish.then, CHANGES)
    changes = CHANGES[wish.then](await _body(request))
    if changes is None:
        return web.Response(status=304)
    return web.Response(body=orjson.dumps(changes), content_type="application/json")


async def push(request: web.Request) -> web.StreamResponse:
    """Note that the order of `order_id` is complete and acknowledge it, or with `then=forget` do not (protocol 4.4)."""
    wish, desk = _received(request, "push", ""), request.app[DESK]
    if wish.then not in ("", FORGET):
        return await _misbehave(request, wish.then)
    order = desk.ledger.order(wish.more.get("order_id", ""))
    if order is None:
        return web.Response(status=404, text="no such order\n")
    order.pushes += 1
    if wish.then != FORGET:
        order.acknowledged = (await desk.klarna.acknowledge(order.merchant, order.order_id)).status == 204
    return web.Response()


async def notification(request: web.Request) -> web.StreamResponse:
    """Take the end of a fraud review into the books; what was not accepted goes back on the shelf (protocol 4.5)."""
    wish = _received(request, "notification", "")
    if wish.then:
        return await _misbehave(request, wish.then)
    body, desk = await _body(request), request.app[DESK]
    order = desk.ledger.order(str(body.get("order_id")))
    if order is None:
        return web.Response(status=404, text="no such order\n")
    was_pending = order.fraud_status == "PENDING"
    order.fraud_status = str(body.get("event_type")).removeprefix("FRAUD_RISK_")
    if was_pending and order.fraud_status != "ACCEPTED":
        desk.stock.release(order.merchant, order.body)
    return web.Response()


async def _misbehave(request: web.Request, then: str) -> web.StreamResponse:
    return await MISBEHAVIOURS[then](request) if then in MISBEHAVIOURS else _unknown(then, {})


def _unknown(then: str, known: Mapping[str, object]) -> web.Response:
    choices = ", ".join((*known, *MISBEHAVIOURS))
    return web.Response(status=400, text=f"the demo shop knows no behaviour {then!r}; then= is one of {choices}\n")
