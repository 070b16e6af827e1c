"""What can no longer come true, so that nobody waits for it."""

from collections.abc import Mapping
from typing import Any

from mock_klarna.domain.lifecycle import FRAUD, PURCHASE
from mock_klarna.scenario.play import Json, Play
from mock_klarna.scenario.strangers import refused

_BY_SHOP = frozenset({"placed", "denied"})
_TABLES: Mapping[str, Mapping[str, frozenset[str]]] = {"state": PURCHASE, "fraud_status": FRAUD}


def hopeless(play: Play, wanted: Json, found: Json) -> bool:
    """Tell whether a purchase or an order can no longer become what is wanted: it has ended otherwise, or its shop was refused."""
    if any(_unreachable(table, found.get(name), wanted.get(name)) for name, table in _TABLES.items()):
        return True
    return wanted.get("state") in _BY_SHOP and _waits_in_vain(play, found)


def orderless(play: Play, found: Json) -> bool:
    """Tell whether a purchase without an order will never have one."""
    return _unreachable(PURCHASE, found["state"], "placed") or _waits_in_vain(play, found)


def _waits_in_vain(play: Play, found: Json) -> bool:
    return found["state"] == "authorized" and any(refused(play, [found["purchase_id"]]))


def _unreachable(table: Mapping[str, frozenset[str]], state: Any, wanted: Any) -> bool:
    """Tell whether no way leads from a state to the wanted one; what is no state's name may be anything."""
    if not isinstance(wanted, str) or state not in table or wanted == state:
        return False
    return wanted not in _ahead(table, state)


def _ahead(table: Mapping[str, frozenset[str]], state: str) -> set[str]:
    """Return every state that can still follow."""
    following, todo = set[str](), [state]
    while todo:
        new = table[todo.pop()] - following
        following |= new
        todo += new
    return following
