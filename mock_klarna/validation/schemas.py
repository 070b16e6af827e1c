"""The schemas as they lie in `schemas/`: read, found by name, and walked member by member."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

if TYPE_CHECKING:
    from jsonschema_rs import Draft202012Validator

Schema = Mapping[str, Any]
PAGE = "page"
_FOLDERS = ("components", "requests", "callbacks")


@dataclass(frozen=True, slots=True, eq=False)
class Part:
    """One schema object that speaks about a value, and the document in which it stands."""

    schema: Schema
    document: str


Parts = tuple[Part, ...]
"""Everything that the schemas say about one value."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Everything that the schemas say about what a value contains: its members, other members, entries of a list."""

    members: Mapping[str, Parts]
    others: Parts
    entries: Parts


@dataclass(frozen=True)
class Catalogue:
    """Every schema document by its path below `schemas/`, such as `components/order_line.json`."""

    documents: Mapping[str, Schema]
    _wholes: dict[str, Parts] = field(default_factory=dict)
    _insides: dict[Parts, Inside] = field(default_factory=dict)

    @cached_property
    def operations(self) -> Mapping[str, str]:
        """Names that a body can be checked by, with the documents: requests, callbacks, and what a page gives."""
        named = {
            posixpath.basename(path).removesuffix(".json"): path
            for path in self.documents
            if path.startswith(("requests/", "callbacks/"))
        }
        return named | {PAGE: f"components/{PAGE}.json"}

    def whole(self, document: str) -> Parts:
        """Return every part that speaks about the body of a document."""
        if document not in self._wholes:
            self._wholes[document] = tuple(self._parts(Part(self.documents[document], document)))
        return self._wholes[document]

    def members(self, parts: Parts) -> Mapping[str, Parts]:
        """Return what the schemas say about each member that they name, of the value that `parts` speak about."""
        return self._inside(parts).members

    def member(self, parts: Parts, name: str) -> Parts:
        """Return what the schemas say about the member `name`; nothing for an unknown one."""
        inside = self._inside(parts)
        return inside.members.get(name, inside.others)

    def entry(self, parts: Parts) -> Parts:
        """Return what the schemas say about an entry of the list that `parts` speak about."""
        return self._inside(parts).entries

    def at(self, document: str, steps: Sequence[str | int]) -> Parts:
        """Return every part that speaks about the value at the end of `steps`; none for an unknown member."""
        parts = self.whole(document)
        for step in steps:
            parts = self.entry(parts) if isinstance(step, int) else self.member(parts, step)
        return parts

    def _inside(self, parts: Parts) -> Inside:
        if parts not in self._insides:
            names = {name: None for part in parts for name in part.schema.get("properties", {})}
            members = {name: tuple(self._member(parts, name)) for name in names}
            others = tuple(self._keyword(parts, "additionalProperties"))
            self._insides[parts] = Inside(members, others, tuple(self._keyword(parts, "items")))
        return self._insides[parts]

    def _member(self, parts: Parts, name: str) -> Iterator[Part]:
        for part in parts:
            if name in part.schema.get("properties", {}):
                yield from self._parts(Part(part.schema["properties"][name], part.document))

    def _keyword(self, parts: Parts, keyword: str) -> Iterator[Part]:
        for part in parts:
            if isinstance(part.schema.get(keyword), Mapping):
                yield from self._parts(Part(part.schema[keyword], part.document))

    def _parts(self, part: Part) -> Iterator[Part]:
        yield part
        if "$ref" in part.schema:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(part.document), part.schema["$ref"]))
            yield from self._parts(Part(self.documents[target], target))
        for keyword in ("allOf", "oneOf"):
            for branch in part.schema.get(keyword, ()):
                yield from self._parts(Part(branch, part.document))


def load(folder: Path, *, strict: bool = False) -> Catalogue:
    """Return the catalogue of a `schemas/` folder; strict adds to each schema what stands under its `x-strict`."""
    files = sorted(file for name in _FOLDERS for file in (folder / name).glob("*.json"))
    documents = {file.relative_to(folder).as_posix(): orjson.loads(file.read_bytes()) for file in files}
    return Catalogue({path: _strict(document) for path, document in documents.items()} if strict else documents)


def _strict(schema: Any) -> Any:
    if isinstance(schema, list):
        return [_strict(branch) for branch in schema]
    if not isinstance(schema, dict):
        return schema
    rest = {keyword: _strict(value) for keyword, value in schema.items() if keyword != "x-strict"}
    if "x-strict" in schema:
        rest["allOf"] = [*rest.get("allOf", ()), _strict(schema["x-strict"])]
    return rest


class SchemaValidator:
    """The documents of one catalogue, each compiled when it is first asked for."""

    def __init__(self, catalogue: Catalogue) -> None:
        from jsonschema_rs import Registry  # a server starts before the first body comes

        self._catalogue = catalogue
        self._registry = Registry([(document["$id"], dict(document)) for document in catalogue.documents.values()])
        self._compiled: dict[str, Draft202012Validator] = {}

    def schema(self, document: str) -> "Draft202012Validator":
        """Return the compiled document, by its path below `schemas/`."""
        from jsonschema_rs import Draft202012Validator

        if document not in self._compiled:
            contents = dict(self._catalogue.documents[document])
            self._compiled[document] = Draft202012Validator(contents, registry=self._registry)
        return self._compiled[document]

    def accepts_entry(self, reference: str, value: object) -> bool:
        """Tell whether a value satisfies the component that a reference in another document leads to."""
        return self.schema(f"components/{posixpath.basename(reference)}").is_valid(value)
