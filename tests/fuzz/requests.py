"""Send requests of all kinds to a server of their own, and check each answer against the OpenAPI document.

`python -m tests.fuzz.requests --requests 300000 --seed 1` prints each kind of fault with a request that shows it, what was
answered how often, and how much memory the server has. Exits with 1 if there was a fault or the memory grew.
"""

import argparse
import asyncio
import contextlib
import re
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from threading import Thread

import orjson

from tests.bench.processes import free_port, resident_megabytes
from tests.fuzz.answers import Answer, Document
from tests.fuzz.messages import Message, Messages

_FLAGS = (
    "--callback-timeout",
    "0.2",
    "--body-timeout",
    "2",
    "--all-journals-bytes",
    "8388608",
    "--max-callbacks",
    "200",
)
_PATIENCE = 20.0
"""Seconds within which every request is answered."""
_CHECKPOINTS = 20
_LEAST_PART = 300
"""Requests of a client between two measurements of the memory, at the least."""
_MAX_GROWTH = 25.0
"""MB by which the memory of the server may grow after the first quarter of the requests."""
_LONGEST_SHOWN = 3000
_MAX_SHOWN = 20
_TROUBLE = re.compile(
    r"Traceback|a bug in mock-klarna|never retrieved|never awaited|Exception ignored|Unhandled|Warning:"
)
_LOG_LINE = re.compile(r"\d\d:\d\d:\d\d\.\d{3} ")
_LONGEST_LINE = 500
_NO_BODY = (204, 304)


class NoAnswer(Exception):
    """The connection ended, or nothing came, before an answer was complete."""


@dataclass
class Report:
    """What was found."""

    folder: Path
    port: int
    sent: int = 0
    statuses: Counter[tuple[str, str]] = field(default_factory=Counter)
    faults: Counter[str] = field(default_factory=Counter)
    memory: list[float] = field(default_factory=list)

    def count(self, message: Message, answer: Answer) -> None:
        """Count an answer by operation and class of status."""
        name = message.operation.name if message.operation else "raw bytes" if message.raw else "no operation"
        self.statuses[name, f"{answer.status // 100}xx"] += 1

    def fault(self, message: Message, text: str, answer: Answer | None = None) -> None:
        """Print a fault with a request that shows it, if it is the first of its kind."""
        name = message.operation.name if message.operation else "no operation"
        kind = f"{name}: {text[:120]}"
        self.faults[kind] += 1
        if self.faults[kind] > 1:
            return
        got = (
            ""
            if answer is None
            else f"\n  answer {answer.status}: {answer.body[:600].decode(errors='backslashreplace')}"
        )
        print(f"\nFAULT {name}: {text}{got}\n  {self._command(message.encoded())}", flush=True)

    def _command(self, raw: bytes) -> str:
        """Return a shell command that sends a request again."""
        netcat = f"nc -q 3 127.0.0.1 {self.port}"
        if len(raw) <= _LONGEST_SHOWN:
            safe = "".join(chr(byte) if 32 <= byte < 127 and byte not in b"\\'%" else f"\\{byte:03o}" for byte in raw)
            return f"printf '{safe}' | {netcat}"
        file = self.folder / f"fault-{len(self.faults)}.http"
        file.write_bytes(raw)
        return f"{netcat} < {file}"

    def lines(self) -> Iterator[str]:
        """Yield the report."""
        yield "| operation | 1xx | 2xx | 3xx | 4xx | 5xx |"
        yield "|---|---|---|---|---|---|"
        for name in sorted({name for name, _ in self.statuses}):
            counts = " | ".join(str(self.statuses[name, f"{status}xx"] or "") for status in range(1, 6))
            yield f"| {name} | {counts} |"
        yield "memory, MB: " + ", ".join(f"{each:.0f}" for each in self.memory)
        yield f"{self.sent} requests, {sum(self.faults.values())} faults of {len(self.faults)} kinds"

    @property
    def growth(self) -> float:
        """MB by which the memory grew after the first quarter: of the last measurements over those after the warm-up."""
        quarter = max(1, len(self.memory) // 4)
        return min(self.memory[-quarter:]) - max(self.memory[quarter : 2 * quarter] or self.memory[:1])


class Connection:
    """A client's connection, opened again after it was closed."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._streams: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def send(self, message: Message) -> list[Answer]:
        """Send a request and return its answer; for raw bytes all answers, maybe none. Raises `NoAnswer`."""
        try:
            async with asyncio.timeout(_PATIENCE):
                return await self._exchange(message)
        except (OSError, asyncio.IncompleteReadError) as error:
            self.close()
            if message.raw and not isinstance(error, TimeoutError):
                return []
            raise NoAnswer(f"no answer: {type(error).__name__}") from error

    async def _exchange(self, message: Message) -> list[Answer]:
        if message.raw:
            self.close()
        if self._streams is None:
            self._streams = await asyncio.open_connection("127.0.0.1", self._port, limit=1 << 26)
        reader, writer = self._streams
        writer.write(message.encoded())
        if message.raw:
            return await self._read_all(message, reader, writer)
        answer = await _read(reader, message.method)
        if answer.headers.get("connection", "").lower() == "close" or message.version != b"HTTP/1.1" or not answer.body:
            self.close()
        return [answer]

    async def _read_all(
        self, message: Message, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> list[Answer]:
        with contextlib.suppress(OSError):
            writer.write_eof()
        answers = []
        try:
            while not reader.at_eof():
                answers.append(await _read(reader, message.raw.partition(b" ")[0]))
                if answers[-1].media == "text/event-stream":
                    break
        except (OSError, asyncio.IncompleteReadError):
            pass
        self.close()
        return answers

    def close(self) -> None:
        """Close the connection."""
        if self._streams is not None:
            self._streams[1].transport.abort()
            self._streams = None


async def _read(reader: asyncio.StreamReader, method: bytes) -> Answer:
    """Read an answer; of an endless stream only its head."""
    status = 100
    while status < 200:
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        status = int(head[0].split(" ", 2)[1])
    headers = {}
    for line in head[1:-2]:
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = b""
    if method == b"HEAD" or status in _NO_BODY or headers.get("content-type") == "text/event-stream":
        pass
    elif "content-length" in headers:
        body = await reader.readexactly(int(headers["content-length"]))
    elif headers.get("transfer-encoding", "").lower() == "chunked":
        body = await _read_chunks(reader)
    else:
        body = await reader.read(-1)
    return Answer(status, headers, body)


async def _read_chunks(reader: asyncio.StreamReader) -> bytes:
    parts = []
    while size := int((await reader.readuntil(b"\r\n")).split(b";")[0], 16):
        parts.append(await reader.readexactly(size))
        await reader.readexactly(2)
    await reader.readuntil(b"\r\n")
    return b"".join(parts)


class Server:
    """The server in a process of its own, whose log is searched for tracebacks."""

    def __init__(self, store: str) -> None:
        self.port = free_port()
        command = [
            sys.executable,
            "-W",
            "default",
            "-m",
            "mock_klarna",
            "serve",
            "--port",
            str(self.port),
            "--store",
            store,
        ]
        self._process = subprocess.Popen([*command, *_FLAGS], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        assert self._process.stdout is not None
        self._process.stdout.readline()
        self.troubles: dict[str, str] = {}
        self._thread = Thread(target=self._watch, daemon=True)
        self._thread.start()

    def _watch(self) -> None:
        """Keep each kind of traceback with the line of the log before it."""
        assert self._process.stderr is not None
        trouble: list[str] = []
        for raw in self._process.stderr:
            line = raw.decode(errors="backslashreplace")[:_LONGEST_LINE]
            if _LOG_LINE.match(line):
                if len(trouble) > 1 or (trouble and _TROUBLE.search(trouble[0])):
                    self.troubles.setdefault(trouble[-1], "".join(trouble))
                trouble = [line]
            elif len(trouble) > 1 or _TROUBLE.search(line):
                trouble.append(line)

    @property
    def megabytes(self) -> float:
        """The memory of the process."""
        return resident_megabytes(self._process.pid)

    @property
    def has_ended(self) -> bool:
        """Whether the process has ended by itself."""
        return self._process.poll() is not None

    def stop(self) -> None:
        """Stop the process and read its log to the end."""
        self._process.terminate()
        self._process.wait()
        self._thread.join()

    def ask(self, method: str, path: str) -> bytes:
        """Send a plain request and return the body of the answer."""
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", method=method)
        request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request, timeout=60) as answer:
            return bytes(answer.read())


class Fuzzer:
    """Several clients, which send requests at the same time."""

    def __init__(self, server: Server, report: Report, document: Document, seed: int) -> None:
        self._server = server
        self._report = report
        self._document = document
        self._seed = seed
        self._may_drop = False

    async def run(self, requests: int, clients: int) -> None:
        """Send requests; measure the memory at times, each time after all state was removed."""
        parts = max(1, min(_CHECKPOINTS, requests // clients // _LEAST_PART))
        for part in range(parts):
            share = requests // parts // clients + 1
            self._may_drop = False
            await asyncio.gather(*(self._client(number, part, share) for number in range(clients)))
            if self._server.has_ended:
                print("FAULT the server has ended")
                self._report.faults["the server has ended"] += 1
                return
            await asyncio.to_thread(self._server.ask, "POST", "/_mock/reset")
            self._report.memory.append(self._server.megabytes)
            print(f"{self._report.sent} requests, {self._report.memory[-1]:.0f} MB", file=sys.stderr, flush=True)

    async def _client(self, number: int, part: int, count: int) -> None:
        rng = Random(f"{self._seed}:{number}:{part}")
        messages = Messages(self._document, f"fuzz-{number}", rng)
        connection = Connection(self._server.port)
        for _ in range(count):
            message = messages.next()
            self._report.sent += 1
            self._may_drop = self._may_drop or b"drop" in message.encoded() or b"delay" in message.encoded()
            try:
                answers = await connection.send(message)
            except NoAnswer as error:
                if self._server.has_ended:
                    self._report.fault(message, "the server has ended")
                    return
                self._no_answer(message, error)
                continue
            for answer in answers:
                self._check(message, answer)
                messages.learn(message, answer)
        connection.close()

    def _check(self, message: Message, answer: Answer) -> None:
        self._report.count(message, answer)
        text = self._document.fault(
            message.operation, answer, message.method.decode("latin-1"), is_readable=message.is_readable
        )
        if text:
            self._report.fault(message, text, answer)

    def _no_answer(self, message: Message, error: NoAnswer) -> None:
        """Count a request without an answer, unless a fault that was requested causes it or the request asks to wait."""
        is_asked_to_wait = any(word in message.encoded() for word in (b"wait", b"seconds", b"/run"))
        if not self._may_drop and not is_asked_to_wait:
            self._report.fault(message, str(error))


async def main() -> int:
    """Start a server, send requests, and print what was found."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=5000, help="how many (default 5000)")
    parser.add_argument("--seed", type=int, default=1, help="random seed of the requests (default 1)")
    parser.add_argument("--clients", type=int, default=16, help="clients that send at the same time (default 16)")
    parser.add_argument("--store", default="memory", help="the store of the server (default memory)")
    arguments = parser.parse_args()
    server, started = Server(arguments.store), time.perf_counter()
    try:
        document = Document(orjson.loads(server.ask("GET", "/_mock/openapi.json")))
        report = Report(Path(tempfile.mkdtemp(prefix="fuzz-")), server.port)
        await Fuzzer(server, report, document, arguments.seed).run(arguments.requests, arguments.clients)
    finally:
        server.stop()
    for trouble in list(server.troubles.values())[:_MAX_SHOWN]:
        print(f"\nFAULT in the log:\n{trouble}")
    print("\n".join(report.lines()))
    print(
        f"{len(server.troubles)} kinds of tracebacks in the log, {report.growth:+.1f} MB after the first quarter",
        end=", ",
    )
    print(f"{time.perf_counter() - started:.0f} s")
    return int(bool(report.faults or server.troubles or report.growth > _MAX_GROWTH))


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
