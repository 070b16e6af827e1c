"""How much memory the default store uses."""

import json
import sys
from subprocess import run

import pytest

from tests.bench.memory import POSTED

pytestmark = pytest.mark.process

MEASURE = """
import asyncio, json
from tests.bench.memory import POSTED, bytes_of_order
print(json.dumps({name: asyncio.run(bytes_of_order(posted, 128)) for name, posted in POSTED.items()}))
"""
"""Runs in a process of its own: `tracemalloc` counts what other tests of the same process allocate meanwhile."""


@pytest.fixture(scope="module")
def bytes_of_orders() -> dict[str, float]:
    """Return the bytes that an order takes, for each way in which a shop posts it."""
    done = run([sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


@pytest.mark.parametrize("shop", POSTED)
def test_a_placed_purchase_with_its_callback_takes_at_most_four_kilobytes(
    bytes_of_orders: dict[str, float], shop: str
) -> None:
    assert 2_000 < bytes_of_orders[shop] < 4_000
