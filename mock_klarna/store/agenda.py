"""One merchant's jobs in memory, by the time at which they are due."""

import heapq

from mock_klarna.domain.records import Job


class Agenda:
    """A heap of jobs in which cancelling is cheap: a cancelled entry is passed over when its turn comes."""

    def __init__(self) -> None:
        self._heap: list[tuple[float, int, str]] = []
        self._jobs: dict[str, tuple[int, Job]] = {}
        self._claimed: dict[Job, None] = {}
        self._number = 0

    def add(self, job: Job) -> None:
        """Schedule a job; one of the same id that still waits is replaced."""
        self._number += 1
        job_id = job.job_id
        self._jobs.pop(job_id, None)
        self._jobs[job_id] = (self._number, job)
        heapq.heappush(self._heap, (job.due, self._number, job_id))
        if len(self._heap) > 2 * len(self._jobs) + 64:
            self._heap = [entry for entry in self._heap if self._waits(entry)]
            heapq.heapify(self._heap)

    def cancel(self, job_id: str) -> None:
        """Forget a job that has not been claimed."""
        self._jobs.pop(job_id, None)

    def forget(self, job: Job) -> None:
        """Forget a job that waits, unless another one of the same id has taken its place."""
        waiting = self._jobs.get(job.job_id)
        if waiting is not None and waiting[1] == job:
            del self._jobs[job.job_id]

    def _waits(self, entry: tuple[float, int, str]) -> bool:
        waiting = self._jobs.get(entry[2])
        return waiting is not None and waiting[0] == entry[1]

    def _first(self) -> Job | None:
        while self._heap and not self._waits(self._heap[0]):
            heapq.heappop(self._heap)
        return self._jobs[self._heap[0][2]][1] if self._heap else None

    def next_due(self) -> float | None:
        """Return when the first job is due, or None."""
        first = self._first()
        return None if first is None else first.due

    def claim(self, until: float) -> Job | None:
        """Take the first job that is due at `until`, or None."""
        first = self._first()
        if first is None or first.due > until:
            return None
        heapq.heappop(self._heap)
        del self._jobs[first.job_id]
        self._claimed[first] = None
        return first

    def finish(self, job: Job) -> None:
        """Forget a claimed job."""
        self._claimed.pop(job, None)

    def waiting(self) -> list[Job]:
        """Return the jobs that wait, first due first."""
        return [job for _, job in sorted(self._jobs.values(), key=lambda held: (held[1].due, held[0]))]

    def unfinished(self) -> list[Job]:
        """Return all jobs that a restart has to resume, those that were claimed and those that wait, as they were scheduled."""
        return [*self._claimed, *(job for _, job in self._jobs.values())]
