"""The steps of a shopper: what each changes in a session and the event that it records, and how a session becomes an order."""

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain import button, cheating, session
from mock_klarna.domain.events import (
    CartChanged,
    CheckboxesAnswered,
    Event,
    IdentificationUpdated,
    SessionUpdated,
    ShippingUpdated,
    SpecificationsSelected,
)
from mock_klarna.errors import InvalidInput, Problem, StateConflict, UnknownName
from mock_klarna.shoppers import COUNTRIES, Shopper, UnknownCountry, mandatory_problems
from mock_klarna.validation import Validator

Json = dict[str, Any]
UNUSABLE = "the answer to update cannot be used"
Step = Callable[[Json], tuple[Json, Event]]
"""Takes a session and returns the changed session with the event; raises an error if the session does not allow the step."""


def opened(validator: Validator, key: bytes, page: Json, integrator_url: str | None) -> Json:
    """Return the session that starts from a key (its JSON) and a page.

    Raises `StateConflict` if the button is not offered, and `InvalidInput` if key and page do not make a valid order.
    """
    options = orjson.loads(key)
    opened = session.opened(options, page, integrator_url)
    if options.get("disabled"):
        raise StateConflict("the button key is disabled", where="button_key", hint="PUT it with disabled: false")
    order_of(validator, opened)
    if reason := button.not_served(opened, COUNTRIES):
        raise StateConflict(reason, where="purchase_country", hint="one of " + ", ".join(COUNTRIES))
    return opened


def identify(purchase_id: str, choose: Callable[[Json], Shopper]) -> Step:
    """Identify the shopper that `choose` returns for a session.

    Raises `InvalidInput` for an address outside the countries that the merchant allows, and for a shopper without members that the
    merchant requires.
    """

    def step(current: Json) -> tuple[Json, Event]:
        shopper = choose(current)
        billing = dict(shopper.billing_address)
        shipping = dict(shopper.shipping_address) if shopper.shipping_address else None
        identified = session.identified(current, billing, shipping, _customer(dict(shopper.customer), current))
        require_allowed(identified)
        event = IdentificationUpdated(
            purchase_id=purchase_id,
            customer_country=billing["country"],
            customer_postal_code=billing.get("postal_code", ""),
        )
        return identified, event

    return step


def require_allowed(identified: Json) -> None:
    """Raise `InvalidInput` unless a session allows the addresses of its shopper and has all members that the merchant requires."""
    billing, shipping = identified["billing_address"], identified["shipping_address"]
    options, customer = identified.get("options") or {}, identified.get("customer") or {}
    found = [
        *button.address_problems(identified, billing, shipping),
        *mandatory_problems(billing, customer, options),
    ]
    if found:
        raise InvalidInput(found, where="shopper")


def _customer(customer: Json, current: Json) -> Json:
    """Return the customer, with the national identification number only if the merchant requires it (klarna.md §3.3)."""
    if not (current.get("options") or {}).get("national_identification_number_mandatory"):
        customer.pop("national_identification_number", None)
    return customer


def specify(purchase_id: str, select: Json) -> Step:
    """Choose a variation and its quantity; raises `InvalidInput` if there is no such item.

    `select` is the body of `sdk_specify`, whose members `select` of `create_purchase` has too.
    """
    wanted = session.Variation(select.get("product_attributes"), select.get("group_identifier") or "")
    quantity = select.get("quantity", 1)

    def step(current: Json) -> tuple[Json, Event]:
        reference = _required_item(current.get("items") or (), wanted, quantity).get("reference", "")
        event = SpecificationsSelected(purchase_id=purchase_id, reference=reference, quantity=quantity)
        return session.with_item(current, wanted, quantity), event

    return step


def _required_item(items: Sequence[Json], wanted: session.Variation, quantity: int) -> Json:
    found = session.find_item(items, wanted)
    if found is not None:
        return found
    product, products = wanted.group_identifier, list(dict.fromkeys(item["group_identifier"] for item in items))
    sent = {"product_attributes": dict(wanted.attributes or {}), "group_identifier": product, "quantity": quantity}
    if not items:
        name = next(name for name, value in sent.items() if value)
        rule, expected = "items", "nothing: there are no items to choose from, and order_lines have their quantities"
    elif product and product not in products:
        name, rule, expected = "group_identifier", "enum", " or ".join(products)
    else:
        of_product = [item for item in items if product in ("", item["group_identifier"])]
        name, rule, expected = (
            "product_attributes",
            "enum",
            " or ".join(str(session.attributes(item)) for item in of_product),
        )
    raise InvalidInput([Problem(f"select.{name}", rule, sent[name], expected)], where="select")


def choose_shipping(purchase_id: str, option_id: str) -> Step:
    """Choose a shipping option by its id; raises `InvalidInput` for an unknown one."""

    def step(current: Json) -> tuple[Json, Event]:
        ids = [option["id"] for option in current.get("shipping_options") or ()]
        if option_id not in ids:
            expected = f"one of {', '.join(ids)}" if ids else "nothing: neither key nor page have shipping_options"
            problem = Problem(path="select.shipping_option", rule="enum", value=option_id, expected=expected)
            raise InvalidInput([problem], where="select")
        chosen = session.with_shipping(current, option_id)
        return chosen, ShippingUpdated(purchase_id=purchase_id, reference=option_id)

    return step


def has_checkboxes(current: bytes) -> bool:
    """Return whether a session (its JSON) has additional checkboxes; most have none, and are not parsed."""
    if b"additional_checkboxes" not in current:
        return False
    return bool((orjson.loads(current).get("options") or {}).get("additional_checkboxes"))


def answer_checkboxes(purchase_id: str, answers: Mapping[str, bool]) -> Step:
    """Tick additional checkboxes; raises `InvalidInput` for an unknown one."""

    def step(current: Json) -> tuple[Json, Event]:
        _require_checkboxes(current, answers)
        ticked = session.answered(current, answers)
        return ticked, CheckboxesAnswered(
            purchase_id=purchase_id, merchant_requested=ticked.get("merchant_requested", {})
        )

    return step


def _require_checkboxes(current: Json, answers: Mapping[str, bool]) -> None:
    known = [box["id"] for box in (current.get("options") or {}).get("additional_checkboxes") or ()]
    unknown = [name for name in answers if name not in known]
    if unknown:
        expected = f"one of {', '.join(known)}" if known else "nothing: there are no additional_checkboxes"
        problem = Problem(path=f"select.checkboxes.{unknown[0]}", rule="enum", value=unknown[0], expected=expected)
        raise InvalidInput([problem], where="select")


def cheat(purchase_id: str, kind: str) -> Step:
    """Change the cart as a shopper who cheats; raises `InvalidInput` for a cart that has nothing to change in this way."""

    def step(current: Json) -> tuple[Json, Event]:
        try:
            change = _abroad(current) if kind == cheating.COUNTRY else cheating.changed(current, kind)
        except cheating.CannotCheat as cannot:
            raise InvalidInput([cannot.problem], where="cheat") from None
        event = CartChanged(
            purchase_id=purchase_id,
            cheat=kind,
            path=change.path,
            before=str(change.before or "nothing"),
            after=str(change.after),
        )
        return change.session, event

    return step


def _abroad(current: Json) -> cheating.Change:
    # The data of shoppers is imported when it is first needed.
    from mock_klarna.shoppers.named import named_shopper

    code = cheating.foreign_country(current, list(COUNTRIES))
    return cheating.abroad(current, named_shopper(f"{code.lower()}-approved").billing_address)


_SPECIFICATIONS = frozenset({"product_attributes", "group_identifier", "quantity"})


def choices(purchase_id: str, select: Json, current: bytes) -> Iterator[tuple[Step, str | None]]:
    """Yield the shopper's choices between identification and payment, each with the context of its `update` callback.

    `select` is what the shopper chooses, as `create_purchase` takes it; `current` is the session (its JSON).
    """
    if not _SPECIFICATIONS.isdisjoint(select):
        yield specify(purchase_id, select), "specifications_selected"
    if "shipping_option" in select:
        yield choose_shipping(purchase_id, select["shipping_option"]), "session_updated"
    if select.get("checkboxes") or has_checkboxes(current):
        yield answer_checkboxes(purchase_id, select.get("checkboxes") or {}), None


def update(purchase_id: str, changes: Json) -> Step:
    """Apply the merchant's answer to an `update` callback."""
    return _update(purchase_id, changes, session.updated)


def update_from_page(purchase_id: str, changes: Json) -> Step:
    """Apply new options of the page."""
    return _update(purchase_id, changes, session.updated_by_page)


def _update(purchase_id: str, changes: Json, updated: Callable[[Json, Json], Json]) -> Step:
    def step(current: Json) -> tuple[Json, Event]:
        later = updated(current, changes)
        names = [name for name in sorted({*current, *later}) if current.get(name) != later.get(name)]
        before, after = ({name: state[name] for name in names if name in state} for state in (current, later))
        return later, SessionUpdated(
            purchase_id=purchase_id, changed=tuple(sorted(changes)), before=before or None, after=after or None
        )

    return step


ORDER = "the order of key, page and choices"
_LINE = re.compile(r"order_lines\[(\d+)\]\.(\w+)")
_OPTION_MEMBERS = {
    "reference": "id",
    "name": "name",
    "unit_price": "price",
    "total_amount": "price",
    "tax_rate": "tax_rate",
    "total_tax_amount": "tax_amount",
}
_VALID_ADDRESS = {
    "given_name": "A",
    "family_name": "B",
    "email": "a@example.com",
    "street_address": "C 1",
    "postal_code": "12345",
    "city": "D",
    "country": "SE",
    "phone": "+46701234567",
}


def order_of(validator: Validator, current: Json) -> Json:
    """Return the order of a session; raises `InvalidInput` if the session is incomplete or not a valid order.

    A session without a billing address is checked with a valid one: the shopper enters it later.
    """
    if found := button.problems(current):
        raise InvalidInput(found, where="page and button key together")
    order = session.order(current)
    if not _is_valid(validator, current, order) and (found := _order_problems(validator, current, order)):
        raise InvalidInput(found, where=ORDER)
    return order


def problems(validator: Validator, current: Json) -> list[Problem]:
    """Return why a complete session is not a valid order; the billing address may be missing."""
    order = session.order(current)
    return [] if _is_valid(validator, current, order) else _order_problems(validator, current, order)


def _is_valid(validator: Validator, current: Json, order: Json) -> bool:
    complete = order if current.get("identified") else {"billing_address": _VALID_ADDRESS, **order}
    return validator.accepts("create_order", complete)


def _order_problems(validator: Validator, current: Json, order: Json) -> list[Problem]:
    """Explain why an order is not valid; problems of the line of a shipping option have the path of the option."""
    _, found = validator.check("create_order", order, nulls=False)
    known = [problem for problem in found if current.get("identified") or problem.path != "billing_address"]
    shipping = len(order.get("order_lines", ())) - 1 if "selected_shipping_option" in order else None
    named = [_of_option(problem, shipping) for problem in known]
    return list({(problem.path, problem.rule): problem for problem in reversed(named)}.values())[::-1]


def _of_option(problem: Problem, shipping: int | None) -> Problem:
    place = _LINE.fullmatch(problem.path)
    if place is None or int(place[1]) != shipping:
        return problem
    return replace(problem, path=f"selected_shipping_option.{_OPTION_MEMBERS.get(place[2], place[2])}")


def shopper_for(shopper: str | Mapping[str, Any] | None, session: Json, seed: str, today: date) -> Shopper:
    """Return the shopper of a purchase: a named one, or given members with the missing ones generated from `seed`.

    None stands for the members that the page prefills. Given members are read and checked as those of the dialog's form; raises
    `InvalidInput` with their problems, and `UnknownName` for a name or a country without shoppers.
    """
    # The data of shoppers is imported when it is first needed.
    from mock_klarna.shoppers.generate import completed_shopper, with_mandatory_members
    from mock_klarna.shoppers.named import UnknownShopper, named_shopper

    options, locale = session.get("options") or {}, session.get("locale") or ""
    try:
        if isinstance(shopper, str):
            return with_mandatory_members(named_shopper(shopper), options)
        given = shopper if shopper is not None else _prefilled(session)
        found, problems = completed_shopper(session["purchase_country"], seed, given, options, today, locale)
    except (UnknownShopper, UnknownCountry) as unknown:
        raise UnknownName(str(unknown), where="shopper", hint="see `mock-klarna shoppers`") from None
    if problems:
        start = "" if shopper is None else "shopper."
        raise InvalidInput([replace(problem, path=start + problem.path) for problem in problems], where="shopper")
    return with_mandatory_members(found, options)


def example_shopper(shopper: str | Mapping[str, Any] | None, session: Json, today: date) -> Shopper:
    """Return a shopper for whom a session allows the same as for that of `shopper_for`; raises what that raises."""
    if shopper is None and not _prefilled(session):
        shopper = f"{session['purchase_country'].lower()}-approved"  # to generate one takes longer than all else
    return shopper_for(shopper, session, "", today)


def _prefilled(session: Json) -> Json:
    return {name: session[name] for name in ("billing_address", "shipping_address", "customer") if session.get(name)}
