"""Out of file descriptors: the log says so once a second, and the server goes on when some are free."""

import json
import logging
import re
import resource
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.request import urlopen

import pytest

from mock_klarna.web.sockets import AcceptErrorFilter
from tests.merchants.processes import environment

SOURCE = "socket.accept() out of system resource\nsocket: <asyncio.TransportSocket fd=6>"
FILES = 64


def record_at(created: float, message: str = SOURCE) -> logging.LogRecord:
    error = OSError(24, "Too many open files")
    record = logging.LogRecord("asyncio", logging.ERROR, "", 0, message, (), (OSError, error, None))
    record.created = created
    return record


def test_failed_attempts_to_accept_are_one_line_a_second() -> None:
    log_filter = AcceptErrorFilter()
    records = [record_at(10 + number / 100) for number in range(250)]
    logged = [record for record in records if log_filter.filter(record)]
    assert [record.created for record in logged] == [10.0, 11.0, 12.0]
    assert {record.getMessage() for record in logged} == {
        "no connection can be accepted: [Errno 24] Too many open files; see ulimit -n"
    }
    assert not any(record.exc_info for record in logged)


def test_a_clock_that_is_set_back_does_not_silence_the_line() -> None:
    log_filter = AcceptErrorFilter()
    assert [log_filter.filter(record_at(created)) for created in (100.0, 100.5, 20.0, 20.5)] == [
        True,
        False,
        True,
        False,
    ]


def test_other_errors_of_the_loop_are_logged_unchanged() -> None:
    record = record_at(1.0, "Task exception was never retrieved")
    assert all(AcceptErrorFilter().filter(record) for _ in range(2))
    assert record.exc_info


@contextmanager
def serving_with_few_files(loop: str) -> Iterator[subprocess.Popen[str]]:
    """Run a server that may open few files; it ends with the block."""
    with subprocess.Popen(
        [sys.executable, "-m", "mock_klarna", "serve", "--port", "0", "--loop", loop],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment(),
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (FILES, FILES)),  # noqa: PLW1509
    ) as server:
        try:
            yield server
        finally:
            server.kill()


def answered(connection: socket.socket, path: str) -> tuple[str, str]:
    """Return the head and the body of the answer to a request on a connection."""
    connection.settimeout(120)
    connection.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    with connection.makefile("rb") as answer:
        head = b"".join(iter(answer.readline, b"\r\n")).decode()
        length = re.search(r"(?i)content-length: (\d+)", head)
        return head, answer.read(int(length[1]) if length else 0).decode()


def recovered(url: str) -> str:
    """Return the health of a server, which notices only after a moment that connections were closed."""
    for _ in range(1000):
        try:
            with urlopen(url, timeout=120) as answer:
                return str(json.load(answer)["status"])
        except OSError:
            continue
    return "no answer"


@pytest.mark.process
@pytest.mark.parametrize("loop", ["asyncio", "uvloop"])
def test_a_server_without_file_descriptors_logs_little_and_recovers(loop: str) -> None:
    with serving_with_few_files(loop) as server:
        assert server.stdout is not None
        address = re.search(r"http://127\.0\.0\.1:(\d+)", server.stdout.readline())
        assert address
        connections = [socket.create_connection(("127.0.0.1", int(address[1]))) for _ in range(2 * FILES)]
        if loop == "asyncio":  # uvloop closes the connections and says nothing
            assert server.stderr is not None
            assert "no connection can be accepted: [Errno 24]" in server.stderr.readline()
            head, body = answered(connections[0], "/instantshopping/static/lib.js")
            assert head.startswith("HTTP/1.1 503 ")
            assert "Retry-After: 1" in head
            assert json.loads(body)["error_message"] == "the server has no free file descriptors; see ulimit -n"
        for connection in connections:
            connection.close()
        assert recovered(f"{address[0]}/_mock/health") == "ok"
        server.terminate()
        _, errors = server.communicate()
    assert "Traceback" not in errors
    assert errors.count("\n") < 500  # asyncio alone logs a thousand lines in the first second
