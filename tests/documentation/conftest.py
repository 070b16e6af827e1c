"""An emulator and a shop for all code blocks: the blocks' addresses are replaced by theirs."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.demo.shop import serve_shop
from tests.documentation.curl import requested

MERCHANT, PASSWORD = "K123", "secret"
"""The credentials that the shop of every page has."""


@dataclass(frozen=True)
class Sandbox:
    """An emulator, and a shop that uses it with the credentials of the pages."""

    klarna: str
    shop: str

    def replaced(self, code: str) -> str:
        """Return a code block with the addresses of this sandbox in place of those that the pages name."""
        for host in ("127.0.0.1", "localhost"):
            code = code.replace(f"http://{host}:8080", self.klarna).replace(f"http://{host}:3000", self.shop)
        return code


@pytest.fixture(scope="session")
def _sandbox() -> Iterator[Sandbox]:
    with serve_in_thread(Settings(port=0, callback_timeout=60)) as klarna:
        stack = AsyncExitStack()
        opening = stack.enter_async_context(
            serve_shop(klarna.url, merchant=MERCHANT, password=PASSWORD, has_secret=False)
        )
        shop = asyncio.run_coroutine_threadsafe(opening, klarna.loop).result()
        try:
            yield Sandbox(klarna.url, shop.url)
        finally:
            asyncio.run_coroutine_threadsafe(stack.aclose(), klarna.loop).result()


@pytest.fixture
def sandbox(_sandbox: Sandbox) -> Sandbox:
    """The sandbox of this session, without anything of the pages' merchant."""
    requested("POST", f"{_sandbox.klarna}/_mock/reset", {})
    return _sandbox
