"""The pages that shoppers see and the static files: lib.js, the dialog in its frame, a key's own page (klarna.md §6.6 and §7)."""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from gzip import compress
from hashlib import blake2b
from html import escape
from io import BytesIO
from pathlib import Path
from typing import Any

import orjson
from aiohttp import web

from mock_klarna.emulator.buttons import UNKNOWN_KEY, Offer
from mock_klarna.web.errors import problem_details
from mock_klarna.web.pipeline import CORS, HttpHandler, send_continue
from mock_klarna.web.request import Services

_STATIC = "/instantshopping/static"
_STYLES = ("dialog", "steps")

_HEAD = """<!doctype html>
<html lang="en">
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
<h1 id="dialog-title">Instant Shopping <span id="merchant"></span></h1>
<button id="drawer-button" class="icon" type="button" aria-label="Developer" aria-expanded="false" aria-controls="drawer"
 title="Developer" hidden>&lt;/&gt;</button>
<button id="close-button" class="icon" type="button" aria-label="Close" hidden>&#215;</button>
</header>
<p id="ribbon" data-text="test_environment">Test environment: no money moves, nothing is delivered</p>
<ol id="progress">
<li data-text="step_details"></li>
<li data-text="step_review"></li>
<li data-text="step_done"></li>
</ol>
<p id="error-message" role="alert"></p>
<main id="step" aria-busy="true"></main>
<div id="status" role="status" class="visually-hidden"></div>
<aside id="drawer" aria-labelledby="drawer-heading" lang="en" hidden></aside>
</div>
<noscript>Instant Shopping needs JavaScript.</noscript>
"""

_INTRO = """<section id="intro">
<h1 data-text="offsite_heading"></h1>
<h2 data-text="scan_heading"></h2>
<p data-text="scan_text"></p>
<img src="{code}" alt="" width="180" height="180" data-label="scan_label">
</section>
"""


def dialog_markup(data: str, modules: Iterable[str]) -> str:
    """Return the page of the frame; `data` are attributes, escaped already, `modules` the names of the scripts."""
    modal = 'role="dialog" aria-modal="true" aria-labelledby="dialog-title"'
    return f'{_head(_scripts(modules))}<body class="framed" {data}>\n{_CARD.format(role=modal)}</body>\n</html>\n'


def offsite_markup(data: str, modules: Iterable[str], code: str) -> str:
    """Return a key's own page; `code` is the escaped address of its QR code."""
    region = 'role="region" aria-labelledby="dialog-title"'
    inside = _INTRO.format(code=code) + _CARD.format(role=region)
    head = _head(_scripts(modules), (*_STYLES, "offsite"))
    return f'{head}<body class="offsite" {data}>\n{inside}</body>\n</html>\n'


def not_offered(reasons: Iterable[str]) -> str:
    """Return the page of a key without a page of its own, with the reasons for the developer."""
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    text = "<h1>This cannot be bought here</h1><p>The button key does not hold all that a page of its own needs:</p>"
    card = f'<div id="dialog"><main id="step">{text}<ul>{listed}</ul></main></div>'
    return f'{_head("", (*_STYLES, "offsite"))}<body class="offsite">\n{card}\n</body>\n</html>\n'


def _head(more: str, styles: Iterable[str] = _STYLES) -> str:
    links = "".join(f'<link rel="stylesheet" href="{_STATIC}/dialog/{style}.css">\n' for style in styles)
    return _HEAD.format(title="Instant Shopping (test environment)", more=links + more)


def _scripts(modules: Iterable[str]) -> str:
    preloads = "".join(f'<link rel="modulepreload" href="{_STATIC}/dialog/{name}">\n' for name in modules)
    arrival = f'<script src="{_STATIC}/dialog/arrival.js"></script>\n'  # before everything that may fail
    return f'{arrival}{preloads}<script type="module" src="{_STATIC}/dialog/main.js"></script>\n'


DIALOG = "/instantshopping/dialog/{session_id}"
OFFSITE = "/instantshopping/buy/{button_key}"
QR_CODE = OFFSITE + "/qr.svg"
_MODULES = Path(__file__).parent / "static" / "dialog"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'none'"
)
_LONGEST_ADDRESS = 600
"""Characters of an address in a QR code: longer ones make it too fine for the cameras of phones."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Cross-Origin-Embedder-Policy": "require-corp",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


def add_pages(router: web.UrlDispatcher, services: Services) -> None:
    """Add the routes of the pages and of the static files."""
    routes = {DIALOG: dialog, QR_CODE: qr_code, OFFSITE: offsite(services), LIBRARY: library, FILES: file}
    for path, handler in routes.items():
        router.add_get(path, handler, expect_handler=send_continue)


async def dialog(request: web.Request) -> web.Response:
    """Serve the dialog of a session; it sends messages only to the origin in `?parent=`."""
    data = {"session": request.match_info["session_id"], "parent": request.query.get("parent", "")}
    return _page(dialog_markup(_data(data), _modules()))


def offsite(services: Services) -> HttpHandler:
    """Return the handler of a key's own page, on which the order of the key is sold without a shop (klarna.md §7)."""

    async def handle(request: web.Request) -> web.Response:
        key, locale = request.match_info["button_key"], request.query.get("locale", "")
        offer = await _offer(services, key, locale)
        if not offer.show_button:
            return _not_offered(offer)
        data = {"button-key": key, "locale": locale}
        code = escape(f"{request.path.rstrip('/')}/qr.svg?{request.query_string}")
        return _page(offsite_markup(_data(data), _modules(), code), ancestors="'none'")

    return handle


async def qr_code(request: web.Request) -> web.Response:
    """Serve the QR code of a key's own page, for a phone's camera."""
    import segno

    path, _, query = request.path_qs.partition("?")
    address = f"{request.scheme}://{request.host}{path.removesuffix('/qr.svg')}{'?' if query else ''}{query}"
    if len(address) > _LONGEST_ADDRESS:
        detail = f"the address of the page has {len(address)} characters; a camera can read {_LONGEST_ADDRESS} at most"
        return _problem(400, detail, "query")
    drawing = BytesIO()
    segno.make_qr(address).save(drawing, kind="svg", scale=4, border=2)
    return web.Response(body=drawing.getvalue(), content_type="image/svg+xml", headers=_HEADERS)


async def _offer(services: Services, key: str, locale: str) -> Offer:
    options: dict[str, Any] = {"setup": {"key": key}, **({"locale": locale} if locale else {})}
    page, problems = services.validator.check("page", options)
    return await services.emulator.offers.check(page, problems)


def _not_offered(offer: Offer) -> web.Response:
    reasons = [f"{problem.path}: expected {problem.expected}" for problem in offer.problems]
    html = not_offered(reasons or ["the button key is disabled, or its country is not served"])
    return _page(html, status=404 if offer.code == UNKNOWN_KEY else 409, ancestors="'none'")


def _page(html: str, status: int = 200, ancestors: str = "") -> web.Response:
    policy = f"{_POLICY}; frame-ancestors {ancestors}" if ancestors else _POLICY
    headers = {**_HEADERS, "Content-Security-Policy": policy}
    return web.Response(text=html, status=status, content_type="text/html", headers=headers)


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


@cache
def _modules() -> tuple[str, ...]:
    """Return the names of the dialog's modules, so that a browser fetches them all at once."""
    return tuple(sorted(path.name for path in _MODULES.glob("*.js") if path.name not in {"types.js", "arrival.js"}))


LIBRARY = "/instantshopping/lib/v1/lib.js"
FILES = r"/instantshopping/static/{path:[\s\S]+}"
_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


async def library(request: web.Request) -> web.Response:
    """Serve lib.js without its comments (guide, step 2.a); the file with them is among the other files."""
    return _served(request, "lib.js", compact=True)


async def file(request: web.Request) -> web.Response:
    """Serve one of the other files."""
    return _served(request, request.match_info["path"])


def _served(request: web.Request, name: str, compact: bool = False) -> web.Response:
    """Return a file of the folder, compressed if the browser accepts it, or 304 if the browser has it already."""
    path = _files().get(name)
    if path is None:
        return _problem(404, f"no file {name[:100]!r}", "path")
    is_compressed = _accepts_gzip(request.headers.get("Accept-Encoding", ""))
    contents, tag = _content(path, path.stat().st_mtime_ns, compact, is_compressed)
    headers = {**CORS, **_FILE_HEADERS, "ETag": tag, "Content-Type": _TYPES[path.suffix]}
    if tag in request.headers.get("If-None-Match", ""):
        del headers["Content-Type"]
        return web.Response(status=304, headers=headers)
    if is_compressed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=contents, headers=headers)


_FILE_HEADERS = {
    "Cache-Control": "no-cache",
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


def _accepts_gzip(accepted: str) -> bool:
    """Return whether an Accept-Encoding header names gzip without `q=0`."""
    parts = (entry.replace(" ", "").partition(";q=") for entry in accepted.lower().split(","))
    return any(name == "gzip" and (not weight or weight.strip("0.")) for name, _, weight in parts)


def _problem(status: int, detail: str, where: str) -> web.Response:
    problem = problem_details(status, detail, where=where)
    return web.Response(status=status, body=problem.body, headers=CORS | problem.headers)


@cache
def _files() -> dict[str, Path]:
    """Return the files that are served, by their names below the folder."""
    found = (path for path in _FOLDER.rglob("*") if path.suffix in _TYPES and path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path for path in found}


@lru_cache(maxsize=256)
def _content(path: Path, _changed: int, compact: bool, is_compressed: bool) -> tuple[bytes, str]:
    """Return the content of a file and its tag. It is read again when it has changed; without that, no file is opened."""
    content = path.read_bytes()
    if compact:
        content = _COMMENT.sub(b"", content)
    if is_compressed:
        content = compress(content, mtime=0)
    return content, f'"{blake2b(content, digest_size=12).hexdigest()}"'


_COMMENT = re.compile(rb"/\*\*[\s\S]*?\*/ ?|(?<=\s)// .*|^\s+|(?<=[;{,(\[])\n\s*", re.MULTILINE)
"""Comments, indentation and needless line ends of a script without `/**` and ` // ` in its texts."""
