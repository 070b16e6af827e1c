"""What the demo shop does when Klarna calls it; the parameter `then` of a callback URL selects one of these behaviours.

`place_order` has behaviours that place or deny, `update` has changes of the session, and every callback has faulty answers.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from typing import Any

from aiohttp import web

from mock_klarna.allowed_values import Allowed, integer, number
from mock_klarna.demo.catalogue import WELCOME
from mock_klarna.demo.placing import PlaceOrder

Json = dict[str, Any]
PlaceOrderBehaviour = Callable[[PlaceOrder], Awaitable[web.StreamResponse | None]]
"""Decides about a purchase and returns the answer to the callback; None is 200 without a body."""
FaultyAnswer = Callable[[web.Request], Awaitable[web.StreamResponse]]
"""Answers a callback without doing anything else."""
Update = Callable[[Json], Json | None]
"""Returns the changes of a session for the body of an `update` callback, or None for none."""

_UNKNOWN_TOKEN = "00000000-0000-4000-8000-000000000000"  # noqa: S105
_DENY_MEMBERS = ("deny_code", "deny_message", "deny_redirect_url")
_SECONDS, _AMOUNT = number(0, 600), integer(-(2**40), 2**40)
_POLL_SECONDS = 0.5
_CHUNK = b"x" * 16384


def _parameter(callback: PlaceOrder, name: str, allowed: Allowed, default: str) -> Any:
    """Return the value of a parameter of the callback URL; answers 400 for one that is not allowed."""
    text = callback.options.parameters.get(name, default)
    try:
        return allowed.parse(text)
    except ValueError as error:
        raise web.HTTPBadRequest(text=f"{name} is {text!r}, expected {error}\n") from None


async def place(callback: PlaceOrder) -> None:
    """Read and check the authorized order, then place it or deny the purchase."""
    await callback.place()


async def place_unchecked(callback: PlaceOrder) -> None:
    """Place the order of the callback, whatever it is: for carts with articles that the shop does not know."""
    await callback.post(callback.order)


async def deny(callback: PlaceOrder) -> None:
    """Deny with the `deny_code`, `deny_message` and `deny_redirect_url` of the URL's query, or without a body."""
    await callback.deny(
        {name: callback.options.parameters[name] for name in _DENY_MEMBERS if name in callback.options.parameters}
    )


async def slow(callback: PlaceOrder) -> None:
    """Wait `seconds` (default 1) before placing."""
    await asyncio.sleep(_parameter(callback, "seconds", _SECONDS, "1"))
    await callback.place()


async def late(callback: PlaceOrder) -> None:
    """Place after `POST /late`."""
    callback.shop.late.append(callback)


async def place_twice(callback: PlaceOrder) -> None:
    """Place, then place the same order again."""
    await callback.place()
    await callback.post(callback.order)


async def place_then_deny(callback: PlaceOrder) -> None:
    """Place, then try to deny."""
    await callback.place()
    await callback.deny()


async def deny_then_place(callback: PlaceOrder) -> None:
    """Deny, then try to place."""
    await callback.deny()
    await callback.post(callback.order)


async def place_and_error(callback: PlaceOrder) -> web.StreamResponse:
    """Place, then answer 500, which does not change the result (klarna.md §4.1)."""
    await callback.place()
    return web.Response(status=500)


async def place_with_confirmation(callback: PlaceOrder) -> None:
    """Place the authorized order with the parameter `confirmation` as its confirmation URL."""
    confirmation = callback.options.parameters.get("confirmation", "https://www.example.com/thanks/{checkout.order.id}")
    await callback.place(
        lambda order: {**order, "merchant_urls": {**order["merchant_urls"], "confirmation": confirmation}}
    )


async def change(callback: PlaceOrder) -> None:
    """Place with changed members: each parameter replaces one; a line is added so that the lines sum up to `order_amount`."""
    parameters = callback.options.parameters
    amount = _parameter(callback, "order_amount", _AMOUNT, "0")

    def changed(order: Json) -> Json:
        if "order_amount" not in parameters:
            return {**order, **parameters}
        lines = [*order["order_lines"], _difference(amount - order["order_amount"])]
        return {**order, **parameters, "order_amount": amount, "order_lines": lines}

    await callback.place(changed)


def _difference(amount: int) -> Json:
    """Return a line without tax that changes the sum of an order by an amount."""
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
    """Place with 10.00 too much tax on the first line; the total tax of the order includes it."""
    await callback.place(_with_wrong_tax)


def _with_wrong_tax(order: Json) -> Json:
    first, *others = order["order_lines"]
    lines = [{**first, "total_tax_amount": first["total_tax_amount"] + 1000}, *others]
    return {**order, "order_lines": lines, "order_tax_amount": order["order_tax_amount"] + 1000}


async def wrong_password(callback: PlaceOrder) -> None:
    """Place with an empty password, which is never accepted."""
    await callback.shop.klarna.place(callback.merchant, callback.token, callback.order, password="")


async def other_merchant(callback: PlaceOrder) -> None:
    """Place with the credentials of another merchant."""
    await callback.shop.klarna.place(f"not-{callback.merchant}", callback.token, callback.order)


async def unknown_token(callback: PlaceOrder) -> None:
    """Place with a token that Klarna did not issue."""
    await callback.shop.klarna.place(callback.merchant, _UNKNOWN_TOKEN, callback.order)


PLACE_ORDER_BEHAVIOURS: Mapping[str, PlaceOrderBehaviour] = {
    each.__name__: each
    for each in (
        place,
        place_unchecked,
        deny,
        slow,
        late,
        place_twice,
        place_then_deny,
        deny_then_place,
        place_and_error,
        place_with_confirmation,
        change,
        wrong_tax,
        wrong_password,
        other_merchant,
        unknown_token,
    )
}
"""By the value of `then`; the default is `place`."""
CHOSEN_ON_PAGE = frozenset({"place", "slow", "deny", "silent"})
"""The behaviours that a page of the shop can select with `then` in `merchant_data`; none of them harms the shop."""


async def silent(_request: web.Request) -> web.StreamResponse:
    """Answer 200 without placing or denying."""
    return web.Response()


async def error(_request: web.Request) -> web.StreamResponse:
    """Answer 500."""
    return web.Response(status=500, text="the demo shop was asked to fail\n")


async def garbage(_request: web.Request) -> web.StreamResponse:
    """Answer 200 with a body that is declared as JSON and is not."""
    return web.Response(body=b'{"order_lines": [\xff\xfe', content_type="application/json")


async def broken(request: web.Request) -> web.StreamResponse:
    """Send bytes that are not HTTP, and close the connection."""
    if request.transport is not None:
        request.transport.write(b"\x16\x03\x01 this is not HTTP\r\n\r\n")
        request.transport.close()
    return web.Response()


async def redirect(_request: web.Request) -> web.StreamResponse:
    """Answer 302 to the product page."""
    return web.Response(status=302, headers={"Location": "/"})


async def endless(request: web.Request) -> web.StreamResponse:
    """Answer 200 with a body that goes on until Klarna closes the connection."""
    response = web.StreamResponse()
    await response.prepare(request)
    with suppress(ConnectionError):  # Klarna closes the connection
        while _is_connected(request):
            await response.write(_CHUNK)
    return response


async def hang(request: web.Request) -> web.StreamResponse:
    """Do not answer until Klarna closes the connection."""
    while _is_connected(request):  # noqa: ASYNC110  # aiohttp has no event for a closed connection
        await asyncio.sleep(_POLL_SECONDS)
    return web.Response()


def _is_connected(request: web.Request) -> bool:
    return request.transport is not None and not request.transport.is_closing()


FAULTY_ANSWERS: Mapping[str, FaultyAnswer] = {
    each.__name__: each for each in (silent, error, garbage, broken, redirect, endless, hang)
}
"""By the value of `then`."""


def not_modified(_body: Json) -> None:
    """Change nothing."""


def lines(body: Json) -> Json | None:
    """Add a discount of 10 % on the first line, once."""
    order_lines = body.get("order_lines") or []
    if not order_lines or any(line.get("reference") == WELCOME for line in order_lines):
        return None
    return {"order_lines": [*order_lines, _discount_line(order_lines[0])]}


def _discount_line(line: Json) -> Json:
    discount, rate = line["total_amount"] // 10, line["tax_rate"]
    return {
        "type": "discount",
        "reference": WELCOME,
        "name": "Welcome: 10 % off",
        "quantity": 1,
        "unit_price": -discount,
        "tax_rate": rate,
        "total_amount": -discount,
        "total_tax_amount": -round(discount * rate / (10000 + rate)),
    }


def shipping(_body: Json) -> Json:
    """Offer express shipping at a lower price, and free pickup."""
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


UPDATES: Mapping[str, Update] = {each.__name__: each for each in (not_modified, lines, shipping)}
"""By the value of `then`; the default is `not_modified`."""
