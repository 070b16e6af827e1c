"""A purchase is not waited for when its shop cannot decide on it; every request here waits for ten minutes if it is."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from mock_klarna.client import Client
from mock_klarna.domain import undecided
from tests.conftest import CLOSED
from tests.merchants import shop as shops
from tests.merchants.running import AUTHORIZATIONS, Json, buy, calls, emulator
from tests.merchants.shop import Shop

LONG = 600
PLACE = "/place-order"
IN_TIME = 60
"""Seconds after which a test fails that waits for nothing."""


@pytest.fixture
async def client() -> AsyncIterator[Client]:
    """A client of an emulator of its own."""
    async with emulator() as opened:
        yield opened


@pytest.fixture
async def shop() -> AsyncIterator[Shop]:
    """A merchant that answers what the test wants."""
    async with shops.opened() as opened:
        yield opened


@pytest.fixture
def short_grace(monkeypatch: pytest.MonkeyPatch) -> None:
    """A shop that answered with an error decides at once or never."""
    monkeypatch.setattr(undecided, "GRACE_SECONDS", 0.05)


async def bought(client: Client, url: str, **options: Any) -> Json:
    """Buy at a shop and wait for its decision."""
    async with asyncio.timeout(IN_TIME):
        return await buy(client, url, wait=LONG, **options)


async def test_a_refused_callback_ends_the_wait_with_the_reason(client: Client) -> None:
    purchase = await bought(client, CLOSED)
    assert purchase["state"] == "authorized"
    assert purchase["callbacks"][0]["attempts"][0]["outcome"] == "refused"
    assert purchase["hint"] == (
        f"the connection to {CLOSED}{PLACE} for place_order was refused: "
        "nobody listens on 127.0.0.1:1; is the shop running there?"
    )
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    await client.send("POST", path, {**purchase["order"], "locale": "x"})
    later = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    assert later["hint"] == f"{purchase['hint']} its create_order was answered 400 bad_value:locale"


@pytest.mark.parametrize(
    ("url", "cause"),
    [
        ("https://no-such-shop.invalid", "the host is not known"),
        ("http://169.254.169.254", "--callback-allow 169.254.169.254"),
    ],
)
async def test_a_shop_that_cannot_be_reached_ends_the_wait(client: Client, url: str, cause: str) -> None:
    assert cause in (await bought(client, url))["hint"]


async def test_a_shopper_who_stops_waiting_earlier_is_waited_for(client: Client) -> None:
    purchase = await bought(client, CLOSED, merchant_timeout=0.2)
    assert purchase["state"] == "timed_out"
    await calls(client, "place_order")
    read = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    assert "nobody listens" in read["hint"]


async def test_reading_a_purchase_waits_for_its_end(client: Client) -> None:
    purchase = await buy(client, CLOSED, merchant_timeout=0.2)
    async with asyncio.timeout(IN_TIME):
        read = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}?wait={LONG}")
    assert read["state"] == "timed_out"


async def test_a_dropped_callback_ends_the_wait(client: Client, shop: Shop) -> None:
    await client.ask("POST", "/_mock/faults", {"on": "callback", "drop": True})
    assert "a fault dropped it" in (await bought(client, shop.url))["hint"]


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize(
    ("status", "remedy"), [(404, "is the path of the URL right?"), (500, "the shop's log says why")]
)
async def test_an_error_of_the_shop_ends_the_wait_after_a_grace(
    client: Client, shop: Shop, status: int, remedy: str
) -> None:
    shop.answers[PLACE] = shops.always(status)
    hint = (await bought(client, shop.url))["hint"]
    assert f"with {status}, and neither placed nor denied the order: " in hint
    assert hint.endswith(remedy)


async def test_a_shop_may_place_while_it_answers_with_an_error(client: Client, shop: Shop) -> None:
    async def place(request: shops.ReceivedRequest) -> tuple[int, bytes]:
        order = request.json["order"]
        await client.ask("POST", f"{AUTHORIZATIONS}/{request.json['authorization_token']}/orders", order)
        return 500, b""

    shop.answers[PLACE] = place
    purchase = await bought(client, shop.url)
    assert (purchase["state"], purchase["hint"]) == ("placed", None)


async def test_a_shop_that_answered_200_is_waited_for_and_may_deny_later(client: Client, shop: Shop) -> None:
    purchase = await buy(client, shop.url)
    await calls(client, "place_order")
    path = f"/_mock/purchases/{purchase['purchase_id']}"
    async with asyncio.timeout(IN_TIME):
        waiting = asyncio.ensure_future(client.ask("GET", f"{path}?wait={LONG}"))
        now = await client.ask("GET", f"{path}?wait=0.05")
        assert now["hint"].endswith("with 200, and neither placed nor denied the order yet")
        await client.ask("DELETE", f"{AUTHORIZATIONS}/{purchase['authorization_token']}")
        assert (await waiting)["state"] == "denied"


@pytest.mark.usefixtures("short_grace")
async def test_the_refused_request_of_the_shop_is_named(client: Client, shop: Shop) -> None:
    async def place(request: shops.ReceivedRequest) -> tuple[int, bytes]:
        path = f"{AUTHORIZATIONS}/{request.json['authorization_token']}/orders"
        await client.send("POST", path, {**request.json["order"], "locale": "nonsense"})
        return 500, b""

    shop.answers[PLACE] = place
    assert "its create_order was answered 400 bad_value:locale" in (await bought(client, shop.url))["hint"]


@pytest.mark.usefixtures("short_grace")
@pytest.mark.parametrize("status", [200, 500])
async def test_the_merchant_who_used_the_token_of_another_one_is_named_and_not_waited_for(
    client: Client, shop: Shop, status: int
) -> None:
    async def place(request: shops.ReceivedRequest) -> tuple[int, bytes]:
        path = f"{AUTHORIZATIONS}/{request.json['authorization_token']}/orders"
        await client.as_merchant("K2").send("POST", path, request.json["order"])
        return status, b""

    shop.answers[PLACE] = place
    hint = (await bought(client, shop.url))["hint"]
    assert hint.endswith("K2 used the token and was answered 403: it belongs to shop")


async def test_a_moved_clock_ends_the_wait_for_a_shop_that_has_not_answered(client: Client, shop: Shop) -> None:
    held = shop.hold(PLACE)
    async with asyncio.timeout(IN_TIME):
        buying = asyncio.ensure_future(buy(client, shop.url, wait=LONG, merchant_timeout=60))
        await held.received.wait()
        await client.ask("POST", "/_mock/clock", {"advance": 61})
        purchase = await buying
        assert (purchase["state"], purchase["hint"]) == (
            "timed_out",
            f"the shop has not answered place_order at {shop.url}{PLACE} yet",
        )
    held.released.set()


async def test_a_purchase_that_timed_out_says_what_the_shop_did(client: Client, shop: Shop) -> None:
    purchase = await buy(client, shop.url, merchant_timeout=60)
    await calls(client, "place_order")
    await client.ask("POST", "/_mock/clock", {"advance": 61})
    read = await client.ask("GET", f"/_mock/purchases/{purchase['purchase_id']}")
    assert (read["state"], "neither placed nor denied" in read["hint"]) == ("timed_out", True)
