"""The job queue of a PostgreSQL store: claiming, finishing and releasing jobs that other servers may want too."""

import asyncio
import contextlib
import logging
from collections.abc import AsyncIterator, Collection

import asyncpg

from mock_klarna.domain.records import Job
from mock_klarna.errors import StoreFailure, WriteConflict
from mock_klarna.store.postgres_connections import Connections
from mock_klarna.store.sql_rows import job_of_row, storable

_log = logging.getLogger(__name__)
RELAXED = "set_config('synchronous_commit', 'off', true)"
"""Does not wait for the disk: what follows from the row, a later commit brings there with it, or it may be done again."""
_CLAIM = f"""
WITH free AS MATERIALIZED (SELECT $4 OR pg_try_advisory_xact_lock_shared($5) AS ok)
UPDATE jobs SET owner = $3 WHERE (SELECT ok FROM free) AND position = (
    SELECT position FROM jobs WHERE merchant = $1 AND owner IS NULL AND due <= $2
    ORDER BY due, position LIMIT 1 FOR UPDATE SKIP LOCKED)
RETURNING due, merchant, kind, subject, number, {RELAXED}"""
_CLAIM_DUE = f"""
WITH free AS MATERIALIZED (SELECT $4 OR pg_try_advisory_xact_lock_shared($5) AS ok),
    clock AS MATERIALIZED (SELECT $2 + coalesce((SELECT clock_offset FROM merchants WHERE name = $1), 0) AS now),
    claimed AS (UPDATE jobs SET owner = $3 WHERE (SELECT ok FROM free) AND position IN (
        SELECT position FROM jobs WHERE merchant = $1 AND owner IS NULL AND due <= (SELECT now FROM clock)
        FOR UPDATE SKIP LOCKED) RETURNING due, merchant, kind, subject, number, position),
    next AS (SELECT min(due) - (SELECT now FROM clock) AS due FROM jobs
        WHERE merchant = $1 AND owner IS NULL AND due > (SELECT now FROM clock))
SELECT c.*, n.due, {RELAXED} FROM next n LEFT JOIN claimed c ON true"""
_FINISH = f"""
DELETE FROM jobs j USING unnest($2::text[], $3::text[], $4::float8[], $5::bigint[]) AS f (merchant, job_id, due, number)
WHERE j.merchant = f.merchant AND j.job_id = f.job_id AND j.due = f.due AND j.number = f.number AND j.owner = $1
RETURNING {RELAXED}"""
_FINISH_SECONDS = 0.05
_CLAIMED_ELSEWHERE = (
    "SELECT 1 FROM jobs WHERE merchant = $1 AND owner IS NOT NULL AND owner <> $2 AND kind = ANY ($3::text[]) LIMIT 1"
)
_LOOK_SECONDS = 0.02
_OWN_JOBS = "SELECT position, due, merchant, kind, subject, number FROM jobs WHERE owner = $1"
_OVERDUE = """
SELECT m.name FROM merchants m WHERE EXISTS (SELECT 1 FROM jobs WHERE merchant = m.name AND owner IS NULL
    AND due < extract(epoch FROM now()) + m.clock_offset - 1)"""


def clock_lock(merchant: str) -> str:
    """Return the name of the lock under which a merchant's clock is moved: meanwhile no other server claims its jobs."""
    return f"clock:{merchant}"


class JobQueue:
    """The jobs of all merchants; `owner` is the id of this server, which claimed jobs carry."""

    def __init__(self, connections: Connections, owner: str) -> None:
        self._connections = connections
        self._fetch = connections.fetch
        self._owner = owner
        self._claimed: set[Job] = set()
        self._unknown: set[int] = set()
        self._finished: list[Job] = []
        self._finishing: asyncio.Task[None] | None = None
        self._overdue: asyncio.Queue[str] = asyncio.Queue()

    async def claim(self, merchant: str, until: float, *, moves_clock: bool) -> Job | None:
        """Take a merchant's first job that is due at `until`, or None; also None while another server moves its clock.

        moves_clock: whether this server moves the clock.
        """
        key = self._connections.lock_key(clock_lock(merchant))
        rows = await self._fetch(_CLAIM, storable(merchant), until, self._owner, moves_clock, key)
        if not rows:
            return None
        job = job_of_row(rows[0][:5])
        self._claimed.add(job)
        return job

    async def claim_due(self, merchant: str, real_time: float, *, moves_clock: bool) -> tuple[list[Job], float | None]:
        """Take all jobs of a merchant that are due now; return them and in how many seconds the next one is due."""
        key = self._connections.lock_key(clock_lock(merchant))
        rows = await self._fetch(_CLAIM_DUE, storable(merchant), real_time, self._owner, moves_clock, key)
        jobs = [job_of_row(row[:5]) for row in sorted(rows, key=lambda row: (row[0], row[5])) if row[0] is not None]
        self._claimed.update(jobs)
        return jobs, rows[0][6]

    def finish(self, job: Job) -> None:
        """Delete a claimed job a little later, together with others; a crash before that repeats it."""
        if job not in self._claimed:
            return  # a decision finished it
        self._finished.append(job)
        if self._finishing is None or self._finishing.done():
            self._finishing = asyncio.create_task(self._finish_soon())

    def was_finished(self, job: Job) -> None:
        """Note that a committed decision deleted a claimed job."""
        self._claimed.discard(job)

    async def _finish_soon(self) -> None:
        """Delete the jobs that were finished lately, and those that are finished meanwhile."""
        while self._finished:
            await asyncio.sleep(_FINISH_SECONDS)
            await self.finish_all()

    async def finish_all(self) -> None:
        """Delete the jobs that were finished lately; if that fails, a later heartbeat puts them back."""
        finished, self._finished = self._finished, []
        try:
            if finished:
                columns = ((storable(job.merchant), storable(job.job_id), job.due, job.number) for job in finished)
                await self._fetch(_FINISH, self._owner, *zip(*columns, strict=True))
        except (StoreFailure, WriteConflict) as fault:
            _log.warning("%d finished jobs may be repeated: %s", len(finished), fault)
        finally:
            self._claimed.difference_update(finished)

    async def release(self, job: Job) -> None:
        """Put a claimed job back, so that it is claimed again; if the database cannot be reached, a later heartbeat does it."""
        self._claimed.discard(job)
        with contextlib.suppress(StoreFailure):
            rows = await self._fetch(_OWN_JOBS, self._owner)
            for position, *row in rows:
                if job_of_row(row) == job:
                    await self._release(position, job)

    async def _release(self, position: int, job: Job) -> None:
        try:
            await self._fetch("UPDATE jobs SET owner = NULL WHERE position = $1 AND owner = $2", position, self._owner)
        except asyncpg.UniqueViolationError:
            await self._fetch("DELETE FROM jobs WHERE position = $1 AND owner = $2", position, self._owner)
        self._overdue.put_nowait(job.merchant)

    async def wait_for_other_servers(self, merchant: str, kinds: Collection[str]) -> None:
        """Wait until no other server has claimed jobs of a merchant that are of these kinds."""
        while await self._fetch(_CLAIMED_ELSEWHERE, storable(merchant), self._owner, list(kinds)):  # noqa: ASYNC110
            await asyncio.sleep(_LOOK_SECONDS)

    async def check(self) -> None:
        """Put back jobs that this server claimed without knowing it, and find merchants whose jobs are overdue.

        The server does not know of a claim whose answer was lost. One whose answer is on its way looks the same, so a job is
        put back if it is unknown in two calls.
        """
        rows = await self._fetch(_OWN_JOBS, self._owner)
        jobs = {position: job_of_row(row) for position, *row in rows}
        unknown = {position for position, job in jobs.items() if job not in self._claimed}
        for position in unknown & self._unknown:
            await self._release(position, jobs[position])
        self._unknown = unknown
        for (merchant,) in await self._fetch(_OVERDUE):
            self._overdue.put_nowait(merchant)

    async def overdue(self) -> AsyncIterator[str]:
        """Yield merchants whose jobs this server should look at, because another one left them."""
        while True:
            yield await self._overdue.get()

    async def close(self) -> None:
        """Delete the jobs that were finished lately."""
        if self._finishing is not None:
            await asyncio.wait([self._finishing])
