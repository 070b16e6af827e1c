"""The demo's purchase: John Doe of Klarna's integration page buys the battery pack with express shipping (seed, steps 2 and 3)."""

from collections.abc import Callable, Mapping
from typing import Any

import orjson

from mock_klarna import bundle
from mock_klarna.client import Client
from mock_klarna.demo.narration import Narrator

Json = dict[str, Any]
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

    async def purchase(self) -> Json:
        """Let the shopper buy, tell everything until the shop has answered, and return the purchase as it then is."""
        begun = await self._klarna.ask("POST", "/_mock/purchases", wish(self._shop_url))
        purchase_id = begun["purchase_id"]
        while not any(_is_last(entry, purchase_id) for entry in await self.more()):
            pass
        held: Json = await self._klarna.ask("GET", f"/_mock/purchases/{purchase_id}")
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
    page = orjson.loads((bundle.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
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
