"""What each of a shopper's steps does to a session, and the fact that it leaves in the journal."""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain import button, session
from mock_klarna.domain import session as page_changes
from mock_klarna.domain.events import (
    CheckboxesAnswered,
    Event,
    IdentificationUpdated,
    SessionUpdated,
    ShippingUpdated,
    SpecificationsSelected,
)
from mock_klarna.errors import InvalidInput, Problem, StateConflict, UnknownName
from mock_klarna.shoppers import COUNTRIES, Shopper
from mock_klarna.validation import Validator

if TYPE_CHECKING:
    from mock_klarna.shoppers import Shopper

Json = dict[str, Any]
UNUSABLE = "the answer to update cannot be used"
Step = Callable[[Json], tuple[Json, Event]]
"""Takes the session as it is; returns it as it will be, and what happened. Raises where the session does not allow the step."""


def opened(key: bytes, page: Json, integrator_url: str | None, require: Callable[[Json], object]) -> Json:
    """Return the session that a key (its JSON) and a page begin, once `require` has nothing against it.

    Raises `StateConflict` where the button is not offered at all, and what `require` raises.
    """
    options = orjson.loads(key)
    begun = session.opened(options, page, integrator_url)
    if options.get("disabled"):
        raise StateConflict("the button key is disabled", where="button_key", hint="PUT it with disabled: false")
    require(begun)
    if reason := button.not_served(begun, COUNTRIES):
        raise StateConflict(reason, where="purchase_country", hint="one of " + ", ".join(COUNTRIES))
    return begun


def identify(purchase_id: str, whom: Callable[[Json], Shopper]) -> Step:
    """Tell who the shopper is, which may depend on the session.

    Raises `InvalidInput` for an address outside the countries that the merchant allows.
    """

    def step(current: Json) -> tuple[Json, Event]:
        shopper = whom(current)
        billing = dict(shopper.billing_address)
        shipping = dict(shopper.shipping_address) if shopper.shipping_address else None
        if found := button.address_problems(current, billing, shipping or billing):
            raise InvalidInput(found, where="shopper")
        event = IdentificationUpdated(
            purchase_id=purchase_id,
            customer_country=billing["country"],
            customer_postal_code=billing.get("postal_code", ""),
        )
        return session.identified(current, billing, shipping, _shown(dict(shopper.customer), current)), event

    return step


def _shown(customer: Json, begun: Json) -> Json:
    """Leave the national identification number out unless the merchant demands it (protocol 3.3)."""
    if not (begun.get("options") or {}).get("national_identification_number_mandatory"):
        customer.pop("national_identification_number", None)
    return customer


def specify(purchase_id: str, attributes: Mapping[str, str], quantity: int) -> Step:
    """Choose a variation and how many of it; raises `InvalidInput` when no item has these attributes."""

    def step(current: Json) -> tuple[Json, Event]:
        _require_item(current.get("items") or (), attributes, quantity)
        chosen = session.with_item(current, attributes, quantity)
        reference = chosen["order_lines"][0].get("reference", "")
        return chosen, SpecificationsSelected(purchase_id=purchase_id, reference=reference, quantity=quantity)

    return step


def _require_item(items: Sequence[Json], attributes: Mapping[str, str], quantity: int) -> None:
    if not items and not attributes:
        expected = "nothing: there are no items to choose from, and order_lines have their quantities"
        raise InvalidInput([Problem("select.quantity", "items", quantity, expected)], where="select")
    if session.chosen_item(items, attributes) is None:
        expected = (
            " or ".join(str(session.attributes(item)) for item in items) or "nothing: there are no items to choose from"
        )
        problem = Problem(path="select.product_attributes", rule="enum", sent=dict(attributes), expected=expected)
        raise InvalidInput([problem], where="select")


def choose_shipping(purchase_id: str, option_id: str) -> Step:
    """Choose a shipping option by its id; raises `InvalidInput` with the ids that there are."""

    def step(current: Json) -> tuple[Json, Event]:
        ids = [option["id"] for option in current.get("shipping_options") or ()]
        if option_id not in ids:
            expected = f"one of {', '.join(ids)}" if ids else "nothing: neither key nor page have shipping_options"
            problem = Problem(path="select.shipping_option", rule="enum", sent=option_id, expected=expected)
            raise InvalidInput([problem], where="select")
        chosen = session.with_shipping(current, option_id)
        return chosen, ShippingUpdated(purchase_id=purchase_id, reference=option_id)

    return step


def has_checkboxes(begun: Json) -> bool:
    """Tell whether the merchant asks the shopper to tick anything."""
    return bool((begun.get("options") or {}).get("additional_checkboxes"))


def answer_checkboxes(purchase_id: str, answers: Mapping[str, bool]) -> Step:
    """Tick additional checkboxes; raises `InvalidInput` for one that neither key nor page have."""

    def step(current: Json) -> tuple[Json, Event]:
        _require_checkboxes(current, answers)
        ticked = session.answered(current, answers)
        return ticked, CheckboxesAnswered(
            purchase_id=purchase_id, merchant_requested=ticked.get("merchant_requested", {})
        )

    return step


def _require_checkboxes(current: Json, answers: Mapping[str, bool]) -> None:
    known = [box["id"] for box in (current.get("options") or {}).get("additional_checkboxes") or ()]
    strangers = [name for name in answers if name not in known]
    if strangers:
        expected = f"one of {', '.join(known)}" if known else "nothing: there are no additional_checkboxes"
        problem = Problem(path=f"select.checkboxes.{strangers[0]}", rule="enum", sent=strangers[0], expected=expected)
        raise InvalidInput([problem], where="select")


def update(purchase_id: str, changes: Json) -> Step:
    """Take new options from the merchant's answer to an `update` callback."""
    event = SessionUpdated(purchase_id=purchase_id, changed=tuple(sorted(changes)))
    return lambda current: (session.updated(current, changes), event)


def update_from_page(purchase_id: str, changes: Json) -> Step:
    """Take new options from the page."""
    event = SessionUpdated(purchase_id=purchase_id, changed=tuple(sorted(changes)))
    return lambda current: (page_changes.taken(current, changes), event)


ORDER = "the order that key, page and choices come to"
_LINE = re.compile(r"order_lines\[(\d+)\]\.(\w+)")
_OPTION_MEMBERS = {
    "reference": "id",
    "name": "name",
    "unit_price": "price",
    "total_amount": "price",
    "tax_rate": "tax_rate",
    "total_tax_amount": "tax_amount",
}


def problems(validator: Validator, begun: Json) -> list[Problem]:
    """Return what keeps a session that lacks nothing from becoming an order; who buys is judged once that is known.

    Faults of the line that a shipping option becomes are told of the option.
    """
    whole = session.order(begun)
    _, found = validator.check("create_order", whole, nulls=False)
    told = [problem for problem in found if begun.get("identified") or problem.path != "billing_address"]
    shipping = len(whole.get("order_lines", ())) - 1 if "selected_shipping_option" in whole else None
    named = [_of_option(problem, shipping) for problem in told]
    return list({(problem.path, problem.rule): problem for problem in reversed(named)}.values())[::-1]


def _of_option(problem: Problem, shipping: int | None) -> Problem:
    place = _LINE.fullmatch(problem.path)
    if place is None or int(place[1]) != shipping:
        return problem
    return replace(problem, path=f"selected_shipping_option.{_OPTION_MEMBERS.get(place[2], place[2])}")


def require(validator: Validator, begun: Json) -> Json:
    """Return the session; raises `InvalidInput` where it lacks something, or could not become an order."""
    if found := button.problems(begun):
        raise InvalidInput(found, where="page and button key together")
    if found := problems(validator, begun):
        raise InvalidInput(found, where=ORDER)
    return begun


def shopper_for(wish: str | Mapping[str, Any] | None, session: Json, chance: str) -> "Shopper":
    """Return the shopper of a purchase: a named one, or one whose missing members are made up from `chance`.

    Without a wish it is whom the page prefills, or somebody of the purchase country. Raises `UnknownName` for a name or a
    country that there are no shoppers of.
    """
    from mock_klarna.shoppers import UnknownCountry, UnknownShopper, named_shopper, person

    try:
        if isinstance(wish, str):
            return named_shopper(wish)
        given = wish if wish is not None else _prefilled(session)
        return person(_country(given) or session["purchase_country"], chance, given)
    except (UnknownShopper, UnknownCountry) as unknown:
        raise UnknownName(str(unknown), where="shopper", hint="see `mock-klarna shoppers`") from None


def _prefilled(session: Json) -> Json:
    return {name: session[name] for name in ("billing_address", "shipping_address", "customer") if session.get(name)}


def _country(given: Mapping[str, Any]) -> str | None:
    return given.get("country") or (given.get("billing_address") or {}).get("country")
