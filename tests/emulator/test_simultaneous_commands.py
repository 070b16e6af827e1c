"""Commands of several callers at the same time: each is loaded, decided and committed as a whole."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
import pytest

from mock_klarna.domain import session
from mock_klarna.domain.records import Merchant, Order, Purchase
from mock_klarna.emulator import Emulator
from mock_klarna.errors import InvalidInput, NoSuchOrder, NotAllowed, NotFound, StateConflict, UnknownName
from tests.emulator.conftest import bought
from tests.extent import extent
from tests.merchants.pages import PAGE, urls

pytestmark = pytest.mark.parametrize("store", ["memory", "awaiting", "sqlite", "postgres"], indirect=True)
CALLS = 20
RESETS = extent(usual=5, thorough=20)
ORDER = {"purchase_currency": "SEK", "purchase_country": "SE", "order_amount": 1}
OPTIONS = [{"id": name, "name": name, "price": 0, "tax_amount": 0, "tax_rate": 0} for name in ("express", "slow")]


async def outcomes(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Make all calls at once; return what each gave or raised."""
    return await asyncio.gather(*calls, return_exceptions=True)


def raised(found: list[Any]) -> Counter[type]:
    """Count what was raised by its class; what was answered counts as object."""
    return Counter(type(one) if isinstance(one, BaseException) else object for one in found)


async def placed(emulator: Emulator, purchase: Purchase, body: Any = ORDER) -> Order:
    token = purchase.authorization_token or ""
    return (await emulator.authorizations.place("shop", token, body, orjson.dumps(body)))[1]


async def test_simultaneous_requests_with_the_same_order_get_the_same_answer(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    orders = await outcomes(placed(emulator, purchase) for _ in range(CALLS))
    assert raised(orders) == {object: CALLS}
    assert len({order.order_id for order in orders}) == len(await emulator.store.records(Order, "shop")) == 1


async def test_of_simultaneous_different_orders_one_is_placed(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    bodies = [{**ORDER, "merchant_reference1": str(number)} for number in range(CALLS)]
    orders = await outcomes(placed(emulator, purchase, body) for body in bodies)
    assert raised(orders) == {object: 1, NotAllowed: CALLS - 1}
    assert len(await emulator.store.records(Order, "shop")) == 1


async def test_simultaneous_requests_create_one_customer_token(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    token = purchase.authorization_token or ""
    tokens = await outcomes(emulator.customer_tokens.create("shop", token, {}) for _ in range(CALLS))
    assert raised(tokens) == {object: CALLS}
    assert len({token.customer_token for token in tokens}) == 1


async def test_simultaneous_decisions_end_a_review_once(emulator: Emulator) -> None:
    order = await placed(emulator, await bought(emulator, outcome="PENDING"))
    statuses = [("ACCEPTED", "REJECTED")[number % 2] for number in range(CALLS)]
    ended = await outcomes(emulator.orders.end_review("shop", order.order_id, status) for status in statuses)
    assert raised(ended) == {object: 1, StateConflict: CALLS - 1}


async def test_a_review_ends_once_when_its_planned_end_and_a_decision_are_simultaneous(emulator: Emulator) -> None:
    plan = {"fraud_status": "PENDING", "then": "REJECTED", "after": 60}
    order = await placed(emulator, await bought(emulator, outcome=plan))
    by_hand, planned = await outcomes(
        [
            emulator.orders.end_review("shop", order.order_id, "ACCEPTED"),
            emulator.orders.end_planned_review(order.order_id),
        ]
    )
    stored = await emulator.orders.find("shop", order.order_id)
    assert planned is None
    assert stored.fraud_status == ("REJECTED" if isinstance(by_hand, StateConflict) else "ACCEPTED")


async def test_a_fault_is_not_used_more_often_by_simultaneous_requests(emulator: Emulator) -> None:
    await emulator.faults.create("shop", {"on": "callback", "drop": True, "times": 5})
    used = await outcomes(emulator.faults.take("shop", "callback", "push") for _ in range(CALLS))
    assert Counter(effect is not None for effect in used) == {True: 5, False: CALLS - 5}
    assert await emulator.faults.waiting("shop") == []


async def test_simultaneous_clock_moves_are_all_committed(emulator: Emulator) -> None:
    moved = await outcomes(emulator.merchants.move_clock("shop", float(number)) for number in range(CALLS))
    merchant = await emulator.store.get(Merchant, "shop")
    assert raised(moved) == {object: CALLS}
    assert merchant is not None
    assert merchant.version == CALLS


async def test_simultaneous_resets_and_clock_moves_leave_one_record(emulator: Emulator) -> None:
    calls = [emulator.merchants.reset("shop", str(number)) for number in range(CALLS)]
    moves = [emulator.merchants.move_clock("shop", 5.0) for _ in range(CALLS)]
    assert raised(await outcomes([*calls, *moves])) == {object: 2 * CALLS}
    assert len(await emulator.store.records(Merchant, "shop")) == 1


async def test_a_shipping_option_that_is_removed_while_it_is_chosen_is_not_bought(
    emulator: Emulator,
) -> None:
    button = await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop"), "shipping_options": OPTIONS})
    for _ in range(CALLS):
        started = await emulator.checkout.start(button, PAGE, None, None)
        await emulator.checkout.identify(started, None)
        chosen, changed = await outcomes(
            [
                emulator.checkout.choose_shipping(started, "express"),
                emulator.checkout.update_from_page(started, {"shipping_options": OPTIONS[1:]}),
            ]
        )
        paid = await emulator.checkout.pay(await emulator.checkout.find(None, started.purchase_id), None)
        assert raised([chosen, changed]).keys() <= {object, InvalidInput}
        assert orjson.loads(paid.order)["selected_shipping_option"]["id"] == "slow"


async def test_what_is_paid_is_what_the_shopper_has_seen_while_the_page_changes_it(emulator: Emulator) -> None:
    button = await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop")})
    dearer = {**PAGE["order_lines"][0], "unit_price": 990000, "total_amount": 990000, "total_tax_amount": 198000}
    for _ in range(CALLS):
        started = await emulator.checkout.start(button, PAGE, None, None)
        seen = await emulator.checkout.identify(started, None)
        amount = session.order(orjson.loads(seen.session))["order_amount"]
        paid, updated = await outcomes(
            [
                emulator.checkout.pay(seen, None, amount, seen.version),
                emulator.checkout.update_from_page(seen, {"order_lines": [dearer]}, 1),
            ]
        )
        assert raised([paid, updated]) == {object: 1, StateConflict: 1}
        assert isinstance(paid, StateConflict) or paid.order_amount == amount


async def test_a_purchase_is_authorized_once_by_simultaneous_clicks(emulator: Emulator) -> None:
    button = await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop")})
    started = await emulator.checkout.identify(await emulator.checkout.start(button, PAGE, None, None), None)
    paid = await outcomes(emulator.checkout.pay(started, None) for _ in range(CALLS))
    assert raised(paid) == {object: 1, StateConflict: CALLS - 1}


COMMANDS: dict[str, Callable[[Emulator, Purchase, Order], Awaitable[Any]]] = {
    "place": lambda emulator, purchase, _: placed(emulator, purchase, {**ORDER, "merchant_reference1": "x"}),
    "deny": lambda emulator, purchase, _: emulator.authorizations.deny("shop", purchase.authorization_token or "", {}),
    "button": lambda emulator, purchase, _: emulator.buttons.update("shop", purchase.button_key, {"name": "x"}),
    "close": lambda emulator, _, order: emulator.orders.close("shop", order.order_id),
    "review": lambda emulator, _, order: emulator.orders.end_review("shop", order.order_id, "STOPPED"),
    "capture": lambda emulator, _, order: emulator.order_management.run(
        "capture_order", "shop", order.order_id, {"captured_amount": 1}
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_during_a_reset_is_done_or_refused(emulator: Emulator, command: str) -> None:
    for _ in range(RESETS):
        order, purchase = await placed(emulator, await bought(emulator)), await bought(emulator)
        done, reset = await outcomes(
            [COMMANDS[command](emulator, purchase, order), emulator.merchants.reset("shop", "s")]
        )
        assert reset is None
        assert raised([done]).keys() <= {object, NotFound, NotAllowed, StateConflict, UnknownName, NoSuchOrder}
