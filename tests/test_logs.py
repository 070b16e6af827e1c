"""What `serve` and `demo` print: entries and log messages, in the background, with limits."""

import asyncio
import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import ClockMoved
from mock_klarna.domain.journal import Exchange, Sent
from mock_klarna.logs import MAX_UNWRITTEN, MAX_WAITING, BackgroundWriter, ConsoleLog, console_log, has_colours

Json = dict[str, Any]
AT = 1767323045.0
"""2026-01-02T03:04:05Z."""


def moved(log: ConsoleLog, seconds: float = 1) -> None:
    log.recorded("K1", "event", "clock_moved", ClockMoved(seconds=seconds), AT, None)


def printed(settings: Settings, *steps: Any) -> str:
    """What a log prints when these functions are called with it."""
    stream = io.StringIO()

    async def run() -> None:
        with logging_restored(), console_log(settings, stream) as log:
            for step in steps:
                step(log)

    asyncio.run(run())
    return stream.getvalue()


@contextmanager
def logging_restored() -> Iterator[None]:
    root = logging.getLogger()
    level, handlers = root.level, root.handlers
    root.handlers = []
    try:
        yield
    finally:
        root.setLevel(level)
        root.handlers = handlers


def warn(*arguments: Any) -> Any:
    return lambda _log: logging.getLogger("mock_klarna.x").warning(*arguments)


def test_entries_and_messages_are_printed_in_their_order() -> None:
    lines = printed(Settings(), moved, warn("disk %s", "full"), lambda log: log.print("Done.")).splitlines()
    assert lines[0] == f"03:04:05.000{'':12}Klarna         moves the clock, now 1 s ahead of real time"
    assert lines[-2].endswith("mock-klarna    warning: disk full")
    assert lines[-1] == "Done."


def test_json_lines_have_the_members_of_the_entry_without_bodies() -> None:
    exchange = Exchange(
        method="GET", path="/x", status=404, correlation_id="c", duration=0.001, request_body=b"{}", explanation="why"
    )
    sent = Sent(
        callback_id="1",
        url="http://shop",
        number=1,
        request_body=b"{}",
        attempt=Attempt(at=AT, duration=1, outcome="answered", status=200, answer=b"ok"),
    )
    refused, called, message = map(
        json.loads,
        printed(
            Settings(log_format="json"),
            lambda log: log.recorded("K1", "exchange", "unknown_path", exchange, AT, None),
            lambda log: log.recorded("K1", "callback", "push", sent, AT, "p"),
            warn("disk full"),
        ).splitlines(),
    )
    assert refused.pop("at").startswith("2026-01-02T03:04:05.000")
    assert refused == {
        "level": "warning",
        "logger": "mock_klarna.journal",
        "message": "shop → Klarna GET /x → 404 in 1.0 ms",
        "details": ["why"],
        "merchant": "K1",
        "kind": "exchange",
        "name": "unknown_path",
        "method": "GET",
        "path": "/x",
        "status": 404,
        "correlation_id": "c",
        "duration_ms": 1.0,
        "explanation": "why",
    }
    assert (called["level"], called["message"], called["purchase_id"]) == (
        "info",
        "shop answers push with 200 after 1 s",
        "p",
    )
    assert called.keys().isdisjoint({"request_body", "answer_body", "answer_headers"})
    assert {**message, "at": ""} == {"at": "", "level": "warning", "logger": "mock_klarna.x", "message": "disk full"}


def test_quiet_has_warnings_only() -> None:
    settings = Settings(quiet=True)
    lines = printed(settings, warn("disk full"), lambda _: logging.getLogger("mock_klarna").info("ready")).splitlines()
    assert len(lines) == 1


def test_verbose_has_ids_in_full() -> None:
    assert "[clock_moved]" in printed(Settings(verbose=True), moved)


def test_a_message_cannot_forge_a_line_and_keeps_its_traceback() -> None:
    def fail(_log: ConsoleLog) -> None:
        try:
            raise ValueError("no\x1b[31m")
        except ValueError:
            logging.getLogger("mock_klarna").exception("a bug\r\x1b[2J")

    first, second, *_, last = printed(Settings(), fail).splitlines()
    assert first.endswith("mock-klarna    error: a bug")
    assert second.strip() == "\\x1b[2J"
    assert last.strip() == "ValueError: no\\x1b[31m"


def test_a_message_of_another_thread_is_printed() -> None:
    def from_thread(_log: ConsoleLog) -> None:
        thread = threading.Thread(target=warn("from a thread"), args=(None,))
        thread.start()
        thread.join()

    assert "from a thread" in printed(Settings(), from_thread)


def test_a_message_whose_arguments_do_not_fit_is_no_error_of_its_sender(capsys: pytest.CaptureFixture[str]) -> None:
    assert "after it" in printed(Settings(), warn("%d requests", "many"), warn("after it"))
    assert "%d requests" in capsys.readouterr().err  # what logging prints of such a message


def test_a_message_with_bytes_that_are_not_utf8_is_json() -> None:
    line = printed(Settings(log_format="json"), warn("cannot read %s", "caf\udce9"))
    assert json.loads(line)["message"] == "cannot read caf\\udce9"


def test_entries_above_the_limit_are_counted() -> None:
    def move_often(log: ConsoleLog) -> None:
        for number in range(MAX_WAITING + 234):
            moved(log, number)

    *lines, last = printed(Settings(), move_often).splitlines()
    assert len(lines) == MAX_WAITING
    assert "warning: 234 entries were left out: more happened than can be shown" in last


def test_a_large_body_does_not_wait_in_memory() -> None:
    exchange = Exchange(method="GET", path="/x", status=200, correlation_id="c", duration=0, request_body=b"x" * 99_999)

    async def waiting() -> Any:
        log = ConsoleLog(Settings(), io.StringIO())
        log.recorded("K1", "exchange", "x", exchange, AT, None)
        return log._waiting[0]

    assert asyncio.run(waiting()).data.request_body == b""


def test_nothing_waits_for_a_pipe_that_nobody_reads() -> None:
    """More than the pipe has room for is written, and the end of the writer waits for a moment only."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = BackgroundWriter(stream)
        for _ in range(4):
            writer.write("x" * MAX_UNWRITTEN)
        assert writer.unwritten >= 2 * MAX_UNWRITTEN
        writer.close()
        os.close(reading)


async def test_entries_wait_while_a_pipe_is_full_and_follow_once_it_is_read() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        log = ConsoleLog(Settings(), stream)
        log.print("x" * (2 * MAX_UNWRITTEN))
        log._show_batch()
        for _ in range(MAX_WAITING + 1):
            moved(log)
        log._show_batch()
        assert len(log._waiting) == MAX_WAITING
        with os.fdopen(reading, encoding="utf-8") as pipe:
            lines = await asyncio.to_thread(pipe.readline)
            assert len(lines) == 2 * MAX_UNWRITTEN + 1
            assert "moves the clock" in await asyncio.to_thread(pipe.readline)
            rest = [await asyncio.to_thread(pipe.readline) for _ in range(MAX_WAITING)]
        assert "1 entries were left out" in rest[-1]


def test_a_pipe_that_another_process_made_non_blocking_gets_everything() -> None:
    reading, writing = os.pipe()
    os.set_blocking(writing, False)
    with os.fdopen(reading, encoding="utf-8") as pipe, os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = BackgroundWriter(stream)
        writer.write("x" * MAX_UNWRITTEN)
        writer.write("\n")
        lines = Future[str]()
        threading.Thread(target=lambda: lines.set_result(pipe.readline()), daemon=True).start()
        assert lines.result(timeout=60) == "x" * MAX_UNWRITTEN + "\n"
        writer.close()


def test_a_reader_that_goes_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        writer = BackgroundWriter(stream)
        writer.write("one")
        writer.write("two")
        writer.close()
        assert writer.unwritten == 0


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("stream", "variables", "expected"),
    [
        (Terminal(), {}, True),
        (Terminal(), {"NO_COLOR": "1"}, False),
        (Terminal(), {"NO_COLOR": ""}, True),
        (Terminal(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_a_terminal_has_colours_unless_they_are_switched_off(
    monkeypatch: pytest.MonkeyPatch, stream: io.StringIO, variables: dict[str, str], expected: bool
) -> None:
    for name, value in {"NO_COLOR": "", "TERM": "xterm", **variables}.items():
        monkeypatch.setenv(name, value)
    assert has_colours(stream) is expected


def test_a_terminal_has_colours_and_lines_that_fit(monkeypatch: pytest.MonkeyPatch) -> None:
    termios = pytest.importorskip("termios")
    monkeypatch.setenv("NO_COLOR", "")
    monkeypatch.setenv("TERM", "xterm")
    controller, terminal = os.openpty()
    termios.tcsetwinsize(terminal, (24, 80))
    exchange = Exchange(method="GET", path="/x", status=404, correlation_id="c", duration=0, explanation="word " * 30)

    async def run() -> None:
        with logging_restored(), os.fdopen(terminal, "w") as stream, console_log(Settings(), stream) as log:
            log.recorded("K1", "exchange", "unknown_path", exchange, AT, None)
            log.print("End.")
            assert "End." in await asyncio.to_thread(read_to_the_end)

    printed = b""

    def read_to_the_end() -> str:
        nonlocal printed
        while b"End." not in printed:
            printed += os.read(controller, 4096)
        return printed.decode()

    asyncio.run(run())
    os.close(controller)
    first, *details = printed.decode().splitlines()[:-1]
    assert first.endswith("\x1b[31mGET /x → 404 in less than 1 ms\x1b[0m")
    assert len(details) == 3
    assert max(map(len, details)) <= 80
