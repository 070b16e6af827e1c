"""A page whose button key belongs to the test's merchant, and the browser's side of the wire."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Answer, Client

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Answer]]
SDK = "/instantshopping/sdk"


@pytest.fixture
async def ask(klarna: MockKlarnaAsync) -> AsyncIterator[Ask]:
    """Sends what a browser sends: a path below the browser's endpoints and a body, POST unless told."""
    async with Client(klarna.url, "", "") as client:

        async def send(path: str, body: Any = None, method: str = "POST") -> Answer:
            return await client.send(method, SDK + path, body)

        yield send


@pytest.fixture
def options(button: Json, page: Callable[[str], Any]) -> Json:
    """What a page gives `load()`: the seed's Swedish cart with a key that is known."""
    setup = {"instance_id": "button-1", "key": button["button_key"], "environment": "production", "region": "eu"}
    return {"setup": setup, **page("se-battery-pack")}


@pytest.fixture
async def session(ask: Ask, options: Json) -> str:
    """The path of a session that has just begun."""
    answer = await ask("/sessions", {"options": options, "page_url": "http://shop.example/product"})
    assert answer.status == 201, answer.body
    return f"/sessions/{answer.body['session_id']}"
