"""What `serve` and `demo` print: entries and log messages, in the background, with limits."""

import asyncio
import io
import json
import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import ClockMoved
from mock_klarna.domain.journal import Exchange, Sent
from mock_klarna.logs import MOST_UNWRITTEN, MOST_WAITING, Narrator, Output, has_colours, narrating

Json = dict[str, Any]
AT = 1767323045.0
"""2026-01-02T03:04:05Z."""


def moved(narrator: Narrator, seconds: float = 1) -> None:
    narrator.recorded("K1", "event", "clock_moved", ClockMoved(seconds=seconds), AT, None)


def narrated(settings: Settings, *steps: Any) -> str:
    """What a narrator prints when these functions are called with it."""
    stream = io.StringIO()

    async def narrate() -> None:
        with logging_restored(), narrating(settings, stream) as narrator:
            for step in steps:
                step(narrator)

    asyncio.run(narrate())
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
    return lambda _narrator: logging.getLogger("mock_klarna.x").warning(*arguments)


def test_entries_and_messages_are_printed_in_their_order() -> None:
    lines = narrated(Settings(), moved, warn("disk %s", "full"), lambda narrator: narrator.print("Done.")).splitlines()
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
        narrated(
            Settings(log_format="json"),
            lambda narrator: narrator.recorded("K1", "exchange", "unknown_path", exchange, AT, None),
            lambda narrator: narrator.recorded("K1", "callback", "push", sent, AT, "p"),
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
    lines = narrated(settings, warn("disk full"), lambda _: logging.getLogger("mock_klarna").info("ready")).splitlines()
    assert len(lines) == 1


def test_verbose_has_ids_in_full() -> None:
    assert "[clock_moved]" in narrated(Settings(verbose=True), moved)


def test_a_message_cannot_forge_a_line_and_keeps_its_traceback() -> None:
    def fail(_narrator: Narrator) -> None:
        try:
            raise ValueError("no\x1b[31m")
        except ValueError:
            logging.getLogger("mock_klarna").exception("a bug\r\x1b[2J")

    first, second, *_, last = narrated(Settings(), fail).splitlines()
    assert first.endswith("mock-klarna    error: a bug")
    assert second.strip() == "\\x1b[2J"
    assert last.strip() == "ValueError: no\\x1b[31m"


def test_a_message_of_another_thread_is_printed() -> None:
    def from_thread(_narrator: Narrator) -> None:
        thread = threading.Thread(target=warn("from a thread"), args=(None,))
        thread.start()
        thread.join()

    assert "from a thread" in narrated(Settings(), from_thread)


def test_entries_above_the_limit_are_counted() -> None:
    def move_often(narrator: Narrator) -> None:
        for number in range(MOST_WAITING + 234):
            moved(narrator, number)

    *lines, last = narrated(Settings(), move_often).splitlines()
    assert len(lines) == MOST_WAITING
    assert "warning: 234 entries were left out: more happened than can be shown" in last


def test_a_large_body_does_not_wait_in_memory() -> None:
    exchange = Exchange(method="GET", path="/x", status=200, correlation_id="c", duration=0, request_body=b"x" * 99_999)

    async def waiting() -> Any:
        narrator = Narrator(Settings(), io.StringIO())
        narrator.recorded("K1", "exchange", "x", exchange, AT, None)
        return narrator._waiting[0]

    assert asyncio.run(waiting()).data.request_body == b""


def test_nothing_waits_for_a_pipe_that_nobody_reads() -> None:
    """More than the pipe has room for is written, and the end of the output waits for a moment only."""
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        output = Output(stream)
        for _ in range(4):
            output.write("x" * MOST_UNWRITTEN)
        assert output.unwritten >= 2 * MOST_UNWRITTEN
        output.close()
        os.close(reading)


async def test_entries_wait_while_a_pipe_is_full_and_follow_once_it_is_read() -> None:
    reading, writing = os.pipe()
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        narrator = Narrator(Settings(), stream)
        narrator.print("x" * (2 * MOST_UNWRITTEN))
        narrator._show_some()
        for _ in range(MOST_WAITING + 1):
            moved(narrator)
        narrator._show_some()
        assert len(narrator._waiting) == MOST_WAITING
        with os.fdopen(reading, encoding="utf-8") as pipe:
            lines = await asyncio.to_thread(pipe.readline)
            assert len(lines) == 2 * MOST_UNWRITTEN + 1
            assert "moves the clock" in await asyncio.to_thread(pipe.readline)
            rest = [await asyncio.to_thread(pipe.readline) for _ in range(MOST_WAITING)]
        assert "1 entries were left out" in rest[-1]


def test_a_reader_that_goes_is_no_error(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    with os.fdopen(writing, "w", encoding="utf-8") as stream:
        output = Output(stream)
        output.write("one")
        output.write("two")
        output.close()
        assert output.unwritten == 0


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

    async def narrate() -> None:
        with logging_restored(), os.fdopen(terminal, "w") as stream, narrating(Settings(), stream) as narrator:
            narrator.recorded("K1", "exchange", "unknown_path", exchange, AT, None)
            narrator.print("End.")
            assert "End." in await asyncio.to_thread(read_to_the_end)

    printed = b""

    def read_to_the_end() -> str:
        nonlocal printed
        while b"End." not in printed:
            printed += os.read(controller, 4096)
        return printed.decode()

    asyncio.run(narrate())
    os.close(controller)
    first, *details = printed.decode().splitlines()[:-1]
    assert first.endswith("\x1b[31mGET /x → 404 in less than 1 ms\x1b[0m")
    assert len(details) == 3
    assert max(map(len, details)) <= 80
