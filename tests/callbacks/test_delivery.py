"""Sending callbacks: limits, injected faults, sending again."""

import asyncio
import json
from typing import Any

import pytest

from mock_klarna.callbacks.delivery import AT_ONCE, GARBLED_BODY, WaitingCallbacks
from mock_klarna.client import Client
from tests.merchants.pages import urls
from tests.merchants.running import Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import ReceivedRequest, Shop, always, in_turn

OPTION = {"id": "made-up", "name": "Made up", "price": 0, "tax_rate": 0, "tax_amount": 0}


class Gate:
    """An answer that waits until the gate opens, and counts the waiting requests."""

    def __init__(self, full: int) -> None:
        self.waiting = 0
        self.most = 0
        self.full = asyncio.Event()
        self.open = asyncio.Event()
        self._enough = full

    async def answer(self, _request: ReceivedRequest) -> tuple[int, bytes]:
        self.waiting += 1
        self.most = max(self.most, self.waiting)
        if self.waiting >= self._enough:
            self.full.set()
        await self.open.wait()
        self.waiting -= 1
        return 200, b""


async def test_a_hundred_callbacks_are_sent_to_a_merchant_at_once_and_the_rest_wait(
    shop: Shop,
) -> None:
    gate = Gate(AT_ONCE)
    shop.answers["/place-order"] = gate.answer
    async with emulator() as client:
        for _ in range(AT_ONCE + 10):
            await buy(client, shop.url)
        await gate.full.wait()
        assert len(shop.requests) == AT_ONCE
        gate.open.set()
        await calls(client, "place_order", AT_ONCE + 10)
    assert (len(shop.requests), gate.most) == (AT_ONCE + 10, AT_ONCE)


async def test_a_merchant_that_does_not_answer_delays_no_other(shop: Shop) -> None:
    gate = Gate(AT_ONCE)
    shop.answers["/silent"] = gate.answer
    async with emulator() as client, Client(client.url, "silent") as silent:
        for _ in range(AT_ONCE + 10):
            await buy(silent, shop.url, {"place_order": f"{shop.url}/silent"})
        await gate.full.wait()
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "answered"
        assert gate.waiting == AT_ONCE
        gate.open.set()


async def test_an_unanswered_callback_delays_no_other_of_the_same_merchant(shop: Shop) -> None:
    gate = Gate(1)
    shop.answers["/silent"] = gate.answer
    async with emulator() as client:
        await buy(client, shop.url, {"place_order": f"{shop.url}/silent"})
        await gate.full.wait()
        await place(client, await buy(client, shop.url))
        (entry,) = await calls(client, "place_order")
        assert entry["url"] == f"{shop.url}/place-order"
        gate.open.set()


async def test_a_merchant_may_read_and_place_before_it_answers_place_order(shop: Shop) -> None:
    async with emulator() as client:

        async def place_first(request: ReceivedRequest) -> tuple[int, bytes]:
            path = f"/instantshopping/v1/authorizations/{request.json['authorization_token']}"
            order = await client.ask("GET", path)
            order["merchant_urls"]["confirmation"] = f"{shop.url}/thanks"
            await client.ask("POST", f"{path}/orders", order)
            return 200, b""

        shop.answers["/place-order"] = place_first
        purchase = await buy(client, shop.url, wait=120)
    assert (purchase["state"], purchase["redirect_url"]) == ("placed", f"{shop.url}/thanks")


async def test_a_callback_that_ends_after_a_reset_leaves_nothing_behind(shop: Shop) -> None:
    gate = Gate(1)
    async with emulator() as client:
        purchase = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", purchase)
        shop.answers["/place-order"] = gate.answer
        resent = asyncio.create_task(client.ask("POST", f"/_mock/callbacks/{callback['callback_id']}/resend"))
        await gate.full.wait()
        await client.ask("POST", "/_mock/reset")
        gate.open.set()
        assert [attempt["status"] for attempt in (await resent)["attempts"]] == [200, 200]
        assert (await client.ask("GET", "/_mock/journal"))["entries"] == []
        assert (await client.ask("GET", "/_mock/merchants"))["merchants"] == []


async def callback_with_fault(client: Client, shop: Shop, **effect: Any) -> Json:
    """Order a fault on callbacks, buy, and return the `place_order` callback."""
    await client.ask("POST", "/_mock/faults", {"on": "callback", **effect})
    bought = await buy(client, shop.url)
    await calls(client, "place_order", 2 if effect.get("twice") else 1)
    (callback,) = await callbacks(client, "place_order", bought)
    return callback


@pytest.mark.parametrize(
    ("effect", "outcomes", "statuses", "arrived"),
    [
        ({"delay": 0.01}, ["answered"], [200], 1),
        ({"drop": True}, ["dropped"], [None], 0),
        ({"status": 503}, ["answered"], [503], 0),
        ({"twice": True}, ["answered", "answered"], [200, 200], 2),
        ({"garbage": True}, ["answered"], [200], 1),
        ({"garbage": True, "twice": True}, ["answered", "answered"], [200, 200], 2),
        ({"delay": 0.01, "drop": True}, ["dropped"], [None], 0),
    ],
)
async def test_a_fault_changes_a_callback_as_it_says(
    shop: Shop, effect: Json, outcomes: list[str], statuses: list[int | None], arrived: int
) -> None:
    async with emulator() as client:
        callback = await callback_with_fault(client, shop, **effect)
    assert [attempt["outcome"] for attempt in callback["attempts"]] == outcomes
    assert [attempt["status"] for attempt in callback["attempts"]] == statuses
    assert len(shop.requests) == arrived
    assert all((request.body == GARBLED_BODY) is ("garbage" in effect) for request in shop.requests)


async def test_a_purchase_whose_callback_was_dropped_can_still_be_placed(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "drop": True})
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"
    assert shop.requests == []


async def test_a_fault_applies_as_often_as_it_says_and_only_to_the_callback_it_names(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "operation": "push", "times": 2, "status": 500})
        order_urls = {"push": f"{shop.url}/push"}
        await place(client, await buy(client, shop.url, order_urls))
        await calls(client, "place_order")
        await client.ask("POST", "/_mock/clock", {"advance": "1h"})
        (push,) = await callbacks(client, "push")
        assert [attempt["status"] for attempt in push["attempts"]] == [500, 500, 200, 200]
        assert (await client.ask("GET", "/_mock/faults"))["faults"] == []
    assert (len(shop.at("/place-order")), len(shop.at("/push"))) == (1, 2)


async def test_a_callback_out_of_order_arrives_after_the_next_one(shop: Shop) -> None:
    async with emulator() as client:
        await client.ask("POST", "/_mock/faults", {"on": "callback", "out_of_order": True})
        first = await buy(client, shop.url)
        second = await buy(client, shop.url)
        await calls(client, "place_order", 2)
    tokens = [request.json["authorization_token"] for request in shop.requests]
    assert tokens == [second["authorization_token"], first["authorization_token"]]


async def test_a_callback_that_has_waited_for_too_long_leaves_the_others_waiting_for_the_next_one() -> None:
    waiting = WaitingCallbacks()
    others = [asyncio.create_task(waiting.wait("shop", 3600)) for _ in range(2)]
    await asyncio.sleep(0)
    await waiting.wait("shop", 0)
    assert not any(other.done() for other in others)
    waiting.release("shop")
    async with asyncio.timeout(60):
        await asyncio.gather(*others)


async def test_faults_of_one_merchant_do_not_apply_to_another(shop: Shop) -> None:
    async with emulator() as client:
        path = "/_mock/faults?merchant=other"
        answer = await client.send("POST", path, {"on": "callback", "drop": True}, headers={"Authorization": ""})
        assert answer.status == 201
        await buy(client, shop.url)
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "answered"


async def test_a_callback_is_sent_again_with_the_same_bytes_to_the_same_url(shop: Shop) -> None:
    shop.answers["/place-order"] = in_turn(500, 200)
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (failed,) = await callbacks(client, "place_order", bought)
        resent = await client.ask("POST", f"/_mock/callbacks/{failed['callback_id']}/resend")
    first, second = shop.requests
    assert first == second
    assert (failed["state"], resent["state"]) == ("failed", "delivered")
    assert [attempt["status"] for attempt in resent["attempts"]] == [500, 200]


async def test_a_callback_can_be_sent_again_after_the_purchase_has_ended(shop: Shop) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        await place(client, bought)
        (callback,) = await callbacks(client, "place_order", bought)
        resent = await client.ask("POST", f"/_mock/callbacks/{callback['callback_id']}/resend")
        assert len(resent["attempts"]) == len(await calls(client, "place_order", 2)) == 2
    assert shop.requests[0] == shop.requests[1]


async def test_every_try_is_kept_when_a_callback_is_sent_again_several_times_at_once(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order")
        path = f"/_mock/callbacks/{callback['callback_id']}"
        resent = await asyncio.gather(*[client.ask("POST", f"{path}/resend") for _ in range(5)])
        kept = await client.ask("GET", path)
        numbers = [entry["number"] for entry in await calls(client, "place_order", 6)]
    assert len(shop.requests) == len(kept["attempts"]) == 6
    assert sorted(len(one["attempts"]) for one in resent) == [2, 3, 4, 5, 6]
    assert numbers == [1, 2, 3, 4, 5, 6]


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_the_callback_of_another_merchant_is_not_found(shop: Shop, method: str) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        path = f"/_mock/callbacks/{callback['callback_id']}" + ("/resend" if method == "POST" else "")
        answer = await client.send(method, f"{path}?merchant=thief", headers={"Authorization": ""})
        assert answer.status == 404
    assert len(shop.requests) == 1


@pytest.mark.parametrize(
    ("fault", "outcomes"),
    [
        ({"twice": True}, ["answered", "answered"]),
        ({"drop": True}, ["dropped"]),
        ({"status": 503}, ["answered"]),
        ({"delay": 0}, ["answered"]),
    ],
    ids=str,
)
async def test_the_journal_shows_what_a_fault_did_to_a_callback(shop: Shop, fault: Json, outcomes: list[str]) -> None:
    async with emulator() as client:
        created = await client.ask("POST", "/_mock/faults", {"on": "callback", "operation": "place_order", **fault})
        await buy(client, shop.url)
        entries = await calls(client, "place_order", len(outcomes))
    assert [entry["outcome"] for entry in entries] == outcomes
    assert [entry["injected"] for entry in entries] == [{"fault_id": created["fault_id"], **fault}] * len(outcomes)


async def test_the_journal_distinguishes_a_callback_that_was_sent_again_from_the_first(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order")
        await client.ask("POST", f"/_mock/callbacks/{callback['callback_id']}/resend")
        first, second = await calls(client, "place_order", 2)
    assert (first["injected"], second["injected"]) == (None, {"resent": True})


@pytest.mark.parametrize("token", [None, "11111111-2222-4333-8444-555555555555"], ids=["unknown", "given"])
async def test_a_forged_callback_has_another_token_and_the_same_order(shop: Shop, token: str | None) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        body = {"purchase_id": bought["purchase_id"], **({"authorization_token": token} if token else {})}
        answer = await client.send("POST", "/_mock/callbacks", body)
        assert answer.status == 201
        assert (await client.ask("GET", answer.headers["Location"]))["attempts"] == answer.body["attempts"]
        forged = (await calls(client, "place_order", 2))[1]
    first, second = (request.json for request in shop.requests)
    assert first.pop("authorization_token") == bought["authorization_token"]
    sent = second.pop("authorization_token")
    assert sent == forged["request_body"]["authorization_token"] != bought["authorization_token"]
    assert token in (None, sent)
    assert first == second
    assert forged["injected"] == {"forged": True}


async def test_a_refused_forgery_leaves_nothing_in_the_state(shop: Shop) -> None:
    async with emulator() as client:
        declined = await buy(client, shop.url, shopper="se-denied")
        before = await client.ask("GET", "/_mock/snapshot")
        answer = await client.send("POST", "/_mock/callbacks", {"purchase_id": declined["purchase_id"]})
        assert (declined["state"], answer.status) == ("declined", 409)
        assert await client.ask("GET", "/_mock/snapshot") == before


async def test_a_forged_callback_needs_an_authorized_purchase_of_the_merchant(shop: Shop) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        declined = await buy(client, shop.url, shopper="se-denied")
        for purchase_id, query, status in (
            ("unknown", "", 404),
            (bought["purchase_id"], "?merchant=thief", 404),
            (declined["purchase_id"], "", 409),
        ):
            answer = await client.send("POST", f"/_mock/callbacks{query}", {"purchase_id": purchase_id})
            assert (answer.status, answer.body["where"]) == (status, "purchase_id")
            assert answer.body["hint"]


@pytest.mark.parametrize(
    ("changes", "sent"),
    [
        ({"body": {"a": [1, None]}}, {"a": [1, None]}),
        ({"body": "text"}, "text"),
        ({"body": {"a": {"b": 1, "c": 2}}, "change": {"a.b": 3, "a.c": None, "d": 4}}, {"a": {"b": 3}, "d": 4}),
    ],
)
async def test_a_callback_can_be_sent_again_with_another_body(shop: Shop, changes: Any, sent: Any) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        path = f"/_mock/callbacks/{callback['callback_id']}"
        resent = await client.ask("POST", f"{path}/resend", changes)
        again = await client.ask("POST", f"{path}/resend", {})
        entries = await calls(client, "place_order", 3)
    first, changed, last = shop.requests
    assert json.loads(changed.body) == sent
    assert first == last
    assert len(again["attempts"]) == 3
    assert [entry["injected"] for entry in entries] == [None, {"resent": True, "changed": True}, {"resent": True}]
    assert entries[1]["request_body"] == sent
    assert resent["request_body"] == callback["request_body"] == entries[2]["request_body"]


async def test_members_of_a_callback_are_changed_by_their_paths(shop: Shop) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        changes = {"order.order_lines[0].quantity": 7, "order.locale": None, "authorization_token": "forged"}
        await client.ask("POST", f"/_mock/callbacks/{callback['callback_id']}/resend", {"change": changes})
    first, changed = (json.loads(request.body) for request in shop.requests)
    assert changed["authorization_token"] == "forged"
    assert changed["order"]["order_lines"][0].pop("quantity") == 7
    assert "locale" not in changed["order"]
    first["order"]["order_lines"][0].pop("quantity")
    assert {**first, "authorization_token": "forged", "order": {**first["order"], "locale": None}} == {
        **changed, "order": {**changed["order"], "locale": None}
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"change": {"order.order_lines[99].name": "x"}}, "change.order.order_lines[99].name"),
        ({"change": {"authorization_token.x": 1}}, "change.authorization_token.x"),
        ({"change": 5}, "change"),
        ({"chnage": {}}, "chnage"),
    ],
)
async def test_a_change_that_is_not_possible_is_refused_and_nothing_is_sent(
    shop: Shop, changes: Any, path: str
) -> None:
    async with emulator() as client:
        bought = await buy(client, shop.url)
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        answer = await client.send("POST", f"/_mock/callbacks/{callback['callback_id']}/resend", changes)
    assert (answer.status, answer.body["errors"][0]["path"]) == (400, path)
    assert len(shop.requests) == 1


async def test_a_shopper_can_choose_a_variation_after_the_merchant_has_answered_update_with_other_lines(
    shop: Shop,
) -> None:
    """Documented lines have no attributes (klarna.md §3.4)."""
    line = {"name": "T-shirt", "reference": "TS-red-s", "quantity": 1, "unit_price": 10000, "tax_rate": 2500}
    identified = {"order_lines": [{**line, "total_amount": 10000, "total_tax_amount": 2000}]}

    async def answer(request: ReceivedRequest) -> tuple[int, bytes]:
        is_first = request.json["update_context"] == "identification_updated"
        return await (always(200, identified) if is_first else always(304))(request)

    shop.answers["/update"] = answer
    async with emulator() as client:
        options = {"merchant_urls": {**urls(shop.url), "update": f"{shop.url}/update"}}
        await client.ask("POST", "/instantshopping/v1/buttons", options)
        body: Json = {"cart": "se-variations", "wait": 0}
        bought = await client.ask("POST", "/_mock/purchases", body)
        assert bought["order"]["order_lines"][0]["unit_price"] == 10000
        body["select"] = {"product_attributes": {"clr": "blue", "size": "m"}, "quantity": 2}
        bought = await client.ask("POST", "/_mock/purchases", body)
    chosen = bought["order"]["order_lines"][0]
    assert (chosen["reference"], chosen["quantity"]) == ("TS-blue-m", 2)


async def test_a_purchase_that_is_refused_after_an_update_callback_fails(shop: Shop) -> None:
    shop.answers["/update"] = always(200, {"shipping_options": []})
    async with emulator() as client:
        options = {"merchant_urls": {**urls(shop.url), "update": f"{shop.url}/update"}}
        await client.ask("POST", "/instantshopping/v1/buttons", options)
        body: Json = {"cart": "se-battery-pack", "wait": 0, "select": {"shipping_option": "express_priority"}}
        answer = await client.send("POST", "/_mock/purchases", body)
        assert (answer.status, answer.body["errors"][0]["path"]) == (400, "select.shipping_option")
        (failed,) = (await client.ask("GET", "/_mock/purchases"))["purchases"]
        assert failed["state"] == "failed"
        shop.answers["/update"] = always(200, {"shipping_options": [OPTION]})
        body["select"] = {"shipping_option": OPTION["id"]}
        bought = await client.ask("POST", "/_mock/purchases", body)
        assert bought["state"] == "authorized"
