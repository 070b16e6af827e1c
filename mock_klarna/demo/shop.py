"""The demo shop: a merchant's server that knows Klarna by its HTTP API alone (guide, steps 1 and 3)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import web

from mock_klarna.demo import callbacks, pages
from mock_klarna.demo.books import ShopState
from mock_klarna.demo.klarna import Klarna
from mock_klarna.errors import MockKlarnaError, Unreachable
from mock_klarna.settings import server_url
from mock_klarna.web.sockets import bound_sockets

_SHUTDOWN_SECONDS = 0.05


class ShopRefused(MockKlarnaError):
    """Klarna did not create a button key for the shop."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A running shop: its address, the username of its credentials, and the key of its button."""

    url: str
    merchant: str
    button_key: str


@asynccontextmanager
async def serve_shop(
    klarna_url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    merchant: str = "demo-shop",
    password: str = "secret",  # noqa: S107
    port_flag: str = "--port",
) -> AsyncIterator[Shop]:
    """Run a shop that calls the Klarna at `klarna_url` until the end of the `async with`.

    Callback URLs can select other credentials (`?merchant=`, with the same password) and a behaviour (`?then=`).
    Raises `CannotBind`, which names `port_flag`, when the address cannot be bound, `ShopRefused` when Klarna creates no
    button key, and `Unreachable` when Klarna does not answer.
    """
    async with Klarna(klarna_url, password) as klarna:
        shop = ShopState(merchant, klarna)
        runner = web.AppRunner(_application(shop), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            sockets = await bound_sockets(host, port, port_flag)
            for each in sockets:
                await web.SockSite(runner, each).start()
            url = server_url("http", host, sockets[0].getsockname()[1])
            shop.button_key = await _create_button(klarna, merchant, url)
            yield Shop(url, merchant, shop.button_key)
        finally:
            await runner.cleanup()


def _application(shop: ShopState) -> web.Application:
    app = web.Application()
    app[callbacks.SHOP_STATE] = shop
    pages.add_static_pages(app.router)
    app.router.add_get("/orders", pages.orders)
    app.router.add_post("/orders/{order_id}/ship", pages.ship)
    app.router.add_get("/orders/{order_id}", pages.order)
    app.router.add_post("/late", pages.release_late)
    app.router.add_post("/klarna/place-order", callbacks.place_order)
    app.router.add_post("/klarna/create-customer-token", callbacks.create_customer_token)
    app.router.add_post("/klarna/update", callbacks.update)
    app.router.add_post("/klarna/push", callbacks.push)
    app.router.add_post("/klarna/notification", callbacks.notification)
    return app


async def _create_button(klarna: Klarna, merchant: str, url: str) -> str:
    call = await klarna.create_button(merchant, {"name": "Demo shop", "merchant_urls": merchant_urls(url)})
    text = call.answer.decode("utf-8", "backslashreplace")
    if not call.status:
        raise Unreachable(text)
    if call.status != 201:
        raise ShopRefused(f"Klarna created no button key for the demo shop, it answered {call.status}: {text[:500]}")
    return str(orjson.loads(call.answer)["button_key"])


def merchant_urls(url: str) -> dict[str, str]:
    """Return the merchant URLs of a shop at this address."""
    return {
        "terms": f"{url}/terms",
        "confirmation": f"{url}/thanks",
        "place_order": f"{url}/klarna/place-order",
        "push": f"{url}/klarna/push?order_id={{checkout.order.id}}",
        "notification": f"{url}/klarna/notification?order_id={{checkout.order.id}}",
    }
