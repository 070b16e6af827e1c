"""How much is tried of what could be tried for ever: a sample, or with `MOCK_KLARNA_TESTS=thorough`, as in `.ci/run`, all of it."""

import os

THOROUGH = os.environ.get("MOCK_KLARNA_TESTS") == "thorough"


def extent(*, usual: int, thorough: int) -> int:
    """Return how many examples, bodies or rounds this run tries."""
    return thorough if THOROUGH else usual
