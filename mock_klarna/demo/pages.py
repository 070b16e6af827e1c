"""What a browser sees of the shop, and its books as JSON."""

from html import escape

import orjson
from aiohttp import web

from mock_klarna.demo.callbacks import DESK
from mock_klarna.demo.klarna import Call
from mock_klarna.demo.stock import ARTICLES, Article


async def home(_request: web.Request) -> web.StreamResponse:
    """Show what the shop sells."""
    rows = "".join(
        f"<li>{escape(article.name)} <small>{escape(_limits(key, article))}</small>"
        for key, article in ARTICLES.items()
    )
    return _page("The demo shop", f"<ul>{rows}</ul><p>What was bought: <a href=/orders>orders</a>")


def _limits(reference: str, article: Article) -> str:
    known = (
        reference,
        "" if article.in_stock is None else f"{article.in_stock} in stock at the start",
        f"from {article.from_age} years" if article.from_age else "",
        f"delivered to {', '.join(article.delivered_to)} only" if article.delivered_to else "",
    )
    return " · ".join(filter(None, known))


async def terms(_request: web.Request) -> web.StreamResponse:
    """Show the terms that the purchase dialog links to."""
    return _page("Terms", "<p>This shop sells nothing: it is there to be bought from in tests.")


async def thanks(_request: web.Request) -> web.StreamResponse:
    """Show the page on which a shopper lands after the purchase."""
    return _page("Thank you", "<p>Your order is in the <a href=/orders>books</a>. <a href=/>Back to the shop</a>")


def _page(title: str, content: str) -> web.Response:
    head = f"<!doctype html><html lang=en><meta charset=utf-8><title>{title}</title>"
    return web.Response(text=f"{head}<h1>{title}</h1>{content}</html>", content_type="text/html")


async def orders(request: web.Request) -> web.StreamResponse:
    """Show orders, callbacks and the calls to Klarna with what came back, of `?merchant=` or of all."""
    merchant, desk = request.query.get("merchant"), request.app[DESK]
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
