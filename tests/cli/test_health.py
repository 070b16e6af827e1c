"""`healthcheck` and `wait` ask a server for its health."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from mock_klarna import Settings, serve_in_thread
from tests.commands import Command

NO_SERVER = "http://127.0.0.1:1"
LINES = pytest.mark.parametrize("line", [["healthcheck"], ["wait", "--timeout", "0"]], ids=["healthcheck", "wait"])


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server."""
    with serve_in_thread(Settings(port=0)) as server:
        yield server.url


@LINES
def test_a_healthy_server_exits_0(command: Command, line: list[str], url: str) -> None:
    assert command(*line, "--url", url).returncode == 0


@LINES
def test_a_server_that_does_not_answer_exits_4(command: Command, line: list[str]) -> None:
    result = command(*line, "--url", NO_SERVER)
    assert result.returncode == 4
    assert "Connection refused" in result.stderr


def test_a_server_with_another_answer_exits_1(command: Command) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        Thread(target=other.handle_request).start()
        result = command("healthcheck", "--url", f"http://127.0.0.1:{other.server_port}")
    assert result.returncode == 1
    assert "it answered 501" in result.stderr


@LINES
@pytest.mark.parametrize("url", ["nonsense", "http://", "https://127.0.0.1:8443", "http://[", "http://127.0.0.1:99999"])
def test_an_invalid_address_is_a_usage_error(command: Command, line: list[str], url: str) -> None:
    result = command(*line, "--url", url)
    assert result.returncode == 2
    assert result.stderr.startswith(f"mock-klarna: --url: {url!r} is not the URL of a server; give http://HOST:PORT")


def test_the_default_address_is_that_of_a_server_with_the_same_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "1")
    assert "http://127.0.0.1:1 is not healthy" in command("healthcheck").stderr
