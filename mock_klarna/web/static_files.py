"""The files that browsers load: lib.js, the files of dialog and dashboard combined and compressed, and each source as it is."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache, lru_cache
from gzip import compress
from hashlib import blake2b
from pathlib import Path
from threading import Lock

from aiohttp import web

from mock_klarna.web.bundle import BundleError, bundle_modules, combine_styles, compact_script
from mock_klarna.web.errors import problem_details
from mock_klarna.web.pipeline import CORS, HttpHandler
from mock_klarna.web.request import accepts_gzip

STATIC = "/instantshopping/static"
STYLES = {"dialog": ("dialog", "steps", "drawer"), "offsite": ("dialog", "steps", "drawer", "offsite")}
"""The style sheets of each page. The combined one has the name of the page."""

_FOLDER = Path(__file__).parent / "static"
_TYPES = {
    ".css": "text/css; charset=utf-8",
    ".html": "text/html; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".json": "application/json",
    ".svg": "image/svg+xml",
}
_HEADERS = {
    **CORS,
    "Cross-Origin-Resource-Policy": "cross-origin",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}
_REVALIDATED = "no-cache"
_IMMUTABLE = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """The content of a file, plain and compressed with gzip."""

    plain: bytes
    compressed: bytes


@dataclass(frozen=True, slots=True)
class Bundle:
    """The files by their names below `/instantshopping/static-{version}/`; the version depends on all of their contents.

    `changed` has the time of the last change of each source, in nanoseconds.
    """

    version: str
    files: dict[str, File]
    changed: dict[Path, int]

    @property
    def folder(self) -> str:
        """The path of the folder that has the files."""
        return f"{STATIC}-{self.version}"

    def is_current(self) -> bool:
        """Return whether no source has changed."""
        try:
            return all(path.stat().st_mtime_ns == changed for path, changed in self.changed.items())
        except OSError:
            return False


def static_routes() -> dict[str, HttpHandler]:
    """Return the handlers of the files by their paths."""
    _sources()  # while there are free file descriptors: from Python 3.13 on, a folder that cannot be read counts as empty
    return {
        "/instantshopping/lib/v1/lib.js": library,
        STATIC + r"/{path:[\s\S]+}": source_file,
        STATIC + r"-{version}/{path:[\s\S]+}": bundled_file,
    }


async def library(request: web.Request) -> web.Response:
    """Serve lib.js without its comments (guide, step 2.a); the file with them is among the source files."""
    bundle = await BUNDLER.current()
    return _response(request, "lib.js", bundle.files["lib.js"], _REVALIDATED)


async def source_file(request: web.Request) -> web.Response:
    """Serve a file as it is."""
    name = request.match_info["path"]
    path = _sources().get(name)
    if path is None:
        return _not_found(name)
    return _response(request, name, _read(path, path.stat().st_mtime_ns), _REVALIDATED)


async def bundled_file(request: web.Request) -> web.Response:
    """Serve a file of the bundle.

    A browser keeps it forever. A request for another version comes while servers are being replaced: it gets the file of this
    version, which the browser does not keep.
    """
    bundle, name = await BUNDLER.current(), request.match_info["path"]
    file = bundle.files.get(name)
    if file is None:
        return _not_found(name)
    is_same = request.match_info["version"] == bundle.version
    return _response(request, name, file, _IMMUTABLE if is_same else _REVALIDATED)


def problem_response(status: int, detail: str, where: str) -> web.Response:
    """Return an error that pages of any origin may read."""
    problem = problem_details(status, detail, where=where)
    return web.Response(status=status, body=problem.body, headers=CORS | problem.headers)


def module_names() -> list[str]:
    """Return the names of the dialog's modules, so that a browser that loads them one by one fetches all at once."""
    unwanted = {"types.js", "arrival.js"}
    return sorted(path.name for path in (_FOLDER / "dialog").glob("*.js") if path.name not in unwanted)


class Bundler:
    """Builds the bundle of a folder in a thread when it is first needed, and again when a source has changed."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._bundle: Bundle | None = None
        self._building = Lock()

    async def current(self) -> Bundle:
        """Return the bundle of the sources as they are now."""
        known = self._known()
        return known if known else await asyncio.to_thread(self._build_once)

    def _known(self) -> Bundle | None:
        return self._bundle if self._bundle and self._bundle.is_current() else None

    def _build_once(self) -> Bundle:
        with self._building:
            self._bundle = self._known() or self._build()
            return self._bundle

    def _build(self) -> Bundle:
        changed: dict[Path, int] = {}

        def read(name: str) -> str:
            path = self._folder / name
            changed[path] = 0  # if there is no such file, the bundle is built again with the next request
            changed[path] = path.stat().st_mtime_ns
            return path.read_text(encoding="utf-8")

        def module(name: str) -> str:
            return read(f"dialog/{name}")

        def dashboard(name: str) -> str:
            return read(f"dashboard/{name}")

        contents = {
            "lib.js": _script(lambda: compact_script("lib.js", read("lib.js"))),
            "dialog/arrival.js": _script(lambda: compact_script("arrival.js", module("arrival.js"))),
            "dialog/main.js": _script(lambda: bundle_modules("main.js", module)),
            "dashboard/main.js": _script(lambda: bundle_modules("main.js", dashboard)),
            "dashboard/exported.js": _script(lambda: bundle_modules("exported.js", dashboard)),
            "dashboard/dashboard.css": combine_styles([read("dashboard/dashboard.css")]),
        }
        for page, names in STYLES.items():
            contents[f"dialog/{page}.css"] = combine_styles(read(f"dialog/{name}.css") for name in names)
        for path in sorted((self._folder / "texts").glob("*.json")):
            contents[f"texts/{path.name}"] = read(f"texts/{path.name}")
        files = {name: _file(content.encode()) for name, content in contents.items()}
        version = blake2b(json.dumps(contents).encode(), digest_size=8).hexdigest()
        return Bundle(version, files, changed)


def _script(make: Callable[[], str]) -> str:
    """Return a script, or one whose error says why it cannot be made: the shop's page shows it."""
    try:
        return make()
    except BundleError as error:
        return f"throw new SyntaxError({json.dumps(str(error))});\n"


def _file(content: bytes) -> File:
    return File(content, compress(content, mtime=0))


BUNDLER = Bundler(_FOLDER)
"""The bundle of this process; its servers share it."""


@lru_cache(maxsize=256)
def _read(path: Path, _changed: int) -> File:
    """Return a file of the folder. It is read again when it has changed; without that, no file is opened."""
    return _file(path.read_bytes())


@cache
def _sources() -> dict[str, Path]:
    """Return the files that are served as they are, by their names below the folder."""
    found = (path for path in _FOLDER.rglob("*") if path.suffix in _TYPES and path.is_file())
    return {path.relative_to(_FOLDER).as_posix(): path for path in found}


def _response(request: web.Request, name: str, file: File, caching: str) -> web.Response:
    """Return a file, compressed if the browser accepts that, or 304 if the browser has it already."""
    is_compressed = accepts_gzip(request)
    content = file.compressed if is_compressed else file.plain
    tag = f'"{blake2b(content, digest_size=12).hexdigest()}"'
    headers = {**_HEADERS, "Cache-Control": caching, "ETag": tag}
    if tag in request.headers.get("If-None-Match", ""):
        return web.Response(status=304, headers=headers)
    headers["Content-Type"] = _TYPES[Path(name).suffix]
    if is_compressed:
        headers["Content-Encoding"] = "gzip"
    return web.Response(body=content, headers=headers)


def _not_found(name: str) -> web.Response:
    return problem_response(404, f"no file {name[:100]!r}", where="path")
