"""The `update` callback: its body, and what its answer changes."""

import json
from typing import Any

import pytest

from tests.domain.samples import EXPRESS, LINE, POST, item
from tests.merchants.pages import PAGE
from tests.merchants.running import Json, buy, callbacks, calls, emulator
from tests.merchants.shop import Shop, always

CHEAP = {**LINE, "unit_price": 100, "total_amount": 100, "total_tax_amount": 20}


async def bought(shop: Shop, settings: Json | None = None, **options: Any) -> tuple[Json, list[Json], list[Json]]:
    """Let a shopper buy where the key has an `update` URL; return purchase, update callbacks and events."""
    async with emulator(**(settings or {})) as client:
        purchase = await buy(client, shop.url, {"update": f"{shop.url}/update"}, **options)
        updates = await callbacks(client, "update", purchase)
        events = (await client.ask("GET", f"/_mock/journal?kind=event&purchase_id={purchase['purchase_id']}"))[
            "entries"
        ]
        return purchase, updates, events


def contexts(shop: Shop) -> list[str]:
    return [request.json["update_context"] for request in shop.at("/update")]


@pytest.mark.parametrize(
    ("page", "select", "updates"),
    [
        (PAGE, {}, ["identification_updated"]),
        (PAGE, {"shipping_option": "express_priority"}, ["identification_updated", "session_updated"]),
        (
            {**PAGE, "order_lines": [], "items": [item("red"), item("blue")]},
            {"product_attributes": {"clr": "blue"}, "quantity": 2},
            ["identification_updated", "specifications_selected"],
        ),
        (
            {**PAGE, "order_lines": [], "items": [item("red")]},
            {"quantity": 2, "shipping_option": "express_priority"},
            ["identification_updated", "specifications_selected", "session_updated"],
        ),
    ],
)
async def test_update_is_sent_at_each_change_with_its_context(
    shop: Shop, page: Json, select: Json, updates: list[str]
) -> None:
    shop.answers["/update"] = always(304)
    purchase, callbacks_, _ = await bought(shop, page=page, select=select)
    assert contexts(shop) == updates
    assert [callback["state"] for callback in callbacks_] == ["delivered"] * len(updates)
    assert purchase["state"] == "authorized"


async def test_update_is_not_sent_without_a_url(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url, select={"shipping_option": "express_priority"})
        await calls(client, "place_order")
    assert [request.path for request in shop.requests] == ["/place-order"]


async def test_update_has_the_shopper_and_the_order(shop: Shop) -> None:
    shop.answers["/update"] = always(304)
    await bought(shop)
    (request,) = shop.at("/update")
    assert request.json["billing_address"]["country"] == "SE"
    assert [line["type"] for line in request.json["order_lines"]] == ["physical"]
    assert request.json["selected_shipping_option"]["id"] == "express_priority"


@pytest.mark.parametrize(
    ("answer", "amount"),
    [
        ({}, 124000),
        ({"merchant_data": "7"}, 124000),
        ({"order_lines": [CHEAP]}, 5100),
        ({"order_lines": [CHEAP, {**CHEAP, "reference": "2"}]}, 5200),
        ({"shipping_options": [POST]}, 119000),
        ({"shipping_options": []}, 119000),
        ({"order_lines": [CHEAP], "shipping_options": [EXPRESS, POST]}, 5100),
        ({"order_lines": None, "merchant_reference2": None}, 124000),
    ],
)
async def test_an_answer_changes_the_members_that_it_has(shop: Shop, answer: Json, amount: int) -> None:
    shop.answers["/update"] = always(200, answer)
    purchase, (callback,), _ = await bought(shop)
    assert callback["state"] == "delivered"
    assert purchase["order_amount"] == amount
    if "merchant_data" in answer:
        assert purchase["order"]["merchant_data"] == "7"


async def test_an_answer_that_repeats_the_request_changes_nothing(shop: Shop) -> None:
    async def echo(request: Any) -> tuple[int, bytes]:
        return 200, json.dumps(request.json).encode()

    shop.answers["/update"] = echo
    purchase, (callback,), _ = await bought(shop)
    assert (purchase["order_amount"], callback["state"]) == (124000, "delivered")
    assert [line["type"] for line in purchase["order"]["order_lines"]] == ["physical", "shipping_fee"]


UNUSABLE: dict[str, tuple[int, bytes | Json]] = {
    "an error": (400, b""),
    "a crash": (500, b"Traceback"),
    "no content": (204, b""),
    "garbage": (200, b"<html>"),
    "a half": (200, b'{"order_lines": ['),
    "no bytes": (200, b""),
    "a list": (200, b"[1]"),
    "a wrong sum": (200, {"order_lines": [{**LINE, "total_amount": 1}]}),
    "a wrong type": (200, {"shipping_options": "none"}),
}


@pytest.mark.parametrize(("status", "body"), UNUSABLE.values(), ids=UNUSABLE)
@pytest.mark.parametrize(
    ("settings", "state", "event"),
    [({}, "authorized", "update_ignored"), ({"update_failure": "abort"}, "failed", "purchase_failed")],
)
async def test_an_unusable_answer_is_recorded_and_ends_the_purchase_only_with_the_setting(
    shop: Shop, status: int, body: bytes | Json, settings: Json, state: str, event: str
) -> None:
    shop.answers["/update"] = always(status, body)
    purchase, (callback,), events = await bought(shop, settings)
    assert (purchase["state"], callback["state"]) == (state, "failed")
    (found,) = [entry for entry in events if entry["name"] == event]
    assert "update" in found["reason"]
    assert (purchase["order_amount"] == 124000) is (state == "authorized")


@pytest.mark.parametrize(
    ("settings", "state"), [({}, "authorized"), ({"update_failure": "abort"}, "failed")], ids=["keep", "abort"]
)
@pytest.mark.parametrize("behaviour", ["hang", "close", "redirect?302"])
async def test_an_unanswered_update_ends_the_purchase_only_with_the_setting(
    bad: str, behaviour: str, settings: Json, state: str
) -> None:
    async with emulator(callback_timeout=0.1, **settings) as client:
        purchase = await buy(client, bad, {"update": f"{bad}/{behaviour}"})
        assert purchase["state"] == state
        if state == "failed":
            assert await callbacks(client, "place_order", purchase) == []


@pytest.mark.parametrize(
    "select", [{}, {"shipping_option": "express_priority"}, {"checkboxes": {"news": True}}, {"quantity": 2}]
)
async def test_an_aborted_purchase_has_failed_whatever_the_shopper_chooses_next(shop: Shop, select: Json) -> None:
    shop.answers["/update"] = always(500)
    page = {**PAGE, "options": {"additional_checkboxes": [{"id": "news", "text": "News?"}]}, "items": [item("red")]}
    purchase, updates, _ = await bought(shop, {"update_failure": "abort"}, page=page, select=select)
    assert purchase["state"] == "failed"
    assert len(updates) == 1


@pytest.mark.parametrize(
    ("answered", "path"),
    [
        ({"order_lines": []}, "order_lines"),
        ({"order_lines": [{**LINE, "total_tax_amount": 1}]}, "order_lines[0].total_tax_amount"),
        (
            {
                "order_lines": [
                    {**CHEAP, "type": "discount", "unit_price": -9000, "total_amount": -9000, "total_tax_amount": -1800}
                ]
            },
            "order_amount",
        ),
        ({"shipping_options": [{**POST, "id": "x" * 65}]}, "selected_shipping_option.id"),
    ],
)
async def test_an_answer_that_makes_no_valid_order_changes_nothing_and_is_recorded(
    shop: Shop, answered: Json, path: str
) -> None:
    shop.answers["/update"] = always(200, answered)
    purchase, _, events = await bought(shop)
    assert (purchase["state"], purchase["order_amount"]) == ("authorized", 124000)
    (ignored,) = [entry for entry in events if entry["name"] == "update_ignored"]
    assert path in ignored["reason"]


async def test_an_answer_with_unknown_members_only_changes_nothing(shop: Shop) -> None:
    shop.answers["/update"] = always(200, {"foo": 1})
    purchase, _, events = await bought(shop)
    assert purchase["state"] == "authorized"
    assert not [entry for entry in events if entry["name"] in ("session_updated", "update_ignored")]


async def test_a_refused_answer_has_its_reason_in_the_callback(shop: Shop) -> None:
    shop.answers["/update"] = always(400)
    _, updates, _ = await bought(shop)
    assert updates[0]["state"] == "failed"
    assert updates[0]["attempts"][0]["error"] == "the update callback answered 400; expected 200 with JSON, or 304"


async def test_the_shipping_method_is_spelled_as_in_place_order(shop: Shop) -> None:
    shop.answers["/update"] = always(304)
    options = [{**POST, "shipping_method": "PickUpStore"}]
    await bought(shop, page={**PAGE, "shipping_options": options})
    assert shop.at("/update")[0].json["selected_shipping_option"]["shipping_method"] == "pick-up-store"
