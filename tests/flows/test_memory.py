"""Mixed traffic with resets leaves no memory behind."""

import asyncio
import gc
import json
import logging
import subprocess
import sys
import tracemalloc

import pytest

from tests.attacks.traffic import rounds

pytestmark = pytest.mark.process

OURS = (
    tracemalloc.Filter(True, "*/mock_klarna/*"),
    tracemalloc.Filter(False, "*/mock_klarna/web/connection.py"),  # the parser keeps the URLs of the last requests
    tracemalloc.Filter(False, "*/mock_klarna/shoppers/*"),  # Faker keeps what it has read
    tracemalloc.Filter(False, "*/mock_klarna/client.py"),  # its URLs are kept too
    tracemalloc.Filter(
        False, "*/mock_klarna/domain/time.py"
    ),  # formatting a time allocates a few objects that CPython keeps
)


def measure() -> list[int]:
    """Return the bytes that are allocated after each round of traffic."""
    logging.disable()
    sizes: list[int] = []

    def report(_round: int, _size: int) -> None:
        traces = tracemalloc.take_snapshot().filter_traces(OURS).traces
        sizes.append(sum(trace.size for trace in traces))

    gc.collect()
    tracemalloc.start()
    asyncio.run(rounds(5, merchants=3, work=1, report=report))
    return sizes


def test_memory_is_flat_after_rounds_of_traffic_with_resets() -> None:
    # In a process of its own: servers of other tests of the same process allocate meanwhile.
    code = "import json; from tests.flows.test_memory import measure; print(json.dumps(measure()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    sizes: list[int] = json.loads(done.stdout)
    assert sizes[-1] - sizes[1] < 5_000
