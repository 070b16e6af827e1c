"""Servers as processes of their own, and their CPU time and memory as the system counts them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).parent
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""Bytecode is written, as an installed package has it: otherwise each start of the emulator would compile its modules."""


def free_port() -> int:
    """Return a port that no process listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, given: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python command that prints one line when it is ready."""
    running = subprocess.Popen(
        [sys.executable, *command],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,  # where a server prints what happens
        env=_ENVIRONMENT,
    )
    assert running.stdin is not None
    assert running.stdout is not None
    running.stdin.write(given)
    running.stdin.close()
    running.stdout.readline()
    try:
        yield running
    finally:
        running.terminate()
        running.wait()
        running.stdout.close()


def emulator(port: int, loop: str, *flags: str) -> tuple[str, ...]:
    """Return the command of the emulator; `loop` is asyncio or uvloop."""
    return ("-m", "mock_klarna", "serve", "--port", str(port), "--loop", loop, *flags)


def bare(port: int, loop: str) -> tuple[str, ...]:
    """Return the command of the bare aiohttp application; `loop` is asyncio or uvloop."""
    return (str(HERE / "bare.py"), str(port), loop)


def cpu_seconds(pid: int) -> float:
    """Return the CPU time that all threads of a process have used."""
    threads = Path(f"/proc/{pid}/task").iterdir()
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in threads) / 1e9


def resident_megabytes(pid: int) -> float:
    """Return how much memory a process uses."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


@dataclass(frozen=True, slots=True)
class Start:
    """A start of a server until its first healthy answer: seconds on the clock, and seconds of CPU time."""

    clock: float
    cpu: float


def start(command: tuple[str, ...], port: int, given: bytes = b"") -> Start:
    """Start a server, measure until its first healthy answer, and kill it."""
    started = time.perf_counter()
    running = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, env=_ENVIRONMENT
    )
    assert running.stdin is not None
    running.stdin.write(given)
    running.stdin.close()
    try:
        while True:
            try:
                with urllib.request.urlopen(f"http://127.0.0.1:{port}/_mock/health", timeout=5) as answer:
                    answer.read()
                return Start(time.perf_counter() - started, cpu_seconds(running.pid))
            except OSError:
                time.sleep(0.002)
    finally:
        running.kill()
        running.wait()
