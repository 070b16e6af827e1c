"""What the OpenAPI document allows as the answer to a request."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson
from jsonschema_rs import Draft202012Validator

Json = Any
_ERRORS = ("error", "plural_error", "problem_details")
_NO_OPERATION = frozenset({400, 401, 403, 404, 405, 408, 409, 413, 415, 417, 421, 429, 431})
"""Statuses of errors of requests that reach no operation, or of which the operation is not known."""
_UNREADABLE = b'"not a readable HTTP request'
_PAGES = "text/html"
_GARBLED = b'{"order_id": "\xff\xfe garbage'


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a request; the names of headers are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def media(self) -> str:
        """The media type without parameters."""
        return self.headers.get("content-type", "").partition(";")[0].strip()


@dataclass(frozen=True, slots=True)
class Described:
    """An operation of the document, as a compiled pattern of its path and its responses by status."""

    name: str
    method: str
    path: str
    pattern: re.Pattern[str]
    entry: Json


class Document:
    """An OpenAPI document with compiled schemas."""

    def __init__(self, content: Json) -> None:
        self.content = content
        self.operations = [
            Described(entry["operationId"], method.upper(), path, _pattern(path), entry)
            for path, methods in content["paths"].items()
            for method, entry in methods.items()
        ]
        self._compiled: dict[str, Draft202012Validator] = {}

    def find(self, method: str, target: str) -> Described | None:
        """Return the operation that a request reaches, or None."""
        path = target.partition("?")[0]
        method = "GET" if method == "HEAD" else method
        matching = (each for each in self.operations if each.method == method and each.pattern.fullmatch(path))
        return next(matching, None)

    def fault(self, operation: Described | None, answer: Answer, method: str, *, is_readable: bool = True) -> str:
        """Return what is wrong with an answer; nothing if the document allows it.

        `operation` is None for a request that reaches none; `is_readable` is False for one that may be no HTTP.
        """
        if answer.status == 500 or b"a bug in mock-klarna" in answer.body:
            return "a server error"
        if b"mock_fault" in answer.body.lower() or answer.body == _GARBLED:
            return ""  # requested with POST /_mock/faults
        if answer.status >= 500 and not (not is_readable and answer.status in (501, 505)):
            return f"status {answer.status}"
        described = operation.entry["responses"].get(str(answer.status)) if operation is not None else None
        if described is not None and (is_readable or _UNREADABLE not in answer.body):
            return self._difference(described, answer, method) if is_readable or method != "HEAD" else ""
        if operation is None and answer.status < 400:
            return ""
        is_expected = (operation is None or not is_readable or answer.status == 417) and answer.status in _NO_OPERATION
        return self._error_difference(answer, method) if is_expected else f"status {answer.status} is not described"

    def _difference(self, described: Json, answer: Answer, method: str) -> str:
        for name, header in described.get("headers", {}).items():
            if header.get("required") and name.lower() not in answer.headers:
                return f"the header {name} is missing"
        content = described.get("content")
        if content is None:
            return "a body is not described" if answer.body else ""
        if answer.media not in content:
            return f"content type {answer.media!r} is not described"
        if method == "HEAD":
            return "HEAD has a body" if answer.body else ""
        if not answer.media.endswith("json"):
            return ""
        return self._violation(content[answer.media]["schema"], answer.body)

    def _error_difference(self, answer: Answer, method: str) -> str:
        if method == "HEAD" or answer.media == _PAGES:
            return ""
        if not answer.media.endswith("json"):
            return f"an error has the content type {answer.media!r}"
        found = [self._violation({"$ref": f"#/components/schemas/{name}"}, answer.body) for name in _ERRORS]
        return "" if "" in found else f"an error has none of the described bodies: {found}"

    def _violation(self, schema: Json, body: bytes) -> str:
        try:
            value = orjson.loads(body)
        except orjson.JSONDecodeError as error:
            return f"the body is not JSON: {error}"
        for violation in self._validator(schema).iter_errors(value):
            return f"the body is not as described: {violation.message[:300]} at {violation.instance_path}"
        return ""

    def _validator(self, schema: Json) -> Draft202012Validator:
        key = orjson.dumps(schema).decode()
        if key not in self._compiled:
            self._compiled[key] = Draft202012Validator({**schema, "components": self.content["components"]})
        return self._compiled[key]


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"({\w+})", path)
    named = (f"(?P<{part[1:-1]}>[^/?]+)" if part.startswith("{") else re.escape(part) for part in parts)
    return re.compile("".join(named) + "/?")
