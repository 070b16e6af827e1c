"""Who gets the dashboard at `/` and `/_mock/`, and what it is served with."""

import re
from collections.abc import AsyncIterator, Mapping
from gzip import compress
from typing import Any

import pytest
from aiohttp import ClientSession

from mock_klarna import MockKlarnaAsync
from mock_klarna.web.static_files import BUNDLER

PATHS = ["/", "/_mock", "/_mock/"]
NAVIGATION = "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,*/*;q=0.8"
MAX_BYTES = 60_000


@pytest.fixture
async def browse(klarna: MockKlarnaAsync) -> AsyncIterator[Any]:
    """Sends a request without credentials: status, headers and text."""
    async with ClientSession(klarna.url) as session:

        async def send(path: str, method: str = "GET", **headers: str) -> tuple[int, Mapping[str, str], str]:
            named = {name.replace("_", "-"): value for name, value in headers.items()}
            async with session.request(method, path, headers=named) as answer:
                return answer.status, answer.headers, await answer.text()

        yield send


@pytest.mark.parametrize("path", PATHS)
async def test_a_browser_gets_the_page_without_credentials(browse: Any, path: str) -> None:
    status, headers, text = await browse(path, Accept=NAVIGATION)
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    assert "dashboard/main.js" in text
    assert headers["Vary"] == "Accept, Accept-Encoding"
    status, head, text = await browse(path, "HEAD", Accept=NAVIGATION)
    assert (status, text, head["Content-Type"]) == (200, "", headers["Content-Type"])


async def test_other_clients_get_the_error_of_an_unknown_path(browse: Any) -> None:
    for accept in ("*/*", "application/json", "text/*", "application/json, text/html;q=0.5", ""):
        for method in ("GET", "HEAD", "POST"):
            status, headers, text = await browse("/", method, Accept=accept)
            assert (status, headers["Content-Type"]) == (401, "application/json"), (method, accept)
            assert headers["WWW-Authenticate"].startswith("Basic realm="), (method, accept)
            assert text.startswith('{"error_code":"unauthorized"' if method != "HEAD" else ""), (method, accept)
            for path in PATHS[1:]:
                status, headers, _ = await browse(path, method, Accept=accept)
                assert (status, headers["Content-Type"]) == (404, "application/problem+json"), (method, accept)


async def test_a_form_cannot_be_sent_to_the_page(browse: Any) -> None:
    assert (await browse("/", "POST", Accept=NAVIGATION))[0] == 401
    assert (await browse("/_mock/", "POST", Accept=NAVIGATION))[0] == 404


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize(
    "headers",
    [
        {"Host": "shop.example.com"},
        {"Origin": "https://other.example.com"},
        {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "iframe"},
    ],
)
async def test_the_page_has_the_protection_of_the_control_api(browse: Any, path: str, headers: dict[str, str]) -> None:
    status, answered, text = await browse(path, Accept=NAVIGATION, **headers)
    assert status in (403, 421)
    assert answered["Content-Type"] == "application/problem+json"
    assert "<script" not in text


async def test_a_link_on_another_page_opens_the_page(browse: Any) -> None:
    link = {"Sec_Fetch_Site": "cross-site", "Sec_Fetch_Mode": "navigate", "Sec_Fetch_Dest": "document"}
    assert (await browse("/", Accept=NAVIGATION, **link))[0] == 200


async def test_the_page_runs_only_scripts_of_its_server(browse: Any) -> None:
    _, headers, text = await browse("/", Accept=NAVIGATION)
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; ")
    assert policy.endswith("frame-ancestors 'none'")
    assert re.findall(r"<script(?![^>]*src=)|<style|\sstyle=|\son\w+=", text) == []


async def test_the_page_and_its_files_are_at_most_60_kilobytes(browse: Any) -> None:
    _, headers, text = await browse("/", Accept=NAVIGATION, Accept_Encoding="gzip")
    assert headers["Content-Encoding"] == "gzip"
    names = re.findall(r'/instantshopping/static-[0-9a-f]{16}/(dashboard/[^"]+)', text)
    assert names == ["dashboard/dashboard.css", "dashboard/main.js"]
    files = (await BUNDLER.current()).files
    assert sum(len(files[name].compressed) for name in names) + len(compress(text.encode())) <= MAX_BYTES


async def test_developers_can_load_every_module_as_it_is(browse: Any) -> None:
    _, _, text = await browse("/?modules", Accept=NAVIGATION)
    assert 'src="/instantshopping/static/dashboard/main.js"' in text
    status, _, source = await browse("/instantshopping/static/dashboard/main.js")
    assert (status, source.count("import {") > 5) == (200, True)
