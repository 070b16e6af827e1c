"""Which fault a request or a callback gets."""

from typing import Any

import pytest

from mock_klarna.emulator import Emulator


@pytest.mark.parametrize(
    ("fault", "on", "operation", "used"),
    [
        ({"on": "callback"}, "callback", "push", True),
        ({"on": "callback"}, "request", "push", False),
        ({"on": "callback", "operation": "push"}, "callback", "push", True),
        ({"on": "callback", "operation": "push"}, "callback", "update", False),
    ],
)
async def test_a_fault_matches_its_kind_and_operation(
    emulator: Emulator, fault: dict[str, Any], on: str, operation: str, used: bool
) -> None:
    await emulator.faults.create("shop", {**fault, "drop": True})
    assert await emulator.faults.take("other", on, operation) is None
    assert (await emulator.faults.take("shop", on, operation) is not None) is used
    assert (await emulator.faults.waiting("shop") == []) is used


async def test_faults_are_used_oldest_first_and_each_as_often_as_it_says(emulator: Emulator) -> None:
    await emulator.faults.create("shop", {"on": "callback", "status": 500, "times": 2})
    await emulator.faults.create("shop", {"on": "callback", "status": 503})
    used = [await emulator.faults.take("shop", "callback", "push") for _ in range(4)]
    assert [effect and effect["status"] for effect in used] == [500, 500, 503, None]
