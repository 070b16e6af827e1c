"""`mock-klarna serve`: run the emulator until it is told to stop."""

import argparse
import os
import sys

from mock_klarna.cli.options import add_settings, settings_from, unknown_variables
from mock_klarna.process import pause_garbage_collection, resume_garbage_collection, run_in_loop, stop_event
from mock_klarna.settings import Settings


def add(parser: argparse.ArgumentParser) -> None:
    """Add a flag for every setting."""
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve; 0 after SIGTERM or SIGINT. Raises `CannotBind`."""
    settings = settings_from(arguments)
    for warning in unknown_variables(os.environ):
        print(f"mock-klarna: {warning}", file=sys.stderr)
    pause_garbage_collection()
    run_in_loop(_serve(settings), settings.loop)
    return 0


async def _serve(settings: Settings) -> None:
    from mock_klarna import logs
    from mock_klarna.server import serve

    logs.configure(settings.log_format)
    stopped = stop_event()
    async with serve(settings) as running:
        resume_garbage_collection()
        both = f"{running.url} and {running.tls_url}" if running.tls_url else running.url
        print(f"mock-klarna is ready at {both}", flush=True)
        await stopped.wait()
