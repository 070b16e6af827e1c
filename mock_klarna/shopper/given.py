"""What a test says about its shopper, sorted into Klarna's objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

ADDRESS_MEMBERS = frozenset(
    [
        "given_name",
        "family_name",
        "email",
        "title",
        "street_address",
        "street_address2",
        "postal_code",
        "city",
        "region",
        "phone",
        "country",
        "care_of",
        "attention",
        "organization_name",
    ]
)
"""The members of an address (protocol 3.10)."""

CUSTOMER_MEMBERS = frozenset(
    [
        "date_of_birth",
        "title",
        "gender",
        "last_four_ssn",
        "national_identification_number",
        "type",
        "vat_id",
        "organization_registration_id",
        "organization_entity_type",
    ]
)
"""The members of a customer (protocol 3.10)."""


@dataclass(frozen=True, slots=True)
class Given:
    """The members that a test fixed, by the object that they end in; `shipping` is empty where it gave none."""

    billing: Mapping[str, str]
    shipping: Mapping[str, str]
    customer: Mapping[str, str]


def sort(members: Mapping[str, object]) -> Given:
    """Sort what a test said: an object wins over a single member, null is not set, other members are left out."""
    billing = _picked(members, ADDRESS_MEMBERS) | _object(members, "billing_address")
    customer = _picked(members, CUSTOMER_MEMBERS) | _object(members, "customer")
    return Given(billing, _object(members, "shipping_address"), customer)


def _picked(members: Mapping[str, object], known: frozenset[str]) -> dict[str, str]:
    return {name: str(value) for name, value in members.items() if name in known and value is not None}


def _object(members: Mapping[str, object], name: str) -> dict[str, str]:
    value = members.get(name)
    return {key: str(item) for key, item in value.items() if item is not None} if isinstance(value, Mapping) else {}
