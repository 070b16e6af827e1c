"""Checks the URLs of a body, which the schemas mark with `x-url`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mock_klarna.domain import urls
from mock_klarna.errors import Problem
from mock_klarna.validation.schemas import Catalogue, Parts

_CALLED = "an absolute https URL of at most 2000 characters; http is accepted for loopback and private hosts"
_CALLED_STRICTLY = "an absolute https URL of at most 2000 characters"
_SHOWN = "an absolute http or https URL of at most 2000 characters"


@dataclass(frozen=True, slots=True)
class UrlPlace:
    """A member that is a URL, and which kind: `called` by Klarna's server, `shown` to a browser, `shown_or_empty`."""

    above: tuple[str, ...]
    name: str
    kind: str

    def is_right(self, url: object, *, strict: bool) -> bool:
        """Return whether a URL is of this kind; a missing value or one of another type is not checked here."""
        if not isinstance(url, str) or (not url and self.kind == "shown_or_empty"):
            return True
        return urls.is_callable(url, strict=strict) if self.kind == "called" else urls.is_absolute(url)

    def problem(self, url: object, *, strict: bool) -> Problem:
        """Return the problem of a URL that is not of this kind."""
        called = _CALLED_STRICTLY if strict else _CALLED
        return Problem(".".join((*self.above, self.name)), "url", url, called if self.kind == "called" else _SHOWN)


@dataclass(frozen=True, slots=True)
class UrlPlaces:
    """All members of a body that are URLs, grouped by the object that contains them."""

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
        """Return the problem of each URL that is not of its kind."""
        return [place.problem(url, strict=self.strict) for place, url in self.wrong(body)]


def _inside(body: Any, steps: tuple[str, ...]) -> Mapping[str, Any]:
    """Return the object at a path; an empty one if there is none."""
    for step in steps:
        body = body.get(step) if isinstance(body, dict) else None
    return body if isinstance(body, dict) else {}


def url_places(catalogue: Catalogue, parts: Parts, *, strict: bool) -> UrlPlaces:
    """Return the members below `parts` that the schemas mark with `x-url`; entries of lists have none."""
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
