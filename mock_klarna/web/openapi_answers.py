"""What every operation may answer, for the OpenAPI document: statuses, bodies and headers."""

from collections.abc import Iterator
from typing import Any

from mock_klarna.web.call import EVENT_STREAM, JSON
from mock_klarna.web.operation import Operation

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
