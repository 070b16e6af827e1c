"""The shop's orders for a browser: what was bought, what Klarna knows of it, and a button that sends the goods."""

from html import escape

from aiohttp import web

from mock_klarna.demo.ledger import Order

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
