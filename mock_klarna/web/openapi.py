"""The OpenAPI 3.1 document, made of a table of operations and the schemas."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from posixpath import dirname, join, normpath
from typing import Any

from mock_klarna import __version__
from mock_klarna.validation import Validator
from mock_klarna.validation.normalize import LARGEST_ID, leniencies, takes_empty_arrays
from mock_klarna.web.operation import Api, Authentication, ErrorFormat, Operation
from mock_klarna.web.query import Parameter
from mock_klarna.web.request import EVENT_STREAM, JSON, PROBLEM_JSON

Json = dict[str, Any]
_DESCRIPTIONS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; there is nothing to say.",
    204: "Done; there is nothing to say.",
    400: "A field breaks a constraint; the message names it, the journal explains it.",
    401: "No credentials, or ones that are not accepted.",
    403: "It is used up, belongs to another merchant, or its state does not allow that; in the control API also for web pages.",
    404: "Not known, expired or used up.",
    408: "The body did not arrive in time.",
    409: "Its state does not allow that now.",
    413: "The body is too large.",
    415: "The body is not declared to be JSON in UTF-8.",
    421: "The host name is not known as one of this server.",
    429: "Too many requests in this second; only with the setting rate_limit.",
}
_HEADERS = {
    "Klarna-Correlation-Id": "Id of the exchange.",
    "Location": "Where it is.",
    "Capture-Id": "Id of the capture.",
    "Refund-Id": "Id of the refund.",
    "Mock-Klarna-Explanation": "URL of the journal entry with the problems of the request.",
}
_TEXT: Json = {"type": "string"}
_SHAPES: dict[str, Json] = {
    JSON: {"type": "object"},
    EVENT_STREAM: _TEXT
    | {
        "description": "Each event has the position as `id`, the kind as `event` and the entry as `data`. Other events have JSON: "
        "`dropped` if the journal deleted entries before they were sent (entries after `after` up to `newest_dropped` may be "
        "missing; `dropped` is how many it deleted in all), `skipped` with the `position` of the last of too many entries in an "
        "`interval`, and `disconnected` with the `reason`."
    },
}
_READING = (400, 408, 413, 415)
"""Errors of reading a body."""
_AUTHENTICATION = (401, 429)
"""Errors of authentication and of rate limits."""
_PROTECTION = (403, 421)
"""Errors of the control API for web pages of other origins and for unknown host names."""


def responses(operation: Operation) -> Iterator[tuple[str, Json]]:
    """Yield each status of an operation's responses, with its description."""
    for status, component in operation.answers:
        path = component and f"{component if '/' in component else f'components/{component}'}.json"
        response = _response(status, path, _headers(operation, *operation.headers), operation.media)
        for media in operation.other_media:
            response["content"][media] = {"schema": _TEXT}
        yield str(status), response
    for status in _errors(operation):
        explained = ("Mock-Klarna-Explanation",) if operation.api.rules.emulates_klarna else ()
        error_format = operation.api.rules.error_format
        media = PROBLEM_JSON if error_format is ErrorFormat.PROBLEM_DETAILS else JSON
        yield str(status), _response(status, error_format.value, _headers(operation, *explained), media)


def _response(status: int, component: str | None, headers: Json, media: str = JSON) -> Json:
    answer: Json = {"description": _DESCRIPTIONS[status]}
    if component is not None:
        schema = _reference(component) if component else _SHAPES.get(media, _TEXT)
        answer["content"] = {media: {"schema": schema}}
    return {**answer, "headers": headers} if headers else answer


def _headers(operation: Operation, *names: str) -> Json:
    always = ("Klarna-Correlation-Id",) if operation.api.rules.emulates_klarna else ()
    return {
        name: {"description": _HEADERS[name], "required": True, "schema": {"type": "string"}}
        for name in (*always, *names)
    }


def _errors(operation: Operation) -> list[int]:
    statuses = {*operation.errors, *(_READING if operation.body else ()), *((400,) if operation.all_parameters else ())}
    rules = operation.api.rules
    if rules.is_protected:
        statuses |= {*_PROTECTION, *(() if operation.method == "GET" else (415,))}
    return sorted(statuses | set(_AUTHENTICATION if rules.emulates_klarna else ()))


def _reference(path: str) -> Json:
    return {"$ref": f"#/components/schemas/{schema_name(path)}"}


def schema_name(path: str) -> str:
    """Return a schema's name among the components: `components/order_line.json` is `order_line`, others keep their folder."""
    return path.removeprefix("components/").removesuffix(".json").replace("/", ".")


def document(operations: Iterable[Operation], validator: Validator) -> Json:
    """Return the OpenAPI document of operations and of the schemas."""
    paths: Json = {}
    documents = validator.catalogue.documents
    received = _used_by(documents, [path for path in documents if path.startswith(("requests/", "callbacks/"))])
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "mock-klarna",
            "version": __version__,
            "summary": "A local sandbox of Klarna Instant Shopping",
            "description": "JSON null on an optional member of a request means that it is not set. Sums of order lines and "
            "URLs that are called obey rules that no schema can say; a refusal names them.",
            "license": {"name": "MIT", "identifier": "MIT"},
        },
        "servers": [{"url": "/", "description": "This server"}],
        "security": [{"basic": []}, {}],
        "paths": paths,
        "components": {
            "securitySchemes": {"basic": {"type": "http", "scheme": "basic"}},
            "schemas": {
                schema_name(path): _relinked(
                    schema, path, _accepting(schema, validator.strict) if path in received else None
                )
                for path, schema in documents.items()
            },
        },
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [operation.api.rules.title],
        "parameters": [
            *_path_parameters(operation),
            *map(_parameter, operation.all_parameters),
            *([_IDEMPOTENCY_KEY] if operation.is_idempotent else ()),
        ],
        "responses": dict(responses(operation)),
    }
    if operation.body:
        described["requestBody"] = {
            "required": operation.body != "optional",
            "content": {JSON: {"schema": _reference(f"requests/{operation.body_schema}.json")}},
        }
    return described | _SECURITY[operation.api.rules.authentication]


_SECURITY: dict[Authentication, Json] = {
    Authentication.REQUIRED: {"security": [{"basic": []}]},
    Authentication.OPTIONAL: {},
    Authentication.NONE: {"security": []},
}
"""The `security` of operations with optional authentication."""


def _path_parameters(operation: Operation) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        is_uuid = name == "order_id" and operation.api is Api.ORDER_MANAGEMENT
        yield {"name": name, "in": "path", "required": True, "schema": _UUID if is_uuid else {"type": "string"}}


_UUID = {
    "type": "string",
    "pattern": "^[0-9a-fA-F]{8}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{4}-[0-9a-fA-F]{12}$",
    "minLength": 36,
    "maxLength": 36,
}
_IDEMPOTENCY_KEY: Json = {
    "name": "Klarna-Idempotency-Key",
    "in": "header",
    "required": False,
    "description": "The same key within 24 hours gets the first answer, and nothing is executed again.",
    "schema": {"type": "string"},
}


def _parameter(parameter: Parameter) -> Json:
    return {
        "name": parameter.name,
        "in": parameter.location,
        "required": False,
        "description": parameter.description,
        "schema": parameter.schema,
    }


def _used_by(documents: Mapping[str, Any], paths: Iterable[str]) -> set[str]:
    """Return documents with all that they refer to, by their paths."""
    used, left = set[str](), list(paths)
    while left:
        path = left.pop()
        if path not in used:
            used.add(path)
            left += (_resolved(reference.partition("#")[0], path) for reference in _references(documents[path]))
    return used


def _references(part: Any) -> Iterator[str]:
    """Yield every `$ref` in a schema."""
    for name, value in part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ():
        if name == "$ref" and isinstance(value, str):
            yield value
        else:
            yield from _references(value)


_Accept = Callable[[Json], Json]


def _relinked(part: Any, path: str, accept: _Accept | None) -> Any:
    """Return a schema with its references to other files turned into references to components.

    accept: makes schemas allow the values that are converted; None if no request has such a value.
    """
    if isinstance(part, list):
        return [_relinked(item, path, accept) for item in part]
    if not isinstance(part, dict):
        return part
    accepted = accept(part) if accept else part
    return {
        name: _target(value, path) if name == "$ref" and isinstance(value, str) else _relinked(value, path, accept)
        for name, value in accepted.items()
        if name not in ("$id", "$schema")
    }


def _accepting(document: Mapping[str, Any], strict: bool) -> _Accept:
    """Return a function that makes the schemas of a document also allow the values that are converted."""

    def accept(schema: Json) -> Json:
        if "required" in schema:
            return {"type": "object"} | schema
        if schema.get("type") == "object":
            return schema | _EMPTY_ARRAY if takes_empty_arrays(document) else schema
        for name in leniencies(schema, strict=strict):
            schema = _ACCEPTED[name](schema)
        return schema

    return accept


_EMPTY_ARRAY: Json = {"type": ["object", "array"], "maxItems": 0}
"""PHP's empty array, which is accepted as an object without members (klarna.md §3.3)."""
_FORMAL = ("pattern", "minLength", "maxLength", "not", "enum")
_LETTER = re.compile("[A-Za-z]")


def _with(schema: Json, **members: Any) -> Json:
    return {name: value for name, value in schema.items() if name not in _FORMAL} | members


def _in_any_case(schema: Json, *aliases: str) -> Json:
    codes = schema["pattern"].strip("^$") if "pattern" in schema else f"({'|'.join((*schema['enum'], *aliases))})"
    pattern = _LETTER.sub(lambda letter: f"[{letter[0].upper()}{letter[0].lower()}]", codes)
    return _with(schema, pattern=rf"^\s*{pattern}\s*$")


def _number_or_text(schema: Json) -> Json:
    highest = min(LARGEST_ID, 10 ** schema.get("maxLength", 100)) - 1
    kinds = [schema["type"]] if isinstance(schema["type"], str) else schema["type"]
    return schema | {"type": [*kinds, "integer"], "minimum": 0, "maximum": highest}


def _or_empty(schema: Json) -> Json:
    described = {name: schema[name] for name in ("title", "description") if name in schema}
    rest = {name: value for name, value in schema.items() if name not in described and name != "x-lenient"}
    return described | {"anyOf": [rest, {"const": ""}]}


_ACCEPTED: Mapping[str, Callable[[Json], Json]] = {
    "country": lambda schema: _in_any_case(schema, "UK"),
    "currency": _in_any_case,
    "locale": lambda schema: _in_any_case({**schema, "pattern": schema["pattern"].replace("|GB|", "|GB|UK|")}),
    "blanks": lambda schema: _with(schema, pattern=r"^[ \t\r\n]*(?:[^ \t\r\n](?:[\s\S]{0,8}[^ \t\r\n])?)?[ \t\r\n]*$"),
    "number_as_text": lambda schema: schema | {"type": ["string", "number"]},
    "number_as_id": _number_or_text,
    "empty_as_missing": _or_empty,
}
"""What each conversion of the schemas accepts; the validator makes the same ones."""


def _target(reference: str, path: str) -> str:
    file, _, fragment = reference.partition("#")
    return f"#/components/schemas/{schema_name(_resolved(file, path))}{fragment}"


def _resolved(file: str, path: str) -> str:
    """Return the path of the document to which one at `path` refers by a relative path; an empty one is itself."""
    return normpath(join(dirname(path), file)) if file else path
