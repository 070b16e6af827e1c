"""A server in a thread: the interpreter ends, and so do processes that are forked beside it."""

import asyncio
import multiprocessing
import os
import subprocess
import sys
import threading
from importlib import import_module
from multiprocessing.connection import Connection
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from mock_klarna import MockKlarna, Settings, serve_in_thread
from mock_klarna.settings import SettingsError
from mock_klarna.threads import silent_server

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[1]
NEVER_LEFT = """
import sys
from contextlib import ExitStack, suppress
from threading import Thread
from unittest import TestCase, main
from mock_klarna import MockKlarnaError, Settings, serve_in_thread

kept = serve_in_thread(Settings(port=0, store=f"sqlite:{sys.argv[1]}", ready_file=sys.argv[2])).__enter__()
context = serve_in_thread()
entered = context.__enter__()
stack = ExitStack()
stacked = stack.enter_context(serve_in_thread())

class ShopTest(TestCase):
    @classmethod
    def setUpClass(cls):
        cls.klarna = serve_in_thread().__enter__()

    def test_it(self):
        self.klarna.reset()

def wait_for_what_never_comes():
    with suppress(MockKlarnaError):
        kept.wait_for("push", within=60)

main(argv=["shop"], exit=False)
Thread(target=wait_for_what_never_comes, daemon=True).start()
print([klarna.clock()["ahead_seconds"] for klarna in (kept, entered, stacked, ShopTest.klarna)])
"""


def _python(script: str, *arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", script, *map(str, arguments)],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        env={"PYTHONPATH": str(ROOT)},
    )


def test_the_interpreter_exits_although_servers_were_never_left(tmp_path: Path) -> None:
    store, ready = tmp_path / "shop.db", tmp_path / "ready.json"
    done = _python(NEVER_LEFT, store, ready)
    assert (done.returncode, done.stdout) == (0, "[0.0, 0.0, 0.0, 0.0]\n"), done.stderr
    assert "Traceback" not in done.stderr
    assert store.exists()
    assert not ready.exists()


def test_a_server_that_does_not_start_leaves_no_thread() -> None:
    before = _server_threads()
    with pytest.raises(SettingsError, match="--ready-file: cannot write"):
        serve_in_thread(Settings(port=0, ready_file="/nowhere/ready.json")).__enter__()
    assert _server_threads() == before


def _server_threads() -> int:
    return [thread.name for thread in threading.enumerate()].count("mock-klarna")


@pytest.mark.parametrize("module", ["asyncio", "uvloop"])
def test_a_server_is_silent_while_its_loop_does_not_run_or_waits_for_the_caller(module: str) -> None:
    loop: asyncio.AbstractEventLoop = import_module(module).new_event_loop()
    server = loop.run_until_complete(asyncio.start_server(lambda _reader, _writer: None, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    assert "does not run during this call" in (silent_server(port, None) or "")
    assert "waits for this call: await the methods of mock_klarna_async" in (silent_server(port, loop) or "")
    assert silent_server(port + 1, None) is None

    async def from_inside() -> None:
        assert silent_server(port, None) is None
        server.close()
        await server.wait_closed()

    loop.run_until_complete(from_inside())
    assert silent_server(port, None) is None
    loop.close()


def _answer_in_fork(klarna: MockKlarna, pipe: Connection) -> None:
    other = klarna.as_merchant("K456")
    other.advance_clock("1h")
    pipe.send((klarna.clock()["ahead_seconds"], other.clock()["ahead_seconds"]))


def _wait(pipe: Connection) -> None:
    pipe.send("started")
    pipe.recv()


@pytest.mark.skipif(not hasattr(os, "fork"), reason="this system has no fork")
class TestForks:
    """Python warns about forks in processes with threads since 3.12; this is about those that happen all the same."""

    pytestmark = pytest.mark.filterwarnings("ignore:.*use of fork:DeprecationWarning")

    def test_a_forked_process_uses_the_server_and_leaves_it_running(self) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        with serve_in_thread() as klarna:
            klarna.advance_clock("2h")
            process = context.Process(target=_answer_in_fork, args=(klarna, theirs))
            process.start()
            assert ours.poll(120)
            assert ours.recv() == (7200, 3600)
            process.join(120)
            assert process.exitcode == 0
            assert klarna.as_merchant("K456").clock()["ahead_seconds"] == 3600

    def test_a_forked_process_that_leaves_the_block_ends_and_the_server_does_not(self) -> None:
        script = """
import os
from mock_klarna import serve_in_thread
with serve_in_thread() as klarna:
    child = os.fork()
    if child:
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        print("parent", klarna.clock()["ahead_seconds"])
    else:
        print("child", klarna.clock()["ahead_seconds"], flush=True)
"""
        done = _python(script.replace("import os\n", "import os, warnings\nwarnings.simplefilter('ignore')\n", 1))
        assert (done.returncode, done.stdout, done.stderr) == (0, "child 0.0\nparent 0.0\n", "")

    def test_a_forked_process_does_not_keep_the_port_of_a_server_that_has_stopped(self) -> None:
        context = multiprocessing.get_context("fork")
        ours, theirs = context.Pipe()
        with serve_in_thread(Settings(port=0)) as klarna:
            process = context.Process(target=_wait, args=(theirs,))
            process.start()
            assert ours.poll(120)
        with pytest.raises(URLError, match="refused"):
            urlopen(f"{klarna.url}/_mock/health", timeout=60)
        ours.send("end")
        process.join(120)
        assert process.exitcode == 0
