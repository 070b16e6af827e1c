"""How Klarna spelled shipping methods in its own callbacks (C-14)."""

import re
from typing import Any

Json = dict[str, Any]
_WORD_ENDS = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")
_OLDER = {
    "PICKUPSTORE": "pick-up-store",
    "BOXREG": "box-reg",
    "BOXUNREG": "box-unreg",
    "PICKUPPOINT": "pick-up-point",
}
"""Spellings of the older schema whose words no capital divides (protocol 3.7)."""


def in_kebab_case(method: str) -> str:
    """Return a shipping method as Klarna's callbacks were seen to spell it: `BoxReg` is `box-reg`."""
    return _OLDER.get(method) or _WORD_ENDS.sub("-", method).replace("_", "-").lower()


def spelled(whole: Json) -> Json:
    """Return an order with its shipping method in that spelling."""
    option = whole.get("selected_shipping_option") or {}
    method = option.get("shipping_method")
    return (
        {**whole, "selected_shipping_option": {**option, "shipping_method": in_kebab_case(method)}} if method else whole
    )
