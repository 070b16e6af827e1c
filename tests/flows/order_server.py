"""A server and its clients in one event loop that runs only while a step of a state machine runs."""

import asyncio
from collections.abc import Awaitable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from itertools import cycle
from typing import Any

from mock_klarna.client import Client
from mock_klarna.server import RunningServer, serve
from mock_klarna.settings import Settings
from tests.conftest import CLOSED
from tests.flows.order_model import Command, Result
from tests.store.awaiting import Awaiting

ORDERS = "/ordermanagement/v1/orders"
AMOUNT = 1000
_LINE = {"name": "A", "quantity": 1, "unit_price": AMOUNT, "tax_rate": 0, "total_amount": AMOUNT, "total_tax_amount": 0}
_PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [_LINE]}
_URLS = dict.fromkeys(("place_order", "terms", "push", "notification"), CLOSED)


class OrderServer:
    """One server, or several on one database; every order belongs to a merchant of its own."""

    def __init__(self, runner: asyncio.Runner, servers: list[RunningServer]) -> None:
        self._runner = runner
        self._stores = [(running.services.emulator.context, running.services.emulator.store) for running in servers]
        self._urls = [running.url for running in servers]
        self._merchants = 0

    def place_order(self, fraud_status: str, seed: int) -> "PlacedOrder":
        """Place an order of `AMOUNT`; the seed decides how often calls of the store give up control."""
        self._merchants += 1
        for context, store in self._stores:
            context.store = Awaiting(store, seed)
        clients = [Client(url, f"merchant-{self._merchants}") for url in self._urls]
        placed: PlacedOrder = self.run(_placed_order(clients, self, fraud_status))
        return placed

    def run(self, work: Awaitable[Any]) -> Any:
        """Run the event loop until the work is done."""
        return self._runner.run(_awaited(work))


async def _awaited(work: Awaitable[Any]) -> Any:
    return await work


async def _placed_order(clients: list[Client], server: OrderServer, fraud_status: str) -> "PlacedOrder":
    for one in clients:
        await one.__aenter__()
    client = clients[0]
    await client.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": _URLS})
    options = {"page": _PAGE, "wait": 0, "outcome": fraud_status}
    purchase = await client.ask("POST", "/_mock/purchases", options)
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    placed = await client.ask("POST", path, purchase["order"])
    return PlacedOrder(clients, server, placed["order_id"])


class PlacedOrder:
    """An order and the commands that change it; each request goes to the next server."""

    def __init__(self, clients: list[Client], server: OrderServer, order_id: str) -> None:
        self._clients = clients
        self._next_client = cycle(clients)
        self._server = server
        self.order_id = order_id

    def shown(self) -> dict[str, Any]:
        """Return the order as Order Management shows it."""
        asking = next(self._next_client).ask("GET", f"{ORDERS}/{self.order_id}")
        found: dict[str, Any] = self._server.run(asking)
        return found

    def send_simultaneously(self, commands: Iterable[Command]) -> list[Result]:
        """Send all commands at the same time."""
        results: list[Result] = self._server.run(self._gathered(commands))
        return results

    async def _gathered(self, commands: Iterable[Command]) -> list[Result]:
        return await asyncio.gather(*map(self._send, commands))

    async def _send(self, command: Command) -> Result:
        method, path, body = request_of(self.order_id, command)
        has_key = command.detail and command.name != "decide"
        headers = {"Klarna-Idempotency-Key": command.detail} if has_key else {}
        answer = await next(self._next_client).send(method, path, body, headers=headers)
        return Result(answer.status, answer.headers.get("Capture-Id") or answer.headers.get("Refund-Id"))

    def close(self) -> None:
        """Delete the merchant's state and close its connections."""
        self._server.run(self._clients[0].ask("POST", "/_mock/reset"))
        for client in self._clients:
            self._server.run(client.__aexit__(None, None, None))


_PATHS = {"extend": "extend-authorization-time", "release": "release-remaining-authorization"}


def request_of(order_id: str, command: Command) -> tuple[str, str, Any]:
    """Return method, path and body of a command's request."""
    order = f"{ORDERS}/{order_id}"
    match command.name:
        case "capture":
            return "POST", f"{order}/captures", {"captured_amount": command.amount}
        case "refund":
            return "POST", f"{order}/refunds", {"refunded_amount": command.amount}
        case "authorize":
            return "PATCH", f"{order}/authorization", {"order_amount": command.amount}
        case "decide":
            return "POST", f"/_mock/orders/{order_id}/decision", {"fraud_status": command.detail}
        case "advance":
            return "POST", "/_mock/clock", {"advance": f"{command.amount}h"}
        case name:
            return "POST", f"{order}/{_PATHS.get(name, name)}", None


@contextmanager
def order_server(store: str, servers: int = 1) -> Iterator[OrderServer]:
    """Run servers on one store for one test."""
    settings = Settings(port=0, callback_timeout=1, store=store)
    with asyncio.Runner() as runner, ExitStack() as stack:
        running = []
        for _ in range(servers):
            serving = serve(settings)
            running.append(runner.run(serving.__aenter__()))
            stack.callback(_close, runner, serving)
        yield OrderServer(runner, running)


def _close(runner: asyncio.Runner, serving: Any) -> None:
    runner.run(_awaited(serving.__aexit__(None, None, None)))
