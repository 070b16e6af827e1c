"""The OpenAPI 3.1 document: the rows of `operations` and the schemas, and nothing that is not in them."""

import re
from collections.abc import Iterator
from typing import Any

from mock_klarna import __version__
from mock_klarna.validation import Validator
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import BROWSER, OPERATIONS
from mock_klarna.web.query import PARAMETERS, name_of
from mock_klarna.web.request import EVENT_STREAM, JSON

Json = dict[str, Any]
_DESCRIPTIONS = {
    200: "Done.",
    201: "Created.",
    202: "Accepted; there is nothing to say.",
    204: "Done; there is nothing to say.",
    400: "A field breaks a constraint; the message names it, the journal explains it.",
    401: "No credentials, or ones that are not accepted.",
    403: "It is used up, belongs to another merchant, or its state does not allow that.",
    404: "Not known, expired or used up.",
    408: "The body did not arrive in time.",
    409: "Its state does not allow that now.",
    413: "The body is too large.",
    415: "The body is not declared to be JSON in UTF-8.",
    429: "Too many requests in this second; only where the setting rate_limit asks for it.",
}
_HEADERS = {
    "Klarna-Correlation-Id": "Id of the exchange.",
    "Location": "Where it is.",
    "Capture-Id": "Id of the capture.",
    "Refund-Id": "Id of the refund.",
    "Mock-Klarna-Explanation": "URL of the journal entry that tells what was wrong.",
}
_TEXT: Json = {"type": "string"}
_SHAPES: dict[str, Json] = {
    JSON: {"type": "object"},
    EVENT_STREAM: _TEXT
    | {"description": "Each event has the position as `id`, the kind as `event` and the entry as `data`."},
}
_READING = (400, 408, 413, 415)
"""What reading a body can end in."""
_MERCHANTS = (401, 429)
"""What can be answered before an operation begins."""


def responses(operation: Operation) -> Iterator[tuple[str, Json]]:
    """Yield each status that an operation may answer, with what it comes with."""
    for status, component in operation.answers:
        shown = None if component is None or status == 204 else f"components/{component}.json" if component else ""
        yield str(status), _response(status, shown, _headers(operation, *operation.headers), operation.media)
    for status in _errors(operation):
        explained = ("Mock-Klarna-Explanation",) if operation.is_klarnas else ()
        yield str(status), _response(status, _error_component(operation), _headers(operation, *explained))


def _response(status: int, component: str | None, headers: Json, media: str = JSON) -> Json:
    answer: Json = {"description": _DESCRIPTIONS[status]}
    if component is not None:
        answer["content"] = content(component) if component else {media: {"schema": _SHAPES.get(media, _TEXT)}}
    return {**answer, "headers": headers} if headers else answer


def _headers(operation: Operation, *names: str) -> Json:
    always = ("Klarna-Correlation-Id",) if operation.is_klarnas else ()
    return {
        name: {"description": _HEADERS[name], "required": True, "schema": {"type": "string"}}
        for name in (*always, *names)
    }


def _errors(operation: Operation) -> list[int]:
    statuses = {*operation.errors, *(_READING if operation.body else ()), *((400,) if operation.query else ())}
    return sorted(statuses | set(_MERCHANTS if operation.is_klarnas else ()))


def _error_component(operation: Operation) -> str:
    if not operation.is_klarnas:
        return "components/misuse.json"
    return "components/plural_error.json" if operation.has_plural_errors else "components/error.json"


def content(path: str) -> Json:
    """Return the content of a body that a schema describes."""
    return {JSON: {"schema": {"$ref": f"#/components/schemas/{schema_name(path)}"}}}


def schema_name(path: str) -> str:
    """Return a schema's name among the components: `components/order_line.json` is `order_line`, others keep their folder."""
    return path.removeprefix("components/").removesuffix(".json").replace("/", ".")


def document(validator: Validator) -> Json:
    """Return the OpenAPI document of all routes."""
    paths: Json = {}
    for operation in OPERATIONS + BROWSER:
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
                schema_name(path): _relinked(schema, path) for path, schema in validator.catalogue.documents.items()
            },
        },
    }


def _operation(operation: Operation) -> Json:
    described: Json = {
        "operationId": operation.name,
        "summary": operation.summary,
        "tags": [_tag(operation)],
        "parameters": [
            *_path_parameters(operation),
            *map(_parameter, operation.query),
            *([_IDEMPOTENCY_KEY] if operation.is_idempotent else ()),
        ],
        "responses": dict(responses(operation)),
    }
    if operation.body:
        described["requestBody"] = {
            "required": operation.body != "optional",
            "content": content(f"requests/{operation.body_schema}.json"),
        }
    if operation.is_klarnas:
        described["security"] = [{"basic": []}]
    if operation.is_browsers:
        described["security"] = []
    return described


def _tag(operation: Operation) -> str:
    if operation.is_browsers:
        return "Browser"
    return _TAGS.get(operation.path.split("/")[1], "Sandbox")


_TAGS = {
    "instantshopping": "Instant Shopping",
    "ordermanagement": "Order Management",
    "customer-token": "Customer Token",
    "payments": "Customer Token",
}


def _path_parameters(operation: Operation) -> Iterator[Json]:
    for name in re.findall(r"{(\w+)}", operation.path):
        is_uuid = name == "order_id" and operation.is_klarnas
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


def _parameter(name: str) -> Json:
    return {"name": name_of(name), "in": "query", "required": False, **PARAMETERS[name]}


def _relinked(part: Any, path: str) -> Any:
    """Return a schema with its references to other files turned into references to components."""
    if isinstance(part, list):
        return [_relinked(item, path) for item in part]
    if not isinstance(part, dict):
        return part
    return {
        name: _target(value, path) if name == "$ref" and isinstance(value, str) else _relinked(value, path)
        for name, value in _as_taken(part).items()
        if name not in ("$id", "$schema")
    }


def _as_taken(schema: Json) -> Json:
    """Return a schema in the form in which values are taken: what is put right on arrival is no fault of a caller."""
    if "required" in schema:
        return {"type": "object"} | schema
    if schema.get("type") == "object":
        return schema | _EMPTY_ARRAY
    forms = _FORMS.get(str(schema.get("x-lenient")))
    if forms is None:
        return schema
    return {name: value for name, value in schema.items() if name not in _FORMAL} | forms


_EMPTY_ARRAY: Json = {"type": ["object", "array"], "maxItems": 0}
"""PHP's empty array, which is taken for an object that needs no members (protocol 3.3)."""


_FORMAL = ("pattern", "maxLength", "not")
_FORMS: dict[str, Json] = {
    "country": {"pattern": r"^\s*[A-Za-z]{2}\s*$"},
    "currency": {"pattern": r"^\s*[A-Za-z]{3}\s*$"},
    "locale": {"pattern": r"^\s*[A-Za-z]{2}-[A-Za-z]{2}\s*$"},
    "blanks": {"pattern": r"^[ \t\r\n]*(?:[^ \t\r\n](?:[\s\S]{0,8}[^ \t\r\n])?)?[ \t\r\n]*$"},
    "number_as_text": {"type": ["string", "number"]},
}
"""By what the schemas say under `x-lenient`; the validator's leniencies do the same."""


def _target(reference: str, path: str) -> str:
    file, _, fragment = reference.partition("#")
    folder = path.rpartition("/")[0]
    parts = [*folder.split("/"), *file.split("/")] if file else path.split("/")
    resolved: list[str] = []
    for part in parts:
        if part == "..":
            resolved.pop()
        elif part not in ("", "."):
            resolved.append(part)
    return f"#/components/schemas/{schema_name('/'.join(resolved))}{fragment}"
