"""`mock-klarna shop`: run the demo shop alone, against a Klarna that runs elsewhere."""

import argparse


def add(parser: argparse.ArgumentParser) -> None:
    """Add where Klarna is, where the shop is to be, and its credentials."""
    parser.add_argument(
        "--klarna", default="http://127.0.0.1:8080", metavar="URL", help="Klarna's address (default %(default)s)"
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (default %(default)s)")
    parser.add_argument("--port", type=int, default=0, help="port to listen on (default: any free one)")
    parser.add_argument(
        "--merchant", default="demo-shop", help="username of the shop's credentials (default %(default)s)"
    )
    parser.add_argument(
        "--password", default="secret", help="password of all credentials that the shop uses (default %(default)s)"
    )


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after SIGTERM or SIGINT. Raises `CannotBind`, `Unreachable`, and `SettingsError` for an invalid `--klarna`."""
    from mock_klarna.cli.options import address
    from mock_klarna.process import run_in_loop

    address("--klarna", arguments.klarna)
    run_in_loop(_serve(arguments))
    return 0


async def _serve(arguments: argparse.Namespace) -> None:
    from mock_klarna.demo import serve_shop
    from mock_klarna.process import resume_garbage_collection, stop_event

    stopped = stop_event()
    async with serve_shop(
        arguments.klarna,
        host=arguments.host,
        port=arguments.port,
        merchant=arguments.merchant,
        password=arguments.password,
    ) as shop:
        resume_garbage_collection()
        print(f"the demo shop is open at {shop.url} with button key {shop.button_key}", flush=True)
        await stopped.wait()
