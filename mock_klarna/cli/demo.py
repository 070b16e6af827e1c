"""`mock-klarna demo`: show a purchase between the emulator and a demo shop, then stay up with the URLs to open."""

import argparse
import asyncio
import errno
import os
import sys
from collections.abc import Coroutine
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_klarna.cli.options import add_settings, settings_from
from mock_klarna.errors import CannotBind, MockKlarnaError
from mock_klarna.process import on_stop_signal, run_in_loop
from mock_klarna.settings import PREFIX, Settings

if TYPE_CHECKING:
    from mock_klarna.demo import Shop
    from mock_klarna.demo.walkthrough import Show
    from mock_klarna.server import Running

_INTRODUCTION = """\
Klarna's sandbox  {klarna}
The demo shop     {shop}

John Doe buys a Battery Power Pack with express shipping, as on Klarna's integration page:
"""
_FAREWELL = """
Look around:
  {shop}/              the shop: two buttons to buy with, and what it does with orders
  {shop}/orders        the orders it keeps, and what Klarna answered
  {klarna}/_mock/journal  everything that happened, with all bodies
Try your own shop: let it call {klarna} in place of Klarna, with any username and password.

This demo runs until Ctrl-C, and goes on telling what happens:
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add whether to stay up, where the shop is to be, and a flag for every setting."""
    parser.add_argument("--once", action="store_true", help="exit after the purchase: 0 if it was placed, else 1")
    parser.add_argument(
        "--shop-port", type=int, default=0, metavar="PORT", help="port of the demo shop (default: any free one)"
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the purchase; 0 if it was placed, 1 if not. Raises `CannotBind`."""
    settings = settings_from(arguments)
    if settings.strict:
        hint = "leave --strict out, or try it with `mock-klarna serve --strict` and a shop behind https"
        raise MockKlarnaError("the demo shop has no https, which strict demands", where="--strict", hint=hint)
    return run_in_loop(_until_stopped(_demo(arguments, settings)), settings.loop)


async def _until_stopped(demo: Coroutine[Any, Any, int]) -> int:
    """Run the demo until it ends, or until SIGTERM or SIGINT: 130 when that is before the purchase has ended."""
    task = asyncio.create_task(demo)
    on_stop_signal(task.cancel)
    try:
        return await task
    except asyncio.CancelledError:
        return 130


async def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from mock_klarna.client import Client
    from mock_klarna.demo.walkthrough import Show

    _log(settings)
    merchant, _, password = (settings.credentials or ("demo-shop:secret",))[0].partition(":")
    async with AsyncExitStack() as stack:
        running = await _emulator(stack, settings, is_port_chosen=_is_port_chosen(arguments))
        shop = await _shop(stack, running.url, arguments.shop_port, merchant, password)
        klarna = await stack.enter_async_context(Client(running.url, merchant, password))
        _say(_INTRODUCTION.format(klarna=running.url, shop=shop.url))
        show = Show(klarna, shop.url, _say, colours=_has_colours())
        code = _verdict(await show.purchase())
        return code if arguments.once else await _stay(show, running, shop)


def _log(settings: Settings) -> None:
    """Log as `serve` does, without the refusals: the timeline tells them."""
    import logging

    from mock_klarna import logs

    logs.configure(settings.log_format)
    logging.getLogger("mock_klarna.refusals").setLevel(logging.ERROR)


def _is_port_chosen(arguments: argparse.Namespace) -> bool:
    return bool(arguments.setting_port or os.environ.get(PREFIX + "PORT") or os.environ.get("PORT"))


async def _emulator(stack: AsyncExitStack, settings: Settings, *, is_port_chosen: bool) -> "Running":
    """Serve at the port of the settings or, if nobody asked for that one and it is taken, at any free one."""
    from mock_klarna.server import serve

    try:
        return await stack.enter_async_context(serve(settings))
    except CannotBind as fault:
        if is_port_chosen or fault.flag != "--port" or fault.errno != errno.EADDRINUSE:
            raise
    _say(f"Port {settings.port} is taken, so the sandbox takes a free one; --port chooses another.\n")
    return await stack.enter_async_context(serve(replace(settings, port=0)))


async def _shop(stack: AsyncExitStack, klarna: str, port: int, merchant: str, password: str) -> "Shop":
    from mock_klarna.demo import serve_shop

    shop = serve_shop(klarna, port=port, merchant=merchant, password=password, port_flag="--shop-port")
    return await stack.enter_async_context(shop)


def _verdict(purchase: dict[str, Any]) -> int:
    if purchase["state"] != "placed":
        _say(f"\nNot placed: the purchase is {purchase['state']}. {purchase['consumer_message'] or ''}")
        return 1
    _say(f'\nPlaced. John reads "{purchase["consumer_message"]}" and goes on to {purchase["redirect_url"]}')
    return 0


async def _stay(show: "Show", running: "Running", shop: "Shop") -> int:
    _say(_FAREWELL.format(klarna=running.url, shop=shop.url))
    with suppress(asyncio.CancelledError):
        await show.follow()
    return 0


def _say(text: str) -> None:
    print(text, flush=True)


def _has_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
