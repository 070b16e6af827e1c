"""The sandbox's control API under `/_mock`: server, purchases, orders, callbacks, faults, clock, state, test shoppers."""

from calendar import monthrange
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing
from datetime import UTC, datetime
from typing import Any, TypeVar

from aiohttp import hdrs

from mock_klarna import __version__
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.journal_text import journal_lines
from mock_klarna.domain.records import ButtonKey, Order, Purchase, Record
from mock_klarna.domain.time import moment, require_reachable
from mock_klarna.domain.time import seconds as seconds_of
from mock_klarna.emulator import emulator
from mock_klarna.errors import BadValue, Forbidden, InvalidInput, Problem, UnknownName
from mock_klarna.store.snapshot_stream import Portion, read_snapshot, write_snapshot
from mock_klarna.validation import MalformedBody
from mock_klarna.web import views
from mock_klarna.web.request import JSON, PEM, TEXT, ApiRequest, ApiResponse, Services, json_response

Json = dict[str, Any]
_DEFAULT_WAIT = 10.0
_MOST_LINES = 1000
"""Entries of a purchase that its text has."""
T = TypeVar("T", bound=Record)


async def _newest(
    services: Services,
    request: ApiRequest,
    kind: type[T],
    is_wanted: Callable[[T], bool] | None = None,
    *,
    subject: str | None = None,
    before: str | None = None,
) -> tuple[list[T], int]:
    """Return the newest wanted records, newest first, as many as the parameter `limit` allows, and how many are wanted.

    With `before`, a key, only records that are older than the one with this key; raises `InvalidInput` if there is none.
    """
    store, limit = services.emulator.store, request.query["limit"]
    newest: list[T] = []
    total = 0
    async with aclosing(store.newest_first(kind, request.scope, subject=subject)) as records:
        async for record in records:
            if is_wanted is None or is_wanted(record):
                total += 1
                if before is None and len(newest) < limit:
                    newest.append(record)
            if record.key == before:
                before = None
            if is_wanted is None and subject is None and len(newest) == limit:
                return newest, await store.count_records(kind, request.scope)
    if before is not None:
        raise InvalidInput(
            [Problem(path="before", rule="parameter", value=before, expected="the id of one of these purchases")],
            where="query",
        )
    return newest, total


# The server


async def health(services: Services, _request: ApiRequest) -> ApiResponse:
    """Tell that the server can serve: version, uptime in seconds, counts."""
    store, context = services.emulator.store, services.emulator.context
    return json_response(
        {
            "status": "ok",
            "version": __version__,
            "uptime": round(max(0.0, context.real_time() - services.started), 3),
            "seed": context.default_seed,
            "merchants": len(await store.merchants()),
            "buttons": await store.count_records(ButtonKey),
            "purchases": await store.count_records(Purchase),
            "orders": await store.count_records(Order),
            "journal_dropped": await store.dropped(None),
        }
    )


async def openapi(services: Services, _request: ApiRequest) -> ApiResponse:
    """Return this document."""
    from mock_klarna.web.openapi import document
    from mock_klarna.web.operations import OPERATIONS

    return json_response(document(OPERATIONS, services.validator))


async def get_authority(services: Services, _request: ApiRequest) -> ApiResponse:
    """Return the certificate, in PEM, that clients have to trust to reach this server by https."""
    if services.authority is None:
        hint = "start it with --tls; with your own --tls-cert, trust the CA that signed it"
        raise UnknownName("this server has no certificate authority", where="ca.pem", hint=hint)
    return ApiResponse(200, services.authority, {"Content-Type": PEM})


# Purchases


async def create_purchase(services: Services, request: ApiRequest) -> ApiResponse:
    """Let a shopper buy without a browser, and wait for what the merchant decides.

    A merchant that will not decide is not waited for, unless the body says when the shopper stops waiting and that is to be seen.
    """
    purchase = await emulator.buy(services.emulator, request.scope, request.body)
    wait, timeout = request.body.get("wait", _DEFAULT_WAIT), request.body.get("merchant_timeout")
    purchase = await services.emulator.checkout.wait_for_end(purchase, wait, gives_up=not timeout or timeout > wait)
    response = json_response(await _purchase(services, purchase), 201)
    response.headers["Location"] = f"/_mock/purchases/{purchase.purchase_id}"
    return response


async def list_purchases(services: Services, request: ApiRequest) -> ApiResponse:
    """List purchases, newest first; `total` counts those in the requested state."""
    state = request.query["state"]
    is_wanted = None if state is None else lambda purchase: purchase.state == state
    newest, total = await _newest(services, request, Purchase, is_wanted, before=request.query["before"])
    return json_response({"purchases": [views.purchase(purchase, []) for purchase in newest], "total": total})


async def get_purchase(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a purchase by its id or its token; `wait` seconds for it to end. `Accept: text/plain` gets what happened, as text."""
    checkout = services.emulator.checkout
    purchase = await checkout.find(request.scope, request.path("purchase_id"))
    purchase = await checkout.wait_for_end(purchase, request.query["wait"])
    accepted = request.http.headers.get(hdrs.ACCEPT, "")
    if TEXT in accepted and JSON not in accepted:
        response = await _purchase_text(services, purchase)
    else:
        response = json_response(await _purchase(services, purchase))
    response.headers["Vary"] = "Accept"
    return response


async def _purchase_text(services: Services, purchase: Purchase) -> ApiResponse:
    wanted = JournalFilter(merchant=purchase.merchant, purchase_id=purchase.purchase_id)
    entries = await services.emulator.store.entries(wanted, 0, _MOST_LINES)
    _, hint = await services.emulator.checkout.with_callbacks(purchase)
    first = f"purchase {purchase.purchase_id} of {purchase.merchant}: {purchase.state}{f': {hint}' if hint else ''}"
    lines = [first, *journal_lines(map(views.entry, entries)), ""]
    return ApiResponse(200, "\n".join(lines).encode(), {"Content-Type": f"{TEXT}; charset=utf-8"})


async def _purchase(services: Services, purchase: Purchase) -> Json:
    return views.purchase(purchase, *await services.emulator.checkout.with_callbacks(purchase))


# Placed orders


async def add_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Place an order without a shop: a shopper buys, and the order is placed as the merchant would place it.

    `wait` and `merchant_timeout` have no effect, because no merchant is asked. No `place_order` and no `update` is sent.
    """
    order = await emulator.order(services.emulator, request.scope, request.body)
    request.purchase_id = order.purchase_id
    response = json_response(await _order(services, order), 201)
    response.headers["Location"] = f"/_mock/orders/{order.order_id}"
    return response


async def list_orders(services: Services, request: ApiRequest) -> ApiResponse:
    """List placed orders, newest first."""
    newest, total = await _newest(services, request, Order)
    return json_response({"orders": [await _order(services, order) for order in newest], "total": total})


async def get_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a placed order, as it was posted and as Order Management shows it."""
    order = await services.emulator.orders.find(request.scope, request.path("order_id"))
    return json_response(await _order(services, order))


async def close_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Close an order, so that nothing but refunds is possible any more."""
    order = await services.emulator.orders.close(request.scope, request.path("order_id"))
    return json_response(await _order(services, order))


async def decide_fraud_review(services: Services, request: ApiRequest) -> ApiResponse:
    """End a fraud review; the merchant is notified."""
    order_id, fraud_status = request.path("order_id"), request.body["fraud_status"]
    order = await services.emulator.orders.end_review(request.scope, order_id, fraud_status)
    return json_response(await _order(services, order))


async def _order(services: Services, order: Order) -> Json:
    now = await services.emulator.context.now(order.merchant)
    return {**views.order(order), "order_management": views.managed_order(order, now)}


# Callbacks


async def list_callbacks(services: Services, request: ApiRequest) -> ApiResponse:
    """List callbacks with their attempts, newest first; `total` counts those that match."""
    query = request.query
    kind, state = query["kind"], query["state"]

    def is_wanted(delivery: Delivery) -> bool:
        return kind in (None, delivery.callback) and state in (None, delivery.state)

    condition = None if kind is state is None else is_wanted
    newest, total = await _newest(services, request, Delivery, condition, subject=query["purchase_id"])
    return json_response({"callbacks": list(map(views.callback, newest)), "total": total})


async def get_callback(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a callback with its attempts."""
    return json_response(views.callback(await services.deliveries.find(request.scope, request.path("callback_id"))))


async def resend_callback(services: Services, request: ApiRequest) -> ApiResponse:
    """Send a callback again and return it with the new attempt."""
    return json_response(views.callback(await services.deliveries.resend(request.scope, request.path("callback_id"))))


async def forge_callback(services: Services, request: ApiRequest) -> ApiResponse:
    """Send a place_order callback that Klarna would not send: that of a purchase, with another token."""
    purchase_id, token = request.body["purchase_id"], request.body.get("authorization_token")
    delivery = await services.deliveries.forge(request.scope, purchase_id, token)
    response = json_response(views.callback(delivery), 201)
    response.headers["Location"] = f"/_mock/callbacks/{delivery.callback_id}"
    return response


# Faults


async def create_fault(services: Services, request: ApiRequest) -> ApiResponse:
    """Make the next matching requests or callbacks of a merchant fail, or those of any merchant."""
    return json_response(views.fault(await services.emulator.faults.create(request.merchant, request.body)), 201)


async def list_faults(services: Services, request: ApiRequest) -> ApiResponse:
    """List the faults that were not used up yet: a merchant's own and those for any merchant, or all."""
    faults = await services.emulator.faults.waiting(request.scope)
    return json_response({"faults": [views.fault(fault) for fault in faults]})


async def clear_faults(services: Services, request: ApiRequest) -> ApiResponse:
    """Delete a merchant's own faults, or all."""
    await services.emulator.faults.clear(request.scope)
    return ApiResponse(204)


# The clock


async def get_clock(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the time on a merchant's clock and how many seconds it is ahead of real time."""
    return json_response(await _clock(services, request.merchant))


async def set_clock(services: Services, request: ApiRequest) -> ApiResponse:
    """Advance or set the clock; everything due on the way happens, in order, before this answers.

    Setting it back undoes nothing: what happened keeps its times, and what is not yet due waits until the clock is there again.
    """
    merchants = [request.merchant] if request.merchant else await services.emulator.merchants.names()
    scheduler, is_advance = services.scheduler, "advance" in request.body
    if is_advance:
        seconds = seconds_of(request.body["advance"])
        for merchant in merchants:
            await scheduler.require_reachable(merchant, seconds)
    else:
        seconds = _time(request.body["set"]) - services.emulator.context.real_time()
    for merchant in merchants:
        await (scheduler.advance_clock if is_advance else scheduler.set_clock)(merchant, seconds)
    return json_response(await _clock(services, request.merchant))


async def _clock(services: Services, merchant: str) -> Json:
    offset = await services.emulator.merchants.offset(merchant)
    now = moment(await services.emulator.context.now(merchant))
    return {"merchant": merchant or None, "now": now, "ahead_seconds": round(offset, 3)}


def _time(text: str) -> float:
    """Return an RFC 3339 time as seconds in UTC; raises `InvalidInput` for one that is invalid or that no clock can show."""
    try:
        time = datetime.fromisoformat(text.upper().replace("Z", "+00:00"))
    except ValueError:
        year, month = int(text[:4]), int(text[5:7])
        last = f"a day that exists: {text[:7]} has {monthrange(year, month)[1]} days" if year else "a year from 1970"
        raise InvalidInput([Problem("set", "date", text, last)], where="body") from None
    seconds = (time if time.tzinfo else time.replace(tzinfo=UTC)).timestamp()
    require_reachable(seconds, "set", text)
    return seconds


# State


async def reset(services: Services, request: ApiRequest) -> ApiResponse:
    """Delete everything of a merchant or of all, and begin again with a seed."""
    seed = request.body.get("seed")
    await services.emulator.merchants.reset(request.scope, None if seed is None else str(seed))
    services.scheduler.forget(request.scope)
    return ApiResponse(204)


async def get_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the state of a merchant or of all: everything but the journal. It is sent while it is read."""
    state = services.emulator.store.dump([request.merchant] if request.merchant else None)
    pieces = write_snapshot(state)
    first = await anext(pieces)
    return ApiResponse(200, headers={"Content-Type": JSON}, stream=_preceded(first, pieces))


async def _preceded(first: bytes, others: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield a piece that was read before the response began, so that a failure of the store had a status, then the others."""
    async with aclosing(others):
        yield first
        async for piece in others:
            yield piece


async def put_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Replace the state of the merchants in a snapshot, all or nothing; with credentials only that of their merchant.

    The body is read and checked while it arrives.
    """
    portions = _own_portions(request.merchant, read_snapshot(request.stream))
    try:
        await services.emulator.store.load(portions)
    except MalformedBody as malformed:
        raise BadValue([malformed.problem]) from None
    for merchant in await services.emulator.merchants.names():
        services.scheduler.wake(merchant)
    return ApiResponse(204)


async def _own_portions(merchant: str, portions: AsyncIterator[Portion]) -> AsyncGenerator[Portion]:
    """Yield portions; raises `Forbidden` if a request acts for one merchant and a portion belongs to another one."""
    async for portion in portions:
        if merchant and portion.merchant != merchant:
            detail = f"this call acts for {merchant!r}, and the snapshot contains {portion.merchant!r}"
            hint = "send it without credentials and ?merchant= to replace any merchant's state"
            raise Forbidden(detail, where=f"merchants.{portion.merchant}", hint=hint)
        yield portion


# Test shoppers


async def list_shoppers(_services: Services, request: ApiRequest) -> ApiResponse:
    """List the test shoppers by name."""
    from mock_klarna.shoppers import UnknownCountry, shopper_descriptions

    try:
        found = shopper_descriptions(request.query["country"])
    except UnknownCountry as unknown:
        raise UnknownName(str(unknown), where="country") from None
    return json_response({"shoppers": [_shopper(name, text) for name, text in found.items()]})


def _shopper(name: str, description: str) -> Json:
    from mock_klarna.shoppers import named_shopper

    shopper = named_shopper(name)
    return {
        "name": name,
        "description": description,
        "billing_address": shopper.billing_address,
        "customer": shopper.customer,
    }
