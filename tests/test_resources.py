"""Where the data files of a checkout are."""

from collections.abc import Callable
from pathlib import Path

import pytest

from mock_klarna import resources


@pytest.mark.parametrize(("folder", "name"), [(resources.schemas, "schemas"), (resources.fixtures, "fixtures")])
def test_a_checkout_has_its_data_in_the_top_folder(folder: Callable[[], Path], name: str) -> None:
    assert folder() == Path(__file__).parents[1] / name
