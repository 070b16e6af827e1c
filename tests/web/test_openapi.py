"""The OpenAPI document: valid, and what it describes is what is served."""

import json
from collections.abc import Callable
from typing import Any

import orjson
import pytest

from mock_klarna import MockKlarnaAsync, resources
from mock_klarna.domain.callbacks import DELIVERY_STATES
from mock_klarna.domain.customer_token import STATUSES
from mock_klarna.domain.purchase import PURCHASE_TRANSITIONS
from mock_klarna.validation import Validator
from mock_klarna.web.operation import ANY_OBJECT
from mock_klarna.web.operations import OPERATIONS
from mock_klarna.web.request import JSON
from tests.fuzz.answers import Answer, Document

Json = dict[str, Any]


@pytest.fixture
async def document(klarna: MockKlarnaAsync) -> Any:
    return (await klarna.send("GET", "/_mock/openapi.json")).body


async def test_the_document_is_valid(document: Json) -> None:
    from openapi_spec_validator import OpenAPIV31SpecValidator  # takes long, and every worker imports this module

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


def test_every_json_answer_has_a_component() -> None:
    answers = {row.name: dict(row.answers).values() for row in OPERATIONS if row.media == JSON}
    assert [name for name, described in answers.items() if ANY_OBJECT in described] == ["openapi", "sdk_problem"]


async def test_the_answers_of_a_purchase_and_its_order_are_as_described(
    klarna: MockKlarnaAsync, document: Json, purchase: Json, page: Callable[[str], Any]
) -> None:
    described, checked = Document(document), set[str]()

    async def send(method: str, path: str, body: Any = None) -> Any:
        answer = await klarna.send(method, path, body)
        operation = described.find(method, path)
        assert operation is not None
        headers = {name.lower(): value for name, value in answer.headers.items()}
        raw = b"" if answer.body is None else orjson.dumps(answer.body)
        assert answer.status < 400, answer.body
        assert described.fault(operation, Answer(answer.status, headers, raw), method) == "", path
        checked.add(operation.name)
        return answer.body

    await klarna.wait_for("place_order", within=60)
    placed = await send("POST", "/_mock/orders", {"page": page("se-battery-pack"), "outcome": "PENDING"})
    order = f"/_mock/orders/{placed['order_id']}"
    await send("POST", f"{order}/decision", {"fraud_status": "ACCEPTED"})
    await send("POST", f"{order}/close")
    await send("POST", "/_mock/faults", {"on": "callback", "operation": "push", "twice": True, "times": 2})
    await send("POST", "/_mock/clock", {"advance": 1})
    callback = (await send("GET", "/_mock/callbacks"))["callbacks"][0]["callback_id"]
    entry = (await send("GET", "/_mock/journal"))["entries"][-1]["seq"]
    await klarna.send("POST", "/instantshopping/v1/buttons", {})
    kept = "/_mock/snapshots/described"
    for method, path, body in (
        ("POST", "/_mock/callbacks", {"purchase_id": purchase["purchase_id"]}),
        ("POST", f"/_mock/callbacks/{callback}/resend", {"change": {"order.locale": None}}),
        ("PUT", kept, None),
        ("POST", f"{kept}/load", {"as_merchant": "described"}),
        ("GET", kept, None),
        ("GET", "/_mock/snapshots", None),
        ("DELETE", kept, None),
    ):
        await send(method, path, body)
    await send("POST", "/_mock/purchases", {"page": page("se-battery-pack"), "wait": 0})
    for path in (
        "purchases",
        f"purchases/{purchase['purchase_id']}",
        f"purchases/{purchase['purchase_id']}/export.har",
        f"purchases/{purchase['purchase_id']}/page-calls",
        f"orders/{placed['order_id']}",
        "orders",
        "faults",
        "health",
        "clock",
        f"callbacks/{callback}",
        f"journal/{entry}",
        "shoppers",
        "scenarios",
        "snapshot",
        "findings",
        "refusals",
        "merchants",
        "settings",
        "jobs",
    ):
        await send("GET", f"/_mock/{path}")
    button = await klarna.create_button(merchant_urls={"create_customer_token": "http://127.0.0.1:1/t"})
    subscription = await klarna.purchase(button_key=button["button_key"], page=page("se-battery-pack"), wait=0)
    created = await klarna.create_token(subscription["authorization_token"])
    token = f"/_mock/customer-tokens/{created['token_id']}"
    await send("GET", token)
    await send("POST", f"{token}/status", {"status": "SUSPENDED"})
    options = {"options": {"setup": {"key": purchase["button_key"], "instance_id": 1}, **page("se-variations")}}
    await send("POST", "/instantshopping/sdk/load", options)
    await send("POST", "/instantshopping/sdk/load", {"options": {"locale": 1}})
    session = (
        f"/instantshopping/sdk/sessions/{(await send('POST', '/instantshopping/sdk/sessions', options))['session_id']}"
    )
    await send("GET", "/instantshopping/sdk/shoppers")
    await send("POST", "/instantshopping/sdk/problems", {"message": "no container"})
    await send("GET", session)
    await send("POST", f"{session}/draft", {"values": {"email": "a"}})
    await send("POST", f"{session}/identify", {"shopper": "se-approved"})
    await send("POST", f"{session}/specify", {"product_attributes": {"clr": "blue", "size": "m"}})
    await send("POST", f"{session}/shipping", {"id": "post_nord"})
    await send("POST", f"{session}/checkboxes", {"answers": {}})
    await send("POST", f"{session}/update", {"options": {"merchant_reference1": "a"}})
    await send("POST", f"{session}/pay", {})
    await send("GET", f"{session}/wait?seconds=0")
    await send("GET", f"{session}/timeline")
    unchecked = {
        "authority",
        "openapi",
        "events",
        "export_html",
        "clear_faults",
        "reset",
        "put_snapshot",
        "run_scenario",
    }
    ours = {row.name for row in OPERATIONS if row.path.startswith(("/_mock", "/instantshopping/sdk"))}
    assert ours - checked == unchecked


@pytest.mark.parametrize(
    ("component", "member", "values"),
    [
        ("purchase", "state", PURCHASE_TRANSITIONS),
        ("session", "state", PURCHASE_TRANSITIONS),
        ("callback_summary", "state", DELIVERY_STATES),
        ("stored_token", "status", STATUSES),
    ],
)
async def test_answers_list_the_values_of_the_code(document: Json, component: str, member: str, values: Any) -> None:
    assert document["components"]["schemas"][component]["properties"][member]["enum"] == list(values)


async def test_responses_that_are_not_json_have_their_media_type(document: Json) -> None:
    media = {
        path: set(document["paths"][path]["get"]["responses"]["200"]["content"])
        for path in document["paths"]
        if "get" in document["paths"][path]
    }
    assert media.pop("/_mock/events") == {"text/event-stream"}
    assert media.pop("/_mock/purchases/{purchase_id}") == {"application/json", "text/plain"}
    assert media.pop("/_mock/purchases/{purchase_id}/export.html") == {"text/html"}
    assert media.pop("/_mock/ca.pem") == {"application/x-pem-file"}
    assert set().union(*media.values()) == {"application/json"}


async def test_the_empty_array_of_php_is_described_where_it_is_accepted(
    klarna: MockKlarnaAsync, document: Json
) -> None:
    schemas = document["components"]["schemas"]
    assert schemas["options"]["type"] == ["object", "array"]
    assert schemas["options"]["maxItems"] == 0
    assert schemas["order_line"]["type"] == "object"
    assert schemas["session"]["properties"]["options"]["type"] == "object"  # only answers have it
    urls = {"place_order": "https://shop.example/place"}
    taken = await klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls, "options": []})
    refused = await klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls, "order_lines": [[]]})
    assert (taken.status, refused.status) == (201, 400)


async def test_objects_of_the_sandboxs_own_requests_are_no_arrays(klarna: MockKlarnaAsync, document: Json) -> None:
    schemas = document["components"]["schemas"]
    closed = {name for name, schema in schemas.items() if schema.get("additionalProperties") is False}
    assert {"requests.reset", "requests.create_purchase", "requests.load_snapshot", "requests.set_clock"} <= closed
    assert {name for name in closed if schemas[name].get("maxItems") == 0} == set()
    assert schemas["requests.sdk_draft"]["properties"]["values"]["type"] == "object"
    assert (await klarna.send("POST", "/_mock/reset", [])).status == 400


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
