"""Select scenarios by an expression of words, `and`, `or`, `not` and parentheses, as the `-k` of pytest does."""

import re
from collections.abc import Callable

from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario.model import Scenario

_TOKEN = re.compile(r"\s*(?:([()])|\"([^\"]*)\"|'([^']*)'|([^\s()\"']+))")
_OPERATORS = ("and", "or", "not", "(", ")")
_HINT = "give words with and, or, not and parentheses, such as 'push and not (retried or denied)'"
_MAX_TOKENS = 100

Matches = Callable[[str], bool]


def selection(expression: str) -> Callable[[Scenario], bool]:
    """Return whether a scenario matches an expression: each word is part of its name or its title, in any case.

    Raises `MockKlarnaError` for an expression that cannot be read.
    """
    matches = _Parser(expression).matches()
    return lambda scenario: matches(f"{scenario.name}\n{scenario.title}".casefold())


class _Parser:
    """Reads one expression from its first token to its last; a token is an operator, or a word and its text."""

    def __init__(self, expression: str) -> None:
        self._tokens: list[tuple[str, str]] = []
        position, end = 0, len(expression.rstrip())
        while position < end:
            found = _TOKEN.match(expression, position)
            if found is None:
                raise _unreadable(f"{expression[position:].strip()[:1]} is not closed")
            bracket, double, single, word = found.groups()
            plain = bracket or word
            text = plain or double or single or ""
            self._tokens.append((plain if plain in _OPERATORS else "word", text))
            position = found.end()
        if not self._tokens:
            raise _unreadable("it is empty")
        if len(self._tokens) > _MAX_TOKENS:
            raise _unreadable("it is too long")
        self._position = 0

    def matches(self) -> Matches:
        """Return what the whole expression says about a text."""
        whole = self._any_of()
        if self._next():
            raise _unreadable(f"unexpected {self._next_text()}")
        return whole

    def _any_of(self) -> Matches:
        parts = [self._all_of()]
        while self._take("or"):
            parts.append(self._all_of())
        return lambda text: any(part(text) for part in parts)

    def _all_of(self) -> Matches:
        parts = [self._one()]
        while self._take("and"):
            parts.append(self._one())
        return lambda text: all(part(text) for part in parts)

    def _one(self) -> Matches:
        if self._take("not"):
            inner = self._one()
            return lambda text: not inner(text)
        if self._take("("):
            group = self._any_of()
            if not self._take(")"):
                raise _unreadable(f"expected ), found {self._next_text()}")
            return group
        word = self._next_text().casefold()
        if not self._take("word"):
            raise _unreadable(f"expected a word, found {self._next_text()}")
        return lambda text: word in text

    def _next(self) -> str:
        return self._tokens[self._position][0] if self._position < len(self._tokens) else ""

    def _next_text(self) -> str:
        return self._tokens[self._position][1] if self._next() else "the end"

    def _take(self, token: str) -> bool:
        if self._next() != token:
            return False
        self._position += 1
        return True


def _unreadable(reason: str) -> MockKlarnaError:
    return MockKlarnaError(f"cannot read the expression: {reason}", where="-k", hint=_HINT)
