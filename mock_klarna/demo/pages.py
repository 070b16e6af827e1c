"""The shop's books as JSON, and what it has put off."""

from functools import cache
from html import escape
from pathlib import Path

import orjson
from aiohttp import web

from mock_klarna.demo.books import Order
from mock_klarna.demo.callbacks import DESK
from mock_klarna.demo.klarna import Call

_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Orders</title>'
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/shop.css"></head><body>'
    '<header><a href="/">The demo shop</a><nav><a href="/orders">Orders</a> <a href="/terms">Terms</a></nav></header>'
    '<main><div class="words"><h1>Orders</h1>'
)
_TABLE = "<table><thead><tr><th>Order<th>Goods<th>Amount<th>Risk check<th>Klarna<th></tr></thead><tbody>"


def is_wanted(request: web.Request) -> bool:
    """Tell whether a browser asks, and not a program."""
    return "text/html" in request.headers.get("Accept", "")


def page(orders: list[Order]) -> web.Response:
    """Return the orders as a page, the newest first."""
    rows = "".join(map(_row, reversed(orders)))
    text = f"{_TABLE}{rows}</tbody></table>" if rows else "<p>Nothing was bought yet.</p>"
    return web.Response(text=f"{_HEAD}{text}</div></main></body></html>", content_type="text/html")


def _row(order: Order) -> str:
    goods = ", ".join(str(line.get("name", "")) for line in order.body["order_lines"])
    amount = f"{order.body['order_amount'] / 100:.2f} {order.body['purchase_currency']}"
    cells = (f'<a href="/orders/{order.order_id}">{order.order_id[:8]}</a>', escape(goods), escape(amount))
    return f"<tr><td>{'<td>'.join((*cells, escape(order.fraud_status), _state(order), _button(order)))}</tr>"


def _state(order: Order) -> str:
    if order.captured:
        return "sent and captured"
    return "acknowledged" if order.acknowledged else "waits for the push"


def _button(order: Order) -> str:
    if order.captured:
        return ""
    return f'<form method="post" action="/orders/{order.order_id}/ship"><button>Send the goods</button></form>'


async def orders(request: web.Request) -> web.StreamResponse:
    """Show orders, callbacks and the calls to Klarna with what came back, of `?merchant=` or of all; a browser gets a page."""
    merchant, desk = request.query.get("merchant"), request.app[DESK]
    if is_wanted(request):
        return page(desk.ledger.orders(merchant))
    calls = [_shown(call) for call in desk.klarna.calls if merchant in (None, call.merchant)]
    return _json({**desk.ledger.as_json(merchant), "calls": calls})


def _shown(call: Call) -> dict[str, object]:
    return {
        "merchant": call.merchant,
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "answer": _readable(call.answer),
    }


def _readable(answer: bytes) -> object:
    try:
        return orjson.loads(answer) if answer else None
    except orjson.JSONDecodeError:
        return answer.decode("utf-8", "backslashreplace")


async def release_late(request: web.Request) -> web.StreamResponse:
    """Place what `then=late` put off, of `?merchant=` or of all; answer how many purchases that were."""
    merchant, late = request.query.get("merchant"), request.app[DESK].late
    held = [callback for callback in late if merchant in (None, callback.merchant)]
    for callback in held:
        late.remove(callback)
    for callback in held:
        await callback.place()
    return _json({"released": len(held)})


def _json(data: object) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")


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
    if is_wanted(request):
        raise web.HTTPSeeOther("/orders")
    said = {"order_id": order.order_id, "captured": order.captured}
    return web.Response(body=orjson.dumps(said), content_type="application/json")


STATIC = Path(__file__).parent / "static"


def add_showcase(router: web.UrlDispatcher) -> None:
    """Route the pages and the files that they load."""
    router.add_get("/", product)
    router.add_get("/terms", terms)
    router.add_get("/thanks", thanks)
    router.add_get("/sorry", sorry)
    router.add_static("/static", STATIC)


async def product(request: web.Request) -> web.Response:
    """Show the products, each with a button; a strict policy lets the page load from itself and from Klarna only."""
    desk = request.app[DESK]
    klarna = desk.klarna.url
    policy = (
        f"default-src 'none'; script-src 'self' {klarna}; connect-src {klarna}; frame-src {klarna}; "
        f"style-src 'self' {klarna}; img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    response = _page("product", klarna=klarna, key=desk.window.button_key)
    response.headers["Content-Security-Policy"] = policy
    return response


async def terms(_request: web.Request) -> web.Response:
    """Show the terms that the purchase dialog links to."""
    return _page("plain", title="Terms", words="This shop sells nothing: it is there to be bought from in tests.")


async def thanks(_request: web.Request) -> web.Response:
    """Show the page on which a shopper lands after the purchase."""
    return _page("plain", title="Thank you", words="Your order is in the shop's books, under Orders.")


async def sorry(_request: web.Request) -> web.Response:
    """Show the page to which a shopper is sent whose purchase the shop denies with a redirect (seed, step 3)."""
    return _page("plain", title="Sorry", words="The shop denied this purchase and sent you here. Nothing was bought.")


def _page(name: str, **words: str) -> web.Response:
    text = _template(name)
    for place, word in words.items():
        text = text.replace("{{" + place + "}}", escape(word))
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-cache"})


@cache
def _template(name: str) -> str:
    return (STATIC / f"{name}.html").read_text(encoding="utf-8")
