"""Whole purchases, and who may find them."""

import pytest

from mock_klarna.emulator import Emulator
from mock_klarna.errors import NotFound, UnknownName
from tests.emulator.conftest import bought


async def test_a_purchase_id_is_not_an_authorization_token(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    with pytest.raises(NotFound):
        await emulator.authorizations.read("shop", purchase.purchase_id)
    assert await emulator.authorizations.read("shop", purchase.authorization_token or "") == purchase


async def test_the_control_api_does_not_find_what_belongs_to_another_merchant(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    with pytest.raises(UnknownName):
        await emulator.checkout.find("other", purchase.purchase_id)
    with pytest.raises(
        UnknownName, match="belongs to merchant 'shop', and this request is for 'other'; use the username"
    ):
        await emulator.buttons.offered("other", purchase.button_key)
    with pytest.raises(UnknownName, match="merchant 'other' has no button key yet"):
        await emulator.buttons.offered("other", None)
    with pytest.raises(UnknownName, match="order 'x' is not known; GET /_mock/orders lists them"):
        await emulator.orders.find("other", "x")
    assert await emulator.checkout.find(None, purchase.purchase_id) == purchase
