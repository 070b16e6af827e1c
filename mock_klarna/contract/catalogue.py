"""The schemas as they lie in `schemas/`: read, found by name, and walked member by member."""

import posixpath
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import orjson

Schema = Mapping[str, Any]
PAGE = "page"
_FOLDERS = ("components", "requests", "callbacks")


@dataclass(frozen=True, slots=True)
class Part:
    """One schema object that speaks about a value, and the document in which it stands."""

    schema: Schema
    document: str


@dataclass(frozen=True)
class Catalogue:
    """Every schema document by its path below `schemas/`, such as `components/order_line.json`."""

    documents: Mapping[str, Schema]

    @cached_property
    def operations(self) -> Mapping[str, str]:
        """Names that a body can be checked by, with the documents: requests, callbacks, and what a page gives."""
        named = {
            posixpath.basename(path).removesuffix(".json"): path
            for path in self.documents
            if path.startswith(("requests/", "callbacks/"))
        }
        return named | {PAGE: f"components/{PAGE}.json"}

    def whole(self, document: str) -> list[Part]:
        """Return every part that speaks about the body of a document."""
        return list(self._parts(Part(self.documents[document], document)))

    def member(self, parts: Sequence[Part], name: str) -> list[Part]:
        """Return every part that speaks about the member `name` of the value that `parts` speak about."""
        return [inner for part in parts for inner in self._member(part, name)]

    def entry(self, parts: Sequence[Part]) -> list[Part]:
        """Return every part that speaks about an entry of the list that `parts` speak about."""
        return [inner for part in parts if "items" in part.schema for inner in self._at(part, part.schema["items"])]

    def at(self, document: str, steps: Sequence[str | int]) -> list[Part]:
        """Return every part that speaks about the value at the end of `steps`; none for an unknown member."""
        parts = self.whole(document)
        for step in steps:
            parts = self.entry(parts) if isinstance(step, int) else self.member(parts, step)
        return parts

    def _member(self, part: Part, name: str) -> Iterator[Part]:
        properties = part.schema.get("properties", {})
        other = part.schema.get("additionalProperties")
        if name in properties:
            yield from self._at(part, properties[name])
        elif isinstance(other, Mapping):
            yield from self._at(part, other)

    def _at(self, part: Part, schema: Schema) -> Iterator[Part]:
        return self._parts(Part(schema, part.document))

    def _parts(self, part: Part) -> Iterator[Part]:
        yield part
        if "$ref" in part.schema:
            target = posixpath.normpath(posixpath.join(posixpath.dirname(part.document), part.schema["$ref"]))
            yield from self._parts(Part(self.documents[target], target))
        for keyword in ("allOf", "oneOf"):
            for branch in part.schema.get(keyword, ()):
                yield from self._at(part, branch)


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
