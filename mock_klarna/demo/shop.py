"""The demo shop: a merchant's server that knows Klarna by its HTTP API alone (seed, steps 1 and 3)."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

import orjson
from aiohttp import web

from mock_klarna.demo import callbacks, pages
from mock_klarna.demo import pages as shipping
from mock_klarna.demo.books import Desk
from mock_klarna.demo.klarna import Klarna
from mock_klarna.demo.pages import add_showcase
from mock_klarna.errors import MockKlarnaError, Unreachable
from mock_klarna.web.sockets import cannot_bind

_LAST_WORDS_SECONDS = 0.05


class ShopRefused(MockKlarnaError):
    """Klarna answered, and did not give the shop a button key."""


@dataclass(frozen=True, slots=True)
class Shop:
    """A shop that is open: where it is, its credentials' username, and the key of its button."""

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
    """Open a shop that talks to the Klarna at `klarna_url`; it is closed after the `async with`.

    Callback URLs choose other credentials (`?merchant=`, same password) and a behaviour (`?then=`) for the purchases that
    use them. Raises `CannotBind` when the address cannot be bound, which names `port_flag`, `ShopRefused` when Klarna gives
    no button key, `Unreachable` when nobody answers at its address.
    """
    async with Klarna(klarna_url, password) as klarna:
        desk = Desk(merchant, klarna)
        runner = web.AppRunner(_application(desk), access_log=None, shutdown_timeout=_LAST_WORDS_SECONDS)
        await runner.setup()
        try:
            site = web.TCPSite(runner, host, port, backlog=1024, reuse_address=True)
            await _start(site, host, port, port_flag)
            url = _address(host, runner)
            desk.window.button_key = await _button_key(klarna, merchant, url)
            yield Shop(url, merchant, desk.window.button_key)
        finally:
            await runner.cleanup()


async def _start(site: web.TCPSite, host: str, port: int, port_flag: str) -> None:
    try:
        await site.start()
    except (OSError, UnicodeError) as fault:
        raise cannot_bind(host, port, port_flag, fault) from None


def _application(desk: Desk) -> web.Application:
    app = web.Application()
    app[callbacks.DESK] = desk
    add_showcase(app.router)
    app.router.add_get("/orders", pages.orders)
    app.router.add_post("/orders/{order_id}/ship", shipping.ship)
    app.router.add_get("/orders/{order_id}", shipping.show)
    app.router.add_post("/late", pages.release_late)
    app.router.add_post("/klarna/place-order", callbacks.place_order)
    app.router.add_post("/klarna/create-customer-token", callbacks.create_customer_token)
    app.router.add_post("/klarna/update", callbacks.update)
    app.router.add_post("/klarna/push", callbacks.push)
    app.router.add_post("/klarna/notification", callbacks.notification)
    return app


def _address(host: str, runner: web.AppRunner) -> str:
    """Return the shop's URL; an address that means "all" is shown as loopback."""
    port = runner.addresses[0][1]
    shown = "127.0.0.1" if host in ("", "0.0.0.0", "::") else host  # noqa: S104
    return f"http://[{shown}]:{port}" if ":" in shown else f"http://{shown}:{port}"


async def _button_key(klarna: Klarna, merchant: str, url: str) -> str:
    call = await klarna.create_button(merchant, {"name": "Demo shop", "merchant_urls": merchant_urls(url)})
    said = call.answer.decode("utf-8", "backslashreplace")
    if not call.status:
        raise Unreachable(said)
    if call.status != 201:
        raise ShopRefused(f"no button key for the demo shop: Klarna answers {call.status} {said[:500]}")
    return str(orjson.loads(call.answer)["button_key"])


def merchant_urls(url: str) -> dict[str, str]:
    """Return the URLs that a shop at an address registers with Klarna."""
    return {
        "terms": f"{url}/terms",
        "confirmation": f"{url}/thanks",
        "place_order": f"{url}/klarna/place-order",
        "push": f"{url}/klarna/push?order_id={{checkout.order.id}}",
        "notification": f"{url}/klarna/notification",
    }
