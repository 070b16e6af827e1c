"""The sandbox's control API under `/_mock`: server, merchants, purchases, orders, callbacks, faults, reset, test shoppers."""

from collections.abc import Callable
from contextlib import aclosing
from dataclasses import Field
from typing import Any, TypeVar

from aiohttp import hdrs

from mock_klarna import __version__
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.journal import JournalFilter
from mock_klarna.domain.journal_text import journal_lines
from mock_klarna.domain.records import ButtonKey, Order, Purchase, Record
from mock_klarna.emulator import emulator
from mock_klarna.errors import InvalidInput, Problem, StateConflict, UnknownName
from mock_klarna.settings import flag_of, setting_fields, variable_of, without_secrets
from mock_klarna.validation import MalformedBody, read_json, set_at, write_json
from mock_klarna.web import views
from mock_klarna.web.request import JSON, PEM, TEXT, ApiRequest, ApiResponse, Services, json_response

Json = dict[str, Any]
_DEFAULT_WAIT = 10.0
_MAX_LINES = 1000
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


async def show_settings(services: Services, _request: ApiRequest) -> ApiResponse:
    """List every setting with its value and where that comes from; passwords are replaced."""
    return json_response({"settings": [_setting(services, setting) for setting in setting_fields()]})


def _setting(services: Services, setting: Field[Any]) -> Json:
    value = getattr(services.settings, setting.name)
    otherwise = "default" if value == setting.default else "program"
    return {
        "name": setting.name,
        "value": without_secrets(setting, value),
        "source": services.setting_sources.get(setting.name, otherwise),
        "default": setting.default,
        "flag": flag_of(setting.name),
        "variable": variable_of(setting.name),
        "help": setting.metadata["help"],
        "group": setting.metadata["group"],
    }


# Merchants


async def list_merchants(services: Services, request: ApiRequest) -> ApiResponse:
    """List the merchants that have data, or the one that is asked for: first the one to which something happened last."""
    found, total = await services.emulator.store.merchant_summaries(request.scope, request.query["limit"])
    real_time, is_separate = services.emulator.context.real_time(), services.settings.separate_regions
    shown = [views.merchant(each, real_time, has_host=is_separate) for each in found]
    return json_response({"merchants": shown, "total": total})


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
    """List purchases, newest first; `total` counts those in the requested state, also newer ones than `before`."""
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
    entries = await services.emulator.store.entries(wanted, 0, _MAX_LINES)
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
    times = {name: await services.emulator.context.now(name) for name in {order.merchant for order in newest}}
    shown = [_order_with_management(order, times[order.merchant]) for order in newest]
    return json_response({"orders": shown, "total": total})


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
    return _order_with_management(order, await services.emulator.context.now(order.merchant))


def _order_with_management(order: Order, now: float) -> Json:
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
    """Send a callback again, with its own body or a changed one, and return it with the new attempt.

    Later attempts have its own body again. A changed body is JSON, and the merchant's code has to check it: nothing else does.
    """
    delivery = await services.deliveries.find(request.scope, request.path("callback_id"))
    body = _changed_body(delivery, request.body) if request.body else None
    return json_response(views.callback(await services.deliveries.resend(request.scope, delivery.callback_id, body)))


def _changed_body(delivery: Delivery, sent: Json) -> bytes:
    """Return the bytes of `body`, or of the callback's own body, with the members at the paths of `change` replaced."""
    raw = write_json(sent["body"]) if sent.get("body") is not None else b"" if "body" in sent else delivery.body
    if not sent.get("change"):
        return raw
    try:
        body = read_json(raw) if raw else {}
    except MalformedBody:
        raise StateConflict("the body of this callback is not JSON", where="change", hint="send a whole body") from None
    for path, value in sent["change"].items():
        try:
            set_at(body, path, value)
        except LookupError:
            expected = "the path of a member that the body has, such as order.order_lines[0].quantity"
            raise InvalidInput([Problem(f"change.{path}", "path", value, expected)], where="body") from None
    return write_json(body)


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


# State


async def reset(services: Services, request: ApiRequest) -> ApiResponse:
    """Delete everything of a merchant or of all, and begin again with a seed."""
    seed = request.body.get("seed")
    await services.emulator.merchants.reset(request.scope, None if seed is None else str(seed))
    services.scheduler.forget(request.scope)
    return ApiResponse(204)


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
