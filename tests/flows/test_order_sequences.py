"""Sequences of all commands on an order, one at a time and simultaneously, compared with a model of its amounts."""

import copy
import os
from collections.abc import Callable
from itertools import permutations, product
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from tests.extent import ENGINES, extent
from tests.flows.order_model import Command, OrderModel, Result
from tests.flows.order_server import AMOUNT, OrderServer, PlacedOrder, order_server

SEQUENCES = extent(
    usual={"memory": 4, "sqlite": 2, "postgres": 2}, thorough={"memory": 200, "sqlite": 100, "postgres": 50}
)
"""How many sequences are tried; set the environment variable `MOCK_KLARNA_SEQUENCES` for thousands."""
STEPS = 12

amounts = st.one_of(st.integers(0, AMOUNT + 1), st.sampled_from([1, 250, 500, AMOUNT]))
keys = st.sampled_from(["", "", "a", "b"])
timeless_commands = st.one_of(
    st.builds(Command, st.sampled_from(["capture", "refund"]), amounts),
    st.builds(Command, st.just("authorize"), st.integers(0, 2 * AMOUNT)),
    st.builds(Command, st.sampled_from(["cancel", "release", "acknowledge"])),
    st.builds(Command, st.just("decide"), st.just(0), st.sampled_from(["ACCEPTED", "STOPPED"])),
)
"""Commands that start no period: a clock that moves stops at each job, so the start of a period cannot be observed."""
commands = st.one_of(
    timeless_commands,
    st.builds(Command, st.sampled_from(["capture", "refund"]), amounts, keys),
    st.builds(Command, st.just("extend")),
    st.builds(Command, st.just("decide"), st.just(0), st.just("REJECTED")),
)
clock_moves = st.builds(Command, st.just("advance"), st.sampled_from([1, 3, 24, 10 * 24, 27 * 24]))


class OrderMachine(RuleBasedStateMachine):
    """An order from its placement on; the test sets `server`."""

    server: OrderServer
    order: PlacedOrder
    possible: list[OrderModel]
    """Every state that explains the results so far: more than one after simultaneous commands, whose order is unknown."""

    @initialize(fraud=st.sampled_from(["ACCEPTED", "ACCEPTED", "PENDING"]), seed=st.integers(0, 1000))
    def place_order(self, fraud: str, seed: int) -> None:
        self.order = self.server.place_order(fraud, seed)
        self.possible = [OrderModel(AMOUNT, fraud)]

    @rule(command=commands)
    def send_one_command(self, command: Command) -> None:
        self._send([command])

    @rule(together=st.lists(commands, min_size=2, max_size=4))
    def send_several_commands_simultaneously(self, together: list[Command]) -> None:
        self._send(together)

    @rule(amount=st.integers(1, AMOUNT), times=st.integers(2, 4), name=st.sampled_from(["capture", "refund"]), key=keys)
    def send_the_same_command_simultaneously(self, amount: int, times: int, name: str, key: str) -> None:
        self._send([Command(name, amount, key)] * times)

    @rule(move=clock_moves)
    def move_the_clock(self, move: Command) -> None:
        self._send([move])

    @rule(move=clock_moves, meanwhile=st.lists(timeless_commands, min_size=1, max_size=3))
    def move_the_clock_during_other_commands(self, move: Command, meanwhile: list[Command]) -> None:
        self._send([move, *meanwhile])

    def _send(self, sent: list[Command]) -> None:
        results = self.order.send_simultaneously(sent)
        shown = _members_of_the_model(self.order.shown())
        explanations: list[OrderModel] = []
        for before, sequence in product(self.possible, permutations(zip(sent, results, strict=True))):
            model = copy.deepcopy(before)
            if all(model.explains(*one) for one in sequence) and model.as_shown() == shown:
                explanations += [model] if model not in explanations else []
        assert explanations, _failure_text(self.possible, sent, results, shown)
        self.possible = explanations

    @invariant()
    def amounts_never_exceed_what_was_authorized(self) -> None:
        if hasattr(self, "order"):
            shown = self.order.shown()
            assert shown["order_amount"] >= shown["captured_amount"] >= shown["refunded_amount"] >= 0
            assert shown["remaining_authorized_amount"] >= 0
            assert sum(capture["refunded_amount"] for capture in shown["captures"]) == shown["refunded_amount"]

    def teardown(self) -> None:
        if hasattr(self, "order"):
            self.order.close()


def _members_of_the_model(shown: dict[str, Any]) -> dict[str, Any]:
    """Reduce an order to the members that the model has."""
    lists = {
        "captures": [(one["capture_id"], one["captured_amount"]) for one in shown["captures"]],
        "refunds": [(one["refund_id"], one["refunded_amount"]) for one in shown["refunds"]],
    }
    return {name: lists.get(name, shown[name]) for name in OrderModel(0, "").as_shown()}


def _failure_text(possible: list[OrderModel], sent: list[Command], results: list[Result], shown: dict[str, Any]) -> str:
    lines = "\n".join(f"  {command} -> {result}" for command, result in zip(sent, results, strict=True))
    return f"no sequence of these commands explains the results; before: {possible}\n{lines}\n  after: {shown}"


@pytest.mark.parametrize("engine", ENGINES)
def test_some_sequence_of_the_commands_explains_every_result(engine: str, new_store: Callable[[str], str]) -> None:
    sequences = int(os.environ.get("MOCK_KLARNA_SEQUENCES", SEQUENCES[engine]))
    with order_server(new_store(engine), servers=2 if engine == "postgres" else 1) as server:
        machine = type("Machine", (OrderMachine,), {"server": server})
        run_state_machine_as_test(
            machine,
            settings=settings(
                max_examples=sequences,
                stateful_step_count=STEPS,
                deadline=None,
                suppress_health_check=list(HealthCheck),
                database=None,
            ),
        )
