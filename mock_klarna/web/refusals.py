"""What an integration gets wrong, and how often: the refused requests of the journal, grouped by operation and rule."""

import asyncio
import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from mock_klarna.domain.journal import EXCHANGE, Entry, Exchange, JournalFilter
from mock_klarna.domain.time import precise_moment
from mock_klarna.errors import Problem
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response

Json = dict[str, Any]
_PAGE = 200
_MAX_PATHS = 20
_INDEX = re.compile(r"\[\d+\]")


@dataclass(slots=True)
class _Group:
    """Refused requests of one operation for one rule; `last` is the newest, `problem` its first problem of this rule."""

    operation: str
    rule: str | None
    last: Entry
    problem: Problem | None = None
    count: int = 0
    paths: Counter[str] = field(default_factory=Counter)

    def add(self, entry: Entry, problems: list[Problem]) -> None:
        self.last, self.problem = entry, problems[0] if problems else None
        self.count += 1
        self.paths.update(_INDEX.sub("[]", problem.path) for problem in problems)

    def as_json(self) -> Json:
        problem = self.problem
        exchange = self.last.data
        return {
            "operation": self.operation,
            "rule": self.rule,
            "count": self.count,
            "paths": [{"path": path, "count": count} for path, count in self.paths.most_common(_MAX_PATHS)],
            "last": {
                "seq": self.last.seq,
                "at": precise_moment(self.last.at),
                "merchant": self.last.merchant,
                "purchase_id": self.last.purchase_id,
                "status": exchange.status if isinstance(exchange, Exchange) else None,
                "explanation": exchange.explanation or None if isinstance(exchange, Exchange) else None,
                "problem": problem.as_json() if problem else None,
            },
        }


async def list_refusals(services: Services, request: ApiRequest) -> ApiResponse:
    """Group the refused requests of a merchant, or of all, by operation and rule, the most frequent first.

    It counts requests that were answered 4xx, and those in which a page reported a problem, as far as the journal still has them.
    Statuses that a fault caused do not count.
    """
    groups: dict[tuple[str, str | None], _Group] = {}
    requests, after = 0, 0
    wanted = JournalFilter(merchant=request.scope, kind=EXCHANGE)
    while page := await services.emulator.store.entries(wanted, after, _PAGE):
        after = page[-1].seq
        requests += _take(page, groups)
        await asyncio.sleep(0)  # an engine in memory lets no others run
    ordered = sorted(groups.values(), key=lambda group: (-group.count, -group.last.seq))
    return json_response(
        {
            "refusals": [group.as_json() for group in ordered[: request.query["limit"]]],
            "total": len(ordered),
            "requests": requests,
            "dropped": await services.emulator.store.dropped(request.scope),
        }
    )


def _take(entries: Iterable[Entry], groups: dict[tuple[str, str | None], _Group]) -> int:
    """Add the refused requests among entries to their groups; return how many they are."""
    refused = 0
    for entry in entries:
        exchange = entry.data
        if not isinstance(exchange, Exchange) or not _is_refused(exchange):
            continue
        refused += 1
        of_rule: dict[str | None, list[Problem]] = {}
        for problem in exchange.problems:
            of_rule.setdefault(problem.rule, []).append(problem)
        for rule, problems in (of_rule or {None: []}).items():
            groups.setdefault((entry.name, rule), _Group(entry.name, rule, entry)).add(entry, problems)
    return refused


def _is_refused(exchange: Exchange) -> bool:
    is_refusal = 400 <= exchange.status < 500 or bool(exchange.problems)
    return is_refusal and not (exchange.injected or {}).get("status")
