"""The dashboard: a page for people at `/` and `/_mock/`. It uses the endpoints of the control API and no others.

The page has no data of its own but the names of the stored carts and the position of the journal. Its files are hand-written
modules in `static/dashboard/`.
"""

from functools import partial
from html import escape

from aiohttp import web

from mock_klarna.resources import cart_names
from mock_klarna.web.operation import Api
from mock_klarna.web.pipeline import HttpHandler, http_handler, send_continue
from mock_klarna.web.request import JSON, ApiRequest, ApiResponse, Services
from mock_klarna.web.static_files import BUNDLER, STATIC

PATHS = ("/", "/_mock", "/_mock/")
_READING = ("GET", "HEAD")
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; "
        "form-action 'none'; frame-ancestors 'none'"
    ),
    "Content-Type": "text/html; charset=utf-8",
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept, Accept-Encoding",
}
_PAGE = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="robots" content="noindex">
<title>mock-klarna</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="{folder}/dashboard/dashboard.css">
<script type="module" src="{folder}/dashboard/main.js"></script>
</head>
<body data-carts="{carts}" data-position="{position}">
<noscript>The dashboard needs JavaScript. The same data is at <a href="/_mock/purchases">/_mock/purchases</a>.</noscript>
</body>
</html>
"""


def add_dashboard(router: web.UrlDispatcher, services: Services, otherwise: HttpHandler) -> None:
    """Add the routes of the page; `otherwise` answers requests for these paths that do not ask for HTML."""
    show = http_handler(services, Api.SANDBOX, "dashboard", partial(_show, services))

    async def handle(http: web.Request) -> web.StreamResponse:
        return await (show if _asks_for_page(http) else otherwise)(http)

    for path in PATHS:
        router.add_route("*", path, handle, expect_handler=send_continue)


def _asks_for_page(http: web.Request) -> bool:
    """Return whether a browser opens the page: it names `text/html` among the types that it accepts, and not JSON."""
    accepted = {entry.partition(";")[0].strip() for entry in http.headers.get("Accept", "").lower().split(",")}
    return http.method in _READING and "text/html" in accepted and JSON not in accepted


async def _show(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the page, with the combined files; `?modules` loads the files as they are, for those who develop them."""
    folder = STATIC if "modules" in request.http.query else (await BUNDLER.current()).folder
    position = await services.emulator.store.position()
    body = _PAGE.format(folder=folder, carts=escape(" ".join(cart_names())), position=position).encode()
    return ApiResponse(200, body, dict(_HEADERS), is_compressed=True)
