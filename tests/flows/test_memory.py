"""Mixed traffic with resets leaves no memory behind."""

import gc
import logging
import tracemalloc

import pytest

from tests.attacks.traffic import rounds

OURS = (
    tracemalloc.Filter(True, "*/mock_klarna/*"),
    tracemalloc.Filter(False, "*/mock_klarna/web/connection.py"),  # the parser keeps the URLs of the last requests
    tracemalloc.Filter(False, "*/mock_klarna/shoppers/*"),  # Faker keeps what it has read
    tracemalloc.Filter(False, "*/mock_klarna/client.py"),  # its URLs are kept too
    tracemalloc.Filter(
        False, "*/mock_klarna/domain/time.py"
    ),  # formatting a time allocates a few objects that CPython keeps
)


async def test_memory_is_flat_after_rounds_of_traffic_with_resets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.CRITICAL, "mock_klarna")  # pytest keeps what is logged
    sizes: list[int] = []

    def measure(_round: int, _size: int) -> None:
        traces = tracemalloc.take_snapshot().filter_traces(OURS).traces
        sizes.append(sum(trace.size for trace in traces))

    gc.collect()
    tracemalloc.start()
    try:
        await rounds(5, merchants=3, work=1, report=measure)
    finally:
        tracemalloc.stop()
    assert sizes[-1] - sizes[1] < 5_000
