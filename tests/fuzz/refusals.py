"""Which refusals a request that satisfies the document may get: those by rules that no schema can say, and no others."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import schemathesis

from mock_klarna.domain.sums import LINE_RULES, ORDER_RULES

_UNSAYABLE = LINE_RULES | ORDER_RULES | {"url", "authorized"}
"""Sums that have to hold, URLs that have to be callable, and what has to be as the shopper authorized it."""
_TOGETHER = {"page and button key together", "options", "shopper", "select"}
"""What is judged after the body: key and page together, a shopper by country, what can be chosen from what is offered."""
_OF_OPERATIONS = {
    "set_clock": {"date"},  # the 30th of February
    "sdk_identify": {"required", "enum", "postal_code", "phone", "email", "date"},  # by the country of each address
}
_UNDESCRIBED = {"put_snapshot", "run_scenario"}
"""A snapshot is what was answered before, and a scenario names its own variables."""


@schemathesis.check  # type: ignore[untyped-decorator, unused-ignore]
def refused_only_by_what_no_schema_says(_context: Any, response: Any, case: Any) -> None:
    """A request that satisfies the document gets 400 only for what the document says in words."""
    name = case.operation.definition.raw.get("operationId")
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if name not in _UNDESCRIBED and (wrong := list(_sayable(name, response))):
        raise AssertionError(f"the document does not tell why this is refused: {json.dumps(wrong)[:1000]}")


def _sayable(name: str, response: Any) -> Iterator[Any]:
    answer = response.json()
    problems = _problems(response, answer)
    if not problems:
        yield answer
    allowed = _UNSAYABLE | _OF_OPERATIONS.get(name, set())
    if answer.get("where") not in _TOGETHER:
        yield from (problem for problem in problems if problem["rule"] not in allowed)


def _problems(response: Any, answer: Any) -> Any:
    """Return every problem that was found: our own paths tell them, Klarna's terse bodies name where they are told."""
    where = response.headers.get("mock-klarna-explanation")
    if not where:
        return answer.get("errors", [])
    with urllib.request.urlopen(where[0] if isinstance(where, list) else where, timeout=60) as entry:
        return json.loads(entry.read())["problems"]
