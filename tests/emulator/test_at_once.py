"""Commands that several callers give at the same time: loaded, decided and committed as a whole, or done again as a whole."""

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable
from typing import Any

import orjson
import pytest

from mock_klarna.domain.records import Merchant, Order, Purchase
from mock_klarna.emulator import Emulator
from mock_klarna.emulator.emulator import buy
from mock_klarna.errors import InvalidInput, NoSuchOrder, NotAllowed, NotFound, StateConflict, UnknownName
from tests.merchants.pages import PAGE, urls

CALLS = 20
ORDER = {"purchase_currency": "SEK", "purchase_country": "SE", "order_amount": 1}
OPTIONS = [{"id": name, "name": name, "price": 0, "tax_amount": 0, "tax_rate": 0} for name in ("express", "slow")]


async def bought(emulator: Emulator, **wish: Any) -> Purchase:
    await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop")})
    return await buy(emulator, "shop", {"page": PAGE, **wish})


async def outcomes(calls: Iterable[Awaitable[Any]]) -> list[Any]:
    """Make all calls at once; return what each gave or raised."""
    return await asyncio.gather(*calls, return_exceptions=True)


def raised(found: list[Any]) -> Counter[type]:
    """Count what was raised by its class; what was answered counts as object."""
    return Counter(type(one) if isinstance(one, BaseException) else object for one in found)


async def placed(emulator: Emulator, purchase: Purchase, body: Any = ORDER) -> Order:
    token = purchase.authorization_token or ""
    return (await emulator.authorizations.place("shop", token, body, orjson.dumps(body)))[1]


async def test_the_same_order_placed_at_once_is_answered_the_same_to_all(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    orders = await outcomes(placed(emulator, purchase) for _ in range(CALLS))
    assert raised(orders) == {object: CALLS}
    assert len({order.order_id for order in orders}) == len(await emulator.store.records(Order, "shop")) == 1


async def test_different_orders_placed_at_once_are_one_order_and_refusals(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    bodies = [{**ORDER, "merchant_reference1": str(number)} for number in range(CALLS)]
    orders = await outcomes(placed(emulator, purchase, body) for body in bodies)
    assert raised(orders) == {object: 1, NotAllowed: CALLS - 1}
    assert len(await emulator.store.records(Order, "shop")) == 1


async def test_the_same_customer_token_asked_for_at_once_is_one(emulator: Emulator) -> None:
    purchase = await bought(emulator)
    token = purchase.authorization_token or ""
    tokens = await outcomes(emulator.customer_tokens.create("shop", token, {}) for _ in range(CALLS))
    assert raised(tokens) == {object: CALLS}
    assert len({held.customer_token for held in tokens}) == 1


async def test_a_review_that_is_ended_by_several_at_once_ends_once(emulator: Emulator) -> None:
    order = await placed(emulator, await bought(emulator, outcome="PENDING"))
    verdicts = [("ACCEPTED", "REJECTED")[number % 2] for number in range(CALLS)]
    ended = await outcomes(emulator.orders.end_review("shop", order.order_id, verdict) for verdict in verdicts)
    assert raised(ended) == {object: 1, StateConflict: CALLS - 1}


async def test_a_planned_review_and_one_ended_by_hand_at_once_end_it_once(emulator: Emulator) -> None:
    plan = {"fraud_status": "PENDING", "then": "REJECTED", "after": 60}
    order = await placed(emulator, await bought(emulator, outcome=plan))
    by_hand, planned = await outcomes(
        [
            emulator.orders.end_review("shop", order.order_id, "ACCEPTED"),
            emulator.orders.end_planned_review(order.order_id),
        ]
    )
    held = await emulator.orders.find("shop", order.order_id)
    assert planned is None
    assert held.fraud_status == ("REJECTED" if isinstance(by_hand, StateConflict) else "ACCEPTED")


async def test_a_fault_for_so_many_times_strikes_as_many_of_those_who_come_at_once(emulator: Emulator) -> None:
    await emulator.faults.create("shop", {"on": "callback", "drop": True, "times": 5})
    struck = await outcomes(emulator.faults.take("shop", "callback", "push") for _ in range(CALLS))
    assert Counter(effect is not None for effect in struck) == {True: 5, False: CALLS - 5}
    assert await emulator.faults.waiting("shop") == []


async def test_a_clock_moved_by_several_at_once_is_where_one_of_them_put_it(emulator: Emulator) -> None:
    moved = await outcomes(emulator.merchants.move_clock("shop", float(number)) for number in range(CALLS))
    held = await emulator.store.get(Merchant, "shop")
    assert raised(moved) == {object: CALLS}
    assert held is not None
    assert held.version == CALLS


async def test_resets_and_clocks_at_once_leave_one_seed_and_no_fault_of_ours(emulator: Emulator) -> None:
    calls = [emulator.merchants.reset("shop", str(number)) for number in range(CALLS)]
    moves = [emulator.merchants.move_clock("shop", 5.0) for _ in range(CALLS)]
    assert raised(await outcomes([*calls, *moves])) == {object: 2 * CALLS}
    assert len(await emulator.store.records(Merchant, "shop")) == 1


async def test_a_shipping_option_that_goes_while_it_is_chosen_is_not_bought(
    emulator: Emulator,
) -> None:
    button = await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop"), "shipping_options": OPTIONS})
    for _ in range(CALLS):
        begun = await emulator.purchases.start(button, PAGE, None, None)
        await emulator.purchases.identify(begun, None)
        chosen, changed = await outcomes(
            [
                emulator.purchases.choose_shipping(begun, "express"),
                emulator.purchases.update_from_page(begun, {"shipping_options": OPTIONS[1:]}),
            ]
        )
        paid = await emulator.purchases.pay(await emulator.purchases.find(None, begun.purchase_id), None)
        assert raised([chosen, changed]).keys() <= {object, InvalidInput}
        assert orjson.loads(paid.order)["selected_shipping_option"]["id"] == "slow"


async def test_a_purchase_paid_by_several_clicks_at_once_is_authorized_once(emulator: Emulator) -> None:
    button = await emulator.buttons.create("shop", {"merchant_urls": urls("http://shop")})
    begun = await emulator.purchases.identify(await emulator.purchases.start(button, PAGE, None, None), None)
    paid = await outcomes(emulator.purchases.pay(begun, None) for _ in range(CALLS))
    assert raised(paid) == {object: 1, StateConflict: CALLS - 1}


COMMANDS: dict[str, Callable[[Emulator, Purchase, Order], Awaitable[Any]]] = {
    "place": lambda emulator, purchase, _: placed(emulator, purchase, {**ORDER, "merchant_reference1": "x"}),
    "deny": lambda emulator, purchase, _: emulator.authorizations.deny("shop", purchase.authorization_token or "", {}),
    "button": lambda emulator, purchase, _: emulator.buttons.update("shop", purchase.button_key, {"name": "x"}),
    "close": lambda emulator, _, order: emulator.orders.close("shop", order.order_id),
    "review": lambda emulator, _, order: emulator.orders.end_review("shop", order.order_id, "STOPPED"),
    "capture": lambda emulator, _, order: emulator.order_management.capture(
        "shop", order.order_id, {"captured_amount": 1}
    ),
}


@pytest.mark.parametrize("command", COMMANDS)
async def test_a_command_while_everything_is_reset_is_done_or_refused(emulator: Emulator, command: str) -> None:
    for _ in range(CALLS):
        order, purchase = await placed(emulator, await bought(emulator)), await bought(emulator)
        done, reset = await outcomes(
            [COMMANDS[command](emulator, purchase, order), emulator.merchants.reset("shop", "s")]
        )
        assert reset is None
        assert raised([done]).keys() <= {object, NotFound, NotAllowed, StateConflict, UnknownName, NoSuchOrder}
