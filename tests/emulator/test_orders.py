"""Commands on placed orders."""

import pytest

from mock_klarna.emulator import Emulator
from mock_klarna.errors import StateConflict
from tests.emulator.conftest import bought


async def test_a_planned_end_does_not_change_a_review_that_has_ended(emulator: Emulator) -> None:
    purchase = await bought(emulator, outcome={"fraud_status": "PENDING", "then": "REJECTED", "after": 60})
    order = {"purchase_currency": "SEK", "purchase_country": "SE", "order_amount": 1}
    _, placed = await emulator.authorizations.place("shop", purchase.authorization_token or "", order, b"{}")
    await emulator.orders.end_review("shop", placed.order_id, "ACCEPTED")
    await emulator.orders.end_planned_review(placed.order_id)
    assert (await emulator.orders.find("shop", placed.order_id)).fraud_status == "ACCEPTED"
    with pytest.raises(StateConflict):
        await emulator.orders.end_review("shop", placed.order_id, "REJECTED")
