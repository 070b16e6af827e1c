"""From the text of a YAML or JSON file to its data, with the line and column of every part."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_WORDS: Mapping[str, Any] = {"": None, "~": None, "null": None, "true": True, "false": False}
_INTEGER = re.compile(r"-?(0|[1-9][0-9]*)")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][-+]?[0-9]+)?")
_DEEPEST = 40
_MOST_NODES = 100_000


@dataclass(frozen=True, slots=True)
class Place:
    """Where something stands in a file, both counted from 1."""

    line: int
    column: int


class Unreadable(Exception):
    """A file is no YAML or JSON that can be used: where, what is wrong, and what would be right."""

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
        """Return where a part stands; for one that is not there, where the nearest part around it does."""
        while path not in self.places and path:
            path = path[: max(path.rfind("."), path.rfind("["), 0)]
        return self.places.get(path, Place(1, 1))


def read(text: str) -> Source:
    """Return the data of a file. Only JSON's own types exist: `no`, `on` and dates are text, as in YAML 1.2.

    Raises `Unreadable` with the place of the fault.
    """
    try:
        node = yaml.compose(text, Loader=_LOADER)
    except yaml.MarkedYAMLError as fault:
        raise _unreadable(fault) from None
    except yaml.YAMLError as fault:
        raise Unreadable(Place(1, 1), str(fault).splitlines()[0], "text in UTF-8") from None
    source = Source()
    source.data = None if node is None else _value(source, node, "", 0)
    return source


def _unreadable(fault: yaml.MarkedYAMLError) -> Unreadable:
    mark = fault.problem_mark or fault.context_mark
    place = Place(mark.line + 1, mark.column + 1) if mark else Place(1, 1)
    said = " ".join(part for part in (fault.context, fault.problem) if part)
    return Unreadable(place, f"this is not YAML: {said}", "quote text that has a colon, a brace or a bracket in it")


def _value(source: Source, node: yaml.Node, path: str, depth: int) -> Any:
    source.nodes += 1
    source.places.setdefault(path, _place(node))
    if depth > _DEEPEST or source.nodes > _MOST_NODES:
        raise Unreadable(_place(node), "the file is nested too deeply, or too large", "fewer aliases, less nesting")
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
            raise Unreadable(_place(key), "a name is expected here", "text before the colon")
        name = str(key.value)
        if name in seen:
            raise Unreadable(_place(key), f"{name} is given twice", "each name once")
        seen.add(name)
        inner = f"{path}.{name}" if path else name
        source.places[inner] = _place(key)
        yield name, _value(source, part, inner, depth + 1)


def _scalar(node: yaml.ScalarNode) -> Any:
    text = str(node.value)
    if node.style:
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text)
    return float(text) if _NUMBER.fullmatch(text) else text


def _place(node: yaml.Node) -> Place:
    return Place(node.start_mark.line + 1, node.start_mark.column + 1)
