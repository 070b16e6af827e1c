"""The files that browsers load."""

import re
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest
from yarl import URL

import mock_klarna.web
from mock_klarna import MockKlarnaAsync

STATIC = Path(mock_klarna.web.__file__).parent / "static"
SUFFIXES = (".js", ".css", ".json", ".svg", ".html")
FILES = {
    path.relative_to(STATIC).as_posix(): path.read_bytes() for path in STATIC.rglob("*") if path.suffix in SUFFIXES
}


@pytest.fixture
async def get(klarna: MockKlarnaAsync) -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(klarna.url) as session:
        yield session


async def test_every_file_is_served_with_its_media_type(get: aiohttp.ClientSession) -> None:
    kinds = {".js": "text/javascript", ".css": "text/css", ".json": "application/json"}
    for name, content in FILES.items():
        async with get.get(f"/instantshopping/static/{name}") as answer:
            assert (answer.status, await answer.read()) == (200, content), name
            assert answer.content_type == kinds.get(Path(name).suffix, answer.content_type), name
            assert answer.headers["X-Content-Type-Options"] == "nosniff", name


@pytest.mark.parametrize(
    "path",
    [
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
    ],
)
async def test_other_paths_are_not_found(get: aiohttp.ClientSession, path: str) -> None:
    async with get.get(URL(f"/instantshopping/static/{path}", encoded=True)) as answer:
        assert answer.status == 404
        assert answer.content_type == "application/problem+json"


async def test_an_unchanged_file_is_answered_with_304(get: aiohttp.ClientSession) -> None:
    path = "/instantshopping/lib/v1/lib.js"
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
    for path in ("/instantshopping/lib/v1/lib.js", "/instantshopping/static/texts/sv.json"):
        async with get.get(path, headers={"Accept-Encoding": accepted}) as answer:
            assert answer.headers.get("Content-Encoding") == encoding
            assert answer.headers["Vary"] == "Accept-Encoding"
            assert (await answer.text()).strip()


async def test_pages_of_every_embedder_policy_may_load_the_files_and_the_dialog(get: aiohttp.ClientSession) -> None:
    for path in ("/instantshopping/lib/v1/lib.js", "/instantshopping/static/lib.css", "/instantshopping/dialog/any"):
        async with get.get(path) as answer:
            assert answer.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    assert answer.headers["Cross-Origin-Embedder-Policy"] == "require-corp"


async def test_lib_js_is_sent_without_its_comments(get: aiohttp.ClientSession) -> None:
    async with get.get("/instantshopping/lib/v1/lib.js") as answer:
        sent = await answer.text()
    source = FILES["lib.js"].decode()
    assert "/**" in source
    assert "/**" not in sent
    assert sent.count("function ") == re.sub(r"/\*\*.*?\*/", "", source, flags=re.DOTALL).count("function ")
