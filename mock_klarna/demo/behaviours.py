"""What the shop does about `place_order`: the usual thing, or the trouble that the callback URL asks for."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.demo.books import PlaceOrder

Json = dict[str, Any]
Behaviour = Callable[[PlaceOrder], Awaitable[web.StreamResponse | None]]
"""Decides about a purchase; None is the usual answer: 200 without a body."""

_NOBODYS_TOKEN = "00000000-0000-4000-8000-000000000000"  # noqa: S105
_DENY_MEMBERS = ("deny_code", "deny_message", "deny_redirect_url")


async def place(callback: PlaceOrder) -> None:
    """Place the order, or deny it for a reason of the shop's own."""
    await callback.place()


async def deny(callback: PlaceOrder) -> None:
    """Deny with the `deny_code`, `deny_message` and `deny_redirect_url` of the query, or without a body."""
    await callback.deny({name: callback.wish.more[name] for name in _DENY_MEMBERS if name in callback.wish.more})


async def slow(callback: PlaceOrder) -> None:
    """Wait `seconds` (default 1) before placing."""
    await asyncio.sleep(float(callback.wish.more.get("seconds", "1")))
    await callback.place()


async def late(callback: PlaceOrder) -> None:
    """Put the purchase off until `POST /late`."""
    callback.desk.late.append(callback)


async def place_twice(callback: PlaceOrder) -> None:
    """Place, and place the same order again."""
    await callback.place()
    await callback.post()


async def place_then_deny(callback: PlaceOrder) -> None:
    """Place, then try to deny."""
    await callback.place()
    await callback.deny()


async def deny_then_place(callback: PlaceOrder) -> None:
    """Deny, then try to place."""
    await callback.deny()
    await callback.place()


async def place_and_error(callback: PlaceOrder) -> web.StreamResponse:
    """Place, then answer 500, which must not matter (protocol 4.1)."""
    await callback.place()
    return web.Response(status=500)


async def get_then_place(callback: PlaceOrder) -> None:
    """Read the authorized order, give it a confirmation page of its own, and place that."""
    call = await callback.desk.klarna.read(callback.merchant, callback.token)
    if call.status != 200:
        return
    order = orjson.loads(call.answer)
    order["merchant_urls"]["confirmation"] = callback.wish.more.get(
        "confirmation", "https://www.example.com/thanks/{checkout.order.id}"
    )
    await callback.place(order)


async def change(callback: PlaceOrder) -> None:
    """Place with other members: each further parameter of the query replaces one, and the lines still add up to `order_amount`."""
    changed = {**callback.order, **callback.wish.more}
    if "order_amount" in callback.wish.more:
        amount = int(callback.wish.more["order_amount"])
        line = _difference(amount - callback.order["order_amount"])
        changed |= {"order_amount": amount, "order_lines": [*callback.order["order_lines"], line]}
    await callback.place(changed)


def _difference(amount: int) -> Json:
    """Return a tax-free line that changes an order's sum."""
    return {
        "type": "discount" if amount < 0 else "surcharge",
        "name": "Changed by the shop",
        "quantity": 1,
        "unit_price": amount,
        "tax_rate": 0,
        "total_amount": amount,
        "total_tax_amount": 0,
    }


async def wrong_tax(callback: PlaceOrder) -> None:
    """Place with 10.00 too much tax on the first line; the order's own sums agree with it."""
    first, *others = callback.order["order_lines"]
    lines = [{**first, "total_tax_amount": first["total_tax_amount"] + 1000}, *others]
    amount = callback.order["order_tax_amount"] + 1000
    await callback.place({**callback.order, "order_lines": lines, "order_tax_amount": amount})


async def wrong_password(callback: PlaceOrder) -> None:
    """Place with an empty password, which no server accepts."""
    await callback.desk.klarna.place(callback.merchant, callback.token, callback.order, password="")


async def other_merchant(callback: PlaceOrder) -> None:
    """Place with the credentials of somebody else."""
    await callback.desk.klarna.place(f"not-{callback.merchant}", callback.token, callback.order)


async def unknown_token(callback: PlaceOrder) -> None:
    """Place with a token that Klarna never issued."""
    await callback.desk.klarna.place(callback.merchant, _NOBODYS_TOKEN, callback.order)


BEHAVIOURS: Mapping[str, Behaviour] = {
    each.__name__: each
    for each in (
        place,
        deny,
        slow,
        late,
        place_twice,
        place_then_deny,
        deny_then_place,
        place_and_error,
        get_then_place,
        change,
        wrong_tax,
        wrong_password,
        other_merchant,
        unknown_token,
    )
}
"""By the name that `then` asks for; `place` is the usual one."""


Misbehaviour = Callable[[web.Request], Awaitable[web.StreamResponse]]
_LOOK_SECONDS = 0.5
_CHUNK = b"x" * 16384


async def silent(_request: web.Request) -> web.StreamResponse:
    """Answer 200 and do nothing."""
    return web.Response()


async def error(_request: web.Request) -> web.StreamResponse:
    """Answer 500."""
    return web.Response(status=500, text="the demo shop was asked to fail\n")


async def garbage(_request: web.Request) -> web.StreamResponse:
    """Answer 200 with something that says it is JSON and is not."""
    return web.Response(body=b'{"order_lines": [\xff\xfe', content_type="application/json")


async def broken(request: web.Request) -> web.StreamResponse:
    """Answer with something that is no HTTP at all, and hang up."""
    if request.transport is not None:
        request.transport.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        request.transport.close()
    return web.Response()


async def redirect(_request: web.Request) -> web.StreamResponse:
    """Answer 302 to the product page."""
    return web.Response(status=302, headers={"Location": "/"})


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer 200 with a body that goes on until Klarna hangs up."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):  # that is how it ends
        while _is_waited_for(request):
            await response.write(_CHUNK)
    return response


async def hang(request: web.Request) -> web.StreamResponse:
    """Do not answer until Klarna hangs up."""
    while _is_waited_for(request):  # noqa: ASYNC110  # aiohttp raises no event when the other side hangs up
        await asyncio.sleep(_LOOK_SECONDS)
    return web.Response()


def _is_waited_for(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


MISBEHAVIOURS: Mapping[str, Misbehaviour] = {
    each.__name__: each for each in (silent, error, garbage, broken, redirect, endless, hang)
}
"""By the name that `then` asks for."""


Change = Callable[[Json], Json | None]
WELCOME = "WELCOME"
"""Reference of the discount line that `lines` adds."""


def not_modified(_body: Json) -> None:
    """Change nothing."""


def lines(body: Json) -> Json | None:
    """Take a tenth off the first line, once."""
    held = body.get("order_lines") or []
    if not held or any(line.get("reference") == WELCOME for line in held):
        return None
    return {"order_lines": [*held, _tenth_off(held[0])]}


def _tenth_off(line: Json) -> Json:
    off, rate = line["total_amount"] // 10, line["tax_rate"]
    return {
        "type": "discount",
        "reference": WELCOME,
        "name": "Welcome: 10 % off",
        "quantity": 1,
        "unit_price": -off,
        "tax_rate": rate,
        "total_amount": -off,
        "total_tax_amount": -round(off * rate / (10000 + rate)),
    }


def shipping(_body: Json) -> Json:
    """Offer express shipping at a lower price, and pickup for nothing."""
    return {
        "shipping_options": [
            _option("express_priority", "Express 1-2 days", 3000, 600, "Home"),
            _option("pickup", "Pick up in the shop", 0, 0, "PickUpStore"),
        ]
    }


def _option(option_id: str, name: str, price: int, tax: int, method: str) -> Json:
    return {
        "id": option_id,
        "name": name,
        "price": price,
        "tax_amount": tax,
        "tax_rate": 2500,
        "shipping_method": method,
    }


CHANGES: Mapping[str, Change] = {each.__name__: each for each in (not_modified, lines, shipping)}
"""By the name that `then` asks for; `not_modified` is the usual one."""
