"""`mock-klarna demo`: show a purchase between the emulator and a demo shop, then keep both running."""

import argparse
import asyncio
import errno
import os
import sys
from contextlib import AsyncExitStack, suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from mock_klarna.cli.options import PORT, add_settings, setting_sources, settings_from, warn_about_variables
from mock_klarna.errors import CannotBind, MockKlarnaError
from mock_klarna.process import run_in_loop
from mock_klarna.settings import Settings, variable_with_value

if TYPE_CHECKING:
    from mock_klarna.client import Client
    from mock_klarna.demo import Shop
    from mock_klarna.logs import ConsoleLog
    from mock_klarna.server import RunningServer

_EXIT_CODE_NOT_PLACED = 1
_JOURNAL_WAIT_SECONDS = 20
_ENTRIES_THAT_END_THE_PURCHASE = frozenset(
    {("callback", "place_order"), ("event", "purchase_declined"), ("event", "purchase_failed")}
)
"""Entries (kind, name) that end the purchase: the shop has answered, or is not called at all."""
_INTRODUCTION = """\
The emulator of Klarna is at {klarna}. A demo shop starts and creates its button key.
John Doe buys a Battery Power Pack with express shipping, as in Klarna's integration guide:
"""
_LINKS = (
    ("{shop}/", "the shop, with two products and their buttons"),
    ("{shop}/orders", "the shop's orders"),
    ("{klarna}/", "the dashboard: each purchase, with all requests and bodies"),
)
_NEXT_STEPS = """
Look around:
{links}

Let 31 probes judge the shop, from a changed price to a lost answer:
  mock-klarna certify --url {klarna} --shop {shop} --merchant {credentials}

Try your own shop: let it call {klarna} instead of Klarna, with any username and password.

This demo runs until Ctrl-C and prints what happens next:
"""


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add whether to stop after the purchase, the port of the shop, and an option for every setting."""
    parser.add_argument("--once", action="store_true", help="exit after the purchase: 0 if it was placed, else 1")
    parser.add_argument(
        "--shop-port", type=PORT, default=0, metavar="PORT", help="port of the demo shop (default: any free port)"
    )
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Show the purchase; return 0 if it was placed, else 1. Raises `CannotBind`."""
    settings = settings_from(arguments)
    if settings.strict:
        hint = "leave --strict out, or use `mock-klarna serve --strict` and a shop with https"
        raise MockKlarnaError("the demo shop has no https, which strict requires", where="--strict", hint=hint)
    warn_about_variables(os.environ)
    return run_in_loop(_run_demo(arguments, settings), settings.loop)


async def _run_demo(arguments: argparse.Namespace, settings: Settings) -> int:
    from mock_klarna.client import Client
    from mock_klarna.demo import serve_shop
    from mock_klarna.logs import console_log

    merchant, _, password = (settings.credentials or ("demo-shop:secret",))[0].partition(":")
    async with AsyncExitStack() as exit_stack:
        log = exit_stack.enter_context(console_log(settings, sys.stdout))
        server = await _start_emulator(exit_stack, settings, log, arguments)
        log.print(_INTRODUCTION.format(klarna=server.url))
        shop_context = serve_shop(
            server.url, port=arguments.shop_port, port_flag="--shop-port", merchant=merchant, password=password
        )
        shop = await exit_stack.enter_async_context(shop_context)
        client = await exit_stack.enter_async_context(Client(server.url, merchant, password))
        purchase = await _run_purchase(client, shop.url)
        log.print(_result_text(purchase))
        exit_code = 0 if purchase["state"] == "placed" else _EXIT_CODE_NOT_PLACED
        if not arguments.once:
            log.print(_next_steps_text(server, shop, f"{merchant}:{password}"))
            with suppress(asyncio.CancelledError):
                await asyncio.Event().wait()
        return exit_code


async def _run_purchase(client: "Client", shop_url: str) -> dict[str, Any]:
    """Let John Doe buy, and return the purchase once the shop has answered (guide, steps 2 and 3)."""
    purchase_id = (await client.ask("POST", "/_mock/purchases", _purchase_body(shop_url)))["purchase_id"]
    path, position = f"/_mock/journal?purchase_id={purchase_id}&wait={_JOURNAL_WAIT_SECONDS}", 0
    is_ended = False
    while not is_ended:
        page = await client.ask("GET", f"{path}&after={position}")
        position = page["position"]
        is_ended = any((entry["kind"], entry["name"]) in _ENTRIES_THAT_END_THE_PURCHASE for entry in page["entries"])
    purchase: dict[str, Any] = await client.ask("GET", f"/_mock/purchases/{purchase_id}")
    return purchase


def _purchase_body(shop_url: str) -> dict[str, Any]:
    """Return the body of `POST /_mock/purchases` for the Swedish purchase of the integration guide."""
    return {
        "cart": "se-battery-pack",
        "page": {"merchant_urls": {"terms": f"{shop_url}/terms"}},
        "integrator_url": f"{shop_url}/",
        "shopper": "se-guide",
        "select": {"shipping_option": "express_priority"},
        "wait": 0,
    }


def _port_is_chosen(arguments: argparse.Namespace) -> bool:
    return bool(arguments.setting_port or variable_with_value("port", os.environ))


async def _start_emulator(
    exit_stack: AsyncExitStack, settings: Settings, log: "ConsoleLog", arguments: argparse.Namespace
) -> "RunningServer":
    """Serve at the port of the settings, or at any free port if that is the default and in use."""
    from mock_klarna.server import serve

    observer, sources = None if settings.quiet else log, setting_sources(arguments)
    try:
        return await exit_stack.enter_async_context(serve(settings, observer, sources))
    except CannotBind as error:
        if _port_is_chosen(arguments) or error.flag != "--port" or error.errno != errno.EADDRINUSE:
            raise
    log.print(f"Port {settings.port} is taken, the emulator uses another one; choose a port with --port.\n")
    return await exit_stack.enter_async_context(serve(replace(settings, port=0), observer, sources))


def _result_text(purchase: dict[str, Any]) -> str:
    if purchase["state"] != "placed":
        return f"\nNot placed: the purchase is {purchase['state']}. {purchase['consumer_message'] or ''}"
    return f'\nPlaced. John sees "{purchase["consumer_message"]}" and continues to {purchase["redirect_url"]}'


def _next_steps_text(server: "RunningServer", shop: "Shop", credentials: str) -> str:
    links = [(url.format(klarna=server.url, shop=shop.url), text) for url, text in _LINKS]
    width = max(len(url) for url, _ in links)
    lines = "\n".join(f"  {url:{width}}  {text}" for url, text in links)
    return _NEXT_STEPS.format(links=lines, klarna=server.url, shop=shop.url, credentials=credentials)
