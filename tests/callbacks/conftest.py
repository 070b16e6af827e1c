import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.merchants import shop as shops
from tests.merchants.shop import Shop

BAD = Path(__file__).parents[1] / "merchants" / "bad.py"


@pytest.fixture(scope="session")
def bad() -> Iterator[str]:
    """Where the merchant that misbehaves as its path says is."""
    with subprocess.Popen([sys.executable, "-S", str(BAD)], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
        process.kill()


@pytest.fixture
def unreachable_url() -> Iterator[str]:
    """The URL of a port that is bound, but does not listen."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield f"http://127.0.0.1:{taken.getsockname()[1]}"


@pytest_asyncio.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened
