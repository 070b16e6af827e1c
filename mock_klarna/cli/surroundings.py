"""What scenarios are played against: the server and the shops that are started for them, or those that are there."""

import argparse
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_klarna.cli.flags import settings_from
from mock_klarna.client import Client
from mock_klarna.scenario.filling import mentions
from mock_klarna.scenario.player import Ways, credentials
from mock_klarna.scenario.scenario import Scenario

_SETTLING, _LONG_SETTLING = 0.25, 2.0


class CannotBind(Exception):
    """The server or a shop could not listen at its address."""


async def surroundings(
    arguments: argparse.Namespace, given: dict[str, Any], scenarios: list[Scenario], stack: AsyncExitStack
) -> Ways:
    """Start what has to be started, for as long as the stack is open, and return how to play; raises `CannotBind`."""
    settings = settings_from(arguments, port=0)
    url = arguments.url.rstrip("/") if arguments.url else await _started(settings, stack)
    ways = Ways(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        seed=settings.seed or None,
        merchant=arguments.merchant,
        prefix=arguments.prefix,
        jobs=arguments.jobs,
        settling=_LONG_SETTLING if arguments.transcript else _SETTLING,
    )
    shops = {} if arguments.url or "shop" in given else await _shops(scenarios, ways, stack)
    return replace(ways, variables=lambda scenario: {**shops.get(scenario.file, {}), **given})


async def _started(settings: Any, stack: AsyncExitStack) -> str:
    from mock_klarna.server import serve

    try:
        return (await stack.enter_async_context(serve(settings))).url
    except OSError as fault:
        raise CannotBind(str(fault)) from None


async def _shops(scenarios: list[Scenario], ways: Ways, stack: AsyncExitStack) -> dict[Path, dict[str, str]]:
    """Start demo shops for the scenarios that take a `shop` and were given none.

    One serves all that tell it who they are, by `${merchant}` in its URLs; the others get one of their own.
    """
    from mock_klarna.demo.shop import serve_shop

    shops: dict[str, str] = {}
    urls: dict[Path, dict[str, str]] = {}
    for scenario in scenarios:
        if "shop" in scenario.variables and scenario.variables["shop"] is None:
            merchant, password, _ = credentials(scenario, ways)
            shared = "merchant" in mentions(scenario.data)
            key = "" if shared else merchant
            if key not in shops:
                shop = serve_shop(ways.url) if shared else serve_shop(ways.url, merchant=merchant, password=password)
                shops[key] = (await stack.enter_async_context(shop)).url
            urls[scenario.file] = {"shop": shops[key]}
    return urls
