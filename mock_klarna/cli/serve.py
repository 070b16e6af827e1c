"""`mock-klarna serve`: run the emulator until SIGTERM, SIGHUP or Ctrl-C."""

import argparse
import asyncio
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib import import_module

from mock_klarna.cli.options import add_settings, setting_sources, settings_from, warn_about_variables
from mock_klarna.process import (
    import_aiohttp,
    pause_garbage_collection,
    resume_garbage_collection,
    run_in_loop,
)
from mock_klarna.settings import Settings


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting."""
    add_settings(parser)


def run(arguments: argparse.Namespace) -> int:
    """Serve and return 0 after a stop signal, also one that comes before the server is ready; raises `CannotBind`."""
    settings = settings_from(arguments)
    warn_about_variables(os.environ)
    pause_garbage_collection()
    import_aiohttp()
    import_module("mock_klarna.server")
    with suppress(KeyboardInterrupt):
        run_in_loop(_run_server(settings, setting_sources(arguments)), settings.loop)
    return 0


async def _run_server(settings: Settings, sources: Mapping[str, str]) -> None:
    from mock_klarna.logs import console_log
    from mock_klarna.server import serve

    with console_log(settings, sys.stderr) as log:
        async with serve(settings, None if settings.quiet else log, sources) as server:
            resume_garbage_collection()
            urls = f"{server.url} and {server.tls_url}" if server.tls_url else server.url
            print(f"the dashboard is at {server.url}/ and mock-klarna is ready at {urls}", flush=True)
            await asyncio.Event().wait()
