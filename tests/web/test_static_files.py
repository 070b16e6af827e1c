"""The files that browsers load."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

import mock_klarna.web
from mock_klarna import MockKlarnaAsync
from mock_klarna.web.static_files import BUNDLER, STATIC, Bundle, Bundler

FOLDER = Path(mock_klarna.web.__file__).parent / "static"
LIBRARY = "/instantshopping/lib/v1/lib.js"
SUFFIXES = (".js", ".css", ".json", ".svg", ".html")
FILES = {
    path.relative_to(FOLDER).as_posix(): path.read_bytes() for path in FOLDER.rglob("*") if path.suffix in SUFFIXES
}
BUNDLED = ("dialog/main.js", "dialog/arrival.js", "dialog/dialog.css", "dialog/offsite.css", "texts/sv.json")


@pytest.fixture
async def get(klarna: MockKlarnaAsync) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(klarna.url) as session:
        yield session


@pytest.fixture
async def bundle() -> Bundle:
    return await BUNDLER.current()


async def test_every_file_is_served_with_its_media_type(get: aiohttp.ClientSession) -> None:
    kinds = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
    for name, content in FILES.items():
        async with get.get(f"{STATIC}/{name}") as answer:
            assert (answer.status, await answer.read()) == (200, content), name
            assert answer.content_type == kinds.get(Path(name).suffix, answer.content_type), name
            assert answer.headers["X-Content-Type-Options"] == "nosniff", name


OTHER_PATHS = [
    "nothing.js",
    "%2e%2e/app.py",
    "..%2fapp.py",
    "dialog/%2e%2e/%2e%2e/app.py",
    "..%5capp.js",
    "dialog",
    "dialog/",
    "lib-types.d.ts",
    "lib.js%00.css",
    "/etc/passwd",
    "%2fetc%2fpasswd.css",
    "a" * 300 + ".js",
    "a/" * 2500 + "a.js",
    "%E9.js",
    "a%0Ab.js",
]


async def test_other_paths_are_not_found(get: aiohttp.ClientSession) -> None:
    for path in OTHER_PATHS:
        async with get.get(URL(f"{STATIC}/{path}", encoded=True)) as answer:
            assert answer.status == 404, path
            assert answer.content_type == "application/problem+json", path


async def test_an_unchanged_file_is_answered_with_304(get: aiohttp.ClientSession) -> None:
    path = LIBRARY
    async with get.get(path) as first:
        tag = first.headers["ETag"]
    async with get.get(path, headers={"If-None-Match": tag}) as second:
        assert (second.status, await second.read(), second.headers["ETag"]) == (304, b"", tag)


@pytest.mark.parametrize(
    ("accepted", "encoding"),
    [
        ("gzip", "gzip"),
        ("deflate, GZIP;q=0.5, br", "gzip"),
        ("br, gzip ; q=1.0", "gzip"),
        ("gzip;q=0", None),
        ("gzip;q=0.000, br", None),
        ("identity", None),
        ("xgzip", None),
        ("", None),
    ],
)
async def test_a_file_is_compressed_for_browsers_that_accept_it(
    get: aiohttp.ClientSession, accepted: str, encoding: str | None
) -> None:
    for path in (LIBRARY, "/instantshopping/static/texts/sv.json"):
        async with get.get(path, headers={"Accept-Encoding": accepted}) as answer:
            assert answer.headers.get("Content-Encoding") == encoding
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert (await answer.text()).strip()


async def test_pages_of_every_embedder_policy_may_load_the_files_and_the_dialog(get: aiohttp.ClientSession) -> None:
    for path in (LIBRARY, "/instantshopping/static/lib.css", "/instantshopping/dialog/any"):
        async with get.get(path) as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "credentialless"


async def test_lib_js_is_sent_without_its_comments(get: aiohttp.ClientSession) -> None:
    async with get.get(LIBRARY) as answer:
        sent = await answer.text()
        assert answer.headers["Cache-Control"] == "no-cache"
    source = FILES["lib.js"].decode()
    without = re.sub(r"/\*\*.*?\*/", "", source, flags=re.DOTALL)
    assert "/**" in source
    assert "/**" not in sent
    assert len(re.findall(r"\bfunction\b", sent)) == len(re.findall(r"\bfunction\b", without))


@pytest.mark.parametrize("name", BUNDLED)
async def test_a_bundled_file_may_be_kept_forever(get: aiohttp.ClientSession, bundle: Bundle, name: str) -> None:
    path = f"{bundle.folder}/{name}"
    async with get.get(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert (answer.status, await answer.read()) == (200, bundle.files[name].plain)
        headers = answer.headers
    assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
    assert headers["Content-Encoding"] == "gzip"
    assert int(headers["Content-Length"]) < len(bundle.files[name].plain)
    assert headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    async with get.head(path, headers={"Accept-Encoding": "gzip"}) as answer:
        assert (answer.status, await answer.read()) == (200, b"")
        assert {**answer.headers, "Date": ""} == {**headers, "Date": ""}
    async with get.get(path, headers={"Accept-Encoding": "gzip", "If-None-Match": headers["ETag"]}) as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (304, headers["Cache-Control"])
    async with get.get(path, headers={"Accept-Encoding": "identity"}) as answer:
        assert await answer.read() == bundle.files[name].plain
        assert answer.headers["ETag"] != headers["ETag"]


async def test_the_file_of_another_version_is_not_kept(get: aiohttp.ClientSession, bundle: Bundle) -> None:
    async with get.get(f"{STATIC}-0123456789abcdef/dialog/main.js") as answer:
        assert (answer.status, answer.headers["Cache-Control"]) == (200, "no-cache")
        assert await answer.read() == bundle.files["dialog/main.js"].plain


@pytest.mark.parametrize("name", ["dialog/draft.js", "lib-types.d.ts", "../pages.py"])
async def test_only_bundled_files_are_in_the_folder_of_a_version(
    get: aiohttp.ClientSession, bundle: Bundle, name: str
) -> None:
    async with get.get(URL(f"{bundle.folder}/{name.replace('..', '%2e%2e')}", encoded=True)) as answer:
        assert (answer.status, answer.content_type) == (404, "application/problem+json")


@pytest.fixture
def sources(tmp_path: Path) -> Path:
    return Path(shutil.copytree(FOLDER, tmp_path / "static"))


def change(path: Path, content: str) -> None:
    """Write a source; its time of change differs from the earlier one, however exact the file system's clock is."""
    earlier = path.stat().st_mtime_ns
    path.write_text(content, encoding="utf-8")
    os.utime(path, ns=(earlier + 1_000_000_000, earlier + 1_000_000_000))


async def test_a_bundle_is_built_once_for_requests_at_the_same_time(sources: Path) -> None:
    bundler = Bundler(sources)
    first, *others = await asyncio.gather(*(bundler.current() for _ in range(5)))
    assert all(other is first for other in [*others, await bundler.current()])


async def test_the_version_of_a_bundle_depends_on_the_contents_alone(sources: Path, bundle: Bundle) -> None:
    bundler = Bundler(sources)
    assert (await bundler.current()).files == bundle.files
    assert (await bundler.current()).version == bundle.version
    change(sources / "texts" / "sv.json", "{}")
    changed = await bundler.current()
    assert changed.files["texts/sv.json"].plain == b"{}"
    assert changed.version != bundle.version


@pytest.mark.parametrize(
    ("source", "name", "content", "message"),
    [
        (
            "dialog/texts.js",
            "dialog/main.js",
            "export default {};",
            "texts.js:1: a form that cannot be combined: export",
        ),
        ("dialog/main.js", "dialog/main.js", 'import { a } from "./new.js";', "main.js: no module new.js"),
        ("lib.js", "lib.js", "(() => {", "lib.js:1: { without }"),
    ],
)
async def test_a_script_that_cannot_be_made_says_why_in_the_browser(
    sources: Path, source: str, name: str, content: str, message: str
) -> None:
    bundler = Bundler(sources)
    working = (await bundler.current()).files[name]
    earlier = (sources / source).read_text(encoding="utf-8")
    change(sources / source, content)
    assert (await bundler.current()).files[name].plain.startswith(f'throw new SyntaxError("{message}'.encode())
    change(sources / source, earlier)
    assert (await bundler.current()).files[name] == working


async def test_a_module_that_was_missing_is_in_the_bundle_as_soon_as_it_exists(sources: Path) -> None:
    bundler = Bundler(sources)
    main = sources / "dialog" / "main.js"
    main.write_text('import { a } from "./new.js";\n' + main.read_text(encoding="utf-8"), encoding="utf-8")
    assert b"no module new.js" in (await bundler.current()).files["dialog/main.js"].plain
    (sources / "dialog" / "new.js").write_text("export const a = () => 1;", encoding="utf-8")
    assert b'modules["new.js"]=' in (await bundler.current()).files["dialog/main.js"].plain
