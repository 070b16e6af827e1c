"""`mock-klarna demo`: show a purchase between the emulator and a demo shop, then keep both running."""

import argparse
import asyncio
import errno
import os
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_klarna.cli.options import add_settings, settings_from, warn_about_variables
from mock_klarna.errors import CannotBind, MockKlarnaError
from mock_klarna.process import run_in_loop
from mock_klarna.settings import Settings, variable_with_value

if TYPE_CHECKING:
    from mock_klarna.demo import Shop
    from mock_klarna.demo.walkthrough import Walkthrough
    from mock_klarna.server import Running

_NOT_PLACED = 1
_INTRODUCTION = """\
Klarna sandbox  {klarna}
Demo shop       {shop}

John Doe buys a Battery Power Pack with express shipping, as in Klarna's integration guide:
"""
_LINKS = (
    ("{shop}/", "the shop, with two products and their buttons"),
    ("{shop}/orders", "the shop's orders"),
    ("{klarna}/_mock/journal", "everything that happened, with all bodies"),
)
_NEXT_STEPS = """
Look around:
{links}

Try your own shop: let it call {klarna} instead of Klarna, with any username and password.

This demo runs until Ctrl-C and prints what happens next:
"""


def add(parser: argparse.ArgumentParser) -> None:
    """Add whether to stop after the purchase, the port of the shop, and an option for every setting."""
    parser.add_argument("--once", action="store_true", help="exit after the purchase: 0 if it was placed, else 1")
    parser.add_argument(
        "--shop-port", type=int, default=0, metavar="PORT", help="port of the demo shop (default: any free port)"
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the purchase; return 0 if it was placed, else 1. Raises `CannotBind`."""
    settings = settings_from(arguments)
    if settings.strict:
        hint = "leave --strict out, or use `mock-klarna serve --strict` and a shop with https"
        raise MockKlarnaError("the demo shop has no https, which strict requires", where="--strict", hint=hint)
    warn_about_variables(os.environ)
    return run_in_loop(_demo(arguments, settings), settings.loop)


async def _demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from mock_klarna.client import Client
    from mock_klarna.demo import serve_shop
    from mock_klarna.demo.walkthrough import Walkthrough

    _configure_logging(settings)
    merchant, _, password = (settings.credentials or ("demo-shop:secret",))[0].partition(":")
    async with AsyncExitStack() as stack:
        running = await _start_emulator(stack, settings, port_is_chosen=_port_is_chosen(arguments))
        serving = serve_shop(
            running.url, port=arguments.shop_port, port_flag="--shop-port", merchant=merchant, password=password
        )
        shop = await stack.enter_async_context(serving)
        klarna = await stack.enter_async_context(Client(running.url, merchant, password))
        _print(_INTRODUCTION.format(klarna=running.url, shop=shop.url))
        walkthrough = Walkthrough(klarna, shop.url, _print, colours=_use_colours())
        code = _print_result(await walkthrough.purchase())
        return code if arguments.once else await _keep_running(walkthrough, running, shop)


def _configure_logging(settings: Settings) -> None:
    """Log as `serve` does, but without refusals, which the walkthrough prints."""
    import logging

    from mock_klarna import logs

    logs.configure(settings.log_format)
    logging.getLogger("mock_klarna.refusals").setLevel(logging.ERROR)


def _port_is_chosen(arguments: argparse.Namespace) -> bool:
    return bool(arguments.setting_port or variable_with_value("port", os.environ))


async def _start_emulator(stack: AsyncExitStack, settings: Settings, *, port_is_chosen: bool) -> "Running":
    """Serve at the port of the settings, or at any free port if that is the default and in use."""
    from mock_klarna.server import serve

    try:
        return await stack.enter_async_context(serve(settings))
    except CannotBind as error:
        if port_is_chosen or error.flag != "--port" or error.errno != errno.EADDRINUSE:
            raise
    _print(f"Port {settings.port} is taken, the sandbox uses another one; choose a port with --port.\n")
    return await stack.enter_async_context(serve(replace(settings, port=0)))


def _print_result(purchase: dict[str, Any]) -> int:
    if purchase["state"] != "placed":
        _print(f"\nNot placed: the purchase is {purchase['state']}. {purchase['consumer_message'] or ''}")
        return _NOT_PLACED
    _print(f'\nPlaced. John sees "{purchase["consumer_message"]}" and continues to {purchase["redirect_url"]}')
    return 0


async def _keep_running(walkthrough: "Walkthrough", running: "Running", shop: "Shop") -> int:
    links = [(url.format(klarna=running.url, shop=shop.url), text) for url, text in _LINKS]
    width = max(len(url) for url, _ in links)
    lines = "\n".join(f"  {url:{width}}  {text}" for url, text in links)
    _print(_NEXT_STEPS.format(links=lines, klarna=running.url))
    with suppress(asyncio.CancelledError):
        await walkthrough.follow()
    return 0


def _print(text: str) -> None:
    print(text, flush=True)


def _use_colours() -> bool:
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR")
