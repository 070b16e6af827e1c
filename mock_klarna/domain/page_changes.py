"""What a page may change while its dialog is open (protocol 6.4): more than a merchant's answer to `update` may."""

from collections.abc import Mapping
from typing import Any

from mock_klarna.domain import session

Json = dict[str, Any]

_ALSO = ("items", "options", "billing_countries", "shipping_attributes")
_WHO = ("billing_address", "shipping_address", "customer")


def taken(begun: Json, changes: Mapping[str, Any]) -> Json:
    """Return the session with a page's changes; what the shopper has told already is not overwritten by what it prefills."""
    more = {name: changes[name] for name in _ALSO if name in changes}
    if not begun.get("identified"):
        more |= {name: changes[name] for name in _WHO if name in changes}
    if "additional_checkboxes" in changes:
        checkboxes = {"additional_checkboxes": changes["additional_checkboxes"]}
        more["options"] = {**(more.get("options") or {}), **checkboxes}
    changed = session.merge(session.updated(begun, changes), more)
    return _chosen_again(changed) if "items" in changes and not changes.get("order_lines") else changed


def _chosen_again(changed: Json) -> Json:
    """Return the session with the variation that the shopper chose taken from the new items, or the first of them."""
    line = (changed.get("order_lines") or [{}])[0]
    if not line.get("product_attributes"):
        return session.with_lines(changed)  # lines of the page's own, which win
    wanted = session.attributes(line)
    known = session.chosen_item(changed["items"], wanted) is not None
    return session.with_item(changed, wanted if known else {}, line["quantity"])
