"""`mock-klarna serve`: run the emulator until it is told to stop."""

import argparse
import asyncio
import gc
import os
import signal
import sys

from mock_klarna.cli.options import add_settings, settings_from, unknown_variables
from mock_klarna.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after SIGTERM or SIGINT, 3 when an address cannot be bound."""
    settings = settings_from(arguments)
    for warning in unknown_variables(os.environ):
        print(f"mock-klarna: {warning}", file=sys.stderr)
    gc.disable()  # nothing that is loaded at start is garbage; `tune_garbage_collection` switches it on again
    try:
        asyncio.run(_serve(settings))
    except OSError as fault:
        print(f"mock-klarna: {fault}", file=sys.stderr)
        return 3
    return 0


async def _serve(settings: Settings) -> None:
    from mock_klarna import logs
    from mock_klarna.server import serve, tune_garbage_collection

    logs.configure(settings.log_format)
    stopped = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stopped.set)
    async with serve(settings) as running:
        tune_garbage_collection()
        both = f"{running.url} and {running.tls_url}" if running.tls_url else running.url
        print(f"mock-klarna is ready at {both}", flush=True)
        await stopped.wait()
