"""The event loop, the signals and the garbage collection of a process of our own."""

import asyncio
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mock_klarna import process
from mock_klarna.settings import SettingsError
from tests.commands import Command
from tests.merchants.processes import environment

pytestmark = [pytest.mark.usefixtures("hang_up_is_not_ignored"), pytest.mark.process]

INSTALLED = ["asyncio", "uvloop"]


async def _name_of_loop() -> str:
    return type(asyncio.get_running_loop()).__module__.partition(".")[0]


@pytest.fixture
def without_uvloop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "uvloop", None)


@pytest.mark.parametrize("loop", INSTALLED)
def test_a_loop_that_is_named_is_used(loop: str) -> None:
    assert process.run_in_loop(_name_of_loop(), loop) == loop


def test_auto_takes_uvloop_where_it_is_installed() -> None:
    assert process.run_in_loop(_name_of_loop(), "auto") == "uvloop"


@pytest.mark.usefixtures("without_uvloop")
def test_auto_takes_asyncio_where_uvloop_is_not_installed() -> None:
    assert process.run_in_loop(_name_of_loop(), "auto") == "asyncio"


@pytest.mark.usefixtures("without_uvloop")
def test_uvloop_that_is_not_installed_is_a_usage_error(command: Command) -> None:
    with pytest.raises(SettingsError, match="--loop: uvloop is not installed"):
        process.run_in_loop(_name_of_loop(), "uvloop")
    result = command("serve", "--port", 0, "--loop", "uvloop")
    expected = "mock-klarna: --loop: uvloop is not installed; install mock-klarna[fast], or use --loop asyncio\n"
    assert (result.returncode, result.stderr) == (2, expected)


STOP_SIGNALS = pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])


@pytest.fixture
def handlers_as_they_were() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in process.STOP_SIGNALS}
    yield
    for number, handler in before.items():
        signal.signal(number, handler)


class LoopWithoutSignalHandlers(asyncio.SelectorEventLoop):
    """A loop that has no `add_signal_handler`, as those of Windows."""

    def add_signal_handler(self, *_: object) -> None:
        raise NotImplementedError


async def _stop_twice(number: signal.Signals, ended: list[str]) -> None:
    try:
        os.kill(os.getpid(), number)
        await asyncio.wait_for(asyncio.Event().wait(), 60)
    finally:
        os.kill(os.getpid(), number)
        await asyncio.sleep(0)
        ended.append("in order")


@STOP_SIGNALS
@pytest.mark.usefixtures("handlers_as_they_were")
@pytest.mark.parametrize("loop", INSTALLED)
def test_a_stop_signal_cancels_and_another_one_does_not_disturb_the_end(loop: str, number: signal.Signals) -> None:
    ended: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        process.run_in_loop(_stop_twice(number, ended), loop)
    assert ended == ["in order"]


@STOP_SIGNALS
@pytest.mark.usefixtures("handlers_as_they_were")
def test_stop_signals_are_obeyed_in_a_loop_without_signal_handlers(
    monkeypatch: pytest.MonkeyPatch, number: signal.Signals
) -> None:
    monkeypatch.setattr(process, "_loop_factory", lambda _loop, _main: LoopWithoutSignalHandlers)
    ended: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        process.run_in_loop(_stop_twice(number, ended))
    assert ended == ["in order"]


@pytest.mark.usefixtures("handlers_as_they_were")
@pytest.mark.parametrize("loop", INSTALLED)
def test_a_hang_up_that_nohup_ignores_stays_ignored(loop: str) -> None:
    async def hang_up() -> str:
        os.kill(os.getpid(), signal.SIGHUP)
        await asyncio.sleep(0)
        return "still running"

    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    assert process.run_in_loop(hang_up(), loop) == "still running"


@pytest.fixture
def collector_as_it_was() -> Iterator[None]:
    threshold = gc.get_threshold()
    yield
    gc.set_threshold(*threshold)
    gc.enable()


@pytest.mark.usefixtures("collector_as_it_was")
def test_garbage_is_collected_again_after_the_start() -> None:
    process.pause_garbage_collection()
    assert not gc.isenabled()
    process.resume_garbage_collection()
    assert gc.isenabled()
    assert gc.get_freeze_count() > 0


@pytest.mark.parametrize("loop", INSTALLED)
def test_a_purchase_is_placed_in_either_loop(command: Command, loop: str) -> None:
    result = command("demo", "--once", "--port", 0, "--loop", loop)
    assert result.returncode == 0, result.stderr
    assert "\nPlaced. " in result.stdout


@pytest.mark.parametrize("variable", ["", "authorities.pem"])
def test_aiohttp_is_imported_without_authorities_and_the_environment_is_unchanged(variable: str) -> None:
    code = (
        "import os; from mock_klarna.process import import_aiohttp; import_aiohttp(); import aiohttp.connector;"
        "print(os.environ.get('SSL_CERT_FILE', ''), aiohttp.connector._SSL_CONTEXT_VERIFIED.cert_store_stats()['x509'])"
    )
    environment = {"PYTHONPATH": os.pathsep.join(sys.path), **({"SSL_CERT_FILE": variable} if variable else {})}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == f"{variable} 0\n"


FULL = Path("/dev/full")


@pytest.mark.skipif(not FULL.exists(), reason="this system has no device that is always full")
@pytest.mark.parametrize(
    "arguments", [("openapi",), ("shoppers",), ("--version",), ("check",), ("serve", "--port", "0")]
)
def test_output_that_cannot_be_written_is_one_sentence(arguments: tuple[str, ...]) -> None:
    line = [sys.executable, "-m", "mock_klarna", *arguments]
    buffered = {**environment(), "PYTHONUNBUFFERED": ""}
    with FULL.open("w") as full:
        ended = subprocess.run(line, stdout=full, stderr=subprocess.PIPE, text=True, env=buffered, check=False)
    assert ended.stderr.splitlines()[-1:] == ["mock-klarna: cannot write the output: No space left on device"]
    assert "Traceback" not in ended.stderr
    assert ended.returncode == 1


def test_a_reader_that_has_gone_does_not_change_the_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    def run() -> int:
        print("failed")
        return 7

    read, write = os.pipe()
    os.close(read)
    with os.fdopen(write, "w") as stream:
        monkeypatch.setattr(sys, "stdout", stream)
        assert process.with_written_output(run) == 7


def test_other_errors_of_the_system_stay_visible() -> None:
    def run() -> int:
        raise FileNotFoundError(2, "No such file or directory", "a.yaml")

    with pytest.raises(FileNotFoundError):
        process.with_written_output(run)
