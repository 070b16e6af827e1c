from typing import Any

import pytest

from mock_klarna.domain import session
from tests.domain.samples import POST


@pytest.mark.parametrize(
    ("sent", "spelled"),
    [
        ("PickUpStore", "pick-up-store"),
        ("BoxReg", "box-reg"),
        ("BoxUnreg", "box-unreg"),
        ("PickUpPoint", "pick-up-point"),
        ("Home", "home"),
        ("DHLPackstation", "dhl-packstation"),
        ("PICKUPSTORE", "pick-up-store"),
        ("PICKUPPOINT", "pick-up-point"),
        ("BOXUNREG", "box-unreg"),
        ("DHL_PACKSTATION", "dhl-packstation"),
        ("PRIME_DELIVERY", "prime-delivery"),
        ("box-reg", "box-reg"),
    ],
)
def test_the_shipping_method_is_spelled_in_kebab_case(sent: str, spelled: str) -> None:
    whole = session.spelled({"selected_shipping_option": {**POST, "shipping_method": sent}})
    assert whole["selected_shipping_option"]["shipping_method"] == spelled


@pytest.mark.parametrize("whole", [{}, {"selected_shipping_option": POST}])
def test_an_order_without_a_shipping_method_stays_as_it_is(whole: Any) -> None:
    assert session.spelled(whole) == whole
