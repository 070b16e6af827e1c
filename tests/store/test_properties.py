"""Job queues and journals against simple models, with generated operations."""

from dataclasses import dataclass

from hypothesis import given, settings
from hypothesis import strategies as st

from mock_klarna.domain.journal import EVENT, EXCHANGE, Entry
from mock_klarna.domain.records import Job
from mock_klarna.store.journal_buffers import JournalBuffer
from mock_klarna.store.tables import JobQueue
from tests.store.samples import created, exchange, job

SUBJECTS = st.sampled_from("abcdef")
TIMES = st.integers(0, 20).map(float)


@dataclass
class Model:
    """A job queue as a plain list in the order of scheduling."""

    waiting: list[Job]

    def add(self, new: Job) -> None:
        self.cancel(new.job_id)
        self.waiting.append(new)

    def cancel(self, job_id: str) -> None:
        self.waiting = [one for one in self.waiting if one.job_id != job_id]

    def claim(self, until: float) -> Job | None:
        first = min(self.waiting, key=lambda one: one.due, default=None)
        if first is None or first.due > until:
            return None
        self.waiting.remove(first)
        return first


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.builds(job, SUBJECTS, TIMES)),
        st.tuples(st.just("cancel"), SUBJECTS.map(lambda subject: job(subject).job_id)),
        st.tuples(st.just("claim"), TIMES),
    ),
    max_size=300,
)


@settings(deadline=None, max_examples=60)
@given(STEPS)
def test_a_job_queue_behaves_as_a_sorted_list(steps: list[tuple[str, Job | str | float]]) -> None:
    queue, model = JobQueue(), Model([])
    for name, argument in steps:
        assert getattr(queue, name)(argument) == getattr(model, name)(argument)
        assert queue.next_due() == min((one.due for one in model.waiting), default=None)
        assert queue.waiting() == sorted(model.waiting, key=lambda one: one.due)


@given(st.lists(SUBJECTS, max_size=10), TIMES)
def test_a_released_job_waits_again_unless_another_one_took_its_place(subjects: list[str], later: float) -> None:
    queue = JobQueue()
    for number, subject in enumerate(subjects):
        old = job(f"{subject}-{number}", 1.0)
        queue.add(old)
        assert queue.claim(1.0) == old
        queue.release(old)
        assert old in queue.waiting()
        assert queue.claim(1.0) == old
        new = job(f"{subject}-{number}", later, number=2)
        queue.add(new)
        queue.release(old)
        assert old not in queue.unfinished()
        queue.cancel(new.job_id)


SIZES = st.lists(st.tuples(st.booleans(), st.integers(1, 50)), min_size=1, max_size=80)


def _entry(seq: int, is_event: bool, size: int) -> Entry:
    return Entry(
        seq=seq,
        at=0.0,
        merchant="shop",
        kind=EVENT if is_event else EXCHANGE,
        name="x",
        purchase_id=None,
        data=created() if is_event else exchange(),
        size=size,
    )


@given(SIZES)
def test_a_journal_stays_within_its_bytes_keeps_the_order_and_counts_what_it_drops(
    sizes: list[tuple[bool, int]],
) -> None:
    journal = JournalBuffer(100)
    for seq, (is_event, size) in enumerate(sizes, 1):
        journal.append(_entry(seq, is_event, size))
        kept = list(journal.after(0))
        numbers = [entry.seq for entry in kept]
        assert numbers == sorted(set(numbers))
        assert sum(entry.size for entry in kept) <= 100
        assert journal.dropped == seq - len(kept)
        assert numbers[-1] == seq


@given(SIZES)
def test_no_event_is_dropped_while_an_older_exchange_could_go(sizes: list[tuple[bool, int]]) -> None:
    journal, before = JournalBuffer(100), set[int]()
    for seq, (is_event, size) in enumerate(sizes, 1):
        journal.append(_entry(seq, is_event, size))
        kept = list(journal.after(0))
        events = {entry.seq for entry in kept if entry.kind == EVENT}
        exchanges = {entry.seq for entry in kept if entry.kind == EXCHANGE}
        assert before <= events or exchanges <= {seq}
        before = events


@given(SIZES, st.integers(0, 90))
def test_a_page_has_every_entry_after_a_position_and_each_is_found(sizes: list[tuple[bool, int]], after: int) -> None:
    journal = JournalBuffer(100)
    for seq, (is_event, size) in enumerate(sizes, 1):
        journal.append(_entry(seq, is_event, size))
    kept = [entry.seq for entry in journal.after(0)]
    assert [entry.seq for entry in journal.after(after)] == [seq for seq in kept if seq > after]
    found = [journal.find(seq) for seq in range(len(sizes) + 2)]
    assert [entry.seq for entry in found if entry] == kept
