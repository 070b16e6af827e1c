"""`mock-klarna wait`: wait until a server is ready."""

import argparse
import sys
import time

from mock_klarna.cli.healthcheck import diagnosis, own_url

_PAUSE_SECONDS = 0.05


def add(parser: argparse.ArgumentParser) -> None:
    """Add the server's address and the patience."""
    parser.add_argument("--url", default=None, help="the server's address (default: this machine's own, at its port)")
    parser.add_argument("--timeout", type=float, default=30.0, metavar="SECONDS", help="how long to wait (default 30)")


def run(arguments: argparse.Namespace) -> int:
    """0 once the server is ready, 4 when it was not within the timeout; raises `SettingsError` for what is no address."""
    url = arguments.url or own_url()
    deadline = time.monotonic() + arguments.timeout
    while reason := diagnosis(url)[1]:
        if time.monotonic() >= deadline:
            print(f"mock-klarna: {url} was not ready within {arguments.timeout:g} s: {reason}", file=sys.stderr)
            return 4
        time.sleep(_PAUSE_SECONDS)
    return 0
