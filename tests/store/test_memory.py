"""How much memory the default store uses."""

import pytest

from tests.bench.memory import POSTED, bytes_of_order


@pytest.mark.parametrize("shop", POSTED)
async def test_a_placed_purchase_with_its_callback_takes_at_most_four_kilobytes(shop: str) -> None:
    assert 2_000 < await bytes_of_order(POSTED[shop], 128) < 4_000
