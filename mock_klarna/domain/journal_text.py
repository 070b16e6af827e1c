"""Journal entries as text, the same for `serve`, `demo`, `tail`, `run`, the pytest plugin and `Accept: text/plain`.

The entries are JSON objects as `GET /_mock/journal` returns them.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from mock_klarna.domain.time import moment, seconds_since_1970
from mock_klarna.errors import Problem

Json = Mapping[str, Any]
_KLARNA, _SHOPPER, _SHOP = "Klarna", "shopper", "shop"
_LONGEST_VALUE = 300
_LONGEST_LINE = 2000
_LONGEST_NAME = 24
_LONGEST_PATH = 40
_MAX_PROBLEMS = 10
_UUID = re.compile(r"([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_FRAME = frozenset({"seq", "at", "merchant", "kind", "name", "purchase_id", "hint"})
_NOT_PRINTABLE = re.compile(r"[^\t -~\u00a0-\u2027\u202f-\U0010ffff]")

EVENTS: Mapping[str, tuple[str, str]] = {
    "button_created": (_KLARNA, "creates button key {button_key}"),
    "button_updated": (_KLARNA, "updates button key {button_key}"),
    "session_initiated": (_SHOPPER, "clicks the button, a session starts"),
    "identification_updated": (_SHOPPER, "enters an address: {customer_postal_code}, {customer_country}"),
    "specifications_selected": (_SHOPPER, "selects {reference}, quantity {quantity}"),
    "shipping_updated": (_SHOPPER, "selects a shipping option: {reference}"),
    "checkboxes_answered": (_SHOPPER, "answers the checkboxes: {merchant_requested}"),
    "cart_changed": (_SHOPPER, "cheats: {path} is {after} in place of {before}"),
    "session_updated": (_KLARNA, "updates the session: {changed}"),
    "update_ignored": (_KLARNA, "leaves the session unchanged: {reason}"),
    "purchase_authorized": (_KLARNA, "authorizes {order_amount} and calls place_order, token {authorization_token}"),
    "purchase_declined": (_KLARNA, "declines the shopper ({reason}), place_order is not called"),
    "purchase_failed": (_KLARNA, "ends the purchase: {reason}"),
    "purchase_placed": (_KLARNA, "places order {order_id}: {order_amount}, {fraud_status}"),
    "purchase_denied": (_KLARNA, "ends the purchase, the shop denied it{denial}"),
    "purchase_timed_out": (_SHOPPER, "gives up after {duration}, timed out: the shop never placed or denied it"),
    "authorization_expired": (_KLARNA, "expires token {authorization_token}"),
    "authorization_refused": (
        _KLARNA,
        "answers {refused_merchant} 403: token {authorization_token} is another merchant's",
    ),
    "fraud_review_ended": (_KLARNA, "ends the fraud review of order {order_id}: {fraud_status}"),
    "clock_moved": (_KLARNA, "moves the clock, now {duration} ahead of real time"),
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


_REPEATS_EXCHANGE = frozenset({"button_created", "button_updated", "purchase_denied"})
"""Events that say the same as the line of the shop's request."""
_FAILURES = frozenset({"purchase_timed_out", "purchase_failed", "update_ignored", "authorization_refused"})
"""Events that are failures."""
_REMEDIES = {
    "purchase_timed_out": "place it within this time with POST /instantshopping/v1/authorizations/TOKEN/orders, or deny it",
}
"""What to do about an event that has no hint of its own."""


@dataclass(frozen=True, slots=True)
class EntryText:
    """One entry as text: who acts, what happens, lines that explain it, and whether it is a failure."""

    actor: str
    text: str
    details: tuple[str, ...] = ()
    is_error: bool = False


def describe(entry: Json, *, shop: str = _SHOP, verbose: bool = False, timed: bool = True) -> EntryText:
    """Return one entry as text; `shop` is how the merchant is called.

    `verbose` keeps ids and paths at full length and adds event names and the URLs of callbacks that were answered. Without
    `timed` the text has no durations.
    """
    match entry["kind"]:
        case "exchange":
            described = _exchange(entry, shop, verbose=verbose, timed=timed)
        case "callback":
            described = _callback(entry, shop, verbose=verbose, timed=timed)
        case _:
            described = _event(entry, verbose=verbose, timed=timed)
    details = (*described.details, *_injected(entry))
    return EntryText(
        printable(described.actor),
        _line(described.text, verbose=verbose),
        tuple(_line(detail, verbose=verbose) for detail in details),
        described.is_error,
    )


def _injected(entry: Json) -> Iterator[str]:
    """Yield what the sandbox did on purpose."""
    effects = {name: value for name, value in (entry.get("injected") or {}).items() if name != "fault_id"}
    if effects:
        yield "on purpose: " + ", ".join(
            name if value is True else f"{name} {value}" for name, value in effects.items()
        )


def _line(text: str, *, verbose: bool) -> str:
    text = printable(text if verbose else shorten_ids(text))
    return text if len(text) <= _LONGEST_LINE else f"{text[:_LONGEST_LINE]}…"


def printable(text: str) -> str:
    r"""Return a text for one line of a terminal: control characters, such as a line break in a path, are shown as `\x0a`."""
    return _NOT_PRINTABLE.sub(lambda found: f"\\x{ord(found[0]):02x}", text)


def _exchange(entry: Json, shop: str, *, verbose: bool, timed: bool) -> EntryText:
    is_error = entry["status"] >= 400 or bool(entry.get("problems") or entry.get("explanation"))
    if any(problem["rule"] == "incomplete" for problem in entry.get("problems", ())):
        text = f"{entry['method']} {entry['path']}: the client closed the connection before its body was complete"
        return EntryText(_client(entry["path"], shop), text)
    duration = f" in {_duration(entry['duration_ms'])}" if timed else ""
    path = entry["path"] if verbose or is_error else _short_path(shorten_ids(entry["path"]))
    result = "" if is_error else ", ".join(filter(None, _results(entry)))
    return EntryText(
        _client(entry["path"], shop),
        f"{entry['method']} {path} → {entry['status']}{duration}{f': {result}' if result else ''}",
        tuple(_refusal(entry))
        if is_error
        else tuple(f"warning: {_problem(each)}" for each in entry.get("warnings", ())),
        is_error,
    )


def _client(path: str, shop: str) -> str:
    """Return who sent a request, and to whom: the control API has a path that Klarna does not have."""
    if path.startswith("/_mock"):
        return "client → mock"
    return f"page → {_KLARNA}" if path.startswith("/instantshopping/sdk") else f"{shop} → {_KLARNA}"


def _short_path(path: str) -> str:
    """Return a long path without its beginning, from the last part that is not an id on."""
    parts = path.split("/")
    if len(path) <= _LONGEST_PATH or len(parts) < 3:
        return path
    return "…/" + "/".join(parts[-2:] if parts[-1].endswith("…") else parts[-1:])


def _results(entry: Json) -> Iterator[str]:
    request, response = _object(entry["request_body"]), _object(entry["response_body"])
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


def _refusal(entry: Json) -> Iterator[str]:
    """Yield why a request was refused: its problems, or the message where there are none, and the hint."""
    response, problems = _object(entry["response_body"]), entry.get("problems", ())
    messages = [response.get("detail"), response.get("error_message"), *(response.get("error_messages") or ())]
    message = entry.get("explanation") or next(filter(None, messages), "")
    if message and not problems:
        where = response.get("where")
        yield f"{where}: {message}" if where else str(message)
    yield from map(_problem, problems[:_MAX_PROBLEMS])
    if len(problems) > _MAX_PROBLEMS:
        yield f"and {len(problems) - _MAX_PROBLEMS} more in the journal"
    hint = response.get("hint", "")
    if hint and not any(problem["expected"] in hint for problem in problems):
        yield str(hint)


def _callback(entry: Json, shop: str, *, verbose: bool, timed: bool) -> EntryText:
    is_answered = entry["outcome"] == "answered"
    is_error = not is_answered or entry["status"] >= 400
    notes = [f"attempt {entry['number']}"] if entry["number"] > 1 else []
    notes += ["changed body"] if (entry.get("injected") or {}).get("changed") else []
    attempt = f" ({', '.join(notes)})" if notes else ""
    called = f"{entry['name']}{attempt}" + (f" at {entry['url']}" if verbose or is_error else "")
    hints = [str(entry[name]) for name in ("hint", "remedy") if entry.get(name)]
    says_enough = (
        entry["outcome"] == "refused" and hints
    )  # the error is that of the system, such as `Connect call failed`
    reasons = hints if says_enough or not entry["error"] else [str(entry["error"]), *hints]
    if is_answered:
        duration = f" after {_duration(entry['duration_ms'])}" if timed else ""
        return EntryText(shop, f"answers {called} with {entry['status']}{duration}", tuple(reasons), is_error)
    status = f" {entry['status']}" if entry["status"] else ""
    return EntryText(
        f"{_KLARNA} → {shop}", f"{called} fails: {entry['outcome']}{status}", tuple(reasons), is_error=True
    )


def _event(entry: Json, *, verbose: bool, timed: bool) -> EntryText:
    name, hint = entry["name"], entry.get("hint") or _REMEDIES.get(entry["name"])
    details = (str(hint),) if hint else ()
    if name not in EVENTS:
        members = ", ".join(f"{key} {value_text(value)}" for key, value in entry.items() if key not in _FRAME)
        return EntryText(_KLARNA, name + (f": {members}" if members else ""), details)
    actor, template = EVENTS[name]
    text = "moves the clock" if name == "clock_moved" and not timed else template.format_map(_event_members(entry))
    return EntryText(actor, f"{text} [{name}]" if verbose else text, details, name in _FAILURES)


def _event_members(entry: Json) -> dict[str, Any]:
    amounts = {name: money(value) for name, value in entry.items() if name.endswith("_amount")}
    reasons = [value_text(value) for name, value in entry.items() if name.startswith("deny_")]
    changed = entry.get("changed", "")
    return {
        **entry,
        **amounts,
        "changed": changed if isinstance(changed, str) else ", ".join(changed),
        "denial": f": {', '.join(reasons)}" if reasons else "",
        "duration": _duration(entry.get("seconds", 0) * 1000),
    }


def _problem(problem: Json) -> str:
    value = problem["value"]
    return Problem(problem["path"], problem["rule"], value, problem["expected"], problem["formula"]).as_text()


_SHORTEST = 0.005
_UNITS = ((86_400_000, "d"), (3_600_000, "h"), (60_000, "min"), (1000, "s"))


def _duration(milliseconds: float) -> str:
    """Return a duration for people: `0.4 ms`, `35 ms`, `2.5 s`, `1 h 30 min`."""
    if 0 <= milliseconds < _SHORTEST:
        return "less than 1 ms"
    if milliseconds < 0:
        return f"-{_duration(-milliseconds)}"
    if milliseconds < 999.5:
        decimals = 2 if milliseconds < 1 else 1 if milliseconds < 9.95 else 0
        return f"{milliseconds:.{decimals}f} ms"
    if milliseconds < 60_000:
        return f"{milliseconds / 1000:.3g} s"
    parts, left = [], round(milliseconds, -3)
    for size, unit in _UNITS:
        count, left = divmod(left, size)
        parts += [f"{count:.0f} {unit}"] if count else []
    return " ".join(parts[:2])


# Lines

_DIM, _BOLD, _RED, _YELLOW, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[33m", "\x1b[0m"
_DATE, _TIME = slice(0, 10), slice(11, 23)
_PURCHASE_WIDTH, _ACTOR_WIDTH = 8, 13
_MARGIN = " " * 26
"""The lines that explain another one begin below who acts, and a little to the right."""
_NARROWEST = 40


class JournalLines:
    """Writes entries as lines: the time, the beginning of the purchase's id, who acts, and what happens.

    What explains a line follows below it. Times are those of the merchant's clock in UTC; that of a request or of a callback
    is when it was answered. A line with the date comes where the date changes. The merchant is called `shop`, and by its
    name once there are entries of a second one. Without `verbose`, events are left out that say the same as the request.
    `width` wraps the lines that explain another one.
    """

    def __init__(self, *, verbose: bool = False, colours: bool = False, width: int | None = None) -> None:
        self._verbose = verbose
        self._colours = colours
        self._width = width
        self._date = ""
        self._merchant = ""
        self._has_several = False

    def lines(self, entry: Json) -> list[str]:
        """Return the lines of the next entry; none if another entry says the same."""
        merchant = entry["merchant"]
        if merchant and merchant != self._merchant:
            self._has_several = self._has_several or bool(self._merchant)
            self._merchant = merchant
        if entry["name"] in _REPEATS_EXCHANGE and not self._verbose:
            return []
        shop = merchant if self._has_several and merchant else _SHOP
        shop = shop if len(shop) <= _LONGEST_NAME else f"{shop[: _LONGEST_NAME - 1]}…"
        described = describe(entry, shop=shop, verbose=self._verbose)
        purchase = (entry.get("purchase_id") or "")[:_PURCHASE_WIDTH]
        colour = _RED if described.is_error else ""
        return self._lines(ended(entry), purchase, described.actor, described.text, described.details, colour)

    def message(self, at: str, level: str, text: str) -> list[str]:
        """Return the lines of a message of the program itself: `at` is a time as in the journal, `level` that of the log."""
        first, *more = text.splitlines() or [""]
        colour = {"warning": _YELLOW, "error": _RED, "critical": _RED}.get(level, "")
        return self._lines(at, "", "mock-klarna", f"{level}: {first}" if colour else first, more, colour)

    def _lines(self, at: str, purchase: str, actor: str, text: str, details: Iterable[str], colour: str) -> list[str]:
        date, self._date = self._date, at[_DATE]
        lines = [self._coloured(_DIM, f"{at[_DATE]} (UTC)")] if date not in ("", at[_DATE]) else []
        start = self._coloured(_DIM, f"{at[_TIME]}  {purchase:{_PURCHASE_WIDTH}}")
        who = self._coloured(_BOLD, f"{actor:{_ACTOR_WIDTH}}")
        lines.append(f"{start}  {who}  {self._coloured(colour, text)}")
        return lines + [_MARGIN + part for detail in details for part in self._wrapped(detail)]

    def _coloured(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours and colour else text

    def _wrapped(self, text: str) -> list[str]:
        if self._width is None:
            return [text]
        room = max(_NARROWEST, self._width - len(_MARGIN))
        return wrap(text, room, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False) or [""]


def journal_lines(entries: Iterable[Json]) -> list[str]:
    """Return the lines of the entries of one merchant for a report, with all details, in the order in which they ended."""
    journal = JournalLines(verbose=True)
    return [line for entry in in_order(entries) for line in journal.lines(entry)]


def in_order(entries: Iterable[Json]) -> list[Json]:
    """Return entries in the order in which they were recorded: when an exchange or a callback ended."""
    return sorted(entries, key=lambda entry: entry["seq"])


def ended(entry: Json) -> str:
    """Return when an entry ended; the time of a request or of a callback in the journal is when it began."""
    at: str = entry["at"]
    duration = entry.get("duration_ms")
    return moment(seconds_since_1970(at) + duration / 1000) if duration else at


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
