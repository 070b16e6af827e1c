"""Journal entries as text, for the demo, the reports of scenarios and the pytest plugin.

The entries are JSON objects as `GET /_mock/journal` returns them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mock_klarna.domain import journal
from mock_klarna.errors import Problem

Json = Mapping[str, Any]
_KLARNA, _SHOPPER, _SHOP = "Klarna", "shopper", "shop"
_LONGEST_VALUE = 300
_MOST_PROBLEMS = 10
_UUID = re.compile(r"([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FRAME = frozenset({"seq", "at", "merchant", "kind", "name", "purchase_id"})

EVENTS: Mapping[str, tuple[str, str]] = {
    "button_created": (_KLARNA, "creates button key {button_key}"),
    "button_updated": (_KLARNA, "updates button key {button_key}"),
    "session_initiated": (_SHOPPER, "clicks the button, a session starts"),
    "identification_updated": (_SHOPPER, "enters an address: {customer_postal_code}, {customer_country}"),
    "specifications_selected": (_SHOPPER, "selects {reference}, quantity {quantity}"),
    "shipping_updated": (_SHOPPER, "selects a shipping option: {reference}"),
    "checkboxes_answered": (_SHOPPER, "answers the checkboxes: {merchant_requested}"),
    "session_updated": (_KLARNA, "updates the session: {changed}"),
    "update_ignored": (_KLARNA, "leaves the session unchanged: {reason}"),
    "purchase_authorized": (_KLARNA, "authorizes {order_amount} and calls place_order, token {authorization_token}"),
    "purchase_declined": (_KLARNA, "declines the shopper ({reason}), place_order is not called"),
    "purchase_failed": (_KLARNA, "ends the purchase: {reason}"),
    "purchase_placed": (_KLARNA, "places order {order_id}: {order_amount}, {fraud_status}"),
    "purchase_denied": (_KLARNA, "ends the purchase, the shop denied it{denial}"),
    "purchase_timed_out": (_SHOPPER, "sees an error after {seconds:g} s without a decision of the shop"),
    "authorization_expired": (_KLARNA, "expires token {authorization_token}"),
    "authorization_refused": (
        _KLARNA,
        "answers {refused_merchant} 403: token {authorization_token} is another merchant's",
    ),
    "fraud_review_ended": (_KLARNA, "ends the fraud review of order {order_id}: {fraud_status}"),
    "clock_moved": (_KLARNA, "moves the clock, now {seconds:g} s ahead of real time"),
    "fault_created": (_KLARNA, "will inject fault {fault_id}"),
    "order_acknowledged": (_KLARNA, "marks order {order_id} as acknowledged"),
    "order_authorization_updated": (_KLARNA, "changes the authorized amount of order {order_id} to {order_amount}"),
    "order_captured": (
        _KLARNA,
        "captures {captured_amount} of order {order_id}, {remaining_authorized_amount} remaining",
    ),
    "order_refunded": (_KLARNA, "refunds {refunded_amount} of order {order_id}"),
    "order_cancelled": (_KLARNA, "cancels order {order_id}: {reason}"),
    "order_closed": (_KLARNA, "closes order {order_id}"),
    "remaining_authorization_released": (_KLARNA, "releases {released_amount} of order {order_id}"),
    "authorization_time_extended": (_KLARNA, "extends the authorization of order {order_id}"),
    "order_details_updated": (_KLARNA, "updates order {order_id}: {changed}"),
    "capture_updated": (_KLARNA, "updates capture {capture_id}: {changed}"),
    "customer_token_created": (_KLARNA, "creates customer token {customer_token}"),
    "customer_token_changed": (_KLARNA, "changes customer token {customer_token} to {status}"),
    "order_from_token": (_KLARNA, "places order {order_id} with a customer token: {order_amount}, {fraud_status}"),
}
"""Actor and text of each event, by name. Braces name members of the event; those ending in `_amount` are formatted as money."""


@dataclass(frozen=True, slots=True)
class EntryText:
    """One entry as text: who acts, what happens, a line for each problem found, and whether it is a failure."""

    actor: str
    text: str
    problems: tuple[str, ...] = ()
    is_error: bool = False


def describe(entry: Json, *, shop: str = _SHOP, detailed: bool = False, timed: bool = True) -> EntryText:
    """Return one entry as text; `shop` is how the merchant is called.

    `detailed` keeps ids at full length and adds event names, URLs of callbacks and durations of requests; without `timed`
    the text has no durations.
    """
    match entry["kind"]:
        case "exchange":
            actor, text, is_error = (
                f"{shop} → Klarna",
                _exchange(entry, timed=timed and detailed),
                entry["status"] >= 400,
            )
        case "callback":
            is_error = entry["outcome"] != "answered" or entry["status"] >= 400
            actor = shop if entry["outcome"] == "answered" else f"{_KLARNA} → {shop}"
            text = _callback(entry, detailed=detailed, timed=timed)
        case _:
            (actor, text), is_error = _event(entry, timed=timed), False
            text = f"{text} [{entry['name']}]" if detailed and entry["name"] in EVENTS else text
    found = (*entry.get("problems", ()), *entry.get("warnings", ()))
    problems = tuple(map(_problem, found[:_MOST_PROBLEMS]))
    return EntryText(actor, text if detailed else shorten_ids(text), problems, is_error)


def _exchange(entry: Json, *, timed: bool) -> str:
    duration = f" in {entry['duration_ms']:.1f} ms" if timed else ""
    details = ", ".join(filter(None, _exchange_details(entry)))
    return f"{entry['method']} {entry['path']} → {entry['status']}{duration}{f': {details}' if details else ''}"


def _exchange_details(entry: Json) -> Iterator[str]:
    request, response = _object(entry["request_body"]), _object(entry["response_body"])
    if entry["status"] >= 400:
        yield str(response.get("error_message", ""))
        yield from response.get("error_messages", ())
        return
    match entry["name"]:
        case "create_button" | "update_button":
            yield f"button key {response.get('button_key', '')}"
        case "create_order":
            yield f"order {response.get('order_id', '')}"
            yield money(request.get("order_amount", 0), request.get("purchase_currency", ""))
            yield str(response.get("fraud_status", ""))
        case "deny_authorization":
            yield from (str(value) for value in request.values())
        case _:
            pass


def _callback(entry: Json, *, detailed: bool, timed: bool) -> str:
    attempt = f" (attempt {entry['number']})" if entry["number"] > 1 else ""
    url = f" at {entry['url']}" if detailed else ""
    if entry["outcome"] == "answered":
        duration = f" after {entry['duration_ms']:.1f} ms" if timed else ""
        return f"answers {entry['name']}{attempt}{url} with {entry['status']}{duration}"
    status = f" {entry['status']}" if entry["status"] else ""
    reasons = "; ".join(str(entry[name]) for name in ("error", "remedy") if entry.get(name))
    return f"{entry['name']}{attempt}{url} fails: {entry['outcome']}{status}{f', {reasons}' if reasons else ''}"


def _event(entry: Json, *, timed: bool) -> tuple[str, str]:
    if entry["name"] == "clock_moved" and not timed:
        return _KLARNA, "moves the clock"
    if entry["name"] in EVENTS:
        actor, template = EVENTS[entry["name"]]
        return actor, template.format_map(_event_members(entry))
    details = ", ".join(f"{name} {value_text(value)}" for name, value in entry.items() if name not in _FRAME)
    return _KLARNA, entry["name"] + (f": {details}" if details else "")


def _event_members(entry: Json) -> dict[str, Any]:
    amounts = {name: money(value) for name, value in entry.items() if name.endswith("_amount")}
    reasons = [value_text(value) for name, value in entry.items() if name.startswith("deny_")]
    changed = entry.get("changed", "")
    return {
        **entry,
        **amounts,
        "changed": changed if isinstance(changed, str) else ", ".join(changed),
        "denial": f": {', '.join(reasons)}" if reasons else "",
    }


def _problem(problem: Json) -> str:
    value = problem["value"]
    return Problem(problem["path"], problem["rule"], value, problem["expected"], problem["formula"]).as_text()


def in_order_of_time(entries: Iterable[Json]) -> list[Json]:
    """Return entries sorted by when they began, as `GET /_mock/journal` sorts those of one answer."""
    return journal.in_order_of_time(entries, lambda entry: (entry["kind"], entry["name"], timestamp(entry)))


def timestamp(entry: Json) -> float:
    """Return the time of an entry in seconds since 1970 on the merchant's clock."""
    return datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp()


def _object(body: Any) -> Json:
    return body if isinstance(body, dict) else {}


def shorten_ids(text: str) -> str:
    """Return a text with its UUIDs cut to the first eight characters."""
    return _UUID.sub(r"\1…", text)


def money(amount: int, currency: str = "") -> str:
    """Return an amount in minor units for people: 124000 SEK is `1,240.00 SEK`."""
    return f"{amount / 100:,.2f} {currency}".rstrip()


def value_text(value: Any) -> str:
    """Return a JSON value as short text: null is `nothing`, objects are on one line, text is cut after 300 characters."""
    if value is None:
        return "nothing"
    if isinstance(value, dict):
        text = "{" + ", ".join(f"{name}: {value_text(part)}" for name, part in value.items()) + "}"
    elif isinstance(value, list):
        text = "[" + ", ".join(map(value_text, value)) + "]"
    else:
        text = str(value).lower() if isinstance(value, bool) else str(value)
    return text if len(text) <= _LONGEST_VALUE else f"{text[:_LONGEST_VALUE]}…"
