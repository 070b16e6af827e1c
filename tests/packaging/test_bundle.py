from collections.abc import Callable
from pathlib import Path

import pytest

from mock_klarna import resources


@pytest.mark.parametrize(("folder", "name"), [(resources.schemas, "schemas"), (resources.fixtures, "fixtures")])
def test_a_checkout_finds_its_data_at_the_top(folder: Callable[[], Path], name: str, root: Path) -> None:
    assert folder() == root / name
