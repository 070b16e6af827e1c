"""What a probe can do: let shoppers buy, inject faults, move the clock, and watch what the shop does."""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from urllib.parse import quote, urlencode

from mock_klarna.certify.traffic import ORDERS, OWN_AGENT, WRONG_SECRET, Gaps, Json, Traffic, path_part
from mock_klarna.errors import MockKlarnaError
from mock_klarna.sender import Sender

_MAX_ENTRIES = 10_000
_STATE_TEXTS = {"timed_out": "not decided", "authorized": "not decided"}
"""The states of a purchase that are not called by their names."""


class NotPlayed(Exception):
    """A probe is not possible here; the message says what it needs."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Cart:
    """What the shoppers of the probes buy: a button key and the options of a page, as `load()` takes them.

    button_key: "" for the newest. options: those of the key, {} for the newest. is_whole: whether the page has all that the shop
    passes to `load()`, and not only what a purchase shows of it.
    """

    button_key: str
    page: Json
    options: Json
    is_whole: bool

    @property
    def country(self) -> str:
        """The purchase country; "" where it is not known."""
        return str(self.page.get("purchase_country") or self.options.get("purchase_country") or "")

    @property
    def has_countries(self) -> bool:
        """Whether it is known to which countries the shop delivers."""
        return self.is_whole or "shipping_countries" in self.options

    def without_key(self) -> Json:
        """Return a page that needs no button key, and whose order no shop is called about."""
        own = {name: self.options[name] for name in _PAGE_MEMBERS if name in self.options}
        return {name: value for name, value in {**own, **self.page}.items() if name != "merchant_urls"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiting:
    """How long probes wait, in seconds of real time.

    shop: for a reaction of the shop. retry: for a retry that the shop makes by itself, before it is made to act again.
    quiet: without an entry in the journal until the shop has done what it does. person: for somebody who captures, refunds or
    buys in the shop.
    """

    shop: float = 10.0
    retry: float = 2.0
    quiet: float = 0.15
    person: float = 0.0


async def _reachable() -> str:
    return ""


@dataclass(slots=True, kw_only=True)
class Probing:
    """The probes of one shop while they are played; `say` prints a sentence for a person.

    act: makes the shop capture or refund an order by calling a URL, and returns how that was answered; {order_id} in `urls` is
    replaced. why_gone: returns why the shop is not reachable any more, "" while it is. urls: by the name of the operation,
    `capture_order` and `refund_order`. acted: how the last call of each was answered. last: the last purchase of the cart as it is.
    """

    client: Sender
    cart: Cart
    waiting: Waiting
    say: Callable[[str], None]
    act: Callable[[str], Awaitable[str]]
    why_gone: Callable[[], Awaitable[str]] = _reachable
    urls: Mapping[str, str] = field(default_factory=dict)
    acted: dict[str, str] = field(default_factory=dict)
    last: Json = field(default_factory=dict)

    async def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request to the sandbox that has to succeed."""
        return await self.client.ask(method, path, body, headers=_HEADERS)

    async def buy(self, **members: Any) -> Json:
        """Let a shopper buy the cart, and wait for the shop's decision; `members` are those of `POST /_mock/purchases`.

        Raises `NotPlayed` for a cart that has nothing to cheat with.
        """
        country = self.cart.country.lower()
        body = {
            "button_key": self.cart.button_key,
            "page": self.cart.page,
            "wait": self.waiting.shop,
            **({"shopper": f"{country}-approved"} if country else {}),
            **members,
        }
        try:
            bought: Json = await self.ask("POST", "/_mock/purchases", body)
        except MockKlarnaError as refused:
            if refused.where != "cheat":
                raise
            raise NotPlayed(f"this needs {refused.hint.removeprefix('expected ')}") from None
        if not {"cheat", "page"} & set(members):
            self.last = bought
        return bought

    async def place(self, **members: Any) -> Json:
        """Let a shopper buy the cart; raises `NotPlayed` if the shop does not place the order."""
        bought = await self.buy(**members)
        if bought["state"] != "placed":
            raise NotPlayed(f"this needs an order, and the purchase was {described(bought)}")
        return bought

    async def inject(self, on: str, operation: str, **effects: object) -> None:
        """Inject a fault into the next requests or callbacks of an operation."""
        await self.ask("POST", "/_mock/faults", {"on": on, "operation": operation, **effects})

    async def advance(self, duration: str) -> None:
        """Move the clock; all that is due happens before this returns."""
        await self.ask("POST", "/_mock/clock", {"advance": duration})

    async def resend(self, purchase: Json, kind: str) -> Json:
        """Send the newest callback of a kind about a purchase again; raises `NotPlayed` if there is none."""
        found = await self.ask("GET", f"/_mock/callbacks?purchase_id={purchase['purchase_id']}&kind={kind}")
        if not found["callbacks"]:
            raise NotPlayed(f"this needs a {kind} callback; set merchant_urls.{kind}")
        sent = await self.ask("POST", f"/_mock/callbacks/{found['callbacks'][0]['callback_id']}/resend")
        await self.settle()
        return _attempt(sent)

    async def forge(self, token: str | None = None) -> Json:
        """Send the callback of the last honest purchase with another token; return the attempt."""
        purchase = self.last or await self.buy()
        body = {"purchase_id": purchase["purchase_id"], **({"authorization_token": token} if token else {})}
        sent = await self.ask("POST", "/_mock/callbacks", body)
        await self.settle()
        return _attempt(sent)

    async def position(self) -> int:
        """Return the position of the newest entry of the journal."""
        return (await journal_end(self.client)).position

    async def entries(self, after: int, **filters: object) -> list[Json]:
        """Return journal entries after a position; with `wait`, wait so many seconds for the first one."""
        query = urlencode({"after": after, "limit": _MAX_ENTRIES, **filters})
        found: list[Json] = (await self.ask("GET", f"/_mock/journal?{query}"))["entries"]
        return found

    async def has_acted(self, after: int) -> bool:
        """Return whether the shop has sent a request to Klarna or answered a callback after a position."""
        traffic = Traffic("", await self.entries(after))
        return bool(traffic.exchanges()) or any(entry["status"] is not None for entry in traffic.callbacks())

    async def wait_for(
        self, name: str, after: int, *, number: int = 1, seconds: float | None = None, order_id: str = ""
    ) -> Sequence[Json]:
        """Return `number` entries of a name after a position, or those that there are after so many seconds (`waiting.shop`).

        With `order_id` only requests about this order count.
        """
        loop = asyncio.get_running_loop()
        deadline = loop.time() + (self.waiting.shop if seconds is None else seconds)
        found: list[Json] = []
        while len(found) < number and (left := deadline - loop.time()) > 0:
            seen = await self.entries(after, name=name, wait=round(left, 3))
            found += [entry for entry in seen if not order_id or path_part(entry, ORDERS) == order_id]
            after = max((entry["seq"] for entry in seen), default=after)
        return found

    async def settle(self) -> None:
        """Wait until the journal had no new entry for a while, at most as long as for a retry of the shop."""
        loop = asyncio.get_running_loop()
        deadline, position = loop.time() + self.waiting.retry, await self.position()
        while loop.time() < deadline:
            found = await self.entries(position, wait=self.waiting.quiet)
            if not found:
                return
            position = max(entry["seq"] for entry in found)

    async def shop_acts(self, operation: str, order_id: str, after: int, number: int) -> Sequence[Json]:
        """Return the shop's requests of an operation about an order, once there are `number`.

        The shop may send them by itself. Otherwise its URL is called, or a person is asked.
        """
        seconds = self.waiting.quiet if number == 1 else min(self.waiting.retry, self.waiting.shop)
        wait = partial(self.wait_for, operation, after, number=number, order_id=order_id)
        sent = await wait(seconds=seconds)
        if len(sent) < number and await self.call_shop(operation, order_id):
            sent = await wait(seconds=self.waiting.quiet)
        elif len(sent) < number and self.waiting.person:
            what, again = operation.removesuffix("_order"), " again" if number > 1 else ""
            self.say(f"{what} order {order_id}{again} in the shop; waiting {self.waiting.person:g} s for it")
            sent = await wait(seconds=self.waiting.person)
        return sent

    async def call_shop(self, operation: str, order_id: str) -> bool:
        """Let the shop capture or refund an order; return whether its URL for that is known."""
        if operation not in self.urls:
            return False
        url = self.urls[operation].replace("{order_id}", quote(order_id, safe=""))
        self.acted[operation] = f"POST {url}: {await self.act(url)}"
        return True


_HEADERS = {"User-Agent": OWN_AGENT}


def _attempt(callback: Json) -> Json:
    attempt: Json = callback["attempts"][-1]
    return attempt


def described(purchase: Json) -> str:
    """Return what became of a purchase in a few words."""
    state = str(purchase["state"])
    text = _STATE_TEXTS.get(state, state)
    code = (purchase.get("deny") or {}).get("deny_code")
    return f"{text} ({code})" if code else text


def answered(attempt: Json) -> str:
    """Return how a callback was answered in a few words."""
    return f"answered {attempt['status']}" if attempt["status"] else str(attempt["outcome"]).replace("_", " ")


def page_of(order: Json) -> Json:
    """Return the options of a page that lead to an authorized order: without the line of the shipping option and the shopper."""
    page = {name: order[name] for name in _PAGE_MEMBERS if name in order}
    option = order.get("selected_shipping_option")
    if option:
        page["shipping_options"] = [option]
        page["order_lines"] = page["order_lines"][:-1]
    return page


_PAGE_MEMBERS = (
    "purchase_country",
    "purchase_currency",
    "locale",
    "order_lines",
    "items",
    "shipping_options",
    "merchant_urls",
    "merchant_reference1",
    "merchant_reference2",
    "merchant_data",
)


@dataclass(frozen=True, slots=True)
class JournalEnd:
    """The end of a merchant's journal at some time: the position of its newest entry, and how many older ones it had dropped."""

    position: int
    dropped: int


async def journal_end(client: Sender) -> JournalEnd:
    """Return the present end of the journal."""
    newest = await client.ask("GET", "/_mock/journal?order=newest&limit=1", headers=_HEADERS)
    return JournalEnd(newest["position"], newest["dropped"])


async def traffic_after(client: Sender, merchant: str, start: JournalEnd, end: int | None = None) -> Traffic:
    """Return what happened after an end of the journal: purchases that began after it, and the button keys of before.

    end: the position at which the shop was last known to run, None for no end. What it did about earlier purchases counts still.
    """
    entries = []
    for name in ("create_button", "update_button"):
        entries += [one for one in (await _read(client, f"name={name}"))["entries"] if one["seq"] <= start.position]
    position = start.position
    while True:
        page = await _read(client, f"after={position}")
        entries += page["entries"]
        position = page["position"]
        if len(page["entries"]) < _MAX_ENTRIES:
            break
    started = {one["purchase_id"] for one in entries if one["name"] == "session_initiated"}
    if end is not None:
        started = {one["purchase_id"] for one in entries if one["name"] == "session_initiated" and one["seq"] <= end}
        entries = [one for one in entries if one["seq"] <= end or _was_done(one, started)]
    own = (one for one in entries if one["purchase_id"] is None or one["purchase_id"] in started)
    return Traffic(merchant, own, Gaps(dropped=page["dropped"] - start.dropped))


def _was_done(entry: Json, purchase_ids: Collection[str]) -> bool:
    """Return whether an entry is a request of the shop or an answer to a callback, about one of some purchases."""
    return entry["purchase_id"] in purchase_ids and entry.get("status") is not None


async def _read(client: Sender, query: str) -> Json:
    page: Json = await client.ask("GET", f"/_mock/journal?{query}&limit={_MAX_ENTRIES}", headers=_HEADERS)
    return page


async def find_cart(client: Sender, button_key: str | None, page: Json | None) -> Cart | None:
    """Return the cart of the probes: the given page, or that of the newest honest purchase, rather of one that was placed.

    Return None where there is no purchase yet. Raises `MockKlarnaError` for a button key or a password that is not accepted.
    """
    cheated = {entry["purchase_id"] for entry in (await _read(client, "name=cart_changed"))["entries"]}
    bought = [
        one
        for one in (await client.ask("GET", _PURCHASES, headers=_HEADERS))["purchases"]
        if one["order"]
        and one["purchase_id"] not in cheated
        and button_key in (None, one["button_key"])
        and WRONG_SECRET not in str(one["order"]["merchant_urls"].get("place_order"))
    ]
    bought.sort(key=lambda one: one["state"] != "placed")
    key = button_key or (bought[0]["button_key"] if bought else None)
    options = await _options_of(client, key)
    if page is not None:
        return Cart(button_key=key or "", page=page, options=options, is_whole=True)
    if not bought:
        return None
    page, used = page_of(bought[0]["order"]), str(bought[0]["button_key"])
    return Cart(button_key=used, page=page, options=options, is_whole=False)


_PURCHASES = "/_mock/purchases?limit=200"


async def _options_of(client: Sender, key: str | None) -> Json:
    """Return the options of a button key, {} without one."""
    answer = await client.send("GET", f"/instantshopping/v1/buttons/{quote(key or '-', safe='')}", headers=_HEADERS)
    if answer.status == 401:
        hint = "give USER:PASSWORD as the shop has them"
        raise MockKlarnaError("the credentials are not accepted", where="--merchant", hint=hint)
    if key is not None and answer.status != 200:
        hint = "give a key that this merchant has created on this server, or leave it out"
        raise MockKlarnaError(f"the merchant has no button key {key!r}", where="--button-key", hint=hint)
    options: Json = answer.body if key is not None else {}
    return options
