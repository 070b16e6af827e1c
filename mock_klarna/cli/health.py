"""`mock-klarna healthcheck` and `mock-klarna wait`: ask a server for its health, with the standard library only."""

import argparse
import asyncio
import json
import os
import sys
import time
from contextlib import closing

from mock_klarna.cli.main import UNREACHABLE
from mock_klarna.cli.options import SECONDS, add_config, server_address, setting_value
from mock_klarna.connection_errors import cause_of
from mock_klarna.errors import Unreachable
from mock_klarna.settings import SettingsError, server_url, variable_with_value

_REQUEST_TIMEOUT = 3.0
_RETRY_SECONDS = 0.05
_NOT_READY = (502, 503, 504)
"""Answers of a proxy whose shop is not running yet, and of a shop that is starting."""
_UNHEALTHY = 1


def add_healthcheck(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server, and the configuration file that may have it."""
    parser.add_argument("--url", default=None, help="address of the server (default: that of `serve` on this machine)")
    add_config(parser)


def run_healthcheck(arguments: argparse.Namespace) -> int:
    """Return 0 if the server is healthy, 1 for any other answer, 4 for none; raises `SettingsError` for an invalid address."""
    url = url_of(arguments.url, arguments.config)
    code, reason = check_health(url)
    if code:
        print(f"mock-klarna: {url} is not healthy: {reason}", file=sys.stderr)
    return code


def add_wait(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server and the timeout."""
    add_healthcheck(parser)
    parser.add_argument(
        "--timeout", type=SECONDS, default=30.0, metavar="SECONDS", help="how long to wait (default 30)"
    )


def run_wait(arguments: argparse.Namespace) -> int:
    """Return 0 once the server is healthy, 4 after the timeout; raises `SettingsError` for an invalid address."""
    url = url_of(arguments.url, arguments.config)
    deadline = time.monotonic() + arguments.timeout
    while reason := check_health(url)[1]:
        if time.monotonic() >= deadline:
            print(f"mock-klarna: {url} was not ready within {arguments.timeout:g} s: {reason}", file=sys.stderr)
            return UNREACHABLE
        time.sleep(_RETRY_SECONDS)
    return 0


async def wait_for_shop(url: str, seconds: float) -> None:
    """Wait until a URL of a shop answers, with any status but 502, 503 and 504; certificates are not checked.

    Raises `Unreachable` after so many seconds.
    """
    clock = asyncio.get_running_loop().time
    deadline = clock() + seconds
    while reason := await asyncio.to_thread(why_unready, url):
        if clock() >= deadline:
            raise Unreachable(f"the shop at {url} was not ready within {seconds:g} s", where="--wait-for", hint=reason)
        await asyncio.sleep(_RETRY_SECONDS)


def why_unready(url: str) -> str:
    """Return why a shop is not ready at a URL; empty if it is."""
    import ssl
    from http.client import HTTPException
    from urllib.error import HTTPError
    from urllib.request import HTTPSHandler, ProxyHandler, build_opener

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with build_opener(ProxyHandler({}), HTTPSHandler(context=context)).open(url, timeout=_REQUEST_TIMEOUT):
            return ""
    except HTTPError as answer:
        answer.close()
        return f"it answered {answer.code}" if answer.code in _NOT_READY else ""
    except (OSError, ValueError, HTTPException) as error:
        return cause_of(error)


def url_of(given: str | None, config: str | None = None) -> str:
    """Return the address that `--url` gives, else that of a server with the same environment variables and configuration file.

    Raises `SettingsError` for a host or a port that is not allowed, and for port 0.
    """
    if given is not None:
        return given
    host, port = (setting_value(name, config) for name in ("host", "port"))
    if port == 0:
        source = variable_with_value("port", os.environ) or "the configuration file"
        raise SettingsError(f"{source}: port 0 is any free port, which only its server knows; give --url")
    return server_url("http", host, port)


def check_health(url: str) -> tuple[int, str]:
    """Return an exit code and its reason: 0 healthy, 1 any other answer, 4 no answer; raises `SettingsError`."""
    import http.client

    parts = server_address("--url", url, "http")
    try:
        with closing(
            http.client.HTTPConnection(parts.hostname or "", parts.port, timeout=_REQUEST_TIMEOUT)
        ) as connection:
            connection.request("GET", f"{parts.path.rstrip('/')}/_mock/health")
            answer = connection.getresponse()
            is_healthy = answer.status == 200 and "status" in json.loads(answer.read())
            return (0, "") if is_healthy else (_UNHEALTHY, f"it answered {answer.status}")
    except OSError as error:
        return UNREACHABLE, cause_of(error)
    except (ValueError, http.client.HTTPException) as error:
        return _UNHEALTHY, str(error).strip() or type(error).__name__
