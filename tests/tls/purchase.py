"""Runs a shop with Klarna's own address, sells a cart, and prints the purchase as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from mock_klarna import resources
from mock_klarna.client import Client
from mock_klarna.demo import serve_shop
from tests.tls.in_namespace import serving

KLARNA = "https://api.playground.klarna.com"


async def main(folder: Path) -> None:
    """Sell one cart to a shopper who pays."""
    page = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    with serving(folder):
        async with serve_shop(KLARNA) as shop, Client(KLARNA, shop.merchant) as shopper:
            options = {"button_key": shop.button_key, "page": page, "wait": 120}
            print(json.dumps(await shopper.ask("POST", "/_mock/purchases", options)))


if __name__ == "__main__":
    asyncio.run(main(Path(sys.argv[1])))
