"""What a page gives of the shopper, in the form and in the order that reaches the merchant."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.dialog.dialog import ALICE, Dialog

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]


async def test_members_without_a_field_and_a_delivery_address_abroad_reach_the_merchant(
    open_dialog: Open, order: Callable[[], Json]
) -> None:
    of_page = {**ALICE, "country": "SE", "phone": "070 174 06 15", "organization_name": "Example AB", "title": ""}
    dialog = await open_dialog(
        billing_address=of_page,
        customer={"gender": "female", "type": "person"},
        shipping_countries=["SE", "NO"],
        options={"allow_separate_shipping_address": True},
    )
    await dialog.find("#separate-shipping").check()
    there = {"given_name": "Bo", "family_name": "Ek", "street_address": "Gate 1", "postal_code": "0194", "city": "Oslo"}
    await dialog.fill({f"shipping_{name}": value for name, value in there.items()})
    await dialog.find("#shipping_country").select_option("NO")
    await dialog.continue_to_review()
    await expect(dialog.find(".addresses")).to_contain_text("+46701740615")
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    contact = {"email": ALICE["email"], "phone": "+46701740615"}
    assert order()["billing_address"] == {**ALICE, **contact, "country": "SE", "organization_name": "Example AB"}
    assert order()["shipping_address"] == {**there, **contact, "country": "NO"}
    assert order()["customer"] == {"gender": "female", "type": "person"}
