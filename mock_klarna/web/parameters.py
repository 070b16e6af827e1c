"""The query parameters of the control API, as the rows of the table of endpoints name them."""

from collections.abc import Iterable
from typing import Any

from mock_klarna.domain.journal import KINDS
from mock_klarna.domain.lifecycle import DELIVERY, PURCHASE
from mock_klarna.domain.urls import CALLED

Json = dict[str, Any]


def _text(description: str, **limits: Any) -> Json:
    return {"description": description, "schema": {"type": "string", **limits}}


def _number(description: str, most: int | None = None, kind: str = "integer") -> Json:
    limits = {} if most is None else {"maximum": most}
    return {"description": description, "schema": {"type": kind, "minimum": 0, **limits}}


LAST_POSITION = 1 << 62
"""The greatest position in the journal that can be asked for."""
STATUS = "^[1-5]([0-9]{2}|[xX]{2})$"
"""A status, or all that begin with the same digit."""
PARAMETERS: dict[str, Json] = {
    "merchant": _text("Username of the merchant, in place of credentials."),
    "kind": _text("Kind of entry.", enum=[*KINDS]),
    "name": _text("Name of an operation, callback or event."),
    "status": _text("Only what was answered with this status, such as 404, or 4xx for all of them.", pattern=STATUS),
    "correlation_id": _text("Only the exchange that was answered with this Klarna-Correlation-Id."),
    "purchase_id": _text("Only what belongs to this purchase."),
    "purchase_state": _text("Only purchases in this state.", enum=[*PURCHASE]),
    "callback_kind": _text("Only callbacks of this kind.", enum=[*CALLED]),
    "callback_state": _text("Only callbacks in this state.", enum=[*DELIVERY]),
    "after": _number("Only entries after this position.", LAST_POSITION),
    "limit": _number("How many at the most.", 10_000),
    "wait": _number("Seconds to wait for it to happen.", 600, "number"),
    "seconds": _number("Seconds to wait for the purchase to end.", 600, "number"),
    "Last-Event-ID": {
        "in": "header",
        **_text("Id of the last event that was seen, to go on after it; `after` has precedence."),
    },
    "country": _text("ISO 3166 alpha-2 code."),
}
"""By what rows call them; two that differ in their values share the name behind the underscore."""
_SHARED = {"purchase_state": "state", "callback_kind": "kind", "callback_state": "state"}


def in_query(parameters: Iterable[str]) -> tuple[str, ...]:
    """Return the names of those parameters of a row that are in the query, where all are that say nothing else."""
    return tuple(name_of(parameter) for parameter in parameters if "in" not in PARAMETERS[parameter])


def name_of(parameter: str) -> str:
    """Return the name that a parameter has in a URL."""
    return _SHARED.get(parameter, parameter)
