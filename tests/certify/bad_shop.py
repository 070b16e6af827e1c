"""A bad shop: the demo shop with one fault for each rule. The end of a merchant's name selects the fault: `bad-C3` breaks C3.

All merchants share one server and one shop, because a fault is about its own merchant only.
"""

from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import uuid4

import orjson
from aiohttp import web
from aiohttp.test_utils import TestServer

from mock_klarna.demo.books import Books, Order
from mock_klarna.demo.catalogue import Offers, Stock
from mock_klarna.demo.klarna import ORDERS, Call, Klarna
from mock_klarna.demo.placing import ShopState
from mock_klarna.demo.shop import application

Json = dict[str, Any]
KEY = "Klarna-Idempotency-Key"


@dataclass(frozen=True, slots=True)
class Request:
    """A request to Klarna that the shop is about to send; `number` counts its tries, from 1."""

    merchant: str
    method: str
    path: str
    body: bytes
    headers: dict[str, str]
    number: int = 1

    @property
    def name(self) -> str:
        """What the request does."""
        if self.method != "POST":
            return {"GET": "managed" if ORDERS in self.path else "read", "DELETE": "deny"}[self.method]
        return {"orders": "place", "captures": "capture", "refunds": "refund"}.get(self.path.rsplit("/", 1)[1], "")

    def changed(self, **members: Any) -> "Request":
        """Return the request with other members of its body."""
        body = orjson.dumps({**orjson.loads(self.body), **members})
        return Request(self.merchant, self.method, self.path, body, self.headers, self.number)

    def with_header(self, name: str, value: str | None) -> "Request":
        """Return the request with another header, without it for None."""
        headers = {given: old for given, old in self.headers.items() if given != name}
        headers |= {} if value is None else {name: value}
        return Request(self.merchant, self.method, self.path, self.body, headers, self.number)


Try = Callable[[Request], Request]
"""Changes one try of a request."""
Reaction = Callable[["BadKlarna", Call, Request], Awaitable[Call]]
"""Does something after a request was answered, and returns what the shop sees as the answer."""


class BadKlarna(Klarna):
    """The client of the bad shop: it changes the requests of each merchant as its fault says."""

    def __init__(self, url: str) -> None:
        super().__init__(url, "secret", 0.5)
        self.tries: Counter[tuple[str, str, str]] = Counter()
        self.orders: dict[str, bytes] = {}
        self.placed: Counter[str] = Counter()

    async def _call(
        self,
        merchant: str,
        method: str,
        path: str,
        body: bytes = b"",
        *,
        password: str | None = None,
        idempotency_key: str = "",
        tries: int = 4,
    ) -> Call:
        reaction = REACTIONS.get(rule_of(merchant))
        if rule_of(merchant) == "O9":
            tries = 1
        call = await super()._call(
            merchant, method, path, body, password=password, idempotency_key=idempotency_key, tries=tries
        )
        if rule_of(merchant) == "O9" and call.status == 503:
            return await self._call(merchant, method, path, body, password=password, idempotency_key=idempotency_key)
        request = Request(merchant, method, path, body, {KEY: idempotency_key} if idempotency_key else {})
        return await reaction(self, call, request) if reaction else call

    async def _send(
        self, merchant: str, method: str, path: str, body: bytes, headers: Mapping[str, str]
    ) -> tuple[Call, int]:
        self.tries[merchant, method, path] += 1
        request = Request(merchant, method, path, body, dict(headers), self.tries[merchant, method, path])
        if change := TRIES.get(rule_of(merchant)):
            request = change(request)
        return await super()._send(merchant, method, path, request.body, request.headers)

    async def also(self, request: Request, method: str, path: str, body: Json | None = None, key: str = "") -> Call:
        """Send another request of the same merchant."""
        content = b"" if body is None else orjson.dumps(body)
        return await super()._call(request.merchant, method, path, content, idempotency_key=key)


def rule_of(merchant: str) -> str:
    """Return the rule that a merchant breaks."""
    return merchant.rpartition("-")[2]


# Faults in requests


def _place(change: Callable[[Json], Json], *, only_retries: bool = False) -> Try:
    """Change the order that is placed."""

    def changed(request: Request) -> Request:
        if request.name != "place" or (only_retries and request.number == 1):
            return request
        return request.changed(**change(orjson.loads(request.body)))

    return changed


def _header(name: str, value: Callable[[Request], str | None], *operations: str) -> Try:
    """Change a header of some requests, of all without operations."""
    return lambda request: (
        request.with_header(name, value(request)) if not operations or request.name in operations else request
    )


def _without_fee(order: Json) -> Json:
    *articles, fee = order["order_lines"]
    return {"order_lines": [*articles, {**fee, "type": "surcharge"}]}


def _with_wrong_tax(order: Json) -> Json:
    first, *others = order["order_lines"]
    return {"order_lines": [{**first, "total_tax_amount": first["total_tax_amount"] + 1000}, *others]}


def _with_other_postal_code(order: Json) -> Json:
    return {"billing_address": {**order["billing_address"], "postal_code": "111 34"}}


def _other_reference(_order: Json) -> Json:
    return {"merchant_reference1": str(uuid4())}


TRIES: Mapping[str, Try] = {
    "K9": _header("Origin", lambda _request: "https://shop.example.com"),
    "C5": _place(_other_reference),
    "O3": _place(_without_fee),
    "O2": _place(_with_wrong_tax),
    "O4": _place(lambda _order: {"merchant_reference1": ""}),
    "O5": _place(_with_other_postal_code),
    "O8": _place(_other_reference, only_retries=True),
    "M4": _header(KEY, lambda _request: None),
    "M5": _header(KEY, lambda _request: str(uuid4()), "capture", "refund"),
    "M8": lambda request: request.changed(shipping_info=[]) if request.name == "capture" else request,
    "T1": _header("User-Agent", lambda _request: "python-requests/2.32"),
    "T4": _header("Host", lambda _request: "api-na.playground.klarna.com", "read"),
}


# Faults after answers


async def _ignore_refusal(klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Place the order although it could not be read: the last one that could be."""
    if request.name != "read":
        return call
    if call.status == 200:
        klarna.orders[request.merchant] = call.answer
        return call
    return Call(call.merchant, call.method, call.path, 200, klarna.orders[request.merchant])


async def _deny_second(klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Deny every purchase but the first."""
    if request.name != "read" or call.status != 200:
        return call
    klarna.placed[request.merchant] += 1
    if klarna.placed[request.merchant] == 1:
        return call
    reason = {"deny_code": "other", "deny_message": "Du har redan köpt det här."}
    await klarna.also(request, "DELETE", request.path, reason)
    return Call(call.merchant, call.method, call.path, 404, b"")


async def _believe_accepted(klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Take every order for accepted, also when it is captured."""
    if request.name != "place" or call.status != 200:
        return await _believe_open(klarna, call, request)
    answer = orjson.dumps({**orjson.loads(call.answer), "fraud_status": "ACCEPTED"})
    return Call(call.merchant, call.method, call.path, 200, answer)


async def _believe_open(_klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Take every order for one that can be captured."""
    if request.name != "managed":
        return call
    order = orjson.loads(call.answer)
    if order["status"] in ("EXPIRED", "CANCELLED"):
        order |= {"status": "AUTHORIZED", "remaining_authorized_amount": order["order_amount"]}
    return Call(call.merchant, call.method, call.path, 200, orjson.dumps(order))


async def _do_not_find(_klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Find no order at Klarna."""
    return Call(call.merchant, call.method, call.path, 404, b"") if request.name == "managed" else call


def _after_place(react: Callable[[BadKlarna, Request, str], Awaitable[Call]]) -> Reaction:
    """Do something after an order was placed; the order id is the third argument."""

    async def reaction(klarna: BadKlarna, call: Call, request: Request) -> Call:
        if request.name == "place" and call.status == 200:
            await react(klarna, request, orjson.loads(call.answer)["order_id"])
        return call

    return reaction


def _deny_it(klarna: BadKlarna, request: Request, _order_id: str) -> Awaitable[Call]:
    return klarna.also(request, "DELETE", request.path.removesuffix("/orders"), {"deny_code": "item_out_of_stock"})


def _place_another(klarna: BadKlarna, request: Request, _order_id: str) -> Awaitable[Call]:
    return klarna.also(request, "POST", request.path, {**orjson.loads(request.body), "merchant_reference2": "changed"})


def _acknowledge(klarna: BadKlarna, request: Request, order_id: str) -> Awaitable[Call]:
    return klarna.also(request, "POST", f"{ORDERS}/{order_id}/acknowledge")


async def _capture_with_the_same_key(klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Capture another amount with the key of the first capture."""
    if request.name == "capture":
        body = {**orjson.loads(request.body), "captured_amount": 1}
        await klarna.also(request, "POST", request.path, body, request.headers[KEY])
    return call


async def _capture_too_much(klarna: BadKlarna, call: Call, request: Request) -> Call:
    """Capture all again."""
    if request.name == "capture":
        await klarna.also(request, "POST", request.path, orjson.loads(request.body), str(uuid4()))
    return call


REACTIONS: Mapping[str, Reaction] = {
    "C4": _ignore_refusal,
    "C5": _ignore_refusal,
    "C6": _ignore_refusal,
    "C7": _deny_second,
    "O6": _believe_accepted,
    "O7": _believe_accepted,
    "O10": _after_place(_deny_it),
    "O11": _after_place(_place_another),
    "M1": _after_place(_acknowledge),
    "M3": _do_not_find,
    "M6": _capture_with_the_same_key,
    "M7": _capture_too_much,
    "M9": _believe_open,
}


# Faults in the shop itself

_SOLD_ANYWAY = ("V1", "V2", "V3", "V4", "V5")
_WRONG_DENIALS: Mapping[str, dict[str, str]] = {
    "D1": {"deny_code": "price_changed"},
    "D2": {"deny_code": "other"},
    "D3": {
        "deny_code": "other",
        "deny_message": "Priset har ändrats.",
        "deny_redirect_url": "https://shop.example.com/sorry",
    },
}


class BadStock(Stock):
    """The catalogue of the bad shop: it does not check, or denies in a wrong way."""

    def reserve(self, merchant: str, order: Mapping[str, Any], today: date, offers: Offers = ()) -> Any:
        """Return None for what is sold, else the body of a denial; raise 422 in place of denying."""
        rule = rule_of(merchant)
        reason = super().reserve(merchant, order, today, offers)
        if reason is None or rule in _SOLD_ANYWAY:
            return None
        if rule == "D4":
            raise web.HTTPUnprocessableEntity(text="the price has changed\n")
        return _WRONG_DENIALS.get(rule, reason)


class BadBooks(Books):
    """The orders of the bad shop: it forgets one after the first push."""

    def order(self, order_id: str) -> Order | None:
        """Return an order, or None if it is unknown."""
        found = super().order(order_id)
        return None if found and rule_of(found.merchant) == "M3" and found.pushes else found


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What breaks a rule, beside the faults above.

    then, update: the behaviours of the demo shop for `place_order` and `update`. urls: merchant URLs that differ, None for none.
    page: members of the page that differ, or of its first line. keys: how many button keys are created.
    """

    then: str = "place"
    update: str = ""
    push: str = ""
    urls: Mapping[str, str | None] = field(default_factory=dict)
    page: Json = field(default_factory=dict)
    first_line: Json = field(default_factory=dict)
    lines: int = 1
    keys: int = 1


FAULTS: Mapping[str, Fault] = {
    "K1": Fault(urls={"push": "http://shop.example.com/push/{checkout.order.id}"}),
    "K2": Fault(keys=2),
    "K3": Fault(urls={"push": None, "notification": None}),
    "K4": Fault(urls={"confirmation": None}),
    "K5": Fault(urls={"terms": None}),
    "K6": Fault(first_line={"image_url": "Array"}),
    "K7": Fault(lines=2),
    "K8": Fault(page={"locale": "sv-FI"}),
    "C1": Fault(then="silent"),
    "C2": Fault(then="late"),
    "C3": Fault(then="place_unchecked"),
    "C9": Fault(push="redirect"),
    "C10": Fault(update="garbage"),
    "O1": Fault(then="change&order_amount=100000"),
    "M2": Fault(push="forget"),
    "T3": Fault(urls={"push": "{push}&email=sara%40example.com"}),
}


@asynccontextmanager
async def serve_bad_shop(klarna_url: str) -> AsyncIterator[str]:
    """Run the bad shop, and yield its address."""
    async with BadKlarna(klarna_url) as klarna:
        state = ShopState("nobody", "", klarna, stock=BadStock(), books=BadBooks())
        async with TestServer(application(state)) as server:
            yield str(server.make_url("")).rstrip("/")
