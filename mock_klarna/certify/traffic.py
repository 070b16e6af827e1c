"""The traffic of one merchant: its journal entries, arranged as the rules ask for them."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

Json = dict[str, Any]
Entry = Mapping[str, Any]
"""An entry of the journal as `GET /_mock/journal` returns it."""

OWN_AGENT = "mock-klarna-certify"
"""How the `User-Agent` of the requests begins that `certify` itself sends; they are not the merchant's."""
WRONG_SECRET = "mock-klarna-certify-wrong-secret-1"  # noqa: S105
"""What `certify` puts into the URL of a callback in place of the shop's secret."""
_TEST_AGENT = "mock-klarna/"
"""How the `User-Agent` of scenarios and tests begins that act in the shop's place."""
AUTHORIZATIONS, ORDERS = "authorizations", "orders"
"""The parts of a path behind which a token and an order id stand."""

_TOKEN_ENDS = ("authorization_expired", "purchase_timed_out")
_NOT_REACHED = ("refused", "unreachable", "untrusted", "not_allowed")
"""Outcomes of attempts for which there was no connection to the merchant."""
_DISTURBING = ("delay", "status", "drop", "garbage", "out_of_order")
ANSWER_FAULTS = ("status", "drop", "garbage")
"""Effects of faults that replace or lose an answer, so that it says nothing about the one who should have sent it."""


@dataclass(frozen=True, slots=True)
class Authorization:
    """A token in a `place_order` callback: the attempts to send it, the order, and the merchant's requests with the token.

    late: attempts that were sent again after the token had ended.
    """

    token: str
    button_key: str
    order: Json
    attempts: tuple[Entry, ...]
    traffic: "Traffic" = field(repr=False, compare=False)
    late: tuple[Entry, ...] = ()

    @property
    def received(self) -> Entry:
        """The first attempt that may have reached the merchant, or the first one if none has."""
        reached = (entry for entry in self.attempts if entry.get("outcome") not in _NOT_REACHED)
        return next(reached, self.attempts[0])

    @property
    def requests(self) -> Sequence[Entry]:
        """The merchant's requests with the token, in their order."""
        return self.traffic.requests_with_token(self.token)

    def requests_named(self, *names: str) -> list[Entry]:
        """Return the requests of some operations, in their order."""
        return [entry for entry in self.requests if entry["name"] in names]

    @property
    def posted(self) -> list[Entry]:
        """The requests with an order whose bodies the journal has."""
        return [entry for entry in self.requests_named("create_order") if has_body(entry)]

    @property
    def posted_with_another_body(self) -> Entry | None:
        """The first order that was posted after the decision with another body than the placed one, or None."""
        decision = self.decision
        if decision is None or decision["name"] != "create_order":
            return None
        later = (entry for entry in self.posted if entry["seq"] > decision["seq"])
        return next((entry for entry in later if body_of(entry) != body_of(decision)), None)

    @property
    def is_disturbed(self) -> bool:
        """Whether the time until the decision says nothing.

        So it is if a fault changed, delayed or lost a callback or a request, or the clock was moved before a callback was answered.
        """
        is_injected = any(injected(entry, *_DISTURBING) for entry in (*self.attempts, *self.requests))
        return is_injected or any(self.traffic.is_clock_moved_during(entry) for entry in self.attempts)

    @property
    def decision(self) -> Entry | None:
        """The first request that placed or denied, or None."""
        return next(
            (entry for entry in self.requests_named("create_order", "deny_authorization") if is_ok(entry)), None
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Gaps:
    """What the entries of a merchant do not show.

    dropped: how many older entries the journal has dropped. cut: why later or other entries are missing, "" if none are.
    kinds: kinds of entries of which there are none, each with the reason. one_purchase: whether they are those of one purchase.
    """

    dropped: int = 0
    cut: str = ""
    kinds: Mapping[str, str] = field(default_factory=dict)
    one_purchase: bool = False


class Traffic:
    """The journal of one merchant.

    entries: as `GET /_mock/journal` returns them; one from elsewhere has a member `place` that says where it is.
        Callbacks that were sent with a changed body are left out.
    gaps: what they do not show.
    """

    def __init__(self, merchant: str, entries: Iterable[Entry], gaps: Gaps | None = None) -> None:
        self.merchant = merchant
        self.gaps = gaps or Gaps()
        self.entries: Sequence[Entry] = sorted(
            (entry for entry in entries if not _is_own(entry) and not injected(entry, "changed")),
            key=lambda entry: int(entry["seq"]),
        )
        self.asked_kinds: set[str] = set()
        """The kinds of entries that a rule asked for since the set was cleared."""

    def place_of(self, seq: int) -> str:
        """Return where an entry is: its path in the API, or its place in the file that it is from."""
        return self._places.get(seq) or f"/_mock/journal/{seq}"

    @cached_property
    def _places(self) -> Mapping[int, str]:
        return {int(entry["seq"]): str(entry["place"]) for entry in self.entries if "place" in entry}

    @cached_property
    def of_tests(self) -> frozenset[int]:
        """The positions of the requests that scenarios and tests sent in the shop's place."""
        return frozenset(
            int(entry["seq"]) for entry in self.entries if entry["kind"] == "exchange" and is_of_test(entry)
        )

    def exchanges(self, *names: str) -> list[Entry]:
        """Return the requests of the merchant's server to some operations, all without names, in their order."""
        return [entry for entry in self._entries("exchange") if not names or entry["name"] in names]

    def page_requests(self, *names: str) -> list[Entry]:
        """Return the requests that lib.js on the merchant's pages sent to some operations, in their order."""
        return [entry for entry in self._entries("page") if entry["name"] in names]

    def accepted(self, *names: str) -> list[Entry]:
        """Return the requests to some operations that were answered 2xx."""
        return [entry for entry in self.exchanges(*names) if is_ok(entry)]

    def callbacks(self, *names: str) -> list[Entry]:
        """Return the attempts to send callbacks of some kinds, of all kinds without names."""
        return [entry for entry in self._entries("callback") if not names or entry["name"] in names]

    def events(self, *names: str) -> list[Entry]:
        """Return the events with some names."""
        return [entry for entry in self._entries("event") if entry["name"] in names]

    def _entries(self, kind: str) -> list[Entry]:
        self.asked_kinds.add(kind)
        return self._of_kind[kind]

    @cached_property
    def _of_kind(self) -> Mapping[str, list[Entry]]:
        found: dict[str, list[Entry]] = {"exchange": [], "page": [], "callback": [], "event": []}
        for entry in self.entries:
            found["page" if is_of_page(entry) else entry["kind"]].append(entry)
        return found

    @property
    def authorizations(self) -> Sequence[Authorization]:
        """The tokens that Klarna issued and called the merchant's own URL with, in the order of their first attempts."""
        self.asked_kinds.add("callback")
        return self._issued

    @property
    def forged(self) -> Sequence[Authorization]:
        """The tokens of callbacks that Klarna would not send."""
        self.asked_kinds.add("callback")
        return [one for one in self._called if injected(one.attempts[0], "forged")]

    @property
    def with_wrong_secret(self) -> Sequence[Authorization]:
        """The tokens of callbacks to URLs with `WRONG_SECRET`."""
        self.asked_kinds.add("callback")
        return [one for one in self._called if WRONG_SECRET in one.attempts[0]["url"]]

    @cached_property
    def _issued(self) -> Sequence[Authorization]:
        # only the journal of a sandbox has callbacks that were sent late, and it has events
        ends = (entry for entry in self._of_kind["event"] if entry["name"] in _TOKEN_ENDS)
        ended = {entry["purchase_id"]: entry["seq"] for entry in ends}

        def is_late(entry: Entry) -> bool:
            return bool(injected(entry, "resent")) and entry["seq"] > ended.get(entry["purchase_id"], entry["seq"])

        return [
            replace(one, attempts=in_time, late=tuple(entry for entry in one.attempts if is_late(entry)))
            for one in self._called
            if not injected(one.attempts[0], "forged")
            and WRONG_SECRET not in one.attempts[0]["url"]
            and (in_time := tuple(entry for entry in one.attempts if not is_late(entry)))
        ]

    @cached_property
    def _called(self) -> Sequence[Authorization]:
        attempts: dict[str, list[Entry]] = {}
        for entry in self.callbacks("place_order"):
            token = _object(entry["request_body"]).get("authorization_token")
            if isinstance(token, str):
                attempts.setdefault(token, []).append(entry)
        return [
            Authorization(token, str(body.get("button_key")), _object(body.get("order")), tuple(found), self)
            for token, found in attempts.items()
            if (body := _object(found[0]["request_body"])) and not self._begins_earlier(found[0])
        ]

    def _begins_earlier(self, first: Entry) -> bool:
        """Return whether attempts before this one are missing, and perhaps what the merchant did after them."""
        return bool(self.gaps.dropped or self.gaps.cut) and first.get("number", 1) > 1

    def is_clock_moved_during(self, attempt: Entry) -> bool:
        """Return whether the clock was moved forward while an attempt to send a callback was not answered yet."""
        return any(
            moved["seq"] < attempt["seq"] and moment_of(moved) >= moment_of(attempt) for moved in self._clock_moves
        )

    @cached_property
    def _clock_moves(self) -> Sequence[Entry]:
        # only the journal of a sandbox has clocks that were moved, and it has events
        return [entry for entry in self._of_kind["event"] if entry["name"] == "clock_moved"]

    def requests_with_token(self, token: str) -> Sequence[Entry]:
        """Return the merchant's requests that read, placed or denied an authorization, in their order."""
        self.asked_kinds.add("exchange")
        return self._requests_by_token.get(token, ())

    @cached_property
    def _requests_by_token(self) -> Mapping[str, Sequence[Entry]]:
        requests: dict[str, list[Entry]] = {}
        for entry in self.exchanges("get_authorization", "create_order", "deny_authorization"):
            requests.setdefault(path_part(entry, AUTHORIZATIONS), []).append(entry)
        return requests

    @property
    def cheats(self) -> Mapping[str, Entry]:
        """The events of shoppers who cheated, by the id of the purchase."""
        self.asked_kinds.add("event")
        return self._cheats

    @cached_property
    def _cheats(self) -> Mapping[str, Entry]:
        return {entry["purchase_id"]: entry for entry in self.events("cart_changed")}

    @property
    def buttons(self) -> Mapping[str, Entry]:
        """The accepted requests that last created or changed each button key."""
        self.asked_kinds.add("exchange")
        return self._buttons

    @cached_property
    def _buttons(self) -> Mapping[str, Entry]:
        changes = (entry for entry in self._of_kind["exchange"] if entry["name"] in ("create_button", "update_button"))
        return {
            key: entry
            for entry in changes
            if is_ok(entry) and isinstance(key := _object(entry["response_body"]).get("button_key"), str)
        }

    def is_button_of_test(self, key: str) -> bool:
        """Return whether a scenario or a test created a button key; one that is not known counts as the shop's."""
        return key in self._buttons and is_of_test(self._buttons[key])

    @property
    def unknown_orders(self) -> frozenset[str]:
        """The ids of orders that the shop does not know: each answer with them was lost, or went to a scenario or a test."""
        self.asked_kinds.add("exchange")
        return self._unknown_orders

    @cached_property
    def _unknown_orders(self) -> frozenset[str]:
        answers: dict[str, bool] = {}
        for entry in self.accepted("create_order", "order_from_token"):
            order_id = placed_order_id(entry)
            is_read = not (injected(entry, "drop", "garbage") or is_of_test(entry))
            answers[order_id] = answers.get(order_id, False) or is_read
        return frozenset(order_id for order_id, is_read in answers.items() if not is_read)

    def merchant_urls(self, authorization: Authorization) -> Json:
        """Return the merchant URLs that count for an authorization, by their names.

        They are those of the authorized order, which has the URLs of button key and page, and those of the posted order, which
        replace them (klarna.md §3.2). Without merchant URLs in the authorized order those of the button key count.
        """
        button = self.buttons.get(authorization.button_key)
        of_key = _object(_object(button["response_body"]).get("merchant_urls")) if button else {}
        urls = dict(_object(authorization.order.get("merchant_urls")) or of_key)
        for entry in authorization.requests_named("create_order"):
            urls |= _object(body_of(entry).get("merchant_urls"))
        return urls

    def of_order(self, order_id: str, *names: str) -> Iterator[Entry]:
        """Yield the requests to Order Management about an order."""
        self.asked_kinds.add("exchange")
        return (entry for entry in self._requests_by_order.get(order_id, ()) if not names or entry["name"] in names)

    @cached_property
    def _requests_by_order(self) -> Mapping[str, Sequence[Entry]]:
        requests: dict[str, list[Entry]] = {}
        for entry in self.exchanges():
            requests.setdefault(path_part(entry, ORDERS), []).append(entry)
        return requests


def is_ok(entry: Entry) -> bool:
    """Return whether a request, or an attempt to send a callback, was answered 2xx."""
    return 200 <= (entry["status"] or 0) < 300


def injected(entry: Entry, *names: str) -> Any:
    """Return the first of these members of what the sandbox did to a request or a callback on purpose, or None."""
    done = entry.get("injected") or {}
    return next((done[name] for name in names if name in done), None)


def has_body(entry: Entry) -> bool:
    """Return whether the journal has the body of a request: faults, limits and wrong credentials refuse it before it is read."""
    return entry["status"] not in (401, 429) and not injected(entry, "status")


def body_of(entry: Entry) -> Json:
    """Return the body of a request, {} for one that is no JSON object."""
    return _object(entry["request_body"])


def placed_order_id(entry: Entry) -> str:
    """Return the order id in the answer to a request that placed an order, "" if it has none."""
    return str(_object(entry["response_body"]).get("order_id", ""))


def header(entry: Entry, name: str) -> str | None:
    """Return a header of a request, or None."""
    wanted = name.casefold()
    return next((value for given, value in entry["request_headers"] if given.casefold() == wanted), None)


def path_part(entry: Entry, after: str) -> str:
    """Return the part of a request's path behind another part, "" if there is none."""
    parts = entry["path"].partition("?")[0].split("/")  # a path such as //[x is no URL
    return parts[parts.index(after) + 1] if after in parts[:-1] else ""


def moment_of(entry: Entry) -> float:
    """Return when an entry happened, in seconds of the merchant's clock."""
    return datetime.fromisoformat(entry["at"]).timestamp()


def is_of_page(entry: Entry) -> bool:
    """Return whether a request is one of lib.js, which the merchant's page has loaded."""
    return entry["kind"] == "exchange" and str(entry["name"]).startswith("sdk_")


def is_of_test(entry: Entry) -> bool:
    """Return whether a scenario or a test sent a request in the shop's place."""
    return (header(entry, "User-Agent") or "").startswith(_TEST_AGENT)


def lines(order: Mapping[str, Any]) -> list[Json]:
    """Return the order lines of an order that are JSON objects."""
    found = order.get("order_lines")
    return [line for line in found if isinstance(line, dict)] if isinstance(found, list) else []


def _is_own(entry: Entry) -> bool:
    return entry["kind"] == "exchange" and (header(entry, "User-Agent") or "").startswith(OWN_AGENT)


def _object(value: object) -> Json:
    return value if isinstance(value, dict) else {}
