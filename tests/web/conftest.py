"""What the tests of the HTTP interface share: a server, and raw connections to it."""

from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings
from mock_klarna.client import Client
from mock_klarna.pytest_plugin.servers import Servers
from tests.web.connection import Connection

Json = dict[str, Any]


@pytest.fixture(scope="session")
def mock_klarna_settings() -> Settings:
    """Settings with a seed: without one, a reset keeps every merchant, with a new seed."""
    return Settings(port=0, seed="tests")


@pytest.fixture
async def klarna(
    mock_klarna_servers: Servers, mock_klarna_settings: Settings, mock_klarna_merchant: tuple[str, str]
) -> AsyncIterator[MockKlarnaAsync]:
    """A server that the tests of a process share, one for each kind of settings; after a test its whole state is deleted."""
    url = mock_klarna_servers.running(mock_klarna_settings).url
    async with Client(url, *mock_klarna_merchant) as client:
        shared = MockKlarnaAsync(client, mock_klarna_merchant[1])
        yield shared
        await shared.send("POST", "/_mock/reset", headers={"Authorization": ""})


@pytest.fixture
def order(purchase: Json) -> Any:
    """The order of the `place_order` callback."""
    return purchase["order"]


@pytest.fixture
def token(purchase: Json) -> str:
    """The path of an authorization that waits for the merchant."""
    return f"/instantshopping/v1/authorizations/{purchase['authorization_token']}"


@pytest.fixture
def connect(klarna: MockKlarnaAsync) -> Callable[[], Connection]:
    """Opens raw connections to the emulator."""
    return lambda: Connection(klarna.url, klarna.authorization)
