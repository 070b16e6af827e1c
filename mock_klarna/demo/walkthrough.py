"""The demo's purchase: John Doe of Klarna's integration page buys the battery pack with express shipping (seed, steps 2 and 3)."""

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.client import Client

Json = Mapping[str, Any]
_KLARNA, _SHOPPER = "Klarna", "shopper"
_TOLD_BY_EXCHANGE = frozenset({"button_created", "button_updated", "purchase_placed", "purchase_denied"})
"""Events that say again what the shop's own request said."""

EVENTS: Mapping[str, tuple[str, str]] = {
    "session_initiated": (_SHOPPER, "clicks the button: a session begins"),
    "identification_updated": (_SHOPPER, "gives an address: {customer_postal_code}, {customer_country}"),
    "specifications_selected": (_SHOPPER, "chooses {quantity} of {reference}"),
    "shipping_updated": (_SHOPPER, "chooses how to get it: {reference}"),
    "checkboxes_answered": (_SHOPPER, "answers the shop's checkboxes: {merchant_requested}"),
    "session_updated": (_KLARNA, "takes over what changed: {changed}"),
    "update_ignored": (_KLARNA, "leaves the session as it was: {reason}"),
    "purchase_authorized": (_KLARNA, "authorizes {amount} and calls the shop's place_order, token {token}"),
    "purchase_declined": (_KLARNA, "refuses the shopper ({reason}); the shop hears nothing of it"),
    "purchase_failed": (_KLARNA, "gives up: {reason}"),
    "purchase_timed_out": (_SHOPPER, "has waited {seconds:g} s for the shop and gives up"),
    "authorization_expired": (_KLARNA, "lets token {token} expire"),
    "authorization_refused": (_KLARNA, "refuses token {token} to {refused_merchant}: it is another merchant's"),
    "fraud_review_ended": (_KLARNA, "ends the review of order {order}: {fraud_status}"),
    "clock_moved": (_KLARNA, "moves the clock: {seconds:g} s ahead"),
    "fault_created": (_KLARNA, "will make trouble as ordered: {fault_id}"),
}
"""By the event's name: who, and what they do. The braces are the event's members, and amount, token and order, shortened."""

_UUID = re.compile(r"([0-9a-f]{8})(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_DIM, _BOLD, _RED, _PLAIN = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[0m"
_WIDTH = 13


class Narrator:
    """Tells a history from its first entry on; `merchant` is called the shop, others by their names; `colours` is for terminals."""

    def __init__(self, merchant: str, *, colours: bool = False) -> None:
        self._merchant = merchant
        self._colours = colours
        self._began: float | None = None

    def lines(self, entry: Json) -> Iterator[str]:
        """Return the lines for the next entry: one, none if an earlier one said it all, or more with what was wrong."""
        ended = _ended(entry)
        self._began = ended if self._began is None else self._began
        if entry["name"] in _TOLD_BY_EXCHANGE:
            return
        who, what, is_trouble = told(entry, "shop" if entry["merchant"] == self._merchant else entry["merchant"])
        when = f"{max(0, round(ended - self._began)):7} ms"
        yield f"{self._in(_DIM, when)}  {self._in(_BOLD, f'{who:{_WIDTH}}')}  {self._in(_RED if is_trouble else '', what)}"
        for problem in entry.get("problems", ()):
            yield f"{'':{_WIDTH + 14}}{problem['path'] or 'body'}: expected {problem['expected']}"

    def _in(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_PLAIN}" if self._colours and colour else text


def _ended(entry: Json) -> float:
    """Return when an entry was over, in milliseconds; a callback's time is when it was sent."""
    at = datetime.fromisoformat(entry["at"].replace("Z", "+00:00")).timestamp() * 1000
    return float(at + entry["duration_ms"]) if entry["kind"] == "callback" else at


def told(entry: Json, shop: str) -> tuple[str, str, bool]:
    """Return who does what in an entry, and whether it is trouble."""
    match entry["kind"]:
        case "exchange":
            return f"{shop} → Klarna", _request(entry), entry["status"] >= 400
        case "callback":
            is_well = entry["outcome"] == "answered" and entry["status"] < 400
            return shop, _answer(entry), not is_well
        case _:
            who, what = EVENTS.get(entry["name"], (_KLARNA, entry["name"].replace("_", " ")))
            return who, what.format_map(_members(entry)), False


def _members(entry: Json) -> dict[str, Any]:
    return {
        **entry,
        "changed": ", ".join(entry.get("changed", ())),
        "amount": money(entry.get("order_amount", 0)),
        "token": _short(entry.get("authorization_token", "")),
        "order": _short(entry.get("order_id", "")),
    }


def _request(entry: Json) -> str:
    words = f"{entry['method']} {_short(entry['path'])} → {entry['status']}"
    details = ", ".join(filter(None, _details(entry)))
    return f"{words}: {details}" if details else words


def _details(entry: Json) -> Iterator[str]:
    asked, said = _dict(entry["request_body"]), _dict(entry["response_body"])
    if entry["status"] >= 400:
        yield str(said.get("error_message", ""))
        return
    match entry["name"]:
        case "create_button" | "update_button":
            yield f"button key {_short(said.get('button_key', ''))}"
        case "create_order":
            yield f"order {_short(said.get('order_id', ''))}"
            yield money(asked.get("order_amount", 0), asked.get("purchase_currency", ""))
            yield str(said.get("fraud_status", ""))
        case "deny_authorization":
            yield from (str(value) for value in asked.values())
        case _:
            pass


def _answer(entry: Json) -> str:
    again = f" (try {entry['number']})" if entry["number"] > 1 else ""
    if entry["status"] is None:
        return f"does not answer {entry['name']}{again}: {entry['outcome']}, {entry['error']}"
    return f"answers {entry['name']}{again} with {entry['status']} after {entry['duration_ms']:.1f} ms"


def _dict(body: Any) -> Json:
    return body if isinstance(body, dict) else {}


def _short(text: str) -> str:
    """Return a text with its UUIDs cut to what tells them apart."""
    return _UUID.sub(r"\1…", text)


def money(amount: int, currency: str = "") -> str:
    """Return an amount in minor units for people: 124000 SEK is `1,240.00 SEK`."""
    return f"{amount / 100:,.2f} {currency}".rstrip()


Say = Callable[[str], None]
_WAIT_SECONDS = 20
_OF_EVERYBODY = {"Authorization": ""}
_LAST = frozenset({("callback", "place_order"), ("event", "purchase_declined"), ("event", "purchase_failed")})
"""Entries (kind, name) after which nothing is to come: the shop has answered, or will not be asked."""


class Show:
    """Plays the purchase and tells what happens, as the journal has it."""

    def __init__(self, klarna: Client, shop_url: str, say: Say, *, colours: bool = False) -> None:
        self._klarna = klarna
        self._shop_url = shop_url
        self._say = say
        self._narrator = Narrator(klarna.merchant, colours=colours)
        self._position = 0

    async def purchase(self) -> dict[str, Any]:
        """Let the shopper buy, tell everything until the shop has answered, and return the purchase as it then is."""
        begun = await self._klarna.ask("POST", "/_mock/purchases", wish(self._shop_url))
        purchase_id = begun["purchase_id"]
        while not any(_is_last(entry, purchase_id) for entry in await self.more()):
            pass
        held: dict[str, Any] = await self._klarna.ask("GET", f"/_mock/purchases/{purchase_id}")
        return held

    async def follow(self) -> None:
        """Tell what happens from here on, whichever merchant it happens to, until cancelled."""
        while True:
            await self.more()

    async def more(self, seconds: float = _WAIT_SECONDS) -> list[Json]:
        """Tell and return what is new, waiting up to so many seconds for it."""
        path = f"/_mock/journal?after={self._position}&wait={seconds}"
        said = (await self._klarna.send("GET", path, headers=_OF_EVERYBODY)).body
        entries: list[Json] = said["entries"]
        self._position = said["position"]
        for entry in entries:
            for line in self._narrator.lines(entry):
                self._say(line)
        return entries


def wish(shop_url: str) -> Json:
    """Return the body of `POST /_mock/purchases` for the seed's Swedish purchase."""
    page = orjson.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    page["merchant_urls"] = {"terms": f"{shop_url}/terms"}
    return {
        "page": page,
        "integrator_url": f"{shop_url}/",
        "shopper": "se-seed",
        "select": {"shipping_option": "express_priority"},
        "wait": 0,
    }


def _is_last(entry: Mapping[str, Any], purchase_id: str) -> bool:
    return entry["purchase_id"] == purchase_id and (entry["kind"], entry["name"]) in _LAST
