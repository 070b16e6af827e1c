"""Faults that are injected into the next matching requests or callbacks."""

from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain.events import FaultCreated
from mock_klarna.domain.journal import NO_MERCHANT
from mock_klarna.domain.records import Decision, Fault
from mock_klarna.emulator.context import Context
from mock_klarna.validation import write_json

Json = dict[str, Any]
_NOT_EFFECTS = frozenset({"on", "operation", "times"})


def injected(fault: Json) -> Json:
    """Return what the journal shows of a fault that was used: its `fault_id` and its effects."""
    return {name: value for name, value in fault.items() if name not in _NOT_EFFECTS}


class Faults:
    """The faults of merchants, each for a number of `times`; the oldest that matches is used first.

    Faults of `NO_MERCHANT` match every merchant, after the merchant's own.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, merchant: str, body: Json) -> Fault:
        """Create a fault for a merchant, or with `NO_MERCHANT` for any.

        `body` is a checked `create_fault` body: where the fault applies (`on`, `operation`), how often, and its effects.
        """
        return await self._context.create(lambda: self._create(merchant, body))

    async def _create(self, merchant: str, body: Json) -> Fault:
        now, fault_id = await self._context.new_id(merchant, "fault")
        fault = Fault(
            merchant=merchant,
            fault_id=fault_id,
            body=write_json({"fault_id": fault_id, **body}),
            on=body["on"],
            operation=body.get("operation"),
            times=body.get("times", 1),
        )
        decision = Decision(writes=(fault,), events=(FaultCreated(fault_id=fault_id),))
        await self._context.commit(merchant, decision, now)
        return fault

    async def waiting(self, merchant: str | None) -> list[Fault]:
        """Return the remaining faults of a merchant, its own first, oldest first; of all merchants for None."""
        if merchant is None:
            return await self._of(None)
        return await self._of(merchant) + await self._of(NO_MERCHANT)

    async def _of(self, merchant: str | None) -> list[Fault]:
        return [fault for fault in await self._context.store.records(Fault, merchant) if fault.times > 0]

    async def clear(self, merchant: str | None) -> None:
        """Delete a merchant's own faults, or all."""
        for fault in await self._of(merchant):
            await self._context.store.delete(Fault, fault.fault_id)

    async def take(self, merchant: str, on: str, operation: str) -> Json | None:
        """Use the oldest matching fault once and return its body, or None if there is none."""
        newest = self._context.store.newest
        if await newest(Fault, merchant) is None and await newest(Fault, NO_MERCHANT) is None:
            return None
        return await self._context.persist(lambda: self._take(merchant, on, operation))

    async def _take(self, merchant: str, on: str, operation: str) -> Json | None:
        for fault in await self.waiting(merchant):
            if fault.on == on and fault.operation in (None, operation):
                await self._use(fault)
                body: Json = orjson.loads(fault.body)
                return body
        return None

    async def _use(self, fault: Fault) -> None:
        """Count a fault down, and delete it after its last time; raises `WriteConflict` if it was used at the same time."""
        left = replace(fault, version=fault.version + 1, times=fault.times - 1)
        await self._context.commit(fault.merchant, Decision(writes=(left,)), await self._context.now(fault.merchant))
        if left.times <= 0:
            await self._context.store.delete(Fault, fault.fault_id)
