"""The interface of every store engine, and `open_store`, which chooses one."""

from collections.abc import AsyncGenerator, AsyncIterator, Collection, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Protocol, TypeVar

from mock_klarna.domain.journal import Entry, Exchange, JournalFilter, Sent
from mock_klarna.domain.records import Decision, Job, MerchantSummary, Record
from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.in_process import Watching
from mock_klarna.store.journal_buffers import Bounds
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.snapshot import SavedSnapshot
from mock_klarna.store.snapshot_stream import Portion

R = TypeVar("R", bound=Record)


class Store(Protocol):
    """Records, jobs, counters and the journal of every merchant."""

    is_shared: bool
    """Whether other servers may use the same state."""

    async def open(self) -> None:
        """Connect to the engine; raises `MockKlarnaError` where it cannot be used."""
        ...

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Load at once what the running task will need: records by key or alias, the merchant's clock and faults, numbers.

        `draws` names counters of which it will need one number each. Engines without a network do nothing.
        """
        ...

    def forget_preloaded(self, *, keep_draws: bool = False) -> None:
        """Let the running task read everything anew; with `keep_draws`, numbers that were drawn for it are still used."""
        ...

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        ...

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        ...

    def newest_first(
        self, kind: type[R], merchant: str | None, *, subject: str | None = None
    ) -> AsyncGenerator[R, None]:
        """Yield the records that `records` returns, newest first, in portions between which others run.

        Of records that are written meanwhile, some may be missing. With a merchant of None, the kind has to have `created_at`.
        """
        ...

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        ...

    async def count_records(self, kind: type[Record], merchant: str | None = None) -> int:
        """Return how many records of a kind a merchant has, or all merchants for None."""
        ...

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing; return the journal position after it.

        Raises `WriteConflict` unless each record's version is one above the stored one (1 for a new record).
        """
        ...

    async def delete(self, kind: type[Record], key: str) -> None:
        """Delete a record."""
        ...

    async def keep_newest(self, kind: type[Record], merchant: str, most: int) -> None:
        """Delete a merchant's oldest records of a kind beyond about the `most` newest; called after each new record."""
        ...

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an exchange or a callback to the journal; return its `seq`."""
        ...

    async def entries(
        self, journal_filter: JournalFilter, after: int, limit: int, *, before: int | None = None
    ) -> list[Entry]:
        """Return up to `limit` journal entries after a position, oldest first; those before `before`, if given, newest first."""
        ...

    async def entry(self, seq: int) -> Entry | None:
        """Return one journal entry, or None when there is none or it was dropped."""
        ...

    async def dropped(self, merchant: str | None) -> int:
        """Return how many journal entries were dropped to stay within bounds."""
        ...

    async def newest_dropped(self, merchant: str | None) -> int:
        """Return the `seq` of the newest entry of a merchant, or of all, that was dropped, 0 for none."""
        ...

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        ...

    async def wait(self, journal_filter: JournalFilter, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first."""
        ...

    def watching(self, journal_filter: JournalFilter) -> AbstractContextManager[Watching]:
        """Notice every entry that matches from now on: look at the state, then wait for the next entry.

        `clear` and `load` end a wait too.
        """
        ...

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`, so that no other caller gets it; `finish` it when done."""
        ...

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due.

        `real_time` is in seconds since 1970; the engine knows how far ahead of it the merchant's clock is.
        """
        ...

    async def finish(self, job: Job) -> None:
        """Delete a claimed job, unless a decision did so when it was committed."""
        ...

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again."""
        ...

    async def wait_for_other_servers(self, merchant: str, kinds: Collection[str]) -> None:
        """Wait until no other server has claimed jobs of a merchant that are of these kinds."""
        ...

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Wait until no other caller, on any server, has the lock of this name, and take it."""
        ...

    def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs this server should look at, because another one left them."""
        ...

    async def next_due(self, merchant: str) -> float | None:
        """Return when a merchant's first job is due, or None."""
        ...

    async def jobs(self, merchant: str | None) -> list[Job]:
        """Return the jobs of a merchant (of all for None) that are not claimed, first due first on the clock of each merchant."""
        ...

    async def count(self, merchant: str, name: str) -> int:
        """Increment a counter and return its new value: 1 the first time."""
        ...

    async def count_request(self, merchant: str, limit: str, second: int) -> int:
        """Count a request under a rate limit, and return how many all servers counted in this second.

        `second` is of real time; an engine that several servers share uses its own clock instead.
        """
        ...

    async def merchants(self) -> list[str]:
        """Return the names of all merchants that have any state."""
        ...

    async def merchant_summaries(self, merchant: str | None, limit: int) -> tuple[list[MerchantSummary], int]:
        """Return what merchants have, or one of them, at most `limit`, and how many there are.

        The one with the newest entry in the journal comes first, those without entries last.
        """
        ...

    async def clear(self, merchant: str | None) -> None:
        """Delete the state of a merchant, or of all."""
        ...

    def dump(self, merchants: Sequence[str] | None = None) -> AsyncGenerator[Portion]:
        """Yield the state of some merchants, or of all, as it was at one moment: records, jobs and counters, without the journal.

        The portions are in the order that `write_snapshot` needs.
        """
        ...

    async def load(self, portions: AsyncIterator[Portion]) -> None:
        """Replace the state of the merchants that the portions name by what these contain, all or nothing.

        Raises `MockKlarnaError` if a key belongs to two records, or to one of a merchant that is not replaced, and what the
        iterator raises. Callers of other methods see the old state or the new one.
        """
        ...

    async def save_snapshot(self, about: SavedSnapshot, content: bytes) -> None:
        """Keep a snapshot under its name, in place of an earlier one; it belongs to no merchant, so `clear` does not delete it."""
        ...

    async def saved_snapshots(self) -> list[SavedSnapshot]:
        """Return the snapshots that are kept, by name."""
        ...

    async def snapshot_content(self, name: str) -> bytes | None:
        """Return the content of a snapshot that is kept, or None."""
        ...

    async def delete_snapshot(self, name: str) -> None:
        """Delete a snapshot that is kept."""
        ...

    async def close(self) -> None:
        """Release files and connections."""
        ...


def open_store(settings: Settings) -> Store:
    """Return the store that `settings.store` names; call its `open` before anything else.

    Raises `SettingsError` for a path that is no file's, `MockKlarnaError` for a file that cannot be used.
    """
    bounds = Bounds(settings.journal_bytes, settings.all_journals_bytes, settings.max_callbacks)
    engine, _, place = settings.store.partition(":")
    if settings.store == "memory":
        return MemoryStore(bounds)
    if engine == "sqlite":
        from mock_klarna.store.sqlite import SqliteStore

        try:
            path = Path(place).expanduser()
        except RuntimeError as error:
            raise SettingsError(f"--store: cannot use {place}: {error}; name a file without ~") from None
        return SqliteStore(path, bounds)
    try:
        from mock_klarna.store.postgres import PostgresStore
    except ModuleNotFoundError as missing:
        hint = f"pip install {missing.name}, or install mock-klarna[postgres]"
        raise SettingsError(f"--store: postgresql: needs the driver {missing.name}; {hint}") from None
    return PostgresStore(settings.store, bounds)
