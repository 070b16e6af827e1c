"""`healthcheck` and `wait`: what they end with, against whom."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.cli.main import main

NOBODY = "http://127.0.0.1:1"
COMMANDS = [["healthcheck"], ["wait", "--timeout", "0"]]


@pytest.fixture
def url() -> Iterator[str]:
    """The address of a server."""
    with serve_in_thread(Settings(port=0)) as server:
        yield server.url


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_a_server_that_answers_is_healthy(command: list[str], url: str) -> None:
    assert main([*command, "--url", url]) == 0


@pytest.mark.parametrize("command", COMMANDS, ids=str)
def test_where_nobody_answers_the_exit_code_is_4(command: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--url", NOBODY]) == 4
    assert "Connection refused" in capsys.readouterr().err


def test_a_server_that_answers_something_else_is_not_healthy(capsys: pytest.CaptureFixture[str]) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        Thread(target=other.handle_request).start()
        assert main(["healthcheck", "--url", f"http://127.0.0.1:{other.server_port}"]) == 1
    assert "it answered 501" in capsys.readouterr().err


@pytest.mark.parametrize("command", COMMANDS, ids=str)
@pytest.mark.parametrize(
    "wrong", ["nonsense", "http://", "https://127.0.0.1:8443", "http://[", "http://127.0.0.1:99999"]
)
def test_what_is_no_address_is_told_at_once(command: list[str], wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([*command, "--url", wrong]) == 2
    assert capsys.readouterr().err.startswith(
        f"mock-klarna: --url: {wrong!r} is no URL of a server; give http://HOST:PORT"
    )
