"""The pages of the demo shop: products, orders as HTML and JSON, and what can be done with an order."""

from functools import cache
from html import escape
from pathlib import Path

import orjson
from aiohttp import web

from mock_klarna.demo.books import Order
from mock_klarna.demo.callbacks import SHOP_STATE
from mock_klarna.demo.klarna import Call

STATIC = Path(__file__).parent / "static"
_HEAD = (
    '<!doctype html><html lang="en"><head><meta charset="utf-8"><title>Orders</title>'
    '<link rel="icon" href="data:,"><link rel="stylesheet" href="/static/shop.css"></head><body>'
    '<header><a href="/">The demo shop</a><nav><a href="/orders">Orders</a> <a href="/terms">Terms</a></nav></header>'
    '<main><div class="words"><h1>Orders</h1>'
)
_TABLE = "<table><thead><tr><th>Order<th>Articles<th>Amount<th>Fraud status<th>State<th></tr></thead><tbody>"


def add_static_pages(router: web.UrlDispatcher) -> None:
    """Add the routes of the pages that do not depend on orders, and of their files."""
    router.add_get("/", product)
    router.add_get("/terms", terms)
    router.add_get("/thanks", thanks)
    router.add_get("/sorry", sorry)
    router.add_static("/static", STATIC)


async def product(request: web.Request) -> web.Response:
    """Show the products, each with a button; a strict policy lets the page load only from itself and from Klarna."""
    shop = request.app[SHOP_STATE]
    klarna = shop.klarna.url
    policy = (
        f"default-src 'none'; script-src 'self' {klarna}; connect-src {klarna}; frame-src {klarna}; "
        f"style-src 'self' {klarna}; img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    response = _page("product", klarna=klarna, key=shop.button_key)
    response.headers["Content-Security-Policy"] = policy
    return response


async def terms(_request: web.Request) -> web.Response:
    """Show the terms that the purchase dialog links to."""
    return _page("plain", title="Terms", text="This shop is for tests. It does not sell or deliver anything.")


async def thanks(_request: web.Request) -> web.Response:
    """Show the confirmation page after a purchase."""
    return _page("plain", title="Thank you", text="Your order is listed under Orders.")


async def sorry(_request: web.Request) -> web.Response:
    """Show the page of a denial with `deny_redirect_url` (guide, step 3)."""
    return _page("plain", title="Sorry", text="The shop denied this purchase. Nothing was bought.")


def _page(name: str, **values: str) -> web.Response:
    text = _template(name)
    for placeholder, value in values.items():
        text = text.replace("{{" + placeholder + "}}", escape(value))
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-cache"})


@cache
def _template(name: str) -> str:
    return (STATIC / f"{name}.html").read_text(encoding="utf-8")


async def orders(request: web.Request) -> web.StreamResponse:
    """Show the orders of `?merchant=` or of all: a table for browsers; for others JSON with callbacks and calls to Klarna."""
    merchant, shop = request.query.get("merchant"), request.app[SHOP_STATE]
    if _accepts_html(request):
        return _orders_page(shop.books.orders(merchant))
    calls = [_call_as_json(call) for call in shop.klarna.calls if merchant in (None, call.merchant)]
    return _json({**shop.books.as_json(merchant), "calls": calls})


def _accepts_html(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _orders_page(shown: list[Order]) -> web.Response:
    rows = "".join(map(_row, reversed(shown)))
    text = f"{_TABLE}{rows}</tbody></table>" if rows else "<p>There are no orders yet.</p>"
    return web.Response(text=f"{_HEAD}{text}</div></main></body></html>", content_type="text/html")


def _row(placed: Order) -> str:
    articles = ", ".join(str(line.get("name", "")) for line in placed.body["order_lines"])
    amount = f"{placed.body['order_amount'] / 100:.2f} {placed.body['purchase_currency']}"
    link = f'<a href="/orders/{placed.order_id}">{placed.order_id[:8]}</a>'
    cells = (link, escape(articles), escape(amount), escape(placed.fraud_status), _state(placed), _ship_button(placed))
    return f"<tr><td>{'<td>'.join(cells)}</tr>"


def _state(placed: Order) -> str:
    if placed.captured:
        return "shipped and captured"
    return "acknowledged" if placed.acknowledged else "waiting for the push"


def _ship_button(placed: Order) -> str:
    if placed.captured:
        return ""
    return f'<form method="post" action="/orders/{placed.order_id}/ship"><button>Ship and capture</button></form>'


def _call_as_json(call: Call) -> dict[str, object]:
    return {
        "merchant": call.merchant,
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "answer": _json_or_text(call.answer),
    }


def _json_or_text(answer: bytes) -> object:
    try:
        return orjson.loads(answer) if answer else None
    except orjson.JSONDecodeError:
        return answer.decode("utf-8", "backslashreplace")


async def order(request: web.Request) -> web.StreamResponse:
    """Show an order as Klarna's Order Management answers it."""
    placed = _find_order(request)
    call = await request.app[SHOP_STATE].klarna.managed_order(placed.merchant, placed.order_id)
    return web.Response(status=call.status or 502, body=call.answer, content_type="application/json")


async def ship(request: web.Request) -> web.StreamResponse:
    """Ship an order and capture its amount; 409 with Klarna's answer if Klarna does not allow it. Browsers return to the orders."""
    placed, klarna = _find_order(request), request.app[SHOP_STATE].klarna
    amount = placed.body["order_amount"] - placed.captured
    call = await klarna.capture(placed.merchant, placed.order_id, amount)
    if call.status != 201:
        return web.Response(status=409 if call.status else 502, body=call.answer, content_type="application/json")
    placed.captured += amount
    placed.acknowledged = True
    if _accepts_html(request):
        raise web.HTTPSeeOther("/orders")
    return _json({"order_id": placed.order_id, "captured": placed.captured})


async def release_late(request: web.Request) -> web.StreamResponse:
    """Place the purchases that `then=late` postponed, of `?merchant=` or of all; answer how many."""
    merchant, late = request.query.get("merchant"), request.app[SHOP_STATE].late
    released = [callback for callback in late if merchant in (None, callback.merchant)]
    for callback in released:
        late.remove(callback)
    for callback in released:
        await callback.place()
    return _json({"released": len(released)})


def _find_order(request: web.Request) -> Order:
    placed = request.app[SHOP_STATE].books.order(request.match_info["order_id"])
    if placed is None:
        raise web.HTTPNotFound(text="no such order\n")
    return placed


def _json(data: object) -> web.Response:
    return web.Response(body=orjson.dumps(data), content_type="application/json")
