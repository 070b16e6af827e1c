"""`healthcheck` and `wait` ask a server for its health."""

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from urllib.request import urlopen

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.cli import health
from tests.commands import Command

NO_SERVER = "http://127.0.0.1:1"
LINES = pytest.mark.parametrize("line", [["healthcheck"], ["wait", "--timeout", "0"]], ids=["healthcheck", "wait"])


@pytest.fixture(autouse=True)
def _long_requests(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every server of these tests answers, but on a busy machine not within three seconds."""
    monkeypatch.setattr(health, "_REQUEST_TIMEOUT", 120.0)


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


def test_the_path_of_an_address_counts_as_for_the_other_commands(command: Command, url: str) -> None:
    result = command("healthcheck", "--url", f"{url}/shop")
    assert (result.returncode, result.stderr) == (
        1,
        f"mock-klarna: {url}/shop is not healthy: it answered 401\n",
    )


def test_a_server_with_another_answer_exits_1(command: Command) -> None:
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as other:
        Thread(target=other.handle_request).start()
        result = command("healthcheck", "--url", f"http://127.0.0.1:{other.server_port}")
    assert result.returncode == 1
    assert "it answered 501" in result.stderr


@LINES
@pytest.mark.parametrize(
    "url", ["", "nonsense", "http://", "https://127.0.0.1:8443", "http://[", "http://127.0.0.1:99999"]
)
def test_an_invalid_address_is_a_usage_error(command: Command, line: list[str], url: str) -> None:
    result = command(*line, "--url", url)
    assert result.returncode == 2
    assert result.stderr.startswith(f"mock-klarna: --url: {url!r} is not the URL of a server; give http://HOST:PORT")


def test_the_default_address_is_that_of_a_server_with_the_same_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "1")
    assert "http://127.0.0.1:1 is not healthy" in command("healthcheck").stderr


@pytest.mark.parametrize("host", ["::1", "::", "127.0.0.2", "localhost", "*", "0.0.0.0"])
def test_a_server_on_any_host_is_found_with_its_environment(
    command: Command, monkeypatch: pytest.MonkeyPatch, host: str
) -> None:
    with serve_in_thread(Settings(port=0, host=host)) as server:
        monkeypatch.setenv("MOCK_KLARNA_HOST", host)
        monkeypatch.setenv("MOCK_KLARNA_PORT", str(server.port))
        for line in (["healthcheck"], ["wait", "--timeout", "0"]):
            result = command(*line)
            assert (result.returncode, result.stderr) == (0, "")
        with urlopen(f"{server.url}/_mock/health") as answer:
            assert answer.status == 200


def test_the_variables_of_a_service_are_not_the_address(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "tcp://10.0.0.1:1")
    monkeypatch.setenv("PORT", "1")
    assert "http://127.0.0.1:1 is not healthy" in command("healthcheck").stderr


def test_a_port_that_is_not_one_is_named(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "http")
    result = command("healthcheck")
    assert result.stderr == "mock-klarna: MOCK_KLARNA_PORT: 'http' is not an integer from 0 to 65535\n"
    assert result.returncode == 2


@LINES
def test_port_0_is_refused_with_the_name_of_what_gave_it(
    command: Command, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, line: list[str]
) -> None:
    ends = ": port 0 is any free port, which only its server knows; give --url\n"
    (tmp_path / "mine.toml").write_text("port = 0\n")
    result = command(*line, "--config", tmp_path / "mine.toml")
    assert (result.returncode, result.stderr) == (2, f"mock-klarna: the configuration file{ends}")
    monkeypatch.setenv("MOCK_KLARNA_PORT", "0")
    assert command(*line).stderr == f"mock-klarna: MOCK_KLARNA_PORT{ends}"


@LINES
def test_the_configuration_file_has_the_address(command: Command, line: list[str], tmp_path: Path) -> None:
    with serve_in_thread(Settings(port=0)) as server:
        (tmp_path / "mine.toml").write_text(f"port = {server.port}\n")
        assert command(*line, "--config", tmp_path / "mine.toml").returncode == 0
