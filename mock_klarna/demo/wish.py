"""What the query string of a callback URL asks of the shop, so that a scenario can order trouble without the shop knowing it."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from urllib.parse import parse_qsl

_OWN_NAMES = ("merchant", "then")


@dataclass(frozen=True, slots=True)
class Wish:
    """Whose credentials to use ("" for the shop's own), which behaviour ("" for the usual one), and its parameters."""

    merchant: str
    then: str
    more: Mapping[str, str]


@lru_cache(maxsize=1024)
def wish_of(query: str) -> Wish:
    """Return the wish in a query string; callbacks repeat theirs, so it is read once."""
    given = dict(parse_qsl(query, keep_blank_values=True))
    more = {name: value for name, value in given.items() if name not in _OWN_NAMES}
    return Wish(given.get("merchant", ""), given.get("then", ""), MappingProxyType(more))
