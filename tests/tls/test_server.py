"""HTTPS and HTTP: the same emulator at two addresses; without --tls there is no trace of HTTPS."""

import asyncio
import base64
import json
import logging
import socket
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import aiohttp
import pytest

from mock_klarna import Settings, resources, serve, serve_in_thread
from mock_klarna.domain.urls import API_HOSTS
from tests.certificates import samples
from tests.commands import Command

BUTTONS = "/instantshopping/v1/buttons"
OPTIONS = {"merchant_urls": {"place_order": "https://shop.test/place-order"}}
CREDENTIALS = {"Authorization": "Basic " + base64.b64encode(b"PK00000_test:secret").decode()}
SECURE = Settings(port=0, tls=True, tls_port=0)


async def _json(session: aiohttp.ClientSession, method: str, url: str, **more: Any) -> Any:
    async with session.request(method, url, **more) as answer:
        return await answer.json()


async def test_a_key_made_over_https_is_read_over_http() -> None:
    async with serve(SECURE) as running, aiohttp.ClientSession(headers=CREDENTIALS) as session:
        async with session.get(running.url + "/_mock/ca.pem") as answer:
            assert answer.content_type == "application/x-pem-file"
            trust = samples.trusting(await answer.read())
        button = await _json(
            session, "POST", f"{running.tls_url}{BUTTONS}", json=OPTIONS, ssl=trust, server_hostname=API_HOSTS[0]
        )
        assert await _json(session, "GET", f"{running.url}{BUTTONS}/{button['button_key']}") == button


async def test_the_url_of_an_explanation_has_the_scheme_of_the_request() -> None:
    async with serve(SECURE) as running, aiohttp.ClientSession(headers=CREDENTIALS) as session:
        assert running.services.authority is not None
        trust = samples.trusting(running.services.authority)
        async with session.post(f"{running.tls_url}{BUTTONS}", json={}, ssl=trust) as answer:
            assert answer.headers["Mock-Klarna-Explanation"].startswith(f"{running.tls_url}/_mock/journal/")


async def test_a_scenario_is_run_for_a_client_of_https() -> None:
    async with serve(SECURE) as running, aiohttp.ClientSession() as session:
        assert running.services.authority is not None
        trust = samples.trusting(running.services.authority)
        path = "/_mock/scenarios/dead-merchant/run"
        for url in (running.url, running.tls_url):
            report = await _json(session, "POST", f"{url}{path}", json={}, ssl=trust)
            assert (report.get("passed"), report.get("failure")) == (True, None), report


async def test_the_ready_file_names_both_addresses(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    async with serve(Settings(port=0, tls=True, tls_port=0, ready_file=str(ready))) as running:
        ready_values = json.loads(ready.read_bytes())
    assert (ready_values["url"], ready_values["tls_url"]) == (running.url, running.tls_url)
    assert ready_values["tls_url"] == f"https://127.0.0.1:{ready_values['tls_port']}"


def test_a_server_in_a_thread_has_its_https_address() -> None:
    with serve_in_thread(SECURE) as running:
        assert (running.tls_url or "").startswith("https://127.0.0.1:")


async def test_without_tls_there_is_no_authority() -> None:
    async with serve(Settings(port=0)) as running, aiohttp.ClientSession() as session:
        refusal = await _json(session, "GET", running.url + "/_mock/ca.pem")
    assert refusal["detail"] == "this server has no certificate authority"
    assert refusal["hint"].startswith("start it with --tls")
    assert running.tls_url is None


async def test_no_authority_is_served_for_a_certificate_of_the_user(tmp_path: Path) -> None:
    pair = samples.server_pair("127.0.0.1")
    certificate, key = samples.files(tmp_path, pair)
    settings = Settings(port=0, tls=True, tls_port=0, tls_cert=certificate, tls_key=key)
    async with serve(settings) as running, aiohttp.ClientSession() as session:
        trust = samples.trusting(pair.certificates)
        async with session.get(f"{running.tls_url}/_mock/ca.pem", ssl=trust) as answer:
            assert answer.status == 404


SERVES_ONCE = """
import asyncio, sys
from mock_klarna import Settings, serve
async def once():
    async with serve(Settings(port=0)):
        print([name for name in ("cryptography", "mock_klarna.certificates") if name in sys.modules])
asyncio.run(once())
"""


@pytest.mark.process
def test_without_tls_no_module_for_it_is_imported() -> None:
    ran = subprocess.run([sys.executable, "-c", SERVES_ONCE], capture_output=True, text=True, check=True)
    assert ran.stdout == "[]\n"


@pytest.fixture
def serve_fails(command: Command) -> Callable[..., tuple[int, str]]:
    """Runs `serve` with invalid arguments; returns the exit code and standard error."""

    def run(*arguments: str) -> tuple[int, str]:
        ran = command("serve", "--port", "0", "--tls", *arguments)
        assert ran.stdout == ""
        return ran.returncode, ran.stderr

    return run


def test_a_port_that_is_taken_ends_with_3_and_names_the_port(serve_fails: Callable[..., tuple[int, str]]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        code, message = serve_fails("--tls-port", str(port))
    advice = "choose another with --tls-port, 0 takes any free one"
    assert (code, message) == (3, f"mock-klarna: cannot listen on 127.0.0.1:{port}: Address already in use; {advice}\n")


@pytest.mark.parametrize("line", [["demo", "--once"], ["run", str(resources.fixtures() / "scenarios")]])
def test_every_command_that_serves_names_a_port_that_is_taken(command: Command, line: list[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ran = command(*line, "--tls", "--tls-port", port)
    assert ran.returncode == 3
    assert f"cannot listen on 127.0.0.1:{port}: Address already in use; choose" in ran.stderr


@pytest.mark.parametrize("name", ["https://shop.test", "shop.test:443", "sh op"])
def test_an_invalid_host_name_ends_with_2(serve_fails: Callable[..., tuple[int, str]], name: str) -> None:
    code, message = serve_fails("--tls-name", name)
    assert code == 2
    assert message.startswith(f"mock-klarna: --tls-name: '{name}' is not a host name such as shop.test or *.shop.test")


def test_unusable_certificates_end_with_2_and_one_sentence(
    serve_fails: Callable[..., tuple[int, str]], tmp_path: Path
) -> None:
    folder = samples.folder_with_authority_of(tmp_path / "tls", samples.LONG_AGO)
    code, message = serve_fails("--tls-port", "0", "--tls-folder", str(folder))
    assert code == 2
    assert message.startswith(f"mock-klarna: --tls-folder: {folder / 'authority.pem'}: CN=mock-klarna authority ")
    assert message.count("\n") == 1


class Lines(logging.Handler):
    """Gives the lines that the server logs about its connections."""

    def __init__(self) -> None:
        super().__init__()
        self._lines: asyncio.Queue[str] = asyncio.Queue()

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.put_nowait(record.getMessage())

    async def next(self) -> str:
        """Wait for the next line."""
        async with asyncio.timeout(120):
            return await self._lines.get()


@pytest.fixture
async def lines() -> AsyncIterator[Lines]:
    """The lines that the server logs from now on."""
    handler, logger = Lines(), logging.getLogger("mock_klarna.certificates")
    logger.addHandler(handler)
    yield handler
    logger.removeHandler(handler)


async def test_a_client_that_does_not_trust_the_certificate_leaves_a_line_with_the_remedy(lines: Lines) -> None:
    async with serve(SECURE) as running:
        with pytest.raises(urllib.error.URLError, match="CERTIFICATE_VERIFY_FAILED"):
            await asyncio.to_thread(urllib.request.urlopen, f"{running.tls_url}/_mock/health")
        assert await lines.next() == (
            "a client does not trust the certificate of this server (unknown ca): "
            "`mock-klarna ca --recipes` says how it can trust it"
        )


async def test_a_client_that_speaks_plain_http_at_the_port_of_tls_leaves_a_line(lines: Lines) -> None:
    async with serve(SECURE) as running, aiohttp.ClientSession() as session:
        with pytest.raises(aiohttp.ClientError):
            await session.get(str(running.tls_url).replace("https:", "http:"))
        assert (await lines.next()).startswith("a client speaks plain HTTP at the port of TLS: use https:// there")
