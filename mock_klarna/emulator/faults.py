"""Trouble on order: the next matching requests or callbacks go wrong."""

from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain.events import FaultCreated
from mock_klarna.domain.journal import NOBODY
from mock_klarna.domain.records import Decision, Fault
from mock_klarna.emulator.context import Context

Json = dict[str, Any]


class Faults:
    """A merchant's faults, each for a number of `times`; the oldest that matches goes first.

    Those of nobody wait for any merchant, whose own go before them.
    """

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, merchant: str, wish: Json) -> Fault:
        """Order a fault for a merchant, or with `NOBODY` for whichever comes first.

        The wish tells what it is `on`, for which operation or callback, how many times, and what goes wrong.
        """
        fault_id = await self._context.new_id(merchant, "fault")
        fault = Fault(
            merchant=merchant,
            fault_id=fault_id,
            body=orjson.dumps({"fault_id": fault_id, **wish}),
            on=wish["on"],
            operation=wish.get("operation"),
            times=wish.get("times", 1),
        )
        decision = Decision(writes=(fault,), events=(FaultCreated(fault_id=fault_id),))
        await self._context.commit(merchant, decision, await self._context.now(merchant))
        return fault

    async def waiting(self, merchant: str | None) -> list[Fault]:
        """Return the faults that still wait for something of a merchant, or of any, to spoil: its own first, oldest first."""
        if merchant is None:
            return await self._of(None)
        return await self._of(merchant) + await self._of(NOBODY)

    async def _of(self, merchant: str | None) -> list[Fault]:
        return [fault for fault in await self._context.store.records(Fault, merchant) if fault.times > 0]

    async def clear(self, merchant: str | None) -> None:
        """Forget a merchant's own faults, or all."""
        for fault in await self._of(merchant):
            await self._context.store.delete(Fault, fault.fault_id)

    async def take(self, merchant: str, on: str, operation: str) -> Json | None:
        """Use up one time of the oldest fault that matches and return what is to go wrong, or None."""
        newest = self._context.store.newest
        if await newest(Fault, merchant) is None and await newest(Fault, NOBODY) is None:
            return None
        return await self._context.persist(lambda: self._take(merchant, on, operation))

    async def _take(self, merchant: str, on: str, operation: str) -> Json | None:
        for fault in await self.waiting(merchant):
            if fault.on == on and fault.operation in (None, operation):
                await self._use(fault)
                effect: Json = orjson.loads(fault.body)
                return effect
        return None

    async def _use(self, fault: Fault) -> None:
        """Count a fault down, and forget it after its last time; raises `WriteConflict` when somebody else used that up."""
        left = replace(fault, version=fault.version + 1, times=fault.times - 1)
        await self._context.commit(fault.merchant, Decision(writes=(left,)), await self._context.now(fault.merchant))
        if left.times <= 0:
            await self._context.store.delete(Fault, fault.fault_id)
