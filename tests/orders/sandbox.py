"""A server and its clients in one loop that stands still between the steps of a state machine."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from mock_klarna.client import Client
from mock_klarna.server import Running, serve
from mock_klarna.settings import Settings
from tests.orders.money import Seen, Wish
from tests.store.awaiting import Awaiting

ORDERS = "/ordermanagement/v1/orders"
CLOSED = "http://127.0.0.1:1"
AMOUNT = 1000
_LINE = {"name": "A", "quantity": 1, "unit_price": AMOUNT, "tax_rate": 0, "total_amount": AMOUNT, "total_tax_amount": 0}
_PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [_LINE]}
_URLS = dict.fromkeys(("place_order", "terms", "push", "notification"), CLOSED)


class Sandbox:
    """One server; every order belongs to a merchant of its own."""

    def __init__(self, runner: asyncio.Runner, running: Running) -> None:
        self._runner = runner
        self._context = running.services.emulator.context
        self._store = self._context.store
        self._url = running.url
        self._merchants = 0

    def order(self, fraud_status: str, seed: int) -> "ManagedOrder":
        """Place an order of `AMOUNT`."""
        self._merchants += 1
        self._context.store = Awaiting(self._store, seed)  # type: ignore[assignment]
        client = Client(self._url, f"merchant-{self._merchants}")
        placed: ManagedOrder = self.run(_placed(client, self, fraud_status))
        return placed

    def run(self, work: Awaitable[Any]) -> Any:
        """Let the loop run until the work is done."""
        return self._runner.run(_awaited(work))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def _placed(client: Client, sandbox: Sandbox, fraud_status: str) -> "ManagedOrder":
    await client.__aenter__()
    await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": _URLS})
    wish = {"page": _PAGE, "wait": 0, "outcome": fraud_status}
    purchase = await client.ask("POST", "/_mock/purchases", wish)
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    placed = await client.ask("POST", path, purchase["order"])
    return ManagedOrder(client, sandbox, placed["order_id"])


class ManagedOrder:
    """An order and all that can be done to it."""

    def __init__(self, client: Client, sandbox: Sandbox, order_id: str) -> None:
        self._client = client
        self._sandbox = sandbox
        self.order_id = order_id

    def shown(self) -> dict[str, Any]:
        """What Order Management tells of it."""
        found: dict[str, Any] = self._sandbox.run(self._client.ask("GET", f"{ORDERS}/{self.order_id}"))
        return found

    def all_at_once(self, wishes: Iterable[Wish]) -> list[Seen]:
        """Ask for everything at the same time."""
        seen: list[Seen] = self._sandbox.run(self._gathered(wishes))
        return seen

    async def _gathered(self, wishes: Iterable[Wish]) -> list[Seen]:
        return await asyncio.gather(*map(self._asked, wishes))

    async def _asked(self, wish: Wish) -> Seen:
        method, path, body = request(self.order_id, wish)
        headers = {"Klarna-Idempotency-Key": wish.word} if wish.word and wish.name != "decide" else {}
        answer = await self._client.send(method, path, body, headers=headers)
        made = answer.headers.get("Capture-Id") or answer.headers.get("Refund-Id")
        return Seen(answer.status, made)

    def leave(self) -> None:
        """Forget the merchant."""
        self._sandbox.run(self._client.ask("POST", "/_mock/reset"))
        self._sandbox.run(self._client.__aexit__(None, None, None))


_PATHS = {"extend": "extend-authorization-time", "release": "release-remaining-authorization"}


def request(order_id: str, wish: Wish) -> tuple[str, str, Any]:
    """The request that a wish is made by."""
    here = f"{ORDERS}/{order_id}"
    match wish.name:
        case "capture":
            return "POST", f"{here}/captures", {"captured_amount": wish.amount}
        case "refund":
            return "POST", f"{here}/refunds", {"refunded_amount": wish.amount}
        case "authorize":
            return "PATCH", f"{here}/authorization", {"order_amount": wish.amount}
        case "decide":
            return "POST", f"/_mock/orders/{order_id}/decision", {"fraud_status": wish.word}
        case "advance":
            return "POST", "/_mock/clock", {"advance": f"{wish.amount}h"}
        case name:
            return "POST", f"{here}/{_PATHS.get(name, name)}", None


@contextmanager
def sandbox() -> Iterator[Sandbox]:
    """A server for one test."""
    with asyncio.Runner() as runner:
        serving = serve(Settings(port=0, callback_timeout=1))
        running = runner.run(serving.__aenter__())
        try:
            yield Sandbox(runner, running)
        finally:
            runner.run(_closed(serving))


async def _closed(serving: Any) -> None:
    await serving.__aexit__(None, None, None)
