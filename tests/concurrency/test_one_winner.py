"""Whoever is first decides."""

from collections import Counter
from itertools import count

import pytest

from mock_klarna.client import Client
from tests.concurrency.wire import Wire, request, wired
from tests.extent import extent
from tests.merchants.running import AUTHORIZATIONS, Json, buy, emulator

ROUNDS = extent(usual=40, thorough=1000)
CALLS = 30
NOBODY = "http://127.0.0.1:1"
numbers = count(1)


def place(purchase: Json) -> bytes:
    """Place an order that differs from every other, so that none is the replay of another."""
    order = {**purchase["order"], "merchant_reference1": f"order {next(numbers)}"}
    return request("POST", f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders", order)


def place_again(purchase: Json) -> bytes:
    """Place the very same order as everybody else."""
    return request("POST", f"{AUTHORIZATIONS}/{purchase['authorization_token']}/orders", purchase["order"])


def deny(purchase: Json) -> bytes:
    """Deny the purchase."""
    return request("DELETE", f"{AUTHORIZATIONS}/{purchase['authorization_token']}", {"deny_code": "other"})


async def fought(wire: Wire, client: Client, purchase: Json, first: int) -> tuple[Json, list[int]]:
    """Let half of the calls place and half of them deny; return the purchase after it and the winning statuses."""
    calls = [(place, deny)[(first + number) % 2](purchase) for number in range(CALLS)]
    answers = await wire.at_once(calls)
    assert {status for status, _ in answers} <= {200, 204, 403}
    found = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    return found, [status for status, _ in answers if status != 403]


async def test_of_thirty_calls_at_once_one_wins_in_every_round(engine: str) -> None:
    won: Counter[str] = Counter()
    rounds = ROUNDS if engine == "memory" else max(1, ROUNDS // 10)
    async with emulator() as client, wired(client.url, CALLS) as wire:
        for first in range(rounds):
            found, winners = await fought(wire, client, await buy(client, NOBODY), first)
            assert winners == [{"placed": 200, "denied": 204}[found["state"]]]
            won[found["state"]] += 1
        orders = await client.ask("GET", "/_mock/health")
    assert orders["orders"] == won["placed"]
    assert won.total() == rounds
    assert won["denied"]
    assert won["placed"] or engine == "awaiting"  # placing takes more calls of the engine, so there it comes too late


@pytest.mark.usefixtures("engine")
@pytest.mark.parametrize(("setting", "statuses"), [("replay", {200: CALLS}), ("refuse", {200: 1, 403: CALLS - 1})])
async def test_the_same_order_posted_thirty_times_at_once_is_one_order(setting: str, statuses: dict[int, int]) -> None:
    async with emulator(repeated_order=setting) as client, wired(client.url, CALLS) as wire:
        purchase = await buy(client, NOBODY)
        answers = await wire.at_once([place_again(purchase)] * CALLS)
        assert Counter(status for status, _ in answers) == statuses
        assert len({body["order_id"] for status, body in answers if status == 200}) == 1
        assert (await client.ask("GET", "/_mock/health"))["orders"] == 1


@pytest.mark.usefixtures("engine")
async def test_a_review_that_is_ended_thirty_times_at_once_ends_once() -> None:
    async with emulator() as client, wired(client.url, CALLS) as wire:
        purchase = await buy(client, NOBODY, outcome="PENDING")
        (order,) = [body for _, body in await wire.at_once([place_again(purchase)] * CALLS)][:1]
        verdicts = [{"fraud_status": ("ACCEPTED", "REJECTED")[number % 2]} for number in range(CALLS)]
        path = f"/_mock/orders/{order['order_id']}/decision"
        answers = await wire.at_once([request("POST", path, verdict) for verdict in verdicts])
        assert Counter(status for status, _ in answers) == {200: 1, 409: CALLS - 1}
