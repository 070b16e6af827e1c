"""`docs/examples/requests.http` has every request of the API, and each succeeds."""

import json
import re
from collections.abc import Mapping
from typing import Any

from mock_klarna import Settings, serve_in_thread
from tests.documentation import curl
from tests.documentation.http_file import FILE, LEFT_OUT, operations, parsed, text


def test_the_file_is_the_one_of_the_openapi_document() -> None:
    assert FILE.read_text("utf-8") == text(), "python -m tests.documentation.http_file writes it"


def test_the_file_has_every_operation() -> None:
    assert {request.name for request in parsed(text())} | LEFT_OUT.keys() == operations().keys()


def test_every_request_succeeds() -> None:
    content = FILE.read_text("utf-8").replace("127.0.0.1:3000", "127.0.0.1:1")
    variables = dict(re.findall(r"(?m)^@(\w+) = (.+)$", content))
    with serve_in_thread(Settings(port=0, tls=True, tls_port=0)) as server:
        variables["url"] = server.url
        for request in parsed(content):
            body = json.loads(_filled(request.body, variables)) if request.body else None
            status, headers, answer = curl.requested(request.method, _filled(request.url, variables), body)
            assert 200 <= status < 300, f"{request.name}: {status} {answer}"
            variables |= {key: _read(of, headers, answer) for key, of in request.saved.items()}


def _filled(content: str, variables: Mapping[str, str]) -> str:
    return re.sub(r"\{\{(\w+)\}\}", lambda found: variables[found[1]], content)


def _read(of: str, headers: Mapping[str, str], answer: Any) -> str:
    """Return the part of an answer that a script of the file reads."""
    if of.startswith("header "):
        return headers[of.removeprefix("header ")]
    part = answer
    for name in re.findall(r"\w+", of.removeprefix("JSON ").removeprefix("body")):
        part = part[int(name)] if name.isdigit() else part[name]
    return json.dumps(part) if of.startswith("JSON ") else str(part)
