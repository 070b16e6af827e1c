"""Simultaneous requests about one purchase or order: exactly one of them changes it."""

from collections import Counter
from itertools import count

import pytest

from mock_klarna.client import Client
from tests.conftest import CLOSED
from tests.extent import extent
from tests.flows.connections import Connections, connected, request
from tests.merchants.running import AUTHORIZATIONS, Json, buy, emulator

ROUNDS = extent(usual=40, thorough=1000)
REQUESTS = 30
order_numbers = count(1)


def place_unique_order(purchase: Json) -> bytes:
    """Return a request to place an order that differs from every other, so that none repeats another."""
    order = {**purchase["order"], "merchant_reference1": f"order {next(order_numbers)}"}
    return request("POST", f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders", order)


def place_same_order(purchase: Json) -> bytes:
    """Return a request to place the order as Klarna sent it."""
    return request("POST", f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders", purchase["order"])


def deny(purchase: Json) -> bytes:
    """Return a request to deny the purchase."""
    return request("DELETE", f"{AUTHORIZATIONS}/{purchase['authorization_token']}", {"deny_code": "other"})


async def place_and_deny(
    connections: Connections, client: Client, purchase: Json, first: int
) -> tuple[Json, list[int]]:
    """Send requests that place and requests that deny, in turn; return the purchase afterwards and the successful statuses."""
    requests = [(place_unique_order, deny)[(first + number) % 2](purchase) for number in range(REQUESTS)]
    answers = await connections.send_simultaneously(requests)
    assert {status for status, _ in answers} <= {200, 204, 403}
    found = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    return found, [status for status, _ in answers if status != 403]


async def test_of_thirty_requests_to_place_or_deny_one_succeeds_in_every_round(engine: str) -> None:
    states: Counter[str] = Counter()
    rounds = ROUNDS if engine == "memory" else ROUNDS // 10
    async with emulator() as client, connected(client.url, REQUESTS) as connections:
        for first in range(rounds):
            found, successful = await place_and_deny(connections, client, await buy(client, CLOSED), first)
            assert successful == [{"placed": 200, "denied": 204}[found["state"]]]
            states[found["state"]] += 1
        health = await client.ask("GET", "/_mock/health")
    assert health["orders"] == states["placed"]
    assert states.total() == rounds


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(
    ("setting", "statuses"), [("replay", {200: REQUESTS}), ("refuse", {200: 1, 403: REQUESTS - 1})]
)
async def test_the_same_order_sent_thirty_times_is_placed_once(setting: str, statuses: dict[int, int]) -> None:
    async with emulator(repeated_order=setting) as client, connected(client.url, REQUESTS) as connections:
        purchase = await buy(client, CLOSED)
        answers = await connections.send_simultaneously([place_same_order(purchase)] * REQUESTS)
        assert Counter(status for status, _ in answers) == statuses
        assert len({body["order_id"] for status, body in answers if status == 200}) == 1
        assert (await client.ask("GET", "/_mock/health"))["orders"] == 1


@pytest.mark.usefixtures("engine")
async def test_a_review_that_is_decided_thirty_times_is_decided_once() -> None:
    async with emulator() as client, connected(client.url, REQUESTS) as connections:
        purchase = await buy(client, CLOSED, outcome="PENDING")
        (_, order), *_ = await connections.send_simultaneously([place_same_order(purchase)] * REQUESTS)
        decisions = [{"fraud_status": ("ACCEPTED", "REJECTED")[number % 2]} for number in range(REQUESTS)]
        path = f"/_mock/orders/{order['order_id']}/decision"
        requests = [request("POST", path, decision) for decision in decisions]
        answers = await connections.send_simultaneously(requests)
        assert Counter(status for status, _ in answers) == {200: 1, 409: REQUESTS - 1}
