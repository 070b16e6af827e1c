from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from tests.web.wire import Wire

Json = dict[str, Any]


@pytest.fixture
def order(purchase: Json) -> Any:
    """The order that the merchant was asked to place."""
    return purchase["order"]


@pytest.fixture
def token(purchase: Json) -> str:
    """The path of an authorization that waits for the merchant."""
    return f"/instantshopping/v1/authorizations/{purchase['authorization_token']}"


@pytest.fixture
def wire(klarna: MockKlarnaAsync) -> Callable[[], Wire]:
    """Opens raw connections to the emulator."""
    return lambda: Wire(klarna.url, klarna.authorization)
