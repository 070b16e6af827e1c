"""The request pipeline: methods, paths, headers, declared types, order of errors, and the link from an error to its explanation."""

import base64
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.web.operation import ErrorFormat
from mock_klarna.web.operations import OPERATIONS
from tests.web.connection import Connection

Json = dict[str, Any]
Connect = Callable[[], Connection]
BUTTONS = "/instantshopping/v1/buttons"
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
APIS = {operation.path: operation.api for operation in OPERATIONS}
METHODS = {
    path: sorted({method for operation in OPERATIONS if operation.path == path for method in operation.methods})
    for path in APIS
}


async def test_a_wrong_method_is_refused_with_the_allowed_ones(connect: Connect) -> None:
    for path, allowed in METHODS.items():
        served, rules = re.sub(r"\{\w+\}", "x", path), APIS[path].rules
        answered = {*allowed, *(["OPTIONS"] if rules.is_cross_origin else [])}
        media = "application/problem+json" if rules.error_format is ErrorFormat.PROBLEM_DETAILS else "application/json"
        async with connect() as connection:
            for method in sorted({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - answered):
                answer = await connection.ask(method, served)
                assert (answer.status, answer.headers.get("Allow")) == (405, ", ".join(allowed)), (method, path)
                assert answer.headers["Content-Type"] == media, (method, path)
            assert (await connection.ask("GET", "/_mock/health")).status == 200, path


@pytest.mark.parametrize(
    "path", ["/_mock/clock", "/_mock/ca.pem", "/_mock/health/", BUTTONS + "/{key}", BUTTONS + "/x"]
)
async def test_head_has_the_headers_of_get_and_no_body(connect: Connect, button: Json, path: str) -> None:
    served = path.replace("{key}", button["button_key"])
    async with connect() as connection:
        whole, head = await connection.ask("GET", served), await connection.ask("HEAD", served)
        assert (head.status, head.body) == (whole.status, b"")
        assert head.headers.keys() == whole.headers.keys()
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert (await connection.ask("GET", served)).status == whole.status


async def test_head_of_the_stream_has_only_headers(connect: Connect) -> None:
    async with connect() as connection:
        head = await connection.ask("HEAD", "/_mock/events")
        assert (head.status, head.headers["Content-Type"]) == (200, "text/event-stream")
        assert (await connection.ask("GET", "/_mock/clock")).status == 200


async def test_an_unknown_method_is_refused_in_json(connect: Connect) -> None:
    async with connect() as connection:
        answer = await connection.ask("BREW", BUTTONS)
        assert (answer.status, answer.json["error_code"]) == (400, "bad_request")


async def test_an_unknown_path_is_refused_with_the_known_ones(connect: Connect) -> None:
    for verb in ("GET", "POST", "OPTIONS"):
        for path in (
            "/",
            "/instantshopping",
            "/instantshopping/v1/button",
            "/instantshopping/v2/buttons",
            "//",
            "/x/%0d%0a/y",
        ):
            async with connect() as connection:
                answer = await connection.ask(verb, path, b"{}")
                assert (answer.status, answer.json["error_code"]) == (404, "not_found"), (verb, path)
                assert "/instantshopping/v1/buttons" in answer.json["error_message"], (verb, path)


async def test_header_names_are_spelled_as_klarnas_sdks_expect(connect: Connect) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with connect() as connection:
        answer = await connection.ask("POST", BUTTONS, body, Content_Type="application/json")
        assert answer.status == 201
        assert {"Content-Type", "Location", "Klarna-Correlation-Id", "Content-Length", "Date"} <= set(answer.headers)
        again = await connection.ask("GET", answer.headers["Location"], Content_Type="application/json")
        assert again.json == answer.json


async def test_every_answer_has_a_fresh_correlation_id_which_errors_repeat(connect: Connect) -> None:
    async with connect() as connection:
        answers = [await connection.ask("GET", path) for path in (BUTTONS, BUTTONS + "/x", "/unknown", BUTTONS)]
    ids = [answer.headers["Klarna-Correlation-Id"] for answer in answers]
    assert [answer.json["correlation_id"] for answer in answers] == ids
    assert all(UUID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert all(answer.json.keys() == {"error_code", "error_message", "correlation_id"} for answer in answers)


async def test_a_client_can_wait_for_100_continue(connect: Connect) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with connect() as connection:
        head = connection.head(
            f"POST {BUTTONS}", Content_Type="application/json", Content_Length=len(body), Expect="100-continue"
        )
        assert (await connection.answer(head)).status == 100
        assert (await connection.answer(body)).status == 201


@pytest.mark.parametrize(
    ("declared", "status"),
    [
        ("", 201),
        ("application/json", 201),
        ("application/json;charset=utf-8", 201),
        ("Application/JSON; charset=UTF-8", 201),
        ("application/vnd.klarna+json", 201),
        ("text/plain", 415),
        ("application/x-www-form-urlencoded", 415),
        ("application/json; charset=latin-1", 415),
        ("nonsense", 415),
        ("multipart/form-data", 415),
    ],
)
async def test_a_body_must_be_declared_as_json_or_not_declared(connect: Connect, declared: str, status: int) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with connect() as connection:
        answer = await connection.ask("POST", BUTTONS, body, Content_Type=declared)
        assert answer.status == status
        if status == 415:
            assert answer.json["error_code"] == "unsupported_media_type"
            assert "send" in answer.json["error_message"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_missing_body_is_reported_as_empty(
    connect: Connect, klarna: MockKlarnaAsync, button: Json, method: str
) -> None:
    path = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    async with connect() as connection:
        answer = await connection.ask(method, path, Content_Type="application/json")
        assert (answer.status, answer.json["error_message"]) == (400, "bad_value:body")
    (problem,) = (await klarna.journal(kind="exchange"))[-1]["problems"]
    assert "the body is empty" in problem["expected"]


async def test_an_error_links_to_a_journal_entry_with_all_problems(
    klarna: MockKlarnaAsync, token: str, order: Json, purchase: Json
) -> None:
    order["order_lines"][0]["total_tax_amount"] = 25000
    order["order_amount"] += 1
    del order["purchase_currency"]
    answer = await klarna.send("POST", token + "/orders", order)
    assert (answer.status, answer.body["error_message"]) == (400, "bad_value:purchase_currency")
    explanation = urlsplit(answer.headers["Mock-Klarna-Explanation"])
    assert f"{explanation.scheme}://{explanation.netloc}" == klarna.url
    entry = (await klarna.send("GET", explanation.path)).body
    assert [problem["path"] for problem in entry["problems"]] == [
        "purchase_currency",
        "order_lines[0].total_tax_amount",
        "order_amount",
    ]
    tax = entry["problems"][1]
    assert tax["json_path"] == "$.order_lines[0].total_tax_amount"
    assert (tax["value"], tax["expected"]) == (25000, "23800 (23799 to 23801)")
    assert "10000/(10000+2500) = 23800" in tax["formula"]
    assert entry["correlation_id"] == answer.body["correlation_id"]
    assert (entry["status"], entry["request_body"]["order_amount"]) == (400, order["order_amount"])
    assert entry["purchase_id"] == purchase["purchase_id"]


@pytest.mark.parametrize(
    ("path", "member"),
    [
        (f"{BUTTONS}/x", "error_message"),
        ("/ordermanagement/v1/orders/x", "error_messages"),
        ("/nowhere", "error_message"),
        ("/_mock/journal", "detail"),
        ("/_mock/nope", "detail"),
    ],
)
async def test_an_unknown_expectation_is_refused_in_the_format_of_the_api(
    connect: Connect, path: str, member: str
) -> None:
    async with connect() as connection:
        answer = await connection.ask("GET", path, Expect="foo")
        media = "application/problem+json" if member == "detail" else "application/json"
        assert (answer.status, answer.headers["Content-Type"]) == (417, media)
        assert "Expect is 'foo'; only 100-continue is known" in str(answer.json[member])
        if member != "detail":
            assert answer.json["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
            assert "Mock-Klarna-Explanation" in answer.headers
        assert (await connection.ask("GET", "/_mock/health")).status == 200


@pytest.mark.parametrize("path", [BUTTONS, "/_mock/reset", "/nowhere"])
async def test_every_api_sends_100_continue(connect: Connect, path: str) -> None:
    async with connect() as connection:
        head = connection.head(f"POST {path}", Expect="100-Continue", Content_Length=2, Content_Type="application/json")
        assert (await connection.answer(head)).status == 100
        assert (await connection.answer(b"{}")).status in (201, 204, 400, 404)


async def test_static_files_ignore_expectations(connect: Connect) -> None:
    async with connect() as connection:
        assert (await connection.ask("GET", "/instantshopping/lib/v1/lib.js", Expect="foo")).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_decompressed_is_refused_without_a_traceback(
    connect: Connect, klarna: MockKlarnaAsync, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    async with connect() as connection:
        answer = await connection.ask(
            "POST", BUTTONS, b"garbage", Content_Type="application/json", Content_Encoding=encoding
        )
        assert answer.status == 400
        assert await connection.reader.read() == b""
    (entry,) = await klarna.journal(name="create_button")
    assert entry["problems"][0]["value"] == f"Content-Encoding: {encoding}"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


async def test_an_unknown_path_of_the_sandbox_is_refused_with_the_known_ones(klarna: MockKlarnaAsync) -> None:
    for path in ("/_mock/nope", "/_mock/journal/1/2", "/_mock", "/_mock/orders/x/refund"):
        for who in ("", "Basic bWU6cw=="):
            for method in ("GET", "POST"):
                answer = await klarna.send(method, path, headers={"Authorization": who})
                assert (answer.status, answer.body["where"]) == (404, "path"), (method, who, path)
                assert f"no route for {path}" in answer.body["detail"], (method, who, path)
                assert "/_mock/journal, /_mock/journal/{seq}" in answer.body["hint"], (method, who, path)
                assert "/_mock/events" in answer.body["hint"], (method, who, path)


async def test_a_path_that_only_starts_like_a_sandbox_path_is_klarnas(klarna: MockKlarnaAsync) -> None:
    answer = await klarna.send("GET", "/_mockingbird")
    assert (answer.status, answer.body["error_code"]) == (404, "not_found")


ORDER = "/ordermanagement/v1/orders/00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "words"),
    [
        ("GET", "/instantshopping/v1/buttons/x", None, {"Authorization": ""}, 401, "no credentials were sent"),
        ("GET", "/instantshopping/v1/buttons/x", None, {}, 404, "button_key is not known"),
        ("PATCH", "/instantshopping/v1/buttons/x", None, {}, 405, "PATCH is not allowed here; use GET or HEAD or PUT"),
        ("POST", "/instantshopping/v1/buttons", {}, {"Content-Type": "text/plain"}, 415, "send application/json"),
        ("GET", "/nowhere", None, {}, 404, "no route for /nowhere"),
        ("GET", ORDER, None, {}, 404, ""),
        ("POST", f"{ORDER}/captures", {"captured_amount": 1}, {}, 404, ""),
    ],
)
async def test_every_error_links_to_its_explanation(
    klarna: MockKlarnaAsync, method: str, path: str, body: Any, headers: dict[str, str], status: int, words: str
) -> None:
    answer = await klarna.send(method, path, body, headers)
    explained = await explanation_of(klarna, answer)
    assert (answer.status, explained["status"], explained["path"]) == (status, status, path)
    assert words in explained["explanation"]


async def test_an_order_management_error_is_explained(klarna: MockKlarnaAsync, purchase: Json, order: Json) -> None:
    placed = await klarna.create_order(purchase["authorization_token"], order)
    path = f"/ordermanagement/v1/orders/{placed['order_id']}/captures"
    answer = await klarna.send("POST", path, {"captured_amount": order["order_amount"] + 1})
    explained = await explanation_of(klarna, answer)
    assert (answer.status, explained["explanation"]) == (403, answer.body["error_messages"][0])


async def test_a_requested_fault_is_explained_as_one(klarna: MockKlarnaAsync, token: str) -> None:
    await klarna.fault("request", status=503)
    answer = await klarna.send("GET", token)
    assert answer.status == 503
    assert (await explanation_of(klarna, answer))["explanation"] == "a fault was ordered for this request"


async def explanation_of(klarna: MockKlarnaAsync, answer: Any) -> Any:
    """Follow the header of a refusal to the journal."""
    url = urlsplit(answer.headers["Mock-Klarna-Explanation"])
    assert f"{url.scheme}://{url.netloc}" == klarna.url
    return (await klarna.send("GET", url.path)).body


async def test_a_success_has_no_explanation(klarna: MockKlarnaAsync, token: str) -> None:
    assert "Mock-Klarna-Explanation" not in (await klarna.send("GET", token)).headers


AUTHORIZATIONS = "/instantshopping/v1/authorizations"
OTHER_MERCHANT = {"Authorization": "Basic " + base64.b64encode(b"other:secret").decode()}


@pytest.mark.parametrize(("method", "tail", "body"), [("POST", "/orders", {}), ("DELETE", "", {"deny_code": 5})])
async def test_an_error_of_the_token_precedes_an_error_of_the_body(
    klarna: MockKlarnaAsync, purchase: Any, method: str, tail: str, body: Any
) -> None:
    path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}{tail}"
    assert (await klarna.send(method, path, body, OTHER_MERCHANT)).status == 403
    assert (await klarna.send(method, f"{AUTHORIZATIONS}/unknown{tail}", body)).status == 404
    assert (await klarna.send(method, path, body)).status == 400


async def test_an_error_of_the_key_precedes_an_error_of_the_options(klarna: MockKlarnaAsync, button: Any) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    assert (await klarna.send("PUT", path, {"locale": 5}, OTHER_MERCHANT)).status == 403
    assert (await klarna.send("PUT", path, {"locale": 5})).status == 400


async def test_a_requested_status_has_klarnas_error_body(klarna: MockKlarnaAsync) -> None:
    await klarna.fault("request", status=503)
    answer = await klarna.send("GET", "/instantshopping/v1/buttons/x")
    assert (answer.status, answer.body["error_code"]) == (503, "mock_fault")
    assert answer.body["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
