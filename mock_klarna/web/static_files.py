"""The files that browsers load: lib.js under its public name, and what belongs to the dialog."""

from hashlib import blake2b
from pathlib import Path

import orjson
from aiohttp import web

from mock_klarna.web.browser import CORS

LIBRARY_PATH = "/instantshopping/lib/v1/lib.js"
PATH = "/instantshopping/static/{path:.+}"
_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}


async def library(request: web.Request) -> web.Response:
    """Serve lib.js (seed, step 2.a)."""
    return _served(request, "lib.js")


async def file(request: web.Request) -> web.Response:
    """Serve one of the other files."""
    return _served(request, request.match_info["path"])


def _served(request: web.Request, name: str) -> web.Response:
    """Return a file of the folder; browsers ask again each time and are told when they have it already."""
    contents = _contents(name)
    if contents is None:
        missing = {"error": f"no file {name[:100]!r}", "where": "path"}
        return web.Response(status=404, body=orjson.dumps(missing), headers=CORS, content_type="application/json")
    tag = f'"{blake2b(contents, digest_size=12).hexdigest()}"'
    headers = {**CORS, "ETag": tag, "Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    return web.Response(body=contents, headers={**headers, "Content-Type": _TYPES[Path(name).suffix]})


def _contents(name: str) -> bytes | None:
    """Return a file's bytes, or None for a name that leads to no file that is served."""
    parts = name.split("/")
    if Path(name).suffix not in _TYPES or any(
        part in ("", ".", "..") or "\\" in part or "\0" in part for part in parts
    ):
        return None
    path = _FOLDER.joinpath(*parts)
    return path.read_bytes() if path.is_file() else None
