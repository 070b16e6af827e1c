"""`mock-klarna shop`: run the demo shop alone, against a Klarna at another address."""

import argparse
import asyncio
from contextlib import suppress

from mock_klarna.cli.options import PORT, require_username, server_address
from mock_klarna.process import resume_garbage_collection, run_in_loop


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address of Klarna, the address of the shop, its credentials, and whether it has a secret."""
    parser.add_argument(
        "--klarna", default="http://127.0.0.1:8080", metavar="URL", help="address of Klarna (default %(default)s)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument(
        "--port", type=PORT, default=0, metavar="PORT", help="port to listen on (default: any free port)"
    )
    parser.add_argument(
        "--merchant", default="demo-shop", help="username of the shop's credentials (default %(default)s)"
    )
    parser.add_argument(
        "--password", default="secret", help="password of all credentials that the shop uses (default %(default)s)"
    )
    parser.add_argument(
        "--no-secret",
        action="store_true",
        help="accept callbacks without the secret in the URLs of the shop's button key, as for keys that a scenario creates",
    )


def run(arguments: argparse.Namespace) -> int:
    """Run the shop and return 0 after a stop signal.

    Raises `SettingsError` for an invalid address of Klarna and a username with a colon, `CannotBind` when the shop's own
    address cannot be bound, and `Unreachable` when Klarna does not answer.
    """
    server_address("--klarna", arguments.klarna)
    require_username("--merchant", arguments.merchant, "give the password with --password")
    with suppress(KeyboardInterrupt):
        run_in_loop(_run_shop(arguments))
    return 0


async def _run_shop(arguments: argparse.Namespace) -> None:
    from mock_klarna.demo import serve_shop

    async with serve_shop(
        arguments.klarna,
        host=arguments.host,
        port=arguments.port,
        merchant=arguments.merchant,
        password=arguments.password,
        has_secret=not arguments.no_secret,
    ) as shop:
        resume_garbage_collection()
        print(f"the demo shop is ready at {shop.url} with button key {shop.button_key}", flush=True)
        await asyncio.Event().wait()
