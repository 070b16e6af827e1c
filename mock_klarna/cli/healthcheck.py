"""`mock-klarna healthcheck`: tell whether a server answers, for images without curl."""

import argparse
import json
import os
import sys
from contextlib import closing

from mock_klarna.cli.options import address

_SECONDS = 3.0
_SICK, _UNREACHABLE = 1, 4


def add(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server."""
    parser.add_argument("--url", default=None, help="the server's address (default: this machine's own, at its port)")


def run(arguments: argparse.Namespace) -> int:
    """0 when the server is healthy, 1 when it answers something else, 4 when nobody answers; raises `SettingsError`."""
    url = arguments.url or own_url()
    code, reason = diagnosis(url)
    if code:
        print(f"mock-klarna: {url} is not healthy: {reason}", file=sys.stderr)
    return code


def own_url() -> str:
    """Return the address of the server that runs beside this command, by the same environment variables."""
    port = os.environ.get("MOCK_KLARNA_PORT") or os.environ.get("PORT") or "8080"
    return f"http://127.0.0.1:{port}"


def diagnosis(url: str) -> tuple[int, str]:
    """Return an exit code and the reason for it: 0 healthy, 1 another answer, 4 none.

    Raises `SettingsError` for what is no address. The standard library is enough, so this starts fast.
    """
    import http.client

    parts = address("--url", url, "http")
    try:
        with closing(http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_SECONDS)) as connection:
            connection.request("GET", "/_mock/health")
            answer = connection.getresponse()
            is_healthy = answer.status == 200 and "status" in json.loads(answer.read())
            return (0, "") if is_healthy else (_SICK, f"it answered {answer.status}")
    except OSError as fault:
        return _UNREACHABLE, str(fault) or type(fault).__name__
    except (ValueError, http.client.HTTPException) as fault:
        return _SICK, str(fault) or type(fault).__name__
