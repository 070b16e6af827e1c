"""The OpenAPI document: valid, and neither more nor less than what is served."""

import json
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator

from mock_klarna import MockKlarnaAsync, resources
from mock_klarna.validation import Validator
from mock_klarna.web.operations import OPERATIONS

Json = dict[str, Any]


@pytest.fixture
async def document(klarna: MockKlarnaAsync) -> Any:
    return (await klarna.send("GET", "/_mock/openapi.json")).body


async def test_the_document_is_valid(document: Json) -> None:
    assert [error.message for error in OpenAPIV31SpecValidator(document).iter_errors()] == []
    assert document["openapi"].startswith("3.1")


async def test_every_operation_is_described_once(document: Json) -> None:
    described = {
        entry["operationId"]: (method.upper(), path)
        for path, methods in document["paths"].items()
        for method, entry in methods.items()
    }
    rows = {row.name: (row.method, row.path) for row in OPERATIONS}
    assert rows.items() <= described.items()


async def test_every_body_is_described(document: Json) -> None:
    for row in OPERATIONS:
        entry = document["paths"][row.path][row.method.lower()]
        assert ("requestBody" in entry) == bool(row.body), row.name
        if row.body:
            assert entry["requestBody"].get("required", False) == (row.body != "optional")


async def test_responses_that_are_not_json_have_their_media_type(document: Json) -> None:
    media = {
        path: set(document["paths"][path]["get"]["responses"]["200"]["content"])
        for path in document["paths"]
        if "get" in document["paths"][path]
    }
    assert media.pop("/_mock/events") == {"text/event-stream"}
    assert media.pop("/_mock/purchases/{purchase_id}") == {"application/json", "text/plain"}
    assert media.pop("/_mock/ca.pem") == {"application/x-pem-file"}
    assert set().union(*media.values()) == {"application/json"}


async def test_the_empty_array_of_php_is_described_where_it_is_accepted(
    klarna: MockKlarnaAsync, document: Json
) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["options"]["type"] == ["object", "array"]
    assert schemas["options"]["maxItems"] == 0
    assert schemas["order_line"]["type"] == "object"
    urls = {"place_order": "https://shop.example/place"}
    taken = await klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls, "options": []})
    refused = await klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls, "order_lines": [[]]})
    assert (taken.status, refused.status) == (201, 400)


async def test_every_request_schema_is_the_body_of_an_operation(document: Json) -> None:
    files = {file.stem for file in (resources.schemas() / "requests").glob("*.json")}
    bodies = [
        entry["requestBody"]
        for methods in document["paths"].values()
        for entry in methods.values()
        if "requestBody" in entry
    ]
    assert files == {reference.rpartition(".")[2] for reference in _references(bodies)}


async def test_every_reference_can_be_resolved(document: Json) -> None:
    for reference in _references(document):
        target = document
        for step in reference.removeprefix("#/").split("/"):
            target = target[step]
        assert target


def _references(part: Any) -> set[str]:
    text = json.dumps(part)
    return {piece.partition('"')[0] for piece in text.split('"$ref": "')[1:]}


def test_messages_cite_no_documents() -> None:
    problems = Validator().check("create_button", {})[1]
    texts = [problem.expected for problem in problems] + [operation.summary for operation in OPERATIONS]
    assert not [text for text in texts if "(klarna.md" in text or "(C-" in text or "(guide" in text]
