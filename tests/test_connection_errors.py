"""Why a connection was not possible: the words are those of the operating system, whoever raised the error."""

import errno
import socket
import ssl
from urllib.error import URLError

import pytest
from aiohttp import ClientConnectorError
from aiohttp.client_reqrep import ConnectionKey

from mock_klarna.connection_errors import cause_of

REFUSED = ConnectionRefusedError(errno.ECONNREFUSED, "Connect call failed ('127.0.0.1', 1)")
KEY = ConnectionKey("127.0.0.1", 1, False, True, None, None, None)


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (REFUSED, "Connection refused"),
        (ClientConnectorError(KEY, REFUSED), "Connection refused"),
        (URLError(REFUSED), "Connection refused"),
        (socket.gaierror(-2, "Name or service not known"), "Name or service not known"),
        (ssl.SSLError(1, "[SSL: WRONG_VERSION_NUMBER] wrong version number"), "no TLS connection: "),
        (URLError("unknown url type: gopher"), "unknown url type: gopher"),
        (TimeoutError(), "TimeoutError"),
        (ValueError("  bad port  "), "bad port"),
    ],
    ids=["system", "aiohttp", "urllib", "name resolution", "TLS", "text of urllib", "no text", "text"],
)
def test_the_cause_is_in_words(error: Exception, words: str) -> None:
    assert cause_of(error).startswith(words)
