"""The pages that shoppers see: the dialog in its frame, and a key's own page with its QR code (klarna.md §6.6 and §7)."""

from collections.abc import Iterable
from functools import cache
from gzip import compress
from html import escape
from io import BytesIO
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.emulator.buttons import UNKNOWN_KEY, Offer
from mock_klarna.texts import language, text
from mock_klarna.web.access import scheme
from mock_klarna.web.pipeline import HttpHandler, send_continue
from mock_klarna.web.request import Services, accepts_gzip
from mock_klarna.web.static_files import (
    BUNDLER,
    STATIC,
    STYLES,
    module_names,
    problem_response,
    static_routes,
)

_HEAD = """<!doctype html>
<html lang="{language}">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
{more}</head>
"""

_CARD = """<div id="dialog" {role} tabindex="-1">
<header>
<div class="head">
<h1 id="dialog-title">Instant Shopping <span id="merchant"></span></h1>
<button id="drawer-button" class="icon" type="button" aria-label="Developer" aria-expanded="false" aria-controls="drawer"
 title="Developer" hidden>&lt;/&gt;</button>
<button id="close-button" class="icon" type="button" aria-label="{close}" hidden>&#215;</button>
</div>
<p id="ribbon" data-text="test_environment"></p>
<ol id="progress">
<li data-text="step_details"></li>
<li data-text="step_review"></li>
<li data-text="step_done"></li>
</ol>
</header>
<p id="error-message" role="alert"></p>
<main id="step" aria-busy="true"><div class="skeleton">{skeleton}</div></main>
<div id="status" role="status" class="visually-hidden"></div>
<div id="drawer" role="complementary" aria-labelledby="drawer-heading" lang="en" hidden></div>
</div>
<noscript>{needs_scripts}</noscript>
"""

_INTRO = """<aside id="intro" aria-labelledby="intro-heading">
<h1 id="intro-heading" data-text="offsite_heading"></h1>
<img src="{code}" alt="" width="180" height="180" data-label="scan_label">
<h2 data-text="scan_heading"></h2>
<p data-text="scan_text"></p>
</aside>
"""


def dialog_markup(head: str, data: str, locale: str) -> str:
    """Return the page of the frame; `head` is what `head_markup` returns, `data` are attributes, escaped already."""
    modal = 'role="dialog" aria-modal="true" aria-labelledby="dialog-title"'
    return f'{head}<body class="framed" {data}>\n{_card(locale, modal)}</body>\n</html>\n'


def offsite_markup(head: str, data: str, code: str, locale: str) -> str:
    """Return a key's own page; `code` is the escaped address of its QR code."""
    inside = _INTRO.format(code=code) + _card(locale)
    return f'{head}<body class="offsite" {data}>\n{inside}</body>\n</html>\n'


def _card(locale: str, role: str = "") -> str:
    texts = {name: escape(text(locale, name)) for name in ("close", "needs_scripts")}
    return _CARD.format(role=role, skeleton="<i></i>" * 7, **texts)


def not_offered(head: str, reasons: Iterable[str], locale: str) -> str:
    """Return the page of a key without a page of its own: what the shopper reads, and the reasons for the developer, in English."""
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    why = f'<div lang="en"><p>Why this button key has no page of its own:</p><ul>{listed}</ul></div>'
    heading = f"<h1>{escape(text(locale, 'not_now'))}</h1>"
    card = f'<div id="dialog"><main id="step" class="problem">{heading}{why}</main></div>'
    return f'{head}<body class="offsite">\n{card}\n</body>\n</html>\n'


def head_markup(
    folder: str, styles: Iterable[str], locale: str, modules: Iterable[str] = (), has_scripts: bool = True
) -> str:
    """Return the head of a page. `folder` is the path of its files; `modules` are loaded with the first script."""
    more = [f'<link rel="stylesheet" href="{folder}/dialog/{style}.css">' for style in styles]
    if has_scripts:
        more.append(f'<script src="{folder}/dialog/arrival.js"></script>')  # before everything that may fail
        more += (f'<link rel="modulepreload" href="{folder}/dialog/{module}">' for module in modules)
        more.append(f'<script type="module" src="{folder}/dialog/main.js"></script>')
    return _HEAD.format(
        language=language(locale),
        title="Instant Shopping (test environment)",
        more="".join(f"{line}\n" for line in more),
    )


DIALOG = "/instantshopping/dialog/{session_id}"
OFFSITE = "/instantshopping/buy/{button_key}"
QR_CODE = OFFSITE + "/qr.svg"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data: http: https:; "
    "base-uri 'none'; form-action 'none'"
)
_LONGEST_ADDRESS = 600
"""Characters of an address in a QR code: longer ones make it too fine for the cameras of phones."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "credentialless",  # for pages with this policy or require-corp; shows pictures of shops
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_pages(router: web.UrlDispatcher, services: Services) -> None:
    """Add the routes of the pages and of the files that they load."""
    routes = {DIALOG: dialog, QR_CODE: qr_code, OFFSITE: offsite(services), **static_routes()}
    for path, handler in routes.items():
        router.add_get(path, handler, expect_handler=send_continue)


async def dialog(request: web.Request) -> web.Response:
    """Serve the dialog of a session; it sends messages only to the origin in `?parent=`. Without the session, `?locale=` counts."""
    data = {name: request.query.get(name, "") for name in ("parent", "locale")}
    data["session"] = request.match_info["session_id"]
    return _page(request, dialog_markup(await _head(request, "dialog"), _data(data), data["locale"]))


def offsite(services: Services) -> HttpHandler:
    """Return the handler of a key's own page, on which the order of the key is sold without a shop (klarna.md §7)."""

    async def handle(request: web.Request) -> web.Response:
        key, locale = request.match_info["button_key"], request.query.get("locale", "")
        offer = await _offer(services, key, locale)
        if not offer.show_button:
            return await _not_offered(request, offer)
        data = {"button-key": key, "locale": locale}
        code = escape(f"{request.path.rstrip('/')}/qr.svg?{request.query_string}")
        html = offsite_markup(await _head(request, "offsite"), _data(data), code, locale)
        return _page(request, html, ancestors="'none'")

    return handle


async def qr_code(request: web.Request) -> web.Response:
    """Serve the QR code of a key's own page, for a phone's camera."""
    import segno

    path, _, query = request.path_qs.partition("?")
    address = f"{scheme(request)}://{request.host}{path.removesuffix('/qr.svg')}{'?' if query else ''}{query}"
    if len(address) > _LONGEST_ADDRESS:
        detail = f"the address of the page has {len(address)} characters; a camera can read {_LONGEST_ADDRESS} at most"
        return problem_response(400, detail, "query" if len(query) > len(request.host) else "Host")
    drawing = BytesIO()
    segno.make_qr(address).save(drawing, kind="svg", scale=4, border=2)
    return web.Response(body=drawing.getvalue(), content_type="image/svg+xml", headers=_HEADERS)


async def _offer(services: Services, key: str, locale: str) -> Offer:
    options: dict[str, Any] = {"setup": {"key": key}, **({"locale": locale} if locale else {})}
    page, problems = services.validator.check("page", options)
    return await services.emulator.offers.check(page, problems)


async def _not_offered(request: web.Request, offer: Offer) -> web.Response:
    reasons = [f"{problem.path}: expected {problem.expected}" for problem in offer.problems]
    locale = request.query.get("locale", "")
    head = head_markup((await BUNDLER.current()).folder, ("offsite",), locale, has_scripts=False)
    html = not_offered(head, reasons or ["the button key is disabled, or its country is not served"], locale)
    return _page(request, html, status=404 if offer.code == UNKNOWN_KEY else 409, ancestors="'none'")


async def _head(request: web.Request, page: str) -> str:
    """Return the head of a page with the bundled files; `?modules` loads the files as they are, for those who develop them."""
    locale = request.query.get("locale", "")
    if "modules" in request.query:
        return head_markup(STATIC, STYLES[page], locale, module_names())
    return head_markup((await BUNDLER.current()).folder, (page,), locale)


def _page(request: web.Request, html: str, status: int = 200, ancestors: str = "") -> web.Response:
    policy = f"{_POLICY}; frame-ancestors {ancestors}" if ancestors else _POLICY
    headers = {**_HEADERS, "Content-Security-Policy": policy, "Content-Type": "text/html; charset=utf-8"}
    headers["Vary"] = "Accept-Encoding"
    body = html.encode()
    if accepts_gzip(request):
        headers["Content-Encoding"], body = "gzip", compress(body, mtime=0)
    return web.Response(body=body, status=status, headers=headers)


def _data(data: dict[str, str]) -> str:
    """Return the `data-` attributes of a page, with the table of countries for the validation of its form."""
    return " ".join(f'data-{name}="{escape(value)}"' for name, value in {**data, "countries": _countries()}.items())


@cache
def _countries() -> str:
    from mock_klarna.shoppers import COUNTRIES

    rows = {
        code: {
            "dialling": country.dialling,
            "postal_code": country.postal_code,
            "region_needed": country.region_needed,
            "titles": country.titles,
        }
        for code, country in COUNTRIES.items()
    }
    return orjson.dumps(rows).decode()
