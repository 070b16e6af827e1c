"""The pages that shoppers see: the dialog in its frame, and an offer that stands on its own (protocol 6.6 and 7)."""

from collections.abc import Awaitable, Callable
from functools import cache
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.emulator.offers import UNKNOWN_KEY, Offer
from mock_klarna.web import markup
from mock_klarna.web.desk import Desk
from mock_klarna.web.expectations import go_on

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

DIALOG = "/instantshopping/dialog/{session_id}"
OFFSITE = "/instantshopping/buy/{button_key}"
QR_CODE = OFFSITE + "/qr.svg"
_MODULES = Path(__file__).parent / "static" / "dialog"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_pages(router: web.UrlDispatcher, desk: Desk) -> None:
    """Route the pages of a desk."""
    router.add_get(DIALOG, dialog, expect_handler=go_on)
    router.add_get(QR_CODE, qr_code, expect_handler=go_on)
    router.add_get(OFFSITE, offsite(desk), expect_handler=go_on)


async def dialog(request: web.Request) -> web.Response:
    """Serve the dialog of a session; `?parent=` is the origin of the page around it, which alone is spoken to."""
    data = {"session": request.match_info["session_id"], "parent": request.query.get("parent", "")}
    return _page(markup.dialog_markup(_data(data), _modules()))


def offsite(desk: Desk) -> Handler:
    """Return the handler of a key's own page: what the key holds is for sale there, without a shop around (protocol 7)."""

    async def handle(request: web.Request) -> web.Response:
        key, locale = request.match_info["button_key"], request.query.get("locale", "")
        offer = await _offer(desk, key, locale)
        if not offer.show_button:
            return _not_offered(offer)
        data = {"button-key": key, "locale": locale}
        code = escape(f"{request.path.rstrip('/')}/qr.svg?{request.query_string}")
        return _page(markup.offsite_markup(_data(data), _modules(), code), ancestors="'none'")

    return handle


async def qr_code(request: web.Request) -> web.Response:
    """Serve the QR code of a key's own page, for a phone's camera."""
    import segno

    address = request.url.with_path(request.path.removesuffix("/qr.svg")).with_query(request.query_string)
    drawing = BytesIO()
    segno.make_qr(str(address)).save(drawing, kind="svg", scale=4, border=2)
    return web.Response(body=drawing.getvalue(), content_type="image/svg+xml", headers=_HEADERS)


async def _offer(desk: Desk, key: str, locale: str) -> Offer:
    options: dict[str, Any] = {"setup": {"key": key}, **({"locale": locale} if locale else {})}
    page, faults = desk.contract.check("page", options)
    return await desk.emulator.offers.judge(page, faults)


def _not_offered(offer: Offer) -> web.Response:
    reasons = [f"{problem.path}: expected {problem.expected}" for problem in offer.problems]
    html = markup.not_offered(reasons or ["the button key is disabled, or its country is not served"])
    return _page(html, status=404 if offer.code == UNKNOWN_KEY else 409, ancestors="'none'")


def _page(html: str, status: int = 200, ancestors: str = "") -> web.Response:
    policy = f"{_POLICY}; frame-ancestors {ancestors}" if ancestors else _POLICY
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return web.Response(text=html, status=status, content_type="text/html", headers=headers)


def _data(data: dict[str, str]) -> str:
    """Return a page's `data-` attributes, and the table of countries that its form is checked by."""
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in {**data, "countries": _countries()}.items())


@cache
def _countries() -> str:
    from mock_klarna.shopper import COUNTRIES

    rows = {
        code: {
            "dialling": country.dialling,
            "digits": country.digits,
            "postal_code": country.postal_code,
            "region_needed": country.region_needed,
            "titles": country.titles,
        }
        for code, country in COUNTRIES.items()
    }
    return orjson.dumps(rows).decode()


@cache
def _modules() -> tuple[str, ...]:
    """Return the names of the dialog's modules, so that a browser fetches them all at once."""
    return tuple(sorted(path.name for path in _MODULES.glob("*.js") if path.name != "types.js"))
