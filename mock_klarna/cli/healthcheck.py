"""`mock-klarna healthcheck`: tell whether a server answers, for images without curl."""

import argparse
import json
import os
import sys
from urllib.parse import urlsplit

_SECONDS = 3.0


def add(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server."""
    parser.add_argument("--url", default=None, help="the server's address (default: this machine's own, at its port)")


def run(arguments: argparse.Namespace) -> int:
    """0 when the server is healthy, else 1 with the reason."""
    url = arguments.url or own_url()
    reason = sickness(url)
    if reason:
        print(f"mock-klarna: {url} is not healthy: {reason}", file=sys.stderr)
    return 1 if reason else 0


def own_url() -> str:
    """Return the address of the server that runs beside this command, by the same environment variables."""
    port = os.environ.get("MOCK_KLARNA_PORT") or os.environ.get("PORT") or "8080"
    return f"http://127.0.0.1:{port}"


def sickness(url: str) -> str | None:
    """Return why a server is not healthy, or None when it is. The standard library is enough, so this starts fast."""
    import http.client

    parts = urlsplit(url)
    if parts.scheme != "http" or not parts.hostname:
        return "not an http:// address"
    try:
        connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=_SECONDS)
        connection.request("GET", "/_mock/health")
        answer = connection.getresponse()
        return (
            None if answer.status == 200 and "status" in json.loads(answer.read()) else f"it answered {answer.status}"
        )
    except (OSError, ValueError, http.client.HTTPException) as fault:
        return str(fault) or type(fault).__name__
