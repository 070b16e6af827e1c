"""Servers as processes of their own, and what the system says of them."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

HERE = Path(__file__).parent
_ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
"""An installed package has its bytecode; without it every start of ours, and none of the yardstick's, would compile."""


def free_port() -> int:
    """Return a port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def process(*command: str, given: bytes = b"") -> Iterator[subprocess.Popen[bytes]]:
    """Run a Python command that prints one line when it is ready."""
    running = subprocess.Popen(
        [sys.executable, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=_ENVIRONMENT
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


def emulator(port: int, *flags: str) -> tuple[str, ...]:
    """Return the command of the emulator."""
    return ("-m", "mock_klarna", "serve", "--port", str(port), *flags)


def bare(port: int) -> tuple[str, ...]:
    """Return the command of the yardstick."""
    return (str(HERE / "bare.py"), str(port))


def resident_megabytes(pid: int) -> float:
    """Return how much memory a process holds."""
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) / 1024
    raise RuntimeError(f"process {pid} has no VmRSS")


def seconds_to_first_answer(command: tuple[str, ...], port: int, given: bytes = b"") -> float:
    """Return how long a server takes from its start to its first healthy answer."""
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
                return time.perf_counter() - started
            except OSError:
                time.sleep(0.002)
    finally:
        running.kill()
        running.wait()
