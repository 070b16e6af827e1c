"""Answers that are remembered under a `Klarna-Idempotency-Key` (protocol 9.4)."""

from typing import ClassVar

from mock_klarna.domain.facts import fact
from mock_klarna.domain.records import Decision, Job, Record

REMEMBERED_SECONDS = 24 * 3600
"""How long the first answer to a key is given again, on the merchant's clock."""


@fact
class RememberedAnswer(Record):
    """The first answer to an operation of a merchant under one key; `name` stands for all three."""

    kind: ClassVar[str] = "answer"
    name: str
    status: int
    body: bytes
    answer_headers: tuple[tuple[str, str], ...]
    until: float

    @property
    def key(self) -> str:
        """The name."""
        return self.name


def remembered(answer: RememberedAnswer) -> Decision:
    """Keep an answer until its time is over."""
    job = Job(due=answer.until, merchant=answer.merchant, kind="forget_answer", subject=answer.name)
    return Decision(writes=(answer,), jobs=(job,))
