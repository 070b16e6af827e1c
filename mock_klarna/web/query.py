"""Query parameters: one description of each, used to validate requests and to write the OpenAPI document."""

import re
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any

from multidict import MultiMapping

from mock_klarna.domain.callbacks import CALLBACKS, DELIVERY_STATES
from mock_klarna.domain.events import event_classes
from mock_klarna.domain.journal import KINDS, LAST_POSITION
from mock_klarna.domain.purchase import PURCHASE_TRANSITIONS
from mock_klarna.errors import InvalidInput, Problem, did_you_mean

Json = dict[str, Any]
Query = MultiMapping[str]
_NUMBER = re.compile(r"(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?", re.ASCII)
_STATUS = "^[1-5]([0-9]{2}|[xX]{2})$"
_MAX_NAME, _MAX_DIGITS = 80, 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parameter:
    """A parameter of an operation.

    schema: JSON Schema of the value, for the OpenAPI document.
    expected: what a valid value is, in words.
    read: returns the value of a text; None for an invalid one.
    default: the value if the parameter is not given.
    location: "query", or "header" for one that is only documented here.
    """

    name: str
    description: str
    schema: Json
    read: Callable[[str], Any] = str
    expected: str = "text"
    default: Any = None
    location: str = "query"


def _text(name: str, description: str, **more: Any) -> Parameter:
    return Parameter(name=name, description=description, schema={"type": "string"}, **more)


def _choice(name: str, description: str, words: Collection[str], default: str | None = None) -> Parameter:
    return Parameter(
        name=name,
        description=description,
        schema={"type": "string", "enum": [*words]},
        read=lambda text: text if text in words else None,
        expected="one of " + ", ".join(words),
        default=default,
    )


def _integer(name: str, description: str, maximum: int, default: int | None) -> Parameter:
    def read(text: str) -> int | None:
        is_number = text.isascii() and text.isdigit() and len(text) < _MAX_DIGITS
        return int(text) if is_number and int(text) <= maximum else None

    return Parameter(
        name=name,
        description=description,
        schema={"type": "integer", "minimum": 0, "maximum": maximum},
        read=read,
        expected=f"a whole number from 0 to {maximum}",
        default=default,
    )


def _seconds(name: str, description: str, maximum: int) -> Parameter:
    def read(text: str) -> float | None:
        return float(text) if _NUMBER.fullmatch(text) and float(text) <= maximum else None

    return Parameter(
        name=name,
        description=description,
        schema={"type": "number", "minimum": 0, "maximum": maximum},
        read=read,
        expected=f"a number of seconds from 0 to {maximum}",
        default=0.0,
    )


MERCHANT = _text("merchant", "Username of the merchant, in place of credentials.")
KIND = _choice("kind", "Kind of entry.", KINDS)
STATUS = Parameter(
    name="status",
    description="Only what was answered with this status, such as 404, or 4xx for all of them.",
    schema={"type": "string", "pattern": _STATUS},
    read=lambda text: text.lower() if re.fullmatch(_STATUS, text) else None,
    expected="a status such as 404, or 4xx for all that begin with a 4",
)
CORRELATION_ID = _text("correlation_id", "Only the exchange that was answered with this Klarna-Correlation-Id.")
PURCHASE_ID = _text("purchase_id", "Only what belongs to this purchase.")
PURCHASE_STATE = _choice("state", "Only purchases in this state.", PURCHASE_TRANSITIONS)
CALLBACK_KIND = _choice("kind", "Only callbacks of this kind.", CALLBACKS)
CALLBACK_STATE = _choice("state", "Only callbacks in this state.", DELIVERY_STATES)
AFTER = _integer("after", "Only entries after this position.", LAST_POSITION, default=0)
AFTER_OR_LAST_SEEN = _integer("after", "Only entries after this position.", LAST_POSITION, default=None)
BEFORE = _integer("before", "Only entries before this position, the newest of them first.", LAST_POSITION, default=None)
ORDER = _choice(
    "order", "Whether the oldest entries come first, or the newest ones.", ("oldest", "newest"), default="oldest"
)
BEFORE_PURCHASE = _text("before", "Only purchases that are older than the one with this id.")
LIMIT = _integer("limit", "How many at the most.", 10_000, default=100)
WAIT = _seconds("wait", "Seconds to wait for it to happen; a reset of the merchant ends the wait.", 600)
SECONDS = _seconds("seconds", "Seconds to wait for the purchase to end.", 600)
INTERVAL = _seconds("interval", "Seconds between two portions of the stream at the least.", 60)
DETAIL = _choice(
    "detail",
    "Whether entries have their headers and bodies: `summary` is without.",
    ("full", "summary"),
    default="full",
)
COUNTRY = _text("country", "ISO 3166 alpha-2 code.")
LAST_EVENT_ID = _text(
    "Last-Event-ID", "Id of the last event that was seen, to go on after it; `after` has precedence.", location="header"
)


def entry_name(operations: Collection[str]) -> Parameter:
    """Return the parameter `name` of the journal: the name of an operation, of a callback or of an event."""
    names = dict.fromkeys((*operations, *CALLBACKS, *event_classes()))
    return replace(
        _choice("name", "Name of an operation, callback or event.", names),
        expected="the name of an operation, callback or event",
    )


def in_query(parameters: Sequence[Parameter]) -> tuple[Parameter, ...]:
    """Return those parameters that are in the query of a URL."""
    return tuple(parameter for parameter in parameters if parameter.location == "query")


def read_query(sent: Query, parameters: Sequence[Parameter]) -> Json:
    """Return the value of each parameter.

    Raises `InvalidInput` for a parameter that is unknown, given twice or invalid.
    """
    known = ", ".join(parameter.name for parameter in parameters)
    names = [parameter.name for parameter in parameters]
    for name in sent:
        if name not in names:
            hint = f"{did_you_mean(name, names)} known: {known}".lstrip()
            raise _invalid(name[:_MAX_NAME], sent[name], hint, "unknown_parameter")
        if len(sent.getall(name)) > 1:
            raise _invalid(name, sent.getall(name), f"one value; known: {known}")
    return {parameter.name: _value(sent, parameter) for parameter in parameters}


def _value(sent: Query, parameter: Parameter) -> Any:
    text = sent.get(parameter.name)
    if text is None:
        return parameter.default
    value = parameter.read(text)
    if value is None:
        near = did_you_mean(text, parameter.schema.get("enum", ()))
        raise _invalid(parameter.name, text, parameter.expected + (near and f"; {near}"))
    return value


def _invalid(name: str, value: object, expected: str, rule: str = "parameter") -> InvalidInput:
    return InvalidInput([Problem(path=name, rule=rule, value=value, expected=expected)], where="query")
