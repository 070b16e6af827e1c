import json

import pytest

from mock_klarna import resources
from mock_klarna.shoppers import (
    COUNTRIES,
    RiskDecision,
    UnknownCountry,
    UnknownShopper,
    decide_risk,
    named_shopper,
    shopper_descriptions,
    shopper_names,
)

EXPECTED = {
    "approved": RiskDecision("ACCEPTED"),
    "new": RiskDecision("ACCEPTED", reason="new_user"),
    "guide": RiskDecision("ACCEPTED"),
    "denied": RiskDecision("DECLINED", reason="denied"),
    "pending-accepted": RiskDecision("PENDING", "ACCEPTED", 300, "pend-accept-05"),
    "pending-rejected": RiskDecision("PENDING", "REJECTED", 300, "pend-reject-05"),
}

JOHN = {"given_name": "John", "family_name": "Doe", "email": "john.doe@example.com"}
GUIDE = {
    "se-guide": JOHN
    | {
        "street_address": "Sveavägen 46",
        "postal_code": "11134",
        "city": "Stockholm",
        "phone": "+460700020020",
        "country": "SE",
    },
    "us-guide": JOHN
    | {
        "street_address": "8478 Hillside Street",
        "postal_code": "60102",
        "city": "Algonquin",
        "region": "IL",
        "phone": "630-342-7187",
        "country": "US",
    },
}


def test_a_name_says_what_klarna_decides() -> None:
    for name in shopper_names():
        code, kind = name.split("-", 1)
        address = named_shopper(name).billing_address
        assert address["country"] == code.upper()
        assert decide_risk(address["email"], address["country"]) == EXPECTED[kind], name


def test_each_country_has_somebody_to_approve_deny_and_sign_up() -> None:
    for code in COUNTRIES:
        assert {f"{code.lower()}-{kind}" for kind in ("approved", "denied", "new")} <= set(shopper_names(code))


def test_the_denied_shopper_has_a_phone_of_its_own() -> None:
    for code in COUNTRIES:
        approved, denied = (named_shopper(f"{code.lower()}-{kind}") for kind in ("approved", "denied"))
        assert approved.billing_address["phone"] != denied.billing_address["phone"], code


@pytest.mark.parametrize("name", GUIDE)
def test_the_guides_john_doe_has_the_printed_members(name: str) -> None:
    shopper = named_shopper(name)
    assert list(shopper.billing_address.items()) == list(GUIDE[name].items())
    assert shopper.customer == {"date_of_birth": "1985-10-20", "gender": "male"}
    assert shopper.shipping_address is None


def test_pending_shoppers_live_where_klarna_documents_them() -> None:
    assert [name for name in shopper_names() if "pending" in name] == [
        "gb-pending-accepted",
        "gb-pending-rejected",
        "us-pending-accepted",
        "us-pending-rejected",
    ]


@pytest.mark.parametrize("name", ["se-approved", "SE-Approved"])
def test_a_shopper_is_found_in_any_letter_case(name: str) -> None:
    assert named_shopper(name).name == "se-approved"
    assert named_shopper(name).billing_address["given_name"] == "Alice"


def test_uk_names_find_the_british() -> None:
    assert named_shopper("uk-denied") == named_shopper("gb-denied")
    assert shopper_names("uk") == shopper_names("GB")


@pytest.mark.parametrize(
    ("name", "hint"),
    [
        ("se-aproved", "similar: .*se-approved"),
        ("us-pending", "similar: .*us-pending-accepted"),
        ("zzzzzzzzz", "countries with shoppers: AT, AU"),
        ("", "countries with shoppers: AT, AU"),
    ],
)
def test_an_unknown_name_is_answered_with_similar_ones(name: str, hint: str) -> None:
    with pytest.raises(UnknownShopper, match=f"'{name}'; {hint}"):
        named_shopper(name)


def test_an_unknown_country_has_no_names() -> None:
    with pytest.raises(UnknownCountry, match="'xx'"):
        shopper_names("xx")


def test_every_name_is_described() -> None:
    assert list(shopper_descriptions()) == shopper_names()
    assert all(text.endswith(".") for text in shopper_descriptions().values())
    assert list(shopper_descriptions("se")) == ["se-approved", "se-denied", "se-guide", "se-new"]


def test_a_shopper_can_be_changed_without_changing_the_next() -> None:
    address = named_shopper("se-approved").billing_address
    assert isinstance(address, dict)
    address["city"] = "Göteborg"
    assert named_shopper("se-approved").billing_address["city"] == "Stockholm"


def test_a_file_holds_the_shoppers_of_its_country() -> None:
    for code in COUNTRIES:
        entries = json.loads((resources.fixtures() / "shoppers" / f"{code.lower()}.json").read_bytes())
        assert sorted(entries) == shopper_names(code)
        assert all({"description", "billing_address", "customer"} == set(entry) for entry in entries.values()), code
