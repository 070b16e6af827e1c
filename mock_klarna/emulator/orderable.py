"""Whether what a session comes to could be ordered: merchants post back what they get, and it has to pass then."""

import re
from typing import Any

from mock_klarna.contract import Contract
from mock_klarna.domain import offer, session
from mock_klarna.domain.errors import InvalidInput
from mock_klarna.domain.facts import replace
from mock_klarna.domain.problems import Problem

Json = dict[str, Any]
ORDER = "the order that key, page and choices come to"
_LINE = re.compile(r"order_lines\[(\d+)\]\.(\w+)")
_OPTION_MEMBERS = {
    "reference": "id",
    "name": "name",
    "unit_price": "price",
    "total_amount": "price",
    "tax_rate": "tax_rate",
    "total_tax_amount": "tax_amount",
}


def problems(contract: Contract, begun: Json) -> list[Problem]:
    """Return what keeps a session that lacks nothing from becoming an order; who buys is judged once that is known.

    Faults of the line that a shipping option becomes are told of the option.
    """
    whole = session.order(begun)
    _, found = contract.check("create_order", whole, nulls=False)
    told = [problem for problem in found if begun.get("identified") or problem.path != "billing_address"]
    shipping = len(whole.get("order_lines", ())) - 1 if "selected_shipping_option" in whole else None
    named = [_of_option(problem, shipping) for problem in told]
    return list({(problem.path, problem.rule): problem for problem in reversed(named)}.values())[::-1]


def _of_option(problem: Problem, shipping: int | None) -> Problem:
    place = _LINE.fullmatch(problem.path)
    if place is None or int(place[1]) != shipping:
        return problem
    return replace(problem, path=f"selected_shipping_option.{_OPTION_MEMBERS.get(place[2], place[2])}")


def require(contract: Contract, begun: Json) -> Json:
    """Return the session; raises `InvalidInput` where it lacks something, or could not become an order."""
    if found := offer.problems(begun):
        raise InvalidInput(found, where="page and button key together")
    if found := problems(contract, begun):
        raise InvalidInput(found, where=ORDER)
    return begun
