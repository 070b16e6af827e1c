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
    values = {"klarna": klarna, "key": shop.button_key}
    main = _template("product")
    for placeholder, value in values.items():
        main = main.replace("{{" + placeholder + "}}", escape(value))
    policy = f"script-src 'self' {klarna}; connect-src {klarna}; frame-src {klarna}; style-src 'self' {klarna}"
    return _page("Products", main, policy)


async def terms(_request: web.Request) -> web.Response:
    """Show the terms that the purchase dialog links to."""
    return _text_page("Terms", "This shop is for tests. It does not sell or deliver anything.")


async def thanks(_request: web.Request) -> web.Response:
    """Show the confirmation page after a purchase."""
    return _text_page("Thank you", "Your order is listed under Orders.", "good")


async def sorry(_request: web.Request) -> web.Response:
    """Show the page of a denial with `deny_redirect_url` (guide, step 3)."""
    return _text_page("Sorry", "The shop denied this purchase. Nothing was bought.", "bad")


def _text_page(title: str, text: str, style: str = "") -> web.Response:
    links = '<p class="links"><a class="button" href="/">Back to the shop</a> <a href="/orders">Orders</a></p>'
    return _page(title, f'<div class="words {style}"><h1>{title}</h1><p>{text}</p>{links}</div>')


def _page(title: str, main: str, policy: str = "style-src 'self'") -> web.Response:
    """Return a page of the shop; `main` is HTML, `policy` says what the page may load beside pictures of the shop."""
    text = _template("layout").replace("{{title}}", escape(title)).replace("{{main}}", main)
    rest = "default-src 'none'; img-src 'self' data:; base-uri 'none'; form-action 'self'"
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": f"{rest}; {policy}"}
    return web.Response(text=text, content_type="text/html", headers=headers)


@cache
def _template(name: str) -> str:
    return (STATIC / f"{name}.html").read_text(encoding="utf-8")


async def orders(request: web.Request) -> web.StreamResponse:
    """Show the orders of `?merchant=` or of all: a list for browsers; for others JSON with callbacks and calls to Klarna."""
    merchant, shop = request.query.get("merchant"), request.app[SHOP_STATE]
    if _accepts_html(request):
        return _orders_page(shop.books.orders(merchant))
    calls = [_call_as_json(call) for call in shop.klarna.calls if merchant in (None, call.merchant)]
    return _json({**shop.books.as_json(merchant), "calls": calls})


def _accepts_html(request: web.Request) -> bool:
    return "text/html" in request.headers.get("Accept", "")


def _orders_page(shown: list[Order]) -> web.Response:
    items = "".join(map(_item, reversed(shown)))
    nothing = '<p class="empty">There are no orders yet. <a href="/">Buy something</a></p>'
    listed = f'<ul class="orders">{items}</ul>' if items else nothing
    return _page("Orders", f'<div class="wide"><h1>Orders</h1>{listed}</div>')


def _item(placed: Order) -> str:
    """Return an order of the list."""
    lines = placed.body["order_lines"]
    articles = ", ".join(str(line.get("name", "")) for line in lines if line.get("type") != "shipping_fee")
    amount = f"{placed.body['order_amount'] / 100:.2f} {placed.body['purchase_currency']}"
    link = f'<a href="/orders/{placed.order_id}">Order {placed.order_id[:8]}</a>'
    status = f'<span class="badge {placed.fraud_status.lower()}">{escape(placed.fraud_status)}</span>'
    parts = (
        f'<div class="picture">{_picture(lines)}</div>',
        f'<div class="articles"><h2><bdi>{escape(articles)}</bdi></h2><p>{link}</p></div>',
        f'<p class="states">{status} <span class="badge">{_state(placed)}</span></p>',
        f'<p class="price">{escape(amount)}</p>',
        f'<div class="action">{_button(placed)}</div>',
    )
    return f"<li>{''.join(parts)}</li>"


def _picture(lines: list[dict[str, object]]) -> str:
    """Return the picture of the first article. The policy of the page allows only pictures of the shop."""
    url = str(lines[0].get("image_url") or "") if lines else ""
    is_own = url.startswith(("http:", "https:")) and "/static/" in url
    return f'<img src="{escape(url)}" alt="">' if is_own else ""


def _state(placed: Order) -> str:
    if placed.captured:
        return "refunded" if placed.refunded else "shipped and captured"
    if placed.fraud_status != "ACCEPTED":
        return "not to be shipped"
    return "acknowledged" if placed.acknowledged else "waiting for the push"


def _button(placed: Order) -> str:
    """Return the form with what can be done with an order next, or nothing."""
    if placed.refunded or placed.fraud_status != "ACCEPTED":
        return ""
    path, text = ("refund", "Refund") if placed.captured else ("ship", "Ship and capture")
    return f'<form method="post" action="/orders/{placed.order_id}/{path}"><button>{text}</button></form>'


def _call_as_json(call: Call) -> dict[str, object]:
    return {
        "merchant": call.merchant,
        "method": call.method,
        "path": call.path,
        "status": call.status,
        "answer": _json_or_text(call.answer),
        "correlation_id": call.correlation_id,
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
    """Ship an order and capture what remains of it, once; 409 if it cannot be captured. Browsers return to the orders.

    Klarna is asked first: the order may have expired, and a capture whose answer was lost is not sent with another amount.
    """
    placed, klarna = _find_order(request), request.app[SHOP_STATE].klarna
    if placed.fraud_status != "ACCEPTED":
        return _json({"error": f"the order is {placed.fraud_status}"}, status=409)
    read = await klarna.managed_order(placed.merchant, placed.order_id)
    if read.status != 200:
        return _refused(read)
    known = orjson.loads(read.answer)
    if known["status"] not in ("AUTHORIZED", "CAPTURED"):
        return _json({"error": f"the order is {known['status']}"}, status=409)
    if known["status"] == "AUTHORIZED":
        amount = known["remaining_authorized_amount"]
        parcel = {"shipping_company": "Demo Post", "tracking_number": placed.order_id}
        call = await klarna.capture(placed.merchant, placed.order_id, amount, parcel, placed.capture_key)
        if call.status != 201:
            return _refused(call)
        known["captured_amount"] += amount
    placed.captured = known["captured_amount"]
    placed.acknowledged = True  # a captured order needs no acknowledgement (klarna.md §4.4)
    return _done(request, {"order_id": placed.order_id, "captured": placed.captured})


async def refund(request: web.Request) -> web.StreamResponse:
    """Refund what was captured of an order, once; 409 if nothing was. Browsers return to the orders."""
    placed, klarna = _find_order(request), request.app[SHOP_STATE].klarna
    if not placed.captured:
        return _json({"error": "nothing was captured"}, status=409)
    if not placed.refunded:
        call = await klarna.refund(placed.merchant, placed.order_id, placed.captured, placed.refund_key)
        if call.status != 201:
            return _refused(call)
        placed.refunded = placed.captured
    return _done(request, {"order_id": placed.order_id, "refunded": placed.refunded})


def _refused(call: Call) -> web.Response:
    return web.Response(status=409 if call.status else 502, body=call.answer, content_type="application/json")


def _done(request: web.Request, answer: dict[str, object]) -> web.Response:
    if _accepts_html(request):
        raise web.HTTPSeeOther("/orders")
    return _json(answer)


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


def _json(data: object, status: int = 200) -> web.Response:
    return web.Response(status=status, body=orjson.dumps(data), content_type="application/json")
