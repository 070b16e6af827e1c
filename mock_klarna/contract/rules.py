"""What no schema can say: that sums hold and that URLs can be called."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import Any

from mock_klarna.contract.catalogue import Catalogue, Parts
from mock_klarna.domain import money, rounding, sums, urls
from mock_klarna.domain.facts import value
from mock_klarna.domain.problems import Problem

_CALLED = "an absolute https URL of at most 2000 characters; http is accepted for loopback and private hosts"
_CALLED_STRICTLY = "an absolute https URL of at most 2000 characters"
_SHOWN = "an absolute http or https URL of at most 2000 characters"


@value
class Sums:
    """Where a body carries money: below which member, whether fractions are allowed, whether it is a whole order.

    `tax_optional`: lines may come without tax, and an order with such a line is not summed (protocol 9.5).
    """

    within: str = ""
    fractions: bool = False
    is_order: bool = False
    tax_optional: bool = False

    def inside(self, body: Any) -> Mapping[str, Any]:
        """Return the object that carries the lines; an empty one when the body has none."""
        found = body.get(self.within) if self.within and isinstance(body, dict) else body
        return found if isinstance(found, dict) else {}

    def are_plain(self, body: Any) -> bool:
        """Tell at little cost that a valid body has only integers that add up; False means "look closer"."""
        carrier = self.inside(body)
        if self.tax_optional:
            return False
        if self.is_order:
            return money.is_plainly_right(carrier)
        return all(is_plain(entry) for name, is_plain in _PLAIN.items() for entry in carrier.get(name, ()))

    def problems(self, body: Any) -> Iterator[Problem]:
        """Yield every sum that does not hold; whole orders are summed only when every line has usable numbers."""
        carrier, prefix = self.inside(body), f"{self.within}." if self.within else ""
        known: list[sums.Numbers | None] = []
        for name, read in _READERS.items():
            known = [read(entry, f"{prefix}{name}[{at}]", self.fractions) for at, entry in _entries(carrier, name)]
            for (_, entry), numbers in zip(_entries(carrier, name), known, strict=True):
                yield from sums.line_problems(numbers) if numbers and not _is_plain(name, entry) else ()
            if self.is_order and name == "order_lines":
                yield from self._order_problems(carrier, known, prefix)

    def _order_problems(
        self, carrier: Mapping[str, Any], lines: Sequence[sums.Numbers | None], prefix: str
    ) -> Iterator[Problem]:
        usable = [line for line in lines if line]
        if usable and len(usable) == len(lines):
            yield from sums.order_problems(carrier, usable, prefix)

    def whole(self, body: Any) -> Any:
        """Return the body with the fractions of its lines and options rounded, where fractions are allowed."""
        carrier = self.inside(body)
        if not self.fractions or not carrier:
            return body
        rounded = {name: _rounded(carrier, name) for name in _READERS if isinstance(carrier.get(name), list)}
        whole = {**carrier, **rounded}
        return {**body, self.within: whole} if self.within else whole


def _is_plain(name: str, entry: Mapping[str, Any]) -> bool:
    """Tell at little cost that an entry of usable numbers is right, which spares exact arithmetic for most lines."""
    return isinstance(entry.get("type", ""), str) and _PLAIN[name](entry)


def _is_plain_item(item: Mapping[str, Any]) -> bool:
    price = item["unit_price"] - item.get("total_discount_amount", 0)
    return money.is_plain_line({"quantity": 1, "total_amount": price, **item})


def _is_plain_option(option: Mapping[str, Any]) -> bool:
    price, rate, tax = option["price"], option["tax_rate"], option["tax_amount"]
    return type(price + rate + tax) is int and money.is_plain_tax(price, rate, tax)


def _entries(carrier: Mapping[str, Any], name: str) -> Iterator[tuple[int, Any]]:
    entries = carrier.get(name)
    return iter(enumerate(entries)) if isinstance(entries, list) else iter(())


def _line(line: object, path: str, fractions: bool) -> sums.Numbers | None:
    has_total = isinstance(line, dict) and "quantity" in line and "total_amount" in line
    return sums.line_numbers(line, path, fractions=fractions) if has_total else None


def _item(item: object, path: str, fractions: bool) -> sums.Numbers | None:
    return sums.line_numbers(item, path, fractions=fractions)


def _option(option: object, path: str, fractions: bool) -> sums.Numbers | None:
    return sums.option_numbers(option, path, fractions=fractions)


_READERS: Mapping[str, Callable[[object, str, bool], sums.Numbers | None]] = MappingProxyType(
    {"order_lines": _line, "items": _item, "shipping_options": _option}
)


_PLAIN: Mapping[str, Callable[[Mapping[str, Any]], bool]] = MappingProxyType(
    {"order_lines": money.is_plain_line, "items": _is_plain_item, "shipping_options": _is_plain_option}
)


def _rounded(carrier: Mapping[str, Any], name: str) -> list[Any]:
    whole = rounding.whole_option if name == "shipping_options" else rounding.whole_line
    return [whole(entry) if _READERS[name](entry, "", True) else entry for entry in carrier[name]]


SUMS: Mapping[str, Sums] = MappingProxyType(
    {
        "create_button": Sums(),
        "update_button": Sums(),
        "update": Sums(),
        "page": Sums(fractions=True),
        "update_answer": Sums(fractions=True),
        "create_purchase": Sums(within="page", fractions=True),
        "create_order": Sums(is_order=True),
        "order_from_token": Sums(is_order=True, tax_optional=True),
        "place_order": Sums(within="order", is_order=True),
        "create_customer_token": Sums(within="order", is_order=True),
    }
)
"""The operations whose bodies carry money."""


@value
class UrlPlace:
    """A member that is a URL, and which kind: `called` by Klarna's server, `shown` to a browser, `shown_or_empty`."""

    above: tuple[str, ...]
    name: str
    kind: str

    def is_right(self, url: object, *, strict: bool) -> bool:
        """Tell whether a URL is of this kind; what is missing or no text is not judged here."""
        if not isinstance(url, str) or (not url and self.kind == "shown_or_empty"):
            return True
        return urls.is_callable(url, strict=strict) if self.kind == "called" else urls.is_absolute(url)

    def problem(self, url: object, *, strict: bool) -> Problem:
        """Return what to tell the sender of a URL that is not right."""
        called = _CALLED_STRICTLY if strict else _CALLED
        return Problem(".".join((*self.above, self.name)), "url", url, called if self.kind == "called" else _SHOWN)


@value
class UrlPlaces:
    """All members of a body that are URLs, by the object that they stand in."""

    groups: Mapping[tuple[str, ...], Sequence[UrlPlace]]
    strict: bool

    def wrong(self, body: Any) -> Iterator[tuple[UrlPlace, object]]:
        """Yield every place with a URL that is not of its kind."""
        for above, places in self.groups.items():
            carrier = _inside(body, above)
            for place in places if carrier else ():
                url = carrier.get(place.name)
                if not place.is_right(url, strict=self.strict):
                    yield place, url

    def problems(self, body: Any) -> list[Problem]:
        """Return what to tell the sender of each URL that is not right."""
        return [place.problem(url, strict=self.strict) for place, url in self.wrong(body)]


def _inside(body: Any, steps: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the object at the end of some steps; an empty one where there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def url_places(catalogue: Catalogue, parts: Parts, *, strict: bool) -> UrlPlaces:
    """Return the members below `parts` that the schemas mark with `x-url`; lists hold none."""
    groups: dict[tuple[str, ...], list[UrlPlace]] = {}
    for place in _marked(catalogue, parts, ()):
        groups.setdefault(place.above, []).append(place)
    return UrlPlaces(groups, strict)


def _marked(catalogue: Catalogue, parts: Parts, above: tuple[str, ...]) -> Iterator[UrlPlace]:
    for name, inner in catalogue.members(parts).items():
        kinds = [part.schema["x-url"] for part in inner if "x-url" in part.schema]
        if kinds:
            yield UrlPlace(above, name, kinds[0])
        else:
            yield from _marked(catalogue, inner, (*above, name))
