"""Parse YAML or JSON text to data that keeps the line and column of every part."""

import math
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CONSTANTS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_LEAST, _MOST = -(2**63), 2**64 - 1
"""The integers that JSON bodies can have here."""
_LONGEST_INTEGER = 400
_MAX_DEPTH = 40
_MAX_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """A position in a file; line and column count from 1."""

    line: int
    column: int


class UnreadableFile(Exception):
    """A file is not YAML or JSON that can be used: where, what is wrong, and what to do."""

    def __init__(self, place: Place, message: str, hint: str) -> None:
        super().__init__(message)
        self.place = place
        self.message = message
        self.hint = hint


@dataclass(slots=True)
class Source:
    """The data of a file, and the place of each part by its path: `steps[0].purchase.cart`."""

    data: Any = None
    places: dict[str, Place] = field(default_factory=dict)
    nodes: int = 0

    def place(self, path: str) -> Place:
        """Return the place of a part or, when it does not exist, of the nearest part that contains it."""
        while path not in self.places and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places.get(path, Place(1, 1))


def parse(text: str) -> Source:
    """Return the data of a file. Only JSON's types exist: `no`, `on` and dates are text, as in YAML 1.2.

    Raises `UnreadableFile` with the place of the error.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as error:
        raise _unreadable(error) from None
    except yaml.YAMLError as error:
        raise UnreadableFile(Place(1, 1), str(error).splitlines()[0], "text in UTF-8") from None
    source = Source()
    source.data = None if node is None else _value(source, node, "", 0)
    return source


def _unreadable(error: yaml.MarkedYAMLError) -> UnreadableFile:
    mark = error.problem_mark or error.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    reason = " ".join(part for part in (error.context, error.problem) if part)
    return UnreadableFile(place, f"not valid YAML: {reason}", "quote text that contains a colon, a brace or a bracket")


def _value(source: Source, node: yaml.Node, path: str, depth: int) -> Any:
    source.nodes += 1
    source.places.setdefault(path, _place(node))
    if depth > _MAX_DEPTH or source.nodes > _MAX_NODES:
        raise UnreadableFile(_place(node), "the file is nested too deeply or too large", "fewer aliases, less nesting")
    if isinstance(node, yaml.MappingNode):
        return dict(_members(source, node, path, depth))
    if isinstance(node, yaml.SequenceNode):
        return [_value(source, part, f"{path}[{index}]", depth + 1) for index, part in enumerate(node.value)]
    assert isinstance(node, yaml.ScalarNode)
    return _scalar(node)


def _members(source: Source, node: yaml.MappingNode, path: str, depth: int) -> Iterator[tuple[str, Any]]:
    seen: set[str] = set()
    for key, part in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise UnreadableFile(_place(key), "expected a name", "text before the colon")
        name = str(key.value)
        if name in seen:
            raise UnreadableFile(_place(key), f"duplicate name {name!r}", "use each name once")
        seen.add(name)
        inner = f"{path}.{name}" if path else name
        source.places[inner] = _place(key)
        yield name, _value(source, part, inner, depth + 1)


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style:
        return text
    if text in _CONSTANTS:
        return _CONSTANTS[text]
    if not _NUMBER.fullmatch(text):
        return text
    number = int(text) if len(text) <= _LONGEST_INTEGER and _INTEGER.fullmatch(text) else float(text)
    if not _LEAST <= number <= _MOST if isinstance(number, int) else math.isinf(number):
        raise UnreadableFile(
            _place(node), f"the number {text[:40]} is too large", "numbers that fit 64 bits, or a quoted text"
        )
    return number


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
