"""An emulator in a process of its own, as people run it."""

import asyncio
import sys
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass
class Served:
    """A running emulator: where it is, and its process."""

    url: str
    process: Process

    async def killed(self) -> None:
        """Kill it as a power cut would."""
        self.process.kill()
        await self.process.wait()

    async def stopped(self) -> int:
        """Ask it to stop and return its exit code."""
        self.process.terminate()
        return await self.process.wait()


async def started(*flags: str) -> Process:
    """Start `mock-klarna serve` with flags on any free port."""
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "mock_klarna", "serve", "--port", "0", *flags, cwd=ROOT, stdout=PIPE, stderr=PIPE
    )


@asynccontextmanager
async def served(*flags: str) -> AsyncIterator[Served]:
    """Run `mock-klarna serve` until the end of the block, unless it has ended before."""
    process = await started(*flags)
    assert process.stdout is not None
    said = (await process.stdout.readline()).decode()
    assert said, (await process.communicate())[1].decode()
    try:
        yield Served(said.split()[-1], process)
    finally:
        if process.returncode is None:
            process.kill()
        await process.communicate()
