"""What a rule is, and what it observes in the traffic."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from mock_klarna.certify.traffic import Entry, Traffic


class Severity(StrEnum):
    """How much a finding matters, the most severe first."""

    ERROR = "error"
    """Klarna refuses it, or the shop loses money or orders."""
    WARNING = "warning"
    HINT = "hint"


@dataclass(frozen=True, slots=True)
class Observation:
    """One case in which the merchant obeyed a rule or broke it.

    entries: the positions of the journal entries that show it. seen: what the merchant did, "" where it obeyed.
    expected: what would be right. severity: another one than that of the rule.
    """

    entries: tuple[int, ...]
    seen: str = ""
    expected: str = ""
    severity: Severity | None = None

    @property
    def is_finding(self) -> bool:
        """Whether the rule was broken."""
        return bool(self.seen)


FAMILIES = {
    "K": "Keys",
    "C": "Callbacks",
    "V": "Validation",
    "O": "Placing",
    "D": "Denying",
    "M": "After the order",
    "T": "Transport",
}
"""The groups of the reports, in their order, by the letter with which the ids of their rules begin."""


Observe = Callable[[Traffic], Iterator[Observation]]
"""Yields what a rule observes in the traffic of a merchant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A rule that an integration has to obey: a row of `RULES`.

    title: what the merchant does when it obeys. source: where the rule comes from. remedy: what to change.
    observe: yields one observation for each case in the traffic; none means that the rule cannot be decided.
    needs: what has to happen before there is anything to observe; shown for a rule that cannot be decided.
    compares_purchases: whether one purchase alone can break the rule, but never shows that it is obeyed.
    """

    id: str
    title: str
    severity: Severity
    source: str
    remedy: str
    observe: Observe
    needs: str
    compares_purchases: bool = False

    @property
    def family(self) -> str:
        """The group of the reports that the rule belongs to."""
        return FAMILIES[self.id[0]]


def observe_nothing(_traffic: Traffic) -> Iterator[Observation]:
    """Observe nothing: the rule cannot be decided from traffic."""
    return iter(())


def obeyed(*entries: Entry) -> Observation:
    """Return the observation of a case in which the rule was obeyed."""
    return Observation(_positions(entries))


def broken(*entries: Entry, seen: str, expected: str, severity: Severity | None = None) -> Observation:
    """Return the observation of a case in which the rule was broken."""
    return Observation(_positions(entries), seen, expected, severity)


def _positions(entries: tuple[Entry, ...]) -> tuple[int, ...]:
    return tuple(int(entry["seq"]) for entry in entries)
