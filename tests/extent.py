"""How much is tried of what could be tried for ever: a sample, or with `MOCK_KLARNA_TESTS=thorough`, as in `.ci/run`, all of it."""

import os
from typing import TypeVar

T = TypeVar("T")

ENGINES = ("memory", "sqlite", "postgres")
"""Every store engine, as `new_store` takes it."""

THOROUGH = os.environ.get("MOCK_KLARNA_TESTS") == "thorough"


def extent(*, usual: T, thorough: T) -> T:
    """Return how many examples, bodies, rounds or engines this run tries."""
    return thorough if THOROUGH else usual
