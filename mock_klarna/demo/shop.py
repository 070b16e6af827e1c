"""The demo shop: a merchant's server that knows Klarna by its HTTP API alone (guide, steps 1 and 3)."""

import hmac
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import web

from mock_klarna.demo import callbacks, pages
from mock_klarna.demo.klarna import Klarna
from mock_klarna.demo.placing import ShopState
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
async def serve_shop(  # noqa: PLR0913  # all but the first are named
    klarna_url: str,
    *,
    host: str = "127.0.0.1",
    port: int = 0,
    merchant: str = "demo-shop",
    password: str = "secret",  # noqa: S107
    port_flag: str = "--port",
    has_secret: bool = True,
    pause: float = 0.5,
) -> AsyncIterator[Shop]:
    """Run a shop that calls the Klarna at `klarna_url` until the end of the `async with`.

    Callback URLs can select other credentials (`?merchant=`, with the same password) and a behaviour (`?then=`).
    has_secret: whether callbacks of the shop's own merchant need the secret that is in the URLs of its button key; a
    scenario that creates a key itself does not know it. pause: seconds before a request to Klarna is sent a second time.
    Raises `CannotBind`, which names `port_flag`, when the address cannot be bound, `ShopRefused` when Klarna creates no
    button key, and `Unreachable` when Klarna does not answer.
    """
    async with Klarna(klarna_url, password, pause) as klarna:
        shop = ShopState(merchant, callback_secret(merchant, password) if has_secret else "", klarna)
        runner = web.AppRunner(application(shop), access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)
        await runner.setup()
        try:
            sockets = await bound_sockets(host, port, port_flag)
            for each in sockets:
                await web.SockSite(runner, each).start()
            url = server_url("http", host, sockets[0].getsockname()[1])
            shop.button_key = await _create_button(shop, url)
            yield Shop(url, merchant, shop.button_key)
        finally:
            await runner.cleanup()


def application(shop: ShopState) -> web.Application:
    """Return the pages and callbacks of a shop."""
    app = web.Application()
    app[callbacks.SHOP_STATE] = shop
    pages.add_static_pages(app.router)
    app.router.add_get("/orders", pages.orders)
    app.router.add_post("/orders/{order_id}/ship", pages.ship)
    app.router.add_post("/orders/{order_id}/refund", pages.refund)
    app.router.add_get("/orders/{order_id}", pages.order)
    app.router.add_post("/late", pages.release_late)
    app.router.add_post("/klarna/place-order", callbacks.place_order)
    app.router.add_post("/klarna/create-customer-token", callbacks.create_customer_token)
    app.router.add_post("/klarna/update", callbacks.update)
    app.router.add_post("/klarna/push", callbacks.push)
    app.router.add_post("/klarna/notification", callbacks.notification)
    return app


def callback_secret(merchant: str, password: str) -> str:
    """Return the secret of a shop's callback URLs: the same after a restart, because Klarna has stored the URLs."""
    return hmac.new(password.encode(), merchant.encode(), "sha256").hexdigest()[:32]


async def _create_button(shop: ShopState, url: str) -> str:
    options = {"name": "Demo shop", "merchant_urls": merchant_urls(url, shop.secret)}
    call = await shop.klarna.create_button(shop.merchant, options)
    text = call.answer.decode("utf-8", "backslashreplace")
    if not call.status:
        raise Unreachable(text)
    if call.status != 201:
        raise ShopRefused(f"Klarna created no button key for the demo shop, it answered {call.status}: {text[:500]}")
    return str(orjson.loads(call.answer)["button_key"])


def merchant_urls(url: str, secret: str) -> dict[str, str]:
    """Return the merchant URLs of a shop at this address; those that Klarna calls have the secret."""
    return {
        "terms": f"{url}/terms",
        "confirmation": f"{url}/thanks",
        "place_order": f"{url}/klarna/place-order?secret={secret}",
        "push": f"{url}/klarna/push?secret={secret}&order_id={{checkout.order.id}}",
        "notification": f"{url}/klarna/notification?secret={secret}&order_id={{checkout.order.id}}",
    }
