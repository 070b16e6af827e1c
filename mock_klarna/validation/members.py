"""Checks single members that a schema cannot: URLs (`x-url`), dates of birth (`x-date`), and the currency of a country."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from msgspec.structs import replace

from mock_klarna.domain import urls
from mock_klarna.domain.countries import COUNTRIES
from mock_klarna.domain.time import EARLIEST_BIRTH, is_birth
from mock_klarna.errors import Problem
from mock_klarna.validation.schemas import Catalogue, Parts

_CALLED = "an absolute https URL of at most 2000 characters; http is accepted for loopback and private hosts"
_CALLED_STRICTLY = "an absolute https URL of at most 2000 characters"
_SHOWN = "an absolute http or https URL of at most 2000 characters"
Today = Callable[[], date]
Rule = Callable[[str, Mapping[str, Any]], bool]
"""Returns whether a member obeys its rule, from its value and the object that contains it."""


@dataclass(frozen=True, slots=True)
class Member:
    """A member with a rule. `above` is the path of the object that contains it.

    kind: of a URL `called` by Klarna's server, `shown` to a browser, or `shown_or_empty`; `birth`, or `currency`.
    """

    above: tuple[str, ...]
    name: str
    kind: str
    is_obeyed: Rule


@dataclass(frozen=True, slots=True)
class MemberRules:
    """All members of a body that have a rule, grouped by the object that contains them."""

    groups: Mapping[tuple[str, ...], Sequence[Member]]
    strict: bool
    today: Today

    def are_obeyed(self, body: Any) -> bool:
        """Return whether no member breaks its rule; a missing value or one of another type is not checked here."""
        return next(self._wrong(body), None) is None

    def problems(self, body: Any) -> list[Problem]:
        """Return the problem of each member that breaks its rule."""
        return [self._problem(member, carrier) for member, carrier in self._wrong(body)]

    def with_currency(self, body: Any, problem: Problem) -> Problem:
        """Return the problem of a currency that does not exist with the currency of the purchase country, if that is known."""
        for member in self.groups.get(tuple(problem.path.split(".")[:-1]), ()):
            if member.kind == "currency" and problem.path == ".".join((*member.above, member.name)):
                carrier = _inside(body, member.above)
                served = COUNTRIES.get(str(carrier.get("purchase_country")))
                if served:
                    return replace(problem, expected=f"{served.currency}, the currency of {served.code}")
        return problem

    def _wrong(self, body: Any) -> Iterator[tuple[Member, Mapping[str, Any]]]:
        for above, members in self.groups.items():
            carrier = _inside(body, above)
            for member in members if carrier else ():
                value = carrier.get(member.name)
                if isinstance(value, str) and not member.is_obeyed(value, carrier):
                    yield member, carrier

    def _problem(self, member: Member, carrier: Mapping[str, Any]) -> Problem:
        path, value = ".".join((*member.above, member.name)), carrier[member.name]
        if member.kind == "currency":
            country = carrier["purchase_country"]
            return Problem(path, "currency", value, f"{_currency_of(carrier, value)}, the currency of {country}")
        if member.kind == "birth":
            return Problem(path, "date", value, f"a day that exists, from {EARLIEST_BIRTH} to {self.today()}")
        called = _CALLED_STRICTLY if self.strict else _CALLED
        return Problem(path, "url", value, called if member.kind == "called" else _SHOWN)


def _currency_of(carrier: Mapping[str, Any], currency: str) -> str:
    """Return the currency that Klarna serves in the purchase country (klarna.md §3.1); any, where it does not serve the country."""
    country = carrier.get("purchase_country")
    served = COUNTRIES.get(country) if isinstance(country, str) else None
    return served.currency if served else currency


def _inside(body: Any, steps: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the object at a path; an empty one if there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def _rule(kind: str, strict: bool, today: Today) -> Rule:
    match kind:
        case "currency":
            return lambda value, carrier: value == _currency_of(carrier, value)
        case "birth":
            return lambda value, _: is_birth(value, today())
        case "called":
            return lambda value, _: urls.is_callable(value, strict=strict)
        case "shown_or_empty":
            return lambda value, _: not value or urls.is_absolute(value)
        case _:
            return lambda value, _: urls.is_absolute(value)


def member_rules(catalogue: Catalogue, parts: Parts, *, strict: bool, today: Today) -> MemberRules:
    """Return the rules of the members below `parts`; entries of lists have none."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for above, name, kind in _marked(catalogue, parts, ()):
        groups.setdefault(above, []).append(Member(above, name, kind, _rule(kind, strict, today)))
    return MemberRules(groups, strict, today)


def _marked(catalogue: Catalogue, parts: Parts, above: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], str, str]]:
    members = catalogue.members(parts)
    for name, inner in members.items():
        kinds = [part.schema[mark] for part in inner for mark in ("x-url", "x-date") if mark in part.schema]
        if kinds:
            yield above, name, kinds[0]
        elif name == "purchase_currency" and "purchase_country" in members:
            yield above, name, "currency"
        else:
            yield from _marked(catalogue, inner, (*above, name))
