"""A request that is valid by the OpenAPI document may be refused only by rules that a schema cannot express."""

import json
import urllib.request
from collections.abc import Iterator
from typing import Any

import schemathesis

from mock_klarna.domain.sums import LINE_RULES, ORDER_RULES

_RULES = LINE_RULES | ORDER_RULES | {"url", "authorized", "currency", "date", "size"}
"""Sums, URLs that can be called, equality with the authorized order, the currency of a country, days that exist.

With another problem, a body with very many values also has `size`: not all of it was checked.
"""
_PLACES = {"page and button key together", "options", "shopper", "select"}
"""Places that are validated after the body: key with page, shopper with country, selection with offer."""
_RULES_OF_OPERATIONS = {
    "set_clock": {"range"},  # from 1970 to 2999
    "list_purchases": {"parameter"},  # `before` is the id of a purchase
    "resend_callback": {"path"},  # of a member that the body of the callback has
    "sdk_identify": {"required", "enum", "postal_code", "phone", "email", "date"},  # by the country of each address
}
_SKIPPED = {"put_snapshot", "run_scenario"}
"""A snapshot is an earlier response, and a scenario has variables of its own."""


@schemathesis.check  # type: ignore[untyped-decorator, unused-ignore]
def refused_only_by_rules_outside_schemas(_context: Any, response: Any, case: Any) -> None:
    """A valid request gets 400 only for a rule that the document describes in words."""
    name = case.operation.definition.raw.get("operationId")
    if response.status_code != 400 or case.meta is None or not case.meta.generation.mode.is_positive:
        return
    if name not in _SKIPPED and (wrong := list(_expressible(name, response))):
        raise AssertionError(f"the document does not describe this error: {json.dumps(wrong)[:1000]}")


def _expressible(name: str, response: Any) -> Iterator[Any]:
    answer = response.json()
    problems = _problems(response, answer)
    if not problems:
        yield answer
    allowed = _RULES | _RULES_OF_OPERATIONS.get(name, set())
    if answer.get("where") not in _PLACES:
        yield from (problem for problem in problems if problem["rule"] not in allowed)


def _problems(response: Any, answer: Any) -> Any:
    """Return every problem: our own APIs list them, Klarna's are in the journal."""
    where = response.headers.get("mock-klarna-explanation")
    if not where:
        return answer.get("errors", [])
    with urllib.request.urlopen(where[0] if isinstance(where, list) else where, timeout=60) as entry:
        return json.loads(entry.read())["problems"]
