"""An emulator in its own process."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]
_MAX_OUTPUT = 1 << 28
"""Bytes that a server may print before it has to wait for a reader; tests read at its end, if at all."""


@dataclass
class Served:
    """A running emulator: its URL and its process."""

    url: str
    process: Process

    async def killed(self) -> None:
        """Kill the process, as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def stopped(self) -> int:
        """Terminate the process and return its exit code."""
        self.process.terminate()
        return await self.process.wait()


async def started(*flags: str) -> Process:
    """Start `mock-klarna serve` with flags on any free port, and with no setting in the environment."""
    command = (sys.executable, "-m", "mock_klarna", "serve", "--port", "0", *flags)
    return await asyncio.create_subprocess_exec(
        *command, cwd=ROOT, stdout=PIPE, stderr=PIPE, env=environment(), limit=_MAX_OUTPUT
    )


def environment() -> dict[str, str]:
    """Return the environment without what is meant for the tests or for other servers."""
    return {name: value for name, value in os.environ.items() if not name.startswith("MOCK_KLARNA_")}


@asynccontextmanager
async def served(*flags: str) -> AsyncIterator[Served]:
    """Run `mock-klarna serve` until the end of the block, unless it has ended before."""
    process = await started(*flags)
    assert process.stdout is not None
    line = (await process.stdout.readline()).decode()
    assert line, (await process.communicate())[1].decode()
    try:
        yield Served(line.split()[-1], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
