"""The store as the emulator sees it: a few async methods, the same for every engine."""

from collections.abc import AsyncIterator, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from typing import Any, Protocol, TypeVar

from mock_klarna.domain.journal import Entry, Exchange, Sent, Watch
from mock_klarna.domain.records import Decision, Job, Record
from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.journal import Bounds
from mock_klarna.store.memory import MemoryStore, Watching

R = TypeVar("R", bound=Record)


class Store(Protocol):
    """Records, jobs, counters and the journal of every merchant."""

    async def open(self) -> None:
        """Connect to the engine; raises `MockKlarnaError` where it cannot be used."""
        ...

    async def preload(self, merchant: str, *names: str, draws: Sequence[str] = ()) -> None:
        """Load at once what the running task will need: records by key or alias, the merchant's clock and faults, numbers.

        `draws` names counters of which it will need one number each. Engines without a network do nothing.
        """
        ...

    def forget_preloaded(self) -> None:
        """Let the running task read everything anew."""
        ...

    async def get(self, kind: type[R], key: str) -> R | None:
        """Load a record of any merchant by its key or alias, or None."""
        ...

    async def records(self, kind: type[R], merchant: str | None, *, subject: str | None = None) -> list[R]:
        """Return a merchant's records of a kind (all merchants' for None), oldest first, or those of one purchase."""
        ...

    async def newest(self, kind: type[R], merchant: str) -> R | None:
        """Return a merchant's newest record of a kind, or None."""
        ...

    async def count_records(self, kind: type[Record]) -> int:
        """Return how many records of a kind all merchants have."""
        ...

    async def commit(self, merchant: str, decision: Decision, now: float) -> int:
        """Write all of a decision or nothing; return the journal position after it.

        Raises `Conflict` unless each record's version is one above the stored one (1 for a new record).
        """
        ...

    async def delete(self, kind: type[Record], key: str) -> None:
        """Forget a record."""
        ...

    async def record(
        self, merchant: str, kind: str, name: str, data: Exchange | Sent, at: float, purchase_id: str | None
    ) -> int:
        """Append an entry that is no event to the journal; return its `seq`."""
        ...

    async def entries(self, watch: Watch, after: int, limit: int) -> list[Entry]:
        """Return up to `limit` journal entries after a position, oldest first."""
        ...

    async def entry(self, seq: int) -> Entry | None:
        """Return one journal entry, or None when there is none or it was dropped."""
        ...

    async def dropped(self, merchant: str | None) -> int:
        """Return how many journal entries were dropped to stay within bounds."""
        ...

    async def position(self) -> int:
        """Return the `seq` of the newest entry of all."""
        ...

    async def wait(self, watch: Watch, after: int, seconds: float) -> bool:
        """Wait until an entry after a position matches; False when the time ran out first. Watches merchant and purchase only."""
        ...

    def watching(self, watch: Watch) -> AbstractContextManager[Watching]:
        """Notice every entry of a merchant or a purchase from now on: look, and then wait for the next one."""
        ...

    async def claim(self, merchant: str, until: float) -> Job | None:
        """Take a merchant's first job that is due at `until`, so that nobody else gets it; `finish` it when done."""
        ...

    async def claim_due(self, merchant: str, real_time: float) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due.

        `real_time` is in seconds since 1970; the engine knows how far ahead of it the merchant's clock is.
        """
        ...

    async def finish(self, job: Job) -> None:
        """Forget a claimed job."""
        ...

    async def release(self, job: Job) -> None:
        """Put a claimed job back, to be claimed again."""
        ...

    def exclusive(self, name: str) -> AbstractAsyncContextManager[None]:
        """Let nobody else, on any server, in under the same name meanwhile."""
        ...

    def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs this server should look at, because another one left them."""
        ...

    async def next_due(self, merchant: str) -> float | None:
        """Return when a merchant's first job is due, or None."""
        ...

    async def jobs(self, merchant: str) -> list[Job]:
        """Return a merchant's jobs that wait for their time, first due first."""
        ...

    async def count(self, merchant: str, name: str) -> int:
        """Count one up and return the new value: 1 the first time."""
        ...

    async def merchants(self) -> list[str]:
        """Return the names of all merchants that have anything here."""
        ...

    async def clear(self, merchant: str | None) -> None:
        """Forget everything of a merchant, or of all."""
        ...

    async def dump(self, merchants: Sequence[str] | None = None) -> dict[str, Any]:
        """Return the state as JSON-ready data: records, jobs and counters, without the journal."""
        ...

    async def load(self, state: dict[str, Any]) -> None:
        """Replace the state of the merchants that a dump names by what it holds, all or nothing."""
        ...

    async def close(self) -> None:
        """Let go of whatever the engine holds."""
        ...


_CHOICES = "memory, sqlite:PATH or postgresql://USER:PASSWORD@HOST/DATABASE"


def open_store(settings: Settings) -> Store:
    """Return the store that `settings.store` names; call its `open` before anything else.

    Raises `SettingsError` for a name that is no engine's or a path that is no file's, `MockKlarnaError` for a file that
    cannot be used.
    """
    bounds = Bounds(settings.journal_bytes, settings.all_journals_bytes, settings.max_callbacks)
    engine, _, place = settings.store.partition(":")
    if settings.store == "memory":
        return MemoryStore(bounds)
    if engine == "sqlite" and place:
        from mock_klarna.store.sqlite import SqliteStore

        return SqliteStore(Path(place).expanduser(), bounds)
    if engine in ("postgresql", "postgres") and place:
        from mock_klarna.store.postgres import PostgresStore

        return PostgresStore(settings.store, bounds)
    if engine == "file" and place:
        raise SettingsError(f"--store: file: is not an engine any more; write sqlite:{place} (the old file is not read)")
    raise SettingsError(f"--store: {settings.store!r} is not {_CHOICES}")
