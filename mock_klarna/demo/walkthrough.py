"""The purchase of `mock-klarna demo`: John Doe buys the battery pack with express shipping (guide, steps 2 and 3)."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.client import Client
from mock_klarna.domain.journal_text import describe, timestamp

Json = Mapping[str, Any]
_REPEATS_EXCHANGE = frozenset({"button_created", "button_updated", "purchase_placed", "purchase_denied"})
"""Events that are left out because the line of the shop's request says the same."""
_LAST_ENTRIES = frozenset({("callback", "place_order"), ("event", "purchase_declined"), ("event", "purchase_failed")})
"""Entries (kind, name) that end a purchase: the shop has answered, or is not called at all."""
_WAIT_SECONDS = 20
_ALL_MERCHANTS = {"Authorization": ""}
_DIM, _BOLD, _RED, _RESET = "\x1b[2m", "\x1b[1m", "\x1b[31m", "\x1b[0m"
_TIME_WIDTH, _ACTOR_WIDTH = 7, 13


class EntryFormatter:
    """Formats journal entries as lines with the time since the first one, for a terminal that may have colours.

    `merchant` is called the shop, other merchants by their names.
    """

    def __init__(self, merchant: str, *, colours: bool = False) -> None:
        self._merchant = merchant
        self._colours = colours
        self._started: float | None = None

    def lines(self, entry: Json) -> Iterator[str]:
        """Return the lines of the next entry: one, more if it has problems, none if an earlier entry says the same."""
        ended = _ended(entry)
        self._started = ended if self._started is None else self._started
        if entry["name"] in _REPEATS_EXCHANGE:
            return
        shop = "shop" if entry["merchant"] == self._merchant else entry["merchant"]
        described = describe(entry, shop=shop)
        elapsed = max(0, round((ended - self._started) * 1000))
        time = self._coloured(_DIM, f"{elapsed:{_TIME_WIDTH}} ms")
        actor = self._coloured(_BOLD, f"{described.actor:{_ACTOR_WIDTH}}")
        yield f"{time}  {actor}  {self._coloured(_RED if described.is_error else '', described.text)}"
        for problem in described.problems:
            yield f"{'':{_TIME_WIDTH + 3 + 2 + _ACTOR_WIDTH + 2}}{problem}"

    def _coloured(self, colour: str, text: str) -> str:
        return f"{colour}{text}{_RESET}" if self._colours and colour else text


def _ended(entry: Json) -> float:
    """Return when an entry ended, in seconds; the time of a request or callback in the journal is when it began."""
    return timestamp(entry) + float(entry.get("duration_ms", 0)) / 1000


class Walkthrough:
    """Makes the purchase and prints what happens, as the journal records it."""

    def __init__(
        self, klarna: Client, shop_url: str, print_line: Callable[[str], None], *, colours: bool = False
    ) -> None:
        self._klarna = klarna
        self._shop_url = shop_url
        self._print_line = print_line
        self._formatter = EntryFormatter(klarna.merchant, colours=colours)
        self._position = 0

    async def purchase(self) -> dict[str, Any]:
        """Start the purchase, print entries until the shop has answered, and return the purchase."""
        started = await self._klarna.ask("POST", "/_mock/purchases", purchase_body(self._shop_url))
        purchase_id = started["purchase_id"]
        while not any(_is_last(entry, purchase_id) for entry in await self.print_new_entries()):
            pass
        purchase: dict[str, Any] = await self._klarna.ask("GET", f"/_mock/purchases/{purchase_id}")
        return purchase

    async def follow(self) -> None:
        """Print the entries of all merchants until cancelled."""
        while True:
            await self.print_new_entries()

    async def print_new_entries(self, wait: float = _WAIT_SECONDS) -> list[Json]:
        """Print and return new entries; wait up to so many seconds for the first."""
        path = f"/_mock/journal?after={self._position}&wait={wait}"
        page = (await self._klarna.send("GET", path, headers=_ALL_MERCHANTS)).body
        entries: list[Json] = sorted(page["entries"], key=lambda entry: entry["seq"])
        self._position = page["position"]
        for entry in entries:
            for line in self._formatter.lines(entry):
                self._print_line(line)
        return entries


def purchase_body(shop_url: str) -> Json:
    """Return the body of `POST /_mock/purchases` for the Swedish purchase of the integration guide."""
    page = orjson.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    page["merchant_urls"] = {"terms": f"{shop_url}/terms"}
    return {
        "page": page,
        "integrator_url": f"{shop_url}/",
        "shopper": "se-guide",
        "select": {"shipping_option": "express_priority"},
        "wait": 0,
    }


def _is_last(entry: Json, purchase_id: str) -> bool:
    return entry["purchase_id"] == purchase_id and (entry["kind"], entry["name"]) in _LAST_ENTRIES
