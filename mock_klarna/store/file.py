"""An engine that survives a restart: everything in memory, and a log of what happened to it in a file.

A commit is handed to the operating system before it returns, so nothing is lost when the process is killed. It is on the
disk within `SYNC_SECONDS`, so a power cut costs at most the commits of that time. The journal is not kept.

The file is compacted, which leaves what leads to the present state, at start and then whenever it has grown by as much as
it was after the last time, and by `GROWTH` at least. So it stays under twice what the state needs and `GROWTH`, and what
is written while it is compacted; meanwhile the new file lies beside it.
"""

import asyncio
from collections.abc import Iterable
from itertools import count
from pathlib import Path

from mock_klarna.domain.callbacks import Delivery, read_back
from mock_klarna.domain.records import Decision, Job, Record
from mock_klarna.errors import MockKlarnaError
from mock_klarna.store.compaction import Compaction, shortest_log
from mock_klarna.store.journal import USUAL, Bounds
from mock_klarna.store.lines import Line
from mock_klarna.store.lock import Lock
from mock_klarna.store.log import Log
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.restoring import Parts, parts
from mock_klarna.store.snapshot import KINDS, VERSION, Snapshot, decode, encode, snapshot_of

SYNC_SECONDS = 0.05
"""How long a commit may wait for the disk; all commits of that time share one flush."""
GROWTH = 8 << 20
"""Bytes by which the file grows at least before it is compacted."""


class FileStore(MemoryStore):
    """A memory store with a log at `path`, read at start, and compacted then and after every `growth` bytes at least.

    Raises `MockKlarnaError` when the file is in use by another server, is no log or is damaged before its last line.
    """

    def __init__(self, path: Path, bounds: Bounds = USUAL, growth: int = GROWTH) -> None:
        super().__init__(bounds)
        self._uncounted: dict[str, dict[str, int]] = {}
        self._loads, self._parts = count(), Parts()
        self._timer: asyncio.TimerHandle | None = None
        self._syncing: asyncio.Future[None] | None = None
        self._lock = Lock(path)
        try:
            self._log = Log(path)
            for number, line in self._log.lines():
                self._replay(number, line)
            self._read_back()
            self._log.rewrite(self._compact())
            self._compaction = Compaction(self._log, self._compact, growth)
        except BaseException:
            self._lock.release()
            raise

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing, to the file and then to memory; return the journal position after it."""
        self._index.check(decision.writes)
        self._write(
            {
                "do": "commit",
                "merchant": merchant,
                "writes": [[record.kind, encode(record)] for record in decision.writes],
                "cancels": decision.cancels,
                "jobs": [encode(job) for job in decision.jobs],
                "counters": self._uncounted.pop(merchant, {}),
                "seq": self._seq + len(decision.events),
            }
        )
        return await super().commit(merchant, decision, now)

    def _write(self, line: Line) -> None:
        self._log.append(line)
        self._compaction.consider()
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(SYNC_SECONDS, self._sync)

    def _sync(self) -> None:
        """Bring what was written to the disk in a thread, so that nobody waits; one flush at a time."""
        loop, self._timer = asyncio.get_running_loop(), None
        if self._syncing is None or self._syncing.done():
            self._syncing = loop.run_in_executor(None, self._log.sync)
        else:
            self._timer = loop.call_later(SYNC_SECONDS, self._sync)

    async def delete(self, kind: type[Record], key: str) -> None:
        """Forget a record."""
        self._write({"do": "delete", "kind": kind.kind, "key": key})
        await super().delete(kind, key)

    async def finish(self, job: Job) -> None:
        """Forget a claimed job; until then a restart does it again."""
        self._write({"do": "finish", "job": encode(job)})
        await super().finish(job)

    async def count(self, merchant: str, name: str) -> int:
        """Count one up; the file learns of it with the merchant's next commit, before anything that was counted exists."""
        number = await super().count(merchant, name)
        self._uncounted.setdefault(merchant, {})[name] = number
        return number

    async def clear(self, merchant: str | None) -> None:
        """Forget everything of a merchant, or of all."""
        self._write({"do": "clear", "merchant": merchant})
        self._uncounted = {name: counts for name, counts in self._uncounted.items() if merchant not in (None, name)}
        await super().clear(merchant)

    async def load(self, snapshot: Snapshot) -> None:
        """Replace the state of the merchants that a snapshot names by what it contains, all or nothing."""
        incoming = await asyncio.to_thread(self._prepared, snapshot)
        with self._compaction.put_off():
            number = next(self._loads)
            for line in parts(number, snapshot):
                self._write(line)
                await asyncio.sleep(0)
            self._index.check_free(incoming.named, incoming.states)
            self._write({"do": "loaded", "load": number, "version": VERSION})
            self._uncounted = {name: counts for name, counts in self._uncounted.items() if name not in incoming.states}
            self._replace(incoming)

    async def close(self) -> None:
        """Bring the last commits to the disk and let go of the file."""
        if self._timer is not None:
            self._timer.cancel()
        await self._compaction.stop()
        if self._syncing is not None:
            await self._syncing
        self._log.close()
        self._lock.release()

    def _compact(self) -> Iterable[Line]:
        """Return the shortest log that leads to the present state, which may change while it is read."""
        return shortest_log(self._seq, {name: state.snapshot() for name, state in self._merchants.items()})

    def _replay(self, number: int, line: Line) -> None:
        try:
            self._redo(line)
        except (AttributeError, KeyError, TypeError, ValueError, MockKlarnaError) as fault:
            raise self._log.damaged(number, f"{type(fault).__name__}: {fault}") from fault

    def _read_back(self) -> None:
        """Close what was under way when the last server ended: nobody does it any more."""
        for state in self._merchants.values():
            waiting = {job.job_id for job in state.job_queue.waiting()}
            for record in list(state.of_kind(Delivery.kind, None)):
                self._put(state, read_back(record, waiting))

    def _redo(self, line: Line) -> None:
        match line["do"]:
            case "commit":
                self._redo_commit(line)
            case "finish":
                self._redo_finish(decode(Job, line["job"]))
            case "delete":
                self._remove(line["kind"], line["key"])
            case "clear":
                self._clear(line["merchant"])
            case "part":
                self._parts.add(line)
            case "loaded" | "load":  # files of 0.1.0 have the whole state in one line
                state = line["state"] if "state" in line else self._parts.whole(line["load"], line["version"])
                self._replace(self._prepared(snapshot_of(state)))
            case "go_on":
                self._seq = line["seq"]
            case other:
                raise ValueError(f"{other!r} is not known")

    def _redo_commit(self, line: Line) -> None:
        state = self._state_of(line["merchant"])
        for kind, data in line.get("writes", ()):
            self._put(state, decode(KINDS[kind], data))
        for job_id in line.get("cancels", ()):
            state.job_queue.cancel(job_id)
        for data in line.get("jobs", ()):
            state.job_queue.add(decode(Job, data))
        state.counters.update(line.get("counters", {}))
        self._seq = max(self._seq, line.get("seq", 0))

    def _redo_finish(self, job: Job) -> None:
        state = self._merchants.get(job.merchant)
        if state:
            state.job_queue.forget(job)
