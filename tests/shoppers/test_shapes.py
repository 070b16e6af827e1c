"""Whatever a shopper is called and wherever it comes from, its members have the shape that its country uses."""

from __future__ import annotations

import json
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource

from mock_klarna import resources as bundle
from mock_klarna.domain.countries import CUSTOMER_MEMBERS
from mock_klarna.shoppers import COUNTRIES, Shopper, country, named_shopper, person, shopper_names
from tests.extent import extent

if TYPE_CHECKING:
    from collections.abc import Mapping

# the sibling APIs' limits, the tighter one where they differ (klarna.md §3.10)
LIMITS = {
    **dict.fromkeys(["given_name", "family_name", "email", "street_address", "street_address2", "city", "phone"], 99),
    **{"region": 99, "title": 20, "postal_code": 10, "country": 2},
}
# the guide has this one without the international prefix
FREE_PHONES = {"us-guide"}

SCHEMAS = bundle.schemas() / "components"


@cache
def component(name: str) -> Draft202012Validator:
    documents = [json.loads(path.read_bytes()) for path in SCHEMAS.glob("*.json")]
    resources = {document["$id"]: Resource.from_contents(document) for document in documents}
    own = json.loads((SCHEMAS / f"{name}.json").read_bytes())
    registry: Registry[Any] = Registry().with_resources(resources.items())
    return Draft202012Validator({"$ref": own["$id"]}, registry=registry)


def check_address(address: Mapping[str, str], *, free_phone: bool = False) -> None:
    row = country(address["country"])
    assert address["country"] == row.code
    assert row.accepts_postal_code(address["postal_code"])
    assert free_phone or row.accepts_phone(address["phone"])
    assert not row.region_needed or address["region"]
    too_long = {name: value for name, value in address.items() if not 0 < len(value) <= LIMITS[name]}
    assert not too_long
    assert "\n" not in "".join(address.values())


def check_customer(customer: Mapping[str, str], code: str, title: str | None) -> None:
    assert customer.keys() <= set(CUSTOMER_MEMBERS)
    assert date(1900, 1, 1) < date.fromisoformat(customer["date_of_birth"]) < date(2008, 1, 1)
    assert customer.get("title") == title
    assert title is None or country(code).gender_of(title) == customer["gender"]


def check(shopper: Shopper, *, free_phone: bool = False) -> None:
    address = shopper.billing_address
    check_address(address, free_phone=free_phone)
    check_customer(shopper.customer, address["country"], address.get("title"))


def test_a_named_shopper_has_the_shape_of_its_country() -> None:
    for name in shopper_names():
        check(named_shopper(name), free_phone=name in FREE_PHONES)


def test_made_up_people_have_the_shape_of_their_country() -> None:
    for code in COUNTRIES:
        for seed in range(extent(usual=20, thorough=50)):
            check(person(code, str(seed)))


def test_a_made_up_shipping_address_has_the_shape_of_its_country() -> None:
    for code in COUNTRIES:
        shopper = person("SE", "anything", {"shipping_address": {"country": code}})
        assert shopper.shipping_address is not None
        assert shopper.shipping_address["country"] == code
        check_address(shopper.shipping_address, free_phone=True)


def test_shoppers_satisfy_the_schemas() -> None:
    for code in COUNTRIES:
        for shopper in [*map(named_shopper, shopper_names(code)), *(person(code, str(seed)) for seed in range(5))]:
            component("address").validate(dict(shopper.billing_address))
            component("customer").validate(dict(shopper.customer))
