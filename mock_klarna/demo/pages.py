"""The shop's books as JSON, and what it has put off."""

import orjson
from aiohttp import web

from mock_klarna.demo import order_page
from mock_klarna.demo.callbacks import DESK
from mock_klarna.demo.klarna import Call


async def orders(request: web.Request) -> web.StreamResponse:
    """Show orders, callbacks and the calls to Klarna with what came back, of `?merchant=` or of all; a browser gets a page."""
    merchant, desk = request.query.get("merchant"), request.app[DESK]
    if order_page.is_wanted(request):
        return order_page.page(desk.ledger.orders(merchant))
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
