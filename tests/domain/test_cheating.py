"""A shopper who cheats changes one thing in the cart, and the sums stay right."""

from typing import Any

import pytest

from mock_klarna import resources
from mock_klarna.domain import session
from mock_klarna.domain.button import address_problems
from mock_klarna.domain.cheating import CHEATS, COUNTRY, UNKNOWN, CannotCheat, abroad, changed, foreign_country
from mock_klarna.shoppers import COUNTRIES
from mock_klarna.shoppers.named import named_shopper
from mock_klarna.validation import Validator

Json = dict[str, Any]
VALIDATOR = Validator()
URLS = {"terms": "https://shop.example/terms", "place_order": "https://shop.example/place-order"}


def opened(cart: str, **members: Any) -> Json:
    """Return the session of an identified shopper with a stored cart."""
    page, _ = VALIDATOR.check("page", {**resources.cart(cart), **members})
    country = page["purchase_country"]
    address = dict(named_shopper(f"{country.lower()}-approved").billing_address)
    return session.identified(session.opened({"merchant_urls": URLS}, page, None), address, None, {})


def test_a_changed_cart_is_a_valid_order_with_one_other_value() -> None:
    for cheat in set(CHEATS) - {COUNTRY}:
        for cart in resources.cart_names():
            before = opened(cart)
            option = before.get("selected_shipping_option")
            if (cheat == "shipping_option" and not option) or (
                cheat == "shipping_price" and not (option or {}).get("price")
            ):
                with pytest.raises(CannotCheat, match="a cart with a shipping option"):
                    changed(before, cheat)
                continue
            change = changed(before, cheat)
            assert change.before != change.after, (cart, cheat)
            assert change.session is not before, (cart, cheat)
            _, problems = VALIDATOR.check("create_order", session.order(change.session))
            assert problems == [], (cart, cheat)


@pytest.mark.parametrize("cheat", ["price", "discount", "shipping_price"])
def test_a_cheaper_cart_costs_less(cheat: str) -> None:
    before = opened("se-battery-pack")
    after = changed(before, cheat).session
    assert session.order(after)["order_amount"] < session.order(before)["order_amount"]


def test_what_no_shop_offers_keeps_its_price() -> None:
    before = opened("se-battery-pack")
    article, option = changed(before, "article").session, changed(before, "shipping_option").session
    assert article["order_lines"][0]["reference"] == option["selected_shipping_option"]["id"] == UNKNOWN
    amounts = {session.order(one)["order_amount"] for one in (before, article, option)}
    assert len(amounts) == 1


def test_a_free_cart_has_no_price_to_change() -> None:
    line = {**resources.cart("se-battery-pack")["order_lines"][0], "unit_price": 0, "total_amount": 0}
    with pytest.raises(CannotCheat, match="costs more than 1 minor unit"):
        changed(opened("se-battery-pack", order_lines=[{**line, "total_tax_amount": 0}]), "price")


@pytest.mark.parametrize(
    ("countries", "found"), [(None, "AT"), (["AT"], "AU"), (list(COUNTRIES)[:-1], list(COUNTRIES)[-1])], ids=str
)
def test_the_country_is_one_that_the_shop_does_not_deliver_to(countries: list[str] | None, found: str) -> None:
    before = opened("se-battery-pack", **({"shipping_countries": countries} if countries else {}))
    assert foreign_country(before, list(COUNTRIES)) == found
    change = abroad(before, named_shopper(f"{found.lower()}-approved").billing_address)
    assert (change.path, change.before, change.after) == ("shipping_address.country", "SE", found)
    assert change.session["billing_address"]["country"] == "SE"
    addresses = change.session["billing_address"], change.session["shipping_address"]
    assert address_problems(change.session, *addresses) == []  # the merchant has to notice it
    assert session.order(change.session).keys() == session.order(before).keys()


def test_a_shop_that_delivers_everywhere_has_no_other_country() -> None:
    with pytest.raises(CannotCheat, match="shipping_countries"):
        foreign_country(opened("se-battery-pack", shipping_countries=list(COUNTRIES)), list(COUNTRIES))
