"""A shopper's session: the page's options over the key's, then the shopper's choices, and the order that results.

A session is a JSON-ready dict; every function returns a new one and leaves its argument as it was.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_klarna.domain import money

Json = dict[str, Any]

_ORDER_MEMBERS = (
    "name",
    "purchase_country",
    "purchase_currency",
    "locale",
    "billing_address",
    "shipping_address",
    "order_amount",
    "order_tax_amount",
    "order_lines",
    "merchant_urls",
    "merchant_reference1",
    "merchant_reference2",
    "merchant_data",
    "attachment",
    "shipping_attributes",
    "customer",
    "merchant_requested",
    "integrator_url",
    "selected_shipping_option",
)
_UPDATE_MEMBERS = frozenset(
    {
        "order_lines",
        "shipping_options",
        "merchant_data",
        "merchant_urls",
        "shipping_countries",
        "purchase_country",
        "purchase_currency",
        "locale",
        "attachment",
        "merchant_reference1",
        "merchant_reference2",
    }
)
_MERGED = frozenset({"merchant_urls", "options"})
_NOT_OURS = frozenset(
    {
        "setup",
        "button_key",
        "disabled",
        "order_amount",
        "order_tax_amount",
        "styling",
        "identified",
        "merchant_requested",
    }
)


def merge(below: Mapping[str, Any], above: Mapping[str, Any]) -> Json:
    """Return `below` with the members of `above` over it; `merchant_urls` and `options` merge member by member.

    The page's options go over the key's in this way (klarna.md §3.1 and §4.1: "the merge of key and load").
    """
    merged = dict(below)
    for name, value in above.items():
        old = merged.get(name)
        merged[name] = {**old, **value} if name in _MERGED and isinstance(old, dict) else value
    return merged


def opened(key: Mapping[str, Any], page: Mapping[str, Any], integrator_url: str | None) -> Json:
    """Return a new session from the key's options, the page's, and the address of the page with the button."""
    merged = merge(_with_own_checkboxes(key), _with_own_checkboxes(page))
    offered = {name: value for name, value in merged.items() if name not in _NOT_OURS}
    if page.get("items") and not page.get("order_lines"):
        offered.pop("order_lines", None)  # the page offers variations, so lines that the key had are replaced
    if offered.get("order_lines"):
        offered.pop("items", None)  # lines count in place of items: where a session has items, its lines come from them
    if integrator_url:
        offered["integrator_url"] = integrator_url
    return with_shipping(with_lines(offered), None)


def _with_own_checkboxes(given: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return what a key or a page gives with its checkboxes among its `options`, whichever place they have (klarna.md C-13)."""
    if given.get("additional_checkboxes") is None:
        return given
    rest = {name: value for name, value in given.items() if name != "additional_checkboxes"}
    checkboxes = {"additional_checkboxes": given["additional_checkboxes"]}
    return {**rest, "options": {**(given.get("options") or {}), **checkboxes}}


def with_lines(session: Json) -> Json:
    """Return the session with order lines: its own `order_lines`, or else the first of its `items` (guide, step 2)."""
    if session.get("order_lines") or not session.get("items"):
        return session
    return with_item(session, Variation(), 1)


@dataclass(frozen=True, slots=True)
class Variation:
    """What a shopper chooses among the items.

    `attributes` are given as `identifier: value`, None for any; `group_identifier` is that of the product, "" for any.
    """

    attributes: Mapping[str, str] | None = None
    group_identifier: str = ""


def with_item(session: Json, wanted: Variation, quantity: int) -> Json:
    """Return the session that sells the chosen variation, or unchanged if no item is one.

    The variation takes the place of the line of the item that was chosen before; lines that the merchant has added stay.
    """
    item = find_item(session.get("items") or (), wanted)
    return session if item is None else _with_item_line(session, item_line(item, quantity))


def _with_item_line(session: Json, line: Json) -> Json:
    lines, position = list(session.get("order_lines") or ()), chosen_line(session) or 0
    lines[position : position + 1] = [line]
    return {**session, "order_lines": lines}


def find_item(items: Iterable[Json], wanted: Variation) -> Json | None:
    """Return the item of the product that has the wanted attributes and no others, else the first that has them and more."""
    found = [item for item in items if _is_variation(item, wanted)]
    exact = (item for item in found if attributes(item) == wanted.attributes)
    return next(exact, found[0] if found else None)


def _is_variation(item: Json, wanted: Variation) -> bool:
    is_of_product = wanted.group_identifier in ("", item.get("group_identifier"))
    return is_of_product and (wanted.attributes or {}).items() <= attributes(item).items()


def chosen_position(session: Json) -> int | None:
    """Return which of its items a session sells, counted from 0; None for a session without items."""
    position = chosen_line(session)
    return None if position is None else _position(session["items"], session["order_lines"][position])


def chosen_line(session: Json) -> int | None:
    """Return which of its order lines is that of the chosen item, counted from 0; None for a session without items.

    The merchant may have added lines, in any place, and may have changed the line of the item: it is the first line that has the
    reference of an item, else the attributes, else the name, else the first line.
    """
    items, lines = session.get("items") or (), session.get("order_lines") or ()
    if not items or not lines:
        return None
    references, names = ({item.get(name) for item in items} - {None, ""} for name in ("reference", "name"))
    signs: Sequence[Callable[[Json], bool]] = (
        lambda line: line.get("reference") in references,
        lambda line: bool(attributes(line)) and any(_is_variation(item, _variation(line)) for item in items),
        lambda line: line.get("name") in names,
    )
    found = (position for is_line in signs for position, line in enumerate(lines) if is_line(line))
    return next(found, 0)


def _variation(line: Json) -> Variation:
    return Variation(attributes(line), line.get("group_identifier") or "")


def _position(items: Sequence[Json], line: Json) -> int:
    """Return the place of the item that a line was: the most similar one, because page and merchant may have changed either.

    A line that the merchant has answered to `update` may have no attributes (klarna.md §3.4).
    """
    variation = _variation(line)

    def similarity(position: int) -> tuple[bool, bool, bool]:
        item = items[position]
        has_reference = item.get("reference") == line.get("reference")
        return _is_variation(item, variation), has_reference, attributes(item) == variation.attributes

    return max(range(len(items)), key=similarity)


def attributes(item: Json) -> dict[str, str]:
    """Return the product attributes of an item, or of the line that it became, as `identifier: value`.

    The lines of a merchant may have others, which are left out: no document describes them (klarna.md §3.4).
    """
    pairs = ((each.get("identifier"), each.get("value")) for each in item.get("product_attributes") or ())
    return {name: value for name, value in pairs if isinstance(name, str) and isinstance(value, str)}


def item_line(item: Json, quantity: int) -> Json:
    """Return the order line that a variation becomes when `quantity` of it are chosen (klarna.md §3.5)."""
    discount = item.get("total_discount_amount", 0) * quantity
    total = money.line_total(quantity, item["unit_price"], discount)
    line = {**item, "quantity": quantity, "total_amount": total}
    if quantity != 1 or total != item.get("total_amount", total):
        line["total_tax_amount"] = money.line_tax(total, item["tax_rate"])
    if discount:
        line["total_discount_amount"] = discount
    return line


def identified(session: Json, billing: Json, shipping: Json | None, customer: Json) -> Json:
    """Return the session of an identified shopper; the shipping address defaults to the billing address."""
    shopper = {"billing_address": billing, "shipping_address": shipping or billing, "customer": customer}
    return {**session, **shopper, "identified": True}


def with_shipping(session: Json, option_id: str | None) -> Json:
    """Return the session with a shipping option chosen: that one, else the preselected, else the first, else none."""
    options: Sequence[Json] = session.get("shipping_options") or ()
    wanted = next((option for option in options if option["id"] == option_id), None)
    preselected = next((option for option in options if option.get("preselected")), None)
    chosen = wanted or preselected or (options[0] if options else None)
    rest = {name: value for name, value in session.items() if name != "selected_shipping_option"}
    return {**rest, "selected_shipping_option": chosen} if chosen else rest


def answered(session: Json, answers: Mapping[str, bool]) -> Json:
    """Return the session with its additional checkboxes answered, and no others; one that is not named stays unticked."""
    boxes = (session.get("options") or {}).get("additional_checkboxes") or ()
    requested = {box["id"]: bool(answers.get(box["id"], False)) for box in boxes}
    rest = {name: value for name, value in session.items() if name != "merchant_requested"}
    return {**rest, "merchant_requested": requested} if requested else rest


def usable(changes: Mapping[str, Any]) -> Json:
    """Return the members of an answer to `update` that change a session; others are ignored (klarna.md §4.2)."""
    return {name: value for name, value in changes.items() if name in _UPDATE_MEMBERS}


def updated(session: Json, changes: Mapping[str, Any]) -> Json:
    """Return the session after `update`, by the page or by the merchant's answer to the callback (klarna.md §4.2, §6.4)."""
    used = usable(changes)
    if "order_lines" in used:
        used["order_lines"] = _own_lines(used["order_lines"], session)
        if not used["order_lines"] and session.get("items"):
            del used["order_lines"]  # no lines besides the chosen item
    merged = with_lines(merge(session, used))
    selected = session.get("selected_shipping_option") or {}
    return with_shipping(merged, selected.get("id")) if "shipping_options" in used else merged


def _own_lines(lines: Iterable[Json], session: Json) -> list[Json]:
    """Drop the shipping line that a merchant echoes: Klarna adds its own (klarna.md §4.2)."""
    selected = (session.get("selected_shipping_option") or {}).get("id")
    return [line for line in lines if line.get("type") != "shipping_fee" or line.get("reference") != selected]


def order(session: Json) -> Json:
    """Return the order of a session, as `place_order` and `GET` deliver it (klarna.md §4.1).

    The chosen shipping option is the last line; members without a value are left out.
    """
    option = session.get("selected_shipping_option")
    lines = [*(session.get("order_lines") or ()), *([money.shipping_line(option)] if option else ())]
    amounts = {"order_amount": money.order_amount(lines), "order_tax_amount": money.order_tax_amount(lines)}
    members = {**session, **amounts, "order_lines": lines, "merchant_urls": session.get("merchant_urls") or {}}
    if option:
        members["selected_shipping_option"] = {name: value for name, value in option.items() if value != ""}
    return {
        name: value for name in _ORDER_MEMBERS if (value := members.get(name)) or value == 0 or name == "merchant_urls"
    }


def update_body(session: Json, context: str, button_key: str) -> Json:
    """Return the body of an `update` callback: the order's members at top level and the context (klarna.md §4.2).

    Lines are the merchant's own: the shipping line is Klarna's, and an answer that echoes the lines must not double it.
    """
    body = order({**session, "billing_address": session.get("billing_address") or {}})
    body["order_lines"] = list(session.get("order_lines") or ())
    return {"update_context": context, "button_key": button_key, **body}


_PAGE_MEMBERS = ("items", "options", "billing_countries", "shipping_attributes")
_SHOPPER_MEMBERS = ("billing_address", "shipping_address", "customer")


def updated_by_page(session: Json, changes: Mapping[str, Any]) -> Json:
    """Return the session with a page's changes; they do not overwrite what an identified shopper has entered."""
    given = _with_own_checkboxes(changes)
    more = {name: given[name] for name in _PAGE_MEMBERS if name in given}
    if not session.get("identified"):
        more |= {name: changes[name] for name in _SHOPPER_MEMBERS if name in changes}
    if changes.get("order_lines") == [] and changes.get("items") and not session.get("items"):
        session = with_lines({**session, "order_lines": [], "items": changes["items"]})  # the page sells items now
    changed = merge(updated(session, changes), more)
    if "merchant_requested" in changed:
        changed = answered(changed, changed["merchant_requested"])
    if changes.get("order_lines") or "items" not in session:
        changed.pop("items", None)  # lines of the page count in place of items
    elif changes.get("items"):
        items, line = changes["items"], session["order_lines"][chosen_line(session) or 0]
        sold = item_line(items[_position(items, line)], line["quantity"])
        changed["order_lines"] = _with_item_line(session, sold)["order_lines"]
    return changed


_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_RUN_TOGETHER = {
    "PICKUPSTORE": "pick-up-store",
    "BOXREG": "box-reg",
    "BOXUNREG": "box-unreg",
    "PICKUPPOINT": "pick-up-point",
}
"""Shipping methods of the older schema, whose words are not divided by capitals (klarna.md §3.7)."""


def in_kebab_case(method: str) -> str:
    """Return a shipping method in the spelling of Klarna's callbacks: `BoxReg` is `box-reg`."""
    return _RUN_TOGETHER.get(method) or _WORD_ENDS.sub("-", method).replace("_", "-").lower()


def with_kebab_case(order: Json) -> Json:
    """Return an order with its shipping method in that spelling."""
    option = order.get("selected_shipping_option") or {}
    method = option.get("shipping_method")
    if not method:
        return order
    return {**order, "selected_shipping_option": {**option, "shipping_method": in_kebab_case(method)}}
