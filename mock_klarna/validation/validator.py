"""The check of a body by the name of its operation: whether it is valid, and if not, every problem of it."""

import asyncio
from collections.abc import Container, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cache, cached_property, partial
from itertools import islice
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mock_klarna import resources
from mock_klarna.domain.time import last_birth
from mock_klarna.errors import Problem
from mock_klarna.validation.body_sums import SUMS, Sums
from mock_klarna.validation.explain import NOT_CHECKED, in_order, value_at
from mock_klarna.validation.members import MemberRules, Today, member_rules
from mock_klarna.validation.normalize import excerpt, has_whole_floats, normalize, without_nulls
from mock_klarna.validation.schemas import Catalogue, SchemaValidator, load

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

    from mock_klarna.validation.explain import Explainer

_MAX_PROBLEMS = 200
_MAX_CONVERTED = 10_000
"""Entries of a list up to which a body is converted as a whole; one with a longer list has to be valid as it is."""
LARGE_BODY = 64 << 10
"""Bytes from which on a body is for `check_large`."""


def _today() -> date:
    return last_birth(datetime.now(UTC).date())


@dataclass(frozen=True, slots=True)
class _Operation:
    document: str
    schema: "Draft202012Validator"
    sums: Sums | None
    members: MemberRules
    tolerates_sums: bool

    def is_clearly_valid(self, body: Any) -> bool:
        if not self.schema.is_valid(body) or (self.sums and not self.sums.are_plain(body)):
            return False
        is_summed = self.sums is not None and self.sums.is_order  # such sums have integers only
        return (is_summed or not has_whole_floats(body)) and self.members.are_obeyed(body)

    def rule_problems(self, body: Any, refused: Container[str]) -> list[Problem]:
        found = (
            islice(self.sums.problems(body, refused, is_tolerant=self.tolerates_sums), _MAX_PROBLEMS)
            if self.sums
            else ()
        )
        return [*found, *(problem for problem in self.members.problems(body) if problem.path not in refused)]


class Validator:
    """Checks bodies by the schema and the rules of their operation. Schemas are read and compiled on first use.

    Operations are the files of `schemas/requests/` and `schemas/callbacks/`, and `page` for what a page gives `load()`.
    `today` returns the last day on which a shopper can be born. With `tolerant_sums` both sums of an order may differ from
    those of the lines by one for each line (klarna.md §10).
    """

    def __init__(self, *, strict: bool = False, tolerant_sums: bool = False, today: Today = _today) -> None:
        self.strict = strict
        self._tolerant_sums = tolerant_sums
        self.today = today
        self._operations: dict[str, _Operation] = {}

    @cached_property
    def catalogue(self) -> Catalogue:
        """Every schema; those of strict mode include their `x-strict` parts."""
        return load(resources.schemas(), strict=self.strict)

    @cached_property
    def _schemas(self) -> SchemaValidator:
        return SchemaValidator(self.catalogue)

    @property
    def operations(self) -> tuple[str, ...]:
        """The names that `check` knows."""
        return tuple(self.catalogue.operations)

    def check(self, operation: str, body: object, *, nulls: bool = True) -> tuple[Any, list[Problem]]:
        """Return the normalized body and every problem; a body without problems may be stored.

        `nulls=False` is for a caller that knows that the body has no null. Problems come sorted: presence, type,
        range, line sums, order sums, then by their place in the body (klarna.md §10). Raises KeyError for an unknown
        operation.
        """
        known = self._operations.get(operation) or self._compiled(operation)
        given = {} if body is None else body
        present = without_nulls(given) if nulls else given
        return (present, []) if known.is_clearly_valid(present) else self._explained(known, present)

    def accepts(self, operation: str, body: object) -> bool:
        """Return quickly whether a body without nulls is valid as it is; False means that `check` has to decide."""
        return (self._operations.get(operation) or self._compiled(operation)).is_clearly_valid(body)

    def member_problems(self, operation: str, body: object) -> list[Problem]:
        """Return the members of a body, made of valid parts, that break a rule beside the schema: the currency of a country."""
        return (self._operations.get(operation) or self._compiled(operation)).members.problems(body)

    def _compiled(self, operation: str) -> _Operation:
        path = self.catalogue.operations[operation]
        known = self._operations[operation] = _Operation(
            document=path,
            schema=self._schemas.schema(path),
            sums=SUMS.get(operation),
            members=member_rules(self.catalogue, self.catalogue.parts(path), strict=self.strict, today=self.today),
            tolerates_sums=self._tolerant_sums,
        )
        return known

    @cached_property
    def _explainer(self) -> "Explainer":
        from mock_klarna.validation.explain import Explainer  # most bodies are valid

        return Explainer(self.catalogue, self._schemas, strict=self.strict)

    async def check_large(self, operation: str, body: object, *, nulls: bool) -> tuple[Any, list[Problem]]:
        """Do what `check` does with a large body: whatever takes long runs in a thread, for one body at a time."""
        if not nulls and self.accepts(operation, body):
            return body, []
        check = partial(self.check, operation, body, nulls=nulls)
        return await asyncio.get_running_loop().run_in_executor(_thread(), check)

    def _explained(self, known: _Operation, sent: Any) -> tuple[Any, list[Problem]]:
        """Return what `check` does for a body that is not valid as it is; the beginnings of long lists come first."""
        short = excerpt(self.catalogue, self.catalogue.parts(known.document), sent)
        if not short.longest:
            return self._normalized(known, sent, sent)
        body, problems = self._normalized(known, short.body, sent, short.problems)
        if short.problems:
            return body, problems
        if problems or short.longest > _MAX_CONVERTED:
            return body, [*problems[: _MAX_PROBLEMS - 1], NOT_CHECKED]
        return self._normalized(known, sent, sent)

    def _normalized(
        self, known: _Operation, body: Any, sent: Any, too_long: Sequence[Problem] = ()
    ) -> tuple[Any, list[Problem]]:
        """Return a normalized body and its problems, with the values as sent; `too_long` are problems that are known."""
        normalized = normalize(self.catalogue, self.catalogue.parts(known.document), body, strict=self.strict)
        if known.sums and not self.strict:
            normalized = known.sums.with_usual_signs(normalized)
        rounded = known.sums.with_rounded_fractions(normalized) if known.sums else normalized
        broken = [] if known.schema.is_valid(rounded) else self._explainer.problems(known.document, rounded)
        rest = [NOT_CHECKED] if NOT_CHECKED in broken else []
        broken = [problem for problem in (*broken, *too_long) if problem is not NOT_CHECKED]
        broken = [known.members.with_currency(normalized, problem) for problem in broken]
        found = [*broken, *known.rule_problems(normalized, {problem.path for problem in broken})]
        problems = in_order(body, [_as_sent(problem, sent) for problem in found])
        return rounded, problems[: _MAX_PROBLEMS - len(rest)] + rest


@cache
def _thread() -> ThreadPoolExecutor:
    """Return the one thread that explains large bodies."""
    return ThreadPoolExecutor(1, "explain")


@cache
def shared_validator(*, strict: bool, tolerant_sums: bool = False) -> Validator:
    """Return the one validator of this process with these rules, so that many servers compile each schema once."""
    return Validator(strict=strict, tolerant_sums=tolerant_sums)


def _as_sent(problem: Problem, body: Any) -> Problem:
    sent = value_at(body, problem.path)
    return problem if sent is None else replace(problem, value=sent)
