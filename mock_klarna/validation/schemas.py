"""The JSON Schemas of `schemas/`: reading them, finding what they say about a member, and compiling them."""

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
    """One schema object that applies to a value, and the path of its document."""

    schema: Schema
    document: str


Parts = tuple[Part, ...]
"""All schema objects that apply to one value."""


@dataclass(frozen=True, slots=True)
class Inside:
    """The schema objects that apply to the named members of a value, to its other members and to the entries of a list."""

    members: Mapping[str, Parts]
    others: Parts
    entries: Parts


@dataclass(frozen=True)
class Catalogue:
    """Every schema document by its path below `schemas/`, such as `components/order_line.json`."""

    documents: Mapping[str, Schema]
    _parts_of: dict[str, Parts] = field(default_factory=dict)
    _insides: dict[Parts, Inside] = field(default_factory=dict)

    @cached_property
    def operations(self) -> Mapping[str, str]:
        """Names of operations with the path of their document: requests, callbacks and `page`.

        Raises ValueError if two documents give the same name.
        """
        bodies = [path for path in self.documents if path.startswith(("requests/", "callbacks/"))]
        named: dict[str, str] = {}
        for path in [*bodies, f"components/{PAGE}.json"]:
            name = posixpath.basename(path).removesuffix(".json")
            if name in named:
                raise ValueError(
                    f"{named[name]} and {path} have the same name; a request and a callback need two names"
                )
            named[name] = path
        return named

    def parts(self, document: str) -> Parts:
        """Return the parts that apply to the body itself."""
        if document not in self._parts_of:
            self._parts_of[document] = tuple(self._parts(Part(self.documents[document], document)))
        return self._parts_of[document]

    def members(self, parts: Parts) -> Mapping[str, Parts]:
        """Return the parts that apply to each named member of a value."""
        return self._inside(parts).members

    def member(self, parts: Parts, name: str) -> Parts:
        """Return the parts that apply to the member `name`; none for an unknown one."""
        inside = self._inside(parts)
        return inside.members.get(name, inside.others)

    def others(self, parts: Parts) -> Parts:
        """Return the parts that apply to members without a name in the schema."""
        return self._inside(parts).others

    def entry(self, parts: Parts) -> Parts:
        """Return the parts that apply to an entry of a list."""
        return self._inside(parts).entries

    def at(self, document: str, steps: Sequence[str | int]) -> Parts:
        """Return the parts that apply to the value at a path; none for an unknown member."""
        parts = self.parts(document)
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
    """Return the catalogue of a `schemas/` folder; strict adds the `x-strict` part of each schema."""
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
    """The documents of one catalogue, each compiled on first use."""

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
        """Return whether a value is valid for the component that a `$ref` names."""
        return self.schema(f"components/{posixpath.basename(reference)}").is_valid(value)
