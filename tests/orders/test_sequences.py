"""Sequences of everything that can be done to an order, one at a time and several at once, against a model of its money."""

import copy
import os
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.extent import extent
from tests.orders.money import Money, Seen, Wish
from tests.orders.sandbox import AMOUNT, ManagedOrder, Sandbox, sandbox

SEQUENCES = int(os.environ.get("MOCK_KLARNA_SEQUENCES", extent(usual=8, thorough=200)))
"""How many sequences are tried; the environment variable asks for thousands."""

amounts = st.one_of(st.integers(0, AMOUNT + 1), st.sampled_from([1, 250, 500, AMOUNT]))
keys = st.sampled_from(["", "", "a", "b"])
timeless = st.one_of(
    st.builds(Wish, st.sampled_from(["capture", "refund"]), amounts),
    st.builds(Wish, st.just("authorize"), st.integers(0, 2 * AMOUNT)),
    st.builds(Wish, st.sampled_from(["cancel", "release", "acknowledge"])),
    st.builds(Wish, st.just("decide"), st.just(0), st.sampled_from(["ACCEPTED", "STOPPED"])),
)
"""What begins no period of its own: a moving clock stops at each job on its way, and nobody sees where a period began."""
wishes = st.one_of(
    timeless,
    st.builds(Wish, st.sampled_from(["capture", "refund"]), amounts, keys),
    st.builds(Wish, st.just("extend")),
    st.builds(Wish, st.just("decide"), st.just(0), st.just("REJECTED")),
)
jumps = st.builds(Wish, st.just("advance"), st.sampled_from([1, 3, 24, 10 * 24, 27 * 24]))


class OrderMachine(RuleBasedStateMachine):
    """An order from its placing on; `box` is set by the test."""

    box: Sandbox
    order: ManagedOrder
    possible: list[Money]
    """Every state that explains what was seen; several where time passed meanwhile, as nobody sees what came first."""

    @initialize(fraud=st.sampled_from(["ACCEPTED", "ACCEPTED", "PENDING"]), seed=st.integers(0, 1000))
    def place(self, fraud: str, seed: int) -> None:
        self.order = self.box.order(fraud, seed)
        self.possible = [Money(AMOUNT, fraud)]

    @rule(wish=wishes)
    def ask_for_one_thing(self, wish: Wish) -> None:
        self._together([wish])

    @rule(together=st.lists(wishes, min_size=2, max_size=4))
    def ask_for_several_things_at_once(self, together: list[Wish]) -> None:
        self._together(together)

    @rule(amount=st.integers(1, AMOUNT), times=st.integers(2, 4), name=st.sampled_from(["capture", "refund"]), key=keys)
    def ask_for_the_same_money_at_once(self, amount: int, times: int, name: str, key: str) -> None:
        self._together([Wish(name, amount, key)] * times)

    @rule(jump=jumps)
    def let_time_pass(self, jump: Wish) -> None:
        self._together([jump])

    @rule(jump=jumps, meanwhile=st.lists(timeless, min_size=1, max_size=3))
    def let_time_pass_meanwhile(self, jump: Wish, meanwhile: list[Wish]) -> None:
        self._together([jump, *meanwhile])

    def _together(self, asked: list[Wish]) -> None:
        seen = self.order.all_at_once(asked)
        shown = _compared(self.order.shown())
        explained: list[Money] = []
        for before, turn in product(self.possible, permutations(zip(asked, seen, strict=True))):
            money = copy.deepcopy(before)
            if all(money.take(*one) for one in turn) and money.shown() == shown and money not in explained:
                explained.append(money)
        assert explained, _told(self.possible, asked, seen, shown)
        self.possible = explained

    @invariant()
    def the_money_is_never_more_than_there_was(self) -> None:
        if hasattr(self, "order"):
            shown = self.order.shown()
            assert shown["order_amount"] >= shown["captured_amount"] >= shown["refunded_amount"] >= 0
            assert shown["remaining_authorized_amount"] >= 0
            assert sum(capture["refunded_amount"] for capture in shown["captures"]) == shown["refunded_amount"]

    def teardown(self) -> None:
        if hasattr(self, "order"):
            self.order.leave()


def _compared(shown: dict[str, Any]) -> dict[str, Any]:
    """Reduce an order to what the model knows of it."""
    books = {
        "captures": [(one["capture_id"], one["captured_amount"]) for one in shown["captures"]],
        "refunds": [(one["refund_id"], one["refunded_amount"]) for one in shown["refunds"]],
    }
    return {name: books.get(name, shown[name]) for name in Money(0, "").shown()}


def _told(possible: list[Money], asked: list[Wish], seen: list[Seen], shown: dict[str, Any]) -> str:
    happened = "\n".join(f"  {wish} -> {what}" for wish, what in zip(asked, seen, strict=True))
    return f"in no order does this come of {possible}:\n{happened}\n  and then {shown}"


@pytest.mark.parametrize("steps", [12])
def test_every_answer_is_one_that_some_order_of_the_requests_explains(steps: int) -> None:
    with sandbox() as box:
        machine = type("Machine", (OrderMachine,), {"box": box})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=SEQUENCES,
                stateful_step_count=steps,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
