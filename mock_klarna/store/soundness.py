"""Whether a record that was read is one that the emulator could have made: it would be found out much later, by somebody else."""

from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any

import orjson

from mock_klarna.domain import lifecycle
from mock_klarna.domain.clock import LAST_SECOND, LATEST
from mock_klarna.domain.deliveries import Attempt, Delivery
from mock_klarna.domain.errors import MockKlarnaError
from mock_klarna.domain.fulfilment import Capture, Fulfilment, Refund
from mock_klarna.domain.idempotency import RememberedAnswer
from mock_klarna.domain.problems import bounded
from mock_klarna.domain.records import JOBS, ButtonKey, Fault, Job, Merchant, Order, Outcome, Purchase, Record
from mock_klarna.domain.tokens import STATUSES, CustomerToken
from mock_klarna.domain.urls import CALLED

Rule = Callable[[Any], str]
"""Takes a member that is set; returns what would be right, or nothing where it is."""
_MOST_MONEY = 10**15
_MOST_COUNTED = 2**53


def require_sound(made: Record | Job) -> None:
    """Raise `MockKlarnaError` with the place of the first member that no record or job could have."""
    for place, sent, right in _wrong(made):
        raise MockKlarnaError(f"{bounded(sent)!r} is not possible", where=place, right=f"expected {right}")


def _wrong(part: Any) -> Iterator[tuple[str, object, str]]:
    """Yield the members of a record, a job or a part of one that are not possible: place, value, what would be right."""
    for name, rule in _RULES[type(part)].items():
        held = getattr(part, name)
        right = "" if held is None else rule(held)
        if right:
            yield name, held.decode("utf-8", "backslashreplace") if isinstance(held, bytes) else held, right
    for name in _PARTS.get(type(part), ()):
        for step, inner in _inner(getattr(part, name)):
            yield from ((f"{name}{step}.{place}", held, right) for place, held, right in _wrong(inner))
    for name, why in _NEEDED.get(type(part), {}).items():
        if not getattr(part, name) and part.state in why:
            yield name, getattr(part, name) or None, f"something: without it nothing is {part.state}"


def _inner(held: object) -> list[tuple[str, object]]:
    return [(f"[{number}]", one) for number, one in enumerate(held)] if isinstance(held, tuple) else [("", held)]


def _number(least: float, most: float, words: str) -> Rule:
    return lambda held: "" if least <= held <= most else words


def _whole(least: int, most: int) -> Rule:
    return _number(least, most, f"a whole number from {least} to {most}")


def _one_of(known: Collection[str]) -> Rule:
    return lambda held: "" if held in known else "one of " + ", ".join(known)


def _json(*needed: str, empty: bool = False) -> Rule:
    """Return the rule for bytes that are a JSON object with some members, or nothing at all where that is possible."""
    words = "a JSON object" + (f" with {' and '.join(needed)}" if needed else "")

    def rule(held: bytes) -> str:
        if not held and empty:
            return ""
        try:
            body = orjson.loads(held)
        except orjson.JSONDecodeError:
            return f"{words} as text"
        if not isinstance(body, dict) or any(name not in body for name in needed):
            return f"{words} as text"
        return next((f"{words}, in which {fault}" for fault in _mistyped(body)), "")

    return rule


def _mistyped(body: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is wrong with those members of a body that are read later, whichever body it is."""
    for name, (kind, words) in _MEMBERS.items():
        if body.get(name) is not None and not isinstance(body[name], kind):
            yield f"{name} is {words}"
    for name in _LISTS:
        if not all(isinstance(entry, dict) for entry in body.get(name) or ()):
            yield f"{name} is a list of objects"


def _texts(held: Mapping[str, Any]) -> str:
    return "" if all(isinstance(text, str) for text in held.values()) else "an object of texts"


def _headers(held: tuple[tuple[Any, Any], ...]) -> str:
    sound = all(isinstance(part, str) and not set(part) & set("\r\n\0") for pair in held for part in pair)
    return "" if sound else "pairs of texts without line breaks"


def _effect(held: bytes) -> str:
    wrong = _json("on")(held)
    if wrong:
        return wrong
    wish = orjson.loads(held)
    sound = isinstance(wish.get("delay", 0), int | float) and isinstance(wish.get("status", 400), int)
    return "" if sound else "a JSON object, in which delay and status are numbers"


_LISTS = ("order_lines", "items", "shipping_options", "shipping_info")
_MEMBERS: Mapping[str, tuple[type, str]] = {
    **dict.fromkeys(_LISTS, (list, "a list of objects")),
    **dict.fromkeys(
        ("customer", "billing_address", "shipping_address", "merchant_urls", "options", "styling", "shopper",
         "selected_shipping_option", "merchant_requested"),
        (dict, "an object"),
    ),
    **dict.fromkeys(("purchase_currency", "purchase_country", "locale"), (str, "a text")),
}  # fmt: skip
_TIME = _number(0, LAST_SECOND, "seconds since 1970, not after the year 9999")
_SPAN = _number(0, LATEST, "a number of seconds that is not below 0")
_MONEY = _whole(0, _MOST_MONEY)
_ANY_MONEY = _whole(-_MOST_MONEY, _MOST_MONEY)
_COUNT = _whole(0, _MOST_COUNTED)
_VERSION = {"version": _whole(1, _MOST_COUNTED)}
_REVIEW = _one_of(lifecycle.FRAUD)

_RULES: Mapping[type, Mapping[str, Rule]] = {
    ButtonKey: {**_VERSION, "body": _json(), "created_at": _TIME},
    Purchase: {
        **_VERSION,
        "state": _one_of(lifecycle.PURCHASE),
        "created_at": _TIME,
        "session": _json(empty=True),
        "order": _json("merchant_urls", "purchase_currency", empty=True),
        "order_amount": _ANY_MONEY,
        "expires_at": _TIME,
        "merchant_timeout": _SPAN,
        "fraud_status": _REVIEW,
        "deny": _texts,
    },
    Outcome: {"fraud_status": _REVIEW, "then": _REVIEW, "after": _SPAN},
    Order: {
        **_VERSION,
        "body": _json("purchase_currency"),
        "fraud_status": _REVIEW,
        "order_amount": _ANY_MONEY,
        "created_at": _TIME,
    },
    Fulfilment: {
        "order_amount": _MONEY,
        "released": _MONEY,
        "ended": _one_of(("CANCELLED", "CLOSED")),
        "expires_at": _TIME,
        "changes": _json(),
    },
    Capture: {"captured_amount": _MONEY, "captured_at": _TIME, "details": _json(), "extended_days": _COUNT},
    Refund: {"refunded_amount": _MONEY, "refunded_at": _TIME, "details": _json()},
    CustomerToken: {
        **_VERSION,
        "body": _json("shopper", "wish"),
        "created_at": _TIME,
        "status": _one_of(STATUSES),
        "orders": _COUNT,
    },
    RememberedAnswer: {**_VERSION, "status": _whole(100, 599), "answer_headers": _headers, "until": _TIME},
    Delivery: {
        **_VERSION,
        "callback": _one_of(CALLED),
        "created_at": _TIME,
        "state": _one_of(lifecycle.DELIVERY),
    },
    Attempt: {"at": _TIME, "duration": _SPAN, "status": _whole(100, 999), "answer_headers": _headers},
    Fault: {**_VERSION, "body": _effect, "on": _one_of(("request", "callback")), "times": _whole(1, 1_000_000)},
    Merchant: {**_VERSION, "clock_offset": _number(-LATEST, LATEST, "seconds that are not beyond every clock")},
    Job: {"due": _TIME, "kind": _one_of(JOBS), "number": _whole(1, _MOST_COUNTED)},
}
_PARTS: Mapping[type, tuple[str, ...]] = {
    Purchase: ("outcome",),
    Order: ("fulfilment",),
    Fulfilment: ("captures", "refunds"),
    Delivery: ("attempts",),
}
_WITH_ORDER = ("authorized", "timed_out", "placed", "denied")
_NEEDED: Mapping[type, Mapping[str, tuple[str, ...]]] = {
    Purchase: {"session": ("started",), "order": _WITH_ORDER, "authorization_token": _WITH_ORDER},
    Delivery: {"attempts": ("waiting",)},
}
"""Members that cannot be empty in some states."""
