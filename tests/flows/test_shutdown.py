"""A server that is stopped at any moment: while it starts, and while callbacks and requests are in progress."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from mock_klarna.client import Client
from tests.merchants.processes import ROOT, environment, served, started
from tests.merchants.running import buy
from tests.merchants.shop import ReceivedRequest, Shop

pytestmark = [pytest.mark.usefixtures("hang_up_is_not_ignored"), pytest.mark.process]


async def test_a_server_stops_while_callbacks_are_in_progress(
    shop: Shop, record_property: Callable[[str, object], None]
) -> None:
    called, test_has_ended = asyncio.Semaphore(0), asyncio.Event()

    async def never_answer(_request: ReceivedRequest) -> tuple[int, bytes]:
        called.release()
        await test_has_ended.wait()
        return 200, b""

    shop.answers["/place-order"] = never_answer
    async with served("--callback-timeout", "60") as server, Client(server.url, "shop") as client:
        for _ in range(5):
            await buy(client, shop.url)
            await called.acquire()
        waiting_request = asyncio.create_task(client.send("GET", "/_mock/journal?name=order_closed&wait=60"))
        await client.ask("GET", "/_mock/health")
        started = time.perf_counter()
        assert await server.stopped() == 0
        record_property("seconds_to_stop", round(time.perf_counter() - started, 3))
        await asyncio.wait([waiting_request])
        assert waiting_request.exception() is not None
        assert server.process.stderr is not None
        assert b"Traceback" not in await server.process.stderr.read()
    test_has_ended.set()


def _image_command() -> list[str]:
    """Return the command line of the image, with this Python."""
    line = next(line for line in (ROOT / "Dockerfile").read_text().splitlines() if line.startswith("ENTRYPOINT"))
    command = json.loads(line.removeprefix("ENTRYPOINT"))
    assert command.pop() == "mock-klarna"
    return [*command, sys.executable, "-m", "mock_klarna"]


@contextmanager
def _first_process(*arguments: str) -> Iterator[tuple[int, "subprocess.Popen[str]"]]:
    """Run a command line as the first process of a PID namespace, as a container does; yield its process id."""
    line = ["unshare", "--pid", "--fork", "--kill-child", *_image_command(), *arguments]
    with subprocess.Popen(
        line, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=ROOT, env=environment()
    ) as outer:
        children = Path(f"/proc/{outer.pid}/task/{outer.pid}/children")
        while not (found := children.read_text().split()):
            assert outer.poll() is None
        first = int(found[0])
        while b"mock_klarna" not in Path(f"/proc/{first}/cmdline").read_bytes().split(b"\0")[:3]:
            assert outer.poll() is None
        try:
            yield first, outer
        finally:
            outer.kill()


def _may_create_namespaces() -> bool:
    if sys.platform != "linux":
        return False
    return subprocess.run(["unshare", "--pid", "--fork", "true"], check=False, capture_output=True).returncode == 0


@pytest.mark.skipif(not _may_create_namespaces(), reason="needs the right to create a PID namespace")
@pytest.mark.parametrize("milliseconds", [0, 1, 5, 10, 20, 50, 100, 200, 500])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
def test_the_first_process_of_a_container_obeys_a_stop_signal_at_any_moment(
    number: signal.Signals, milliseconds: int
) -> None:
    with _first_process("serve", "--port", "0") as (first, outer):
        time.sleep(milliseconds / 1000)
        subprocess.run(["kill", f"-{number.value}", str(first)], check=True)
        _, errors = outer.communicate(timeout=120)
    assert (outer.returncode, errors) == (0, "")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_a_stop_signal_ends_a_server_with_0_and_removes_the_ready_file(
    tmp_path: Path, number: signal.Signals
) -> None:
    ready = tmp_path / "ready.json"
    async with served("--ready-file", str(ready)) as server:
        assert ready.exists()
        server.process.send_signal(number)
        assert await server.process.wait() == 0
        assert not ready.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP, signal.SIGINT])
async def test_stop_signals_that_go_on_until_the_end_change_nothing(number: signal.Signals) -> None:
    async with served() as server:
        with suppress(ProcessLookupError):
            while server.process.returncode is None:
                os.kill(server.process.pid, number)
                await asyncio.sleep(0)
        assert await server.process.wait() == 0


async def test_a_stop_signal_ends_a_server_whose_database_does_not_answer() -> None:
    connected = asyncio.Event()

    async def never_answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.set()
        await reader.read()
        writer.close()

    async with await asyncio.start_server(never_answer, "127.0.0.1", 0) as database:
        port = database.sockets[0].getsockname()[1]
        process = await started("--store", f"postgresql://user:secret@127.0.0.1:{port}/klarna")
        async with asyncio.timeout(120):
            await connected.wait()
        process.terminate()
        output = await process.communicate()
    assert (process.returncode, output) == (0, (b"", b""))  # after the time limit of the connection it says why it ends
