"""The shoppers' pages without a browser: what they are served with, and what they make of strange addresses."""

import json
import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest
from aiohttp import ClientSession

import mock_klarna.web
from mock_klarna import MockKlarnaAsync
from tests.web.connection import Connection

TEXTS = Path(mock_klarna.web.__file__).parent / "static" / "texts"
NASTY = "\"'><script>alert(1)</script>"


@pytest.fixture
async def browse(klarna: MockKlarnaAsync) -> AsyncIterator[Any]:
    """Gets a page by its path: status, headers and text."""
    async with ClientSession() as session:

        async def get(path: str) -> Any:
            async with session.get(klarna.url + path) as answer:
                return answer.status, answer.headers, await answer.text()

        yield get


async def test_the_dialog_loads_only_from_its_server(browse: Any) -> None:
    status, headers, _ = await browse("/instantshopping/dialog/some-session")
    assert status == 200
    assert headers["Content-Security-Policy"].startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "frame-ancestors" not in headers["Content-Security-Policy"]


async def test_the_dialog_has_no_inline_script_or_style(browse: Any) -> None:
    _, _, text = await browse("/instantshopping/dialog/some-session")
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text) == []


@pytest.mark.parametrize(
    "path", ["/instantshopping/dialog/{}", "/instantshopping/dialog/x?parent={}", "/instantshopping/buy/{}"]
)
async def test_the_address_is_escaped_in_the_page(browse: Any, path: str) -> None:
    _, _, text = await browse(path.format(quote(NASTY, safe="")))
    assert "<script>alert" not in text


@pytest.mark.parametrize(
    ("locale", "code"), [("sv-SE", "sv"), ("de-AT", "de"), ("es-ES", "en"), ("", "en"), (quote(NASTY), "en")]
)
async def test_the_pages_have_the_shoppers_language_before_a_script_runs(browse: Any, locale: str, code: str) -> None:
    texts = json.loads((TEXTS / f"{code}.json").read_text(encoding="utf-8"))
    _, _, dialog = await browse(f"/instantshopping/dialog/some-session?locale={locale}")
    assert f'<html lang="{code}">' in dialog
    assert f"<noscript>{texts['needs_scripts']}</noscript>" in dialog
    _, _, unknown = await browse(f"/instantshopping/buy/unknown?locale={locale}")
    assert f'<html lang="{code}">' in unknown
    assert f'<h1>{texts["not_now"]}</h1><div lang="en">' in unknown


async def test_the_page_of_a_key_cannot_be_framed(browse: Any) -> None:
    status, headers, _ = await browse("/instantshopping/buy/unknown")
    assert status == 404
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


async def test_the_dialog_loads_combined_files_of_one_version(browse: Any) -> None:
    _, headers, text = await browse("/instantshopping/dialog/some-session")
    assert (headers["Content-Encoding"], headers["Vary"]) == ("gzip", "Accept-Encoding")
    files = re.findall(r'(?:href|src)="(/[^"]+)"', text)
    (folder,) = {file.partition("/dialog/")[0] for file in files}
    assert re.fullmatch(r"/instantshopping/static-[0-9a-f]{16}", folder)
    assert files == [f"{folder}/dialog/{name}" for name in ("dialog.css", "arrival.js", "main.js")]
    assert {(await browse(file))[0] for file in files} == {200}


async def test_the_dialog_can_load_every_module_and_style_sheet_as_it_is(browse: Any) -> None:
    _, _, text = await browse("/instantshopping/dialog/some-session?modules")
    files = set(re.findall(r'(?:href|src)="(/[^"]+)"', text))
    modules = {path.name for path in (TEXTS.parent / "dialog").glob("*.js")} - {"types.js"}
    assert files == {
        f"/instantshopping/static/dialog/{name}" for name in modules | {"dialog.css", "steps.css", "drawer.css"}
    }
    assert {(await browse(file))[0] for file in files} == {200}


async def test_the_qr_code_is_an_svg(browse: Any) -> None:
    status, headers, text = await browse("/instantshopping/buy/any-key/qr.svg?locale=sv-SE")
    assert (status, headers["Content-Type"]) == (200, "image/svg+xml")
    assert "<svg" in text


async def test_a_qr_code_for_an_address_that_no_camera_can_read_is_refused(browse: Any) -> None:
    status, headers, text = await browse("/instantshopping/buy/any-key/qr.svg?locale=" + "a" * 4000)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert "a camera can read 600 at most" in json.loads(text)["detail"]


@pytest.mark.parametrize(("query", "host", "where"), [("a" * 700, "x", "query"), ("", "x" * 700, "Host")])
async def test_the_part_that_makes_the_address_of_a_qr_code_too_long_is_named(
    klarna: MockKlarnaAsync, query: str, host: str, where: str
) -> None:
    async with Connection(klarna.url, klarna.authorization) as connection:
        answer = await connection.ask("GET", f"/instantshopping/buy/any-key/qr.svg?locale={query}", Host=host)
    assert (answer.status, answer.json["where"]) == (400, where)


@pytest.mark.parametrize("host", ["[::1", "a b", "a:b:c", "a:99999999", "\xe9", ":", "a/b?c"])
async def test_a_qr_code_is_made_for_every_host(klarna: MockKlarnaAsync, host: str) -> None:
    async with Connection(klarna.url, klarna.authorization) as connection:
        assert (await connection.ask("GET", "/instantshopping/buy/any-key/qr.svg", Host=host)).status == 200


def test_every_text_that_the_dialog_uses_exists() -> None:
    used: set[str] = set()
    for path in (TEXTS.parent / "dialog").glob("*.js"):
        used |= set(re.findall(r'\bt\("(\w+)"', path.read_text(encoding="utf-8")))
    assert used - set(json.loads((TEXTS / "en.json").read_bytes())) == set()
    assert len(used) > 40
