"""Checks single members that a schema cannot: URLs (`x-url`), dates of birth (`x-date`), and the currency of a country."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from mock_klarna.domain import urls
from mock_klarna.domain.countries import COUNTRIES
from mock_klarna.errors import Problem
from mock_klarna.validation.schemas import Catalogue, Parts

EARLIEST_BIRTH = "1900-01-01"
_SHOPPERS_DAY = date(2026, 1, 1)
_CALLED = "an absolute https URL of at most 2000 characters; http is accepted for loopback and private hosts"
_CALLED_STRICTLY = "an absolute https URL of at most 2000 characters"
_SHOWN = "an absolute http or https URL of at most 2000 characters"
Today = Callable[[], date]


@dataclass(frozen=True, slots=True)
class Member:
    """A member with a rule. `above` is the path of the object that contains it.

    kind: of a URL `called` by Klarna's server, `shown` to a browser, or `shown_or_empty`; `birth`, or `currency`.
    """

    above: tuple[str, ...]
    name: str
    kind: str


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

    def _wrong(self, body: Any) -> Iterator[tuple[Member, Mapping[str, Any]]]:
        for above, members in self.groups.items():
            carrier = _inside(body, above)
            for member in members if carrier else ():
                value = carrier.get(member.name)
                if isinstance(value, str) and not self._is_right(member.kind, value, carrier):
                    yield member, carrier

    def _is_right(self, kind: str, value: str, carrier: Mapping[str, Any]) -> bool:
        if kind == "currency":
            return value == _currency_of(carrier, value)
        if kind == "birth":
            return is_birth(value, self.today())
        if kind == "shown_or_empty" and not value:
            return True
        return urls.is_callable(value, strict=self.strict) if kind == "called" else urls.is_absolute(value)

    def _problem(self, member: Member, carrier: Mapping[str, Any]) -> Problem:
        path, value = ".".join((*member.above, member.name)), carrier[member.name]
        if member.kind == "currency":
            country = carrier["purchase_country"]
            return Problem(path, "currency", value, f"{_currency_of(carrier, value)}, the currency of {country}")
        if member.kind == "birth":
            return Problem(path, "date", value, f"a day that exists, from {EARLIEST_BIRTH} to {self.today()}")
        called = _CALLED_STRICTLY if self.strict else _CALLED
        return Problem(path, "url", value, called if member.kind == "called" else _SHOWN)


def last_birth(today: date) -> date:
    """Return the last day on which a shopper can be born: today, or the day for which shoppers are generated if that is later.

    Tests freeze clocks, and machines without a battery start in 1970; test shoppers can buy there too.
    """
    return max(today, _SHOPPERS_DAY)


def is_birth(text: str, today: date) -> bool:
    """Return whether a text in the form 1985-10-20 is a day that exists, from 1900 to today."""
    try:
        date.fromisoformat(text)
    except ValueError:
        return False
    return EARLIEST_BIRTH <= text <= today.isoformat()


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


def member_rules(catalogue: Catalogue, parts: Parts, *, strict: bool, today: Today) -> MemberRules:
    """Return the rules of the members below `parts`; entries of lists have none."""
    groups: dict[tuple[str, ...], list[Member]] = {}
    for member in _marked(catalogue, parts, ()):
        groups.setdefault(member.above, []).append(member)
    return MemberRules(groups, strict, today)


def _marked(catalogue: Catalogue, parts: Parts, above: tuple[str, ...]) -> Iterator[Member]:
    members = catalogue.members(parts)
    for name, inner in members.items():
        kinds = [part.schema[mark] for part in inner for mark in ("x-url", "x-date") if mark in part.schema]
        if kinds:
            yield Member(above, name, kinds[0])
        elif name == "purchase_currency" and "purchase_country" in members:
            yield Member(above, name, "currency")
        else:
            yield from _marked(catalogue, inner, (*above, name))
