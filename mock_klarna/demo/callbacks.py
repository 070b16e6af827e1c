"""The merchant URLs that Klarna calls (klarna.md §4): each records the callback, then behaves as its URL selects.

The status of an answer to `place_order` does not matter to Klarna, only the order or the denial does.
"""

import hmac
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.demo.behaviours import CHOSEN_ON_PAGE, FAULTY_ANSWERS, PLACE_ORDER_BEHAVIOURS, UPDATES
from mock_klarna.demo.books import Order, ReceivedCallback
from mock_klarna.demo.placing import CallbackOptions, PlaceOrder, ShopState, parse_options

Json = dict[str, Any]
SHOP_STATE = web.AppKey("shop_state", ShopState)
FORGET = "forget"
"""Value of `then` in a push URL with which the shop does not acknowledge the order, so that the push is repeated."""


async def place_order(request: web.Request) -> web.StreamResponse:
    """Place or deny before answering, as integrations do (klarna.md §4.1)."""
    options = _record(request, "place_order")
    if options.then in FAULTY_ANSWERS:
        return await FAULTY_ANSWERS[options.then](request)
    callback = _parse_callback(request.app[SHOP_STATE], options, await _json_object(request))
    then = callback.options.then or "place"
    if then in FAULTY_ANSWERS:
        return await FAULTY_ANSWERS[then](request)
    if then not in PLACE_ORDER_BEHAVIOURS:
        return _unknown_behaviour(then, PLACE_ORDER_BEHAVIOURS)
    return await PLACE_ORDER_BEHAVIOURS[then](callback) or web.Response()


async def create_customer_token(request: web.Request) -> web.StreamResponse:
    """Create a customer token for a subscription before answering (klarna.md §4.3)."""
    options = _record(request, "create_customer_token")
    if options.then:
        return await _faulty_answer(request, options.then)
    callback = _parse_callback(request.app[SHOP_STATE], options, await _json_object(request))
    await callback.shop.klarna.create_token(callback.merchant, callback.token)
    return web.Response()


async def update(request: web.Request) -> web.StreamResponse:
    """Answer with changes of the session, or 304 for none (klarna.md §4.2)."""
    options = _record(request, "update")
    then = options.then or "not_modified"
    if then in FAULTY_ANSWERS:
        return await FAULTY_ANSWERS[then](request)
    if then not in UPDATES:
        return _unknown_behaviour(then, UPDATES)
    changes = UPDATES[then](await _json_object(request))
    if changes is None:
        return web.Response(status=304)
    for option in changes.get("shipping_options", ()):
        request.app[SHOP_STATE].offers.append((options.merchant, option["id"], option["price"]))
    return web.Response(body=orjson.dumps(changes), content_type="application/json")


async def push(request: web.Request) -> web.StreamResponse:
    """Count the push of the order `order_id`, and acknowledge the order once unless `then=forget` (klarna.md §4.4)."""
    options, shop = _record(request, "push"), request.app[SHOP_STATE]
    if options.then not in ("", FORGET):
        return await _faulty_answer(request, options.then)
    order = await _find_order(shop, options.merchant, options.parameters.get("order_id", ""))
    order.pushes += 1
    if options.then != FORGET and not order.acknowledged and order.fraud_status == "ACCEPTED":
        order.acknowledged = True  # a push that comes meanwhile must not acknowledge it again
        order.acknowledged = (await shop.klarna.acknowledge(order.merchant, order.order_id)).status == 204
    return web.Response()


async def notification(request: web.Request) -> web.StreamResponse:
    """Record the end of a fraud review; the articles of an order that was not accepted are released (klarna.md §4.5)."""
    options, shop = _record(request, "notification"), request.app[SHOP_STATE]
    if options.then:
        return await _faulty_answer(request, options.then)
    body = await _json_object(request)
    order = await _find_order(shop, options.merchant, str(body.get("order_id", "")))
    was_pending = order.fraud_status == "PENDING"
    order.fraud_status = str(body.get("event_type")).removeprefix("FRAUD_RISK_")
    if was_pending and order.fraud_status != "ACCEPTED":
        shop.stock.release(order.merchant, order.body)
    return web.Response()


async def _find_order(shop: ShopState, merchant: str, order_id: str) -> Order:
    """Return an order, read from Klarna if the shop does not know it: the answer to its placing may be lost. Raises 404."""
    order = shop.books.order(order_id)
    if order is None:
        read = await shop.klarna.managed_order(merchant, order_id)
        order = shop.books.order(order_id)  # it may have become known meanwhile
        if order is None and read.status == 200:
            order = shop.books.add_order(read, orjson.loads(read.answer))
    if order is None:
        raise web.HTTPNotFound(text="no such order\n")
    return order


def _record(request: web.Request, kind: str) -> CallbackOptions:
    """Record a callback and return the options of its URL, with the shop's merchant filled in.

    Answers 403 if the URL lacks the secret that the shop gave to Klarna. The URLs of other merchants have none.
    """
    given, shop = parse_options(request.rel_url.raw_query_string), request.app[SHOP_STATE]
    options = replace(given, merchant=given.merchant or shop.merchant)
    is_own = options.merchant == shop.merchant
    if is_own and shop.secret and not hmac.compare_digest(given.secret.encode(), shop.secret.encode()):
        raise web.HTTPForbidden(text="this URL lacks the secret of the shop's callbacks\n")
    shop.books.add_callback(ReceivedCallback(kind, options.merchant, options.then))
    return options


async def _json_object(request: web.Request) -> Json:
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise web.HTTPBadRequest(text="expected JSON\n") from None
    if not isinstance(body, dict):
        raise web.HTTPBadRequest(text="expected a JSON object\n")
    return body


def _parse_callback(shop: ShopState, options: CallbackOptions, body: Json) -> PlaceOrder:
    token, order = body.get("authorization_token"), body.get("order")
    if not (isinstance(token, str) and isinstance(order, dict)):
        raise web.HTTPBadRequest(text="expected authorization_token and order\n")
    chosen = parse_options(str(order.get("merchant_data", "")))
    if not options.then and chosen.then in CHOSEN_ON_PAGE:
        options = replace(options, then=chosen.then, parameters=chosen.parameters)
    return PlaceOrder(shop, options.merchant, token, order, options)


async def _faulty_answer(request: web.Request, then: str) -> web.StreamResponse:
    return await FAULTY_ANSWERS[then](request) if then in FAULTY_ANSWERS else _unknown_behaviour(then, {})


def _unknown_behaviour(then: str, known: Mapping[str, object]) -> web.Response:
    names = ", ".join((*known, *FAULTY_ANSWERS))
    return web.Response(status=400, text=f"unknown behaviour {then!r}; then= is one of {names}\n")
