"""HTTP itself: verbs, paths, headers on the wire, declared types, and the way from a refusal to its explanation."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from mock_klarna.pytest_plugin.api import MockKlarnaAsync
from mock_klarna.web.operation import ErrorFormat
from mock_klarna.web.operations import OPERATIONS
from tests.cases import in_turn
from tests.web.wire import Wire

Json = dict[str, Any]
Open = Callable[[], Wire]
BUTTONS = "/instantshopping/v1/buttons"
UUID = re.compile("[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
APIS = {operation.path: operation.api for operation in OPERATIONS}
METHODS = {
    path: sorted({method for operation in OPERATIONS if operation.path == path for method in operation.methods})
    for path in APIS
}


@in_turn("path", METHODS)
async def test_a_wrong_method_is_refused_with_the_allowed_ones(wire: Open, path: str) -> None:
    served, rules = re.sub(r"\{\w+\}", "x", path), APIS[path].rules
    answered = {*METHODS[path], *(["OPTIONS"] if rules.is_cross_origin else [])}
    media = "application/problem+json" if rules.error_format is ErrorFormat.PROBLEM_DETAILS else "application/json"
    async with wire() as line:
        for method in sorted({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "TRACE"} - answered):
            answer = await line.ask(method, served)
            assert (method, answer.status, answer.headers.get("Allow")) == (method, 405, ", ".join(METHODS[path]))
            assert answer.headers["Content-Type"] == media
        assert (await line.ask("GET", "/_mock/health")).status == 200


@pytest.mark.parametrize(
    "path", ["/_mock/clock", "/_mock/ca.pem", "/_mock/health/", BUTTONS + "/{key}", BUTTONS + "/x"]
)
async def test_head_is_answered_as_get_is_without_the_body(wire: Open, button: Json, path: str) -> None:
    served = path.replace("{key}", button["button_key"])
    async with wire() as line:
        whole, head = await line.ask("GET", served), await line.ask("HEAD", served)
        assert (head.status, head.body) == (whole.status, b"")
        assert head.headers.keys() == whole.headers.keys()
        assert head.headers["Content-Type"] == whole.headers["Content-Type"]
        assert (await line.ask("GET", served)).status == whole.status


async def test_head_of_the_stream_ends_with_its_headers(wire: Open) -> None:
    async with wire() as line:
        head = await line.ask("HEAD", "/_mock/events")
        assert (head.status, head.headers["Content-Type"]) == (200, "text/event-stream")
        assert (await line.ask("GET", "/_mock/clock")).status == 200


async def test_a_verb_that_does_not_exist_is_refused_in_json(wire: Open) -> None:
    async with wire() as line:
        answer = await line.ask("BREW", BUTTONS)
        assert (answer.status, answer.json["error_code"]) == (400, "bad_request")


@in_turn("verb", ["GET", "POST", "OPTIONS"])
@in_turn(
    "path",
    ["/", "/instantshopping", "/instantshopping/v1/button", "/instantshopping/v2/buttons", "//"],
)
async def test_an_unknown_path_is_told_the_known_ones(wire: Open, verb: str, path: str) -> None:
    async with wire() as line:
        answer = await line.ask(verb, path, b"{}")
        assert (answer.status, answer.json["error_code"]) == (404, "not_found")
        assert "/instantshopping/v1/buttons" in answer.json["error_message"]


async def test_header_names_are_spelled_as_klarnas_sdks_look_them_up(wire: Open) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with wire() as line:
        answer = await line.ask("POST", BUTTONS, body, Content_Type="application/json")
        assert answer.status == 201
        assert {"Content-Type", "Location", "Klarna-Correlation-Id", "Content-Length", "Date"} <= set(answer.headers)
        again = await line.ask("GET", answer.headers["Location"], Content_Type="application/json")
        assert again.json == answer.json


async def test_every_answer_has_a_correlation_id_of_its_own_and_errors_repeat_it(wire: Open) -> None:
    async with wire() as line:
        answers = [await line.ask("GET", path) for path in (BUTTONS, BUTTONS + "/x", "/unknown", BUTTONS)]
    ids = [answer.headers["Klarna-Correlation-Id"] for answer in answers]
    assert [answer.json["correlation_id"] for answer in answers] == ids
    assert all(UUID.fullmatch(one) for one in ids)
    assert len(set(ids)) == len(ids)
    assert all(answer.json.keys() == {"error_code", "error_message", "correlation_id"} for answer in answers)


async def test_a_body_is_sent_after_the_server_said_continue(wire: Open) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with wire() as line:
        head = line.head(
            f"POST {BUTTONS}", Content_Type="application/json", Content_Length=len(body), Expect="100-continue"
        )
        assert (await line.answer(head)).status == 100
        assert (await line.answer(body)).status == 201


@in_turn(
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
async def test_a_body_is_declared_as_json_or_not_at_all(wire: Open, declared: str, status: int) -> None:
    body = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'
    async with wire() as line:
        answer = await line.ask("POST", BUTTONS, body, Content_Type=declared)
        assert answer.status == status
        if status == 415:
            assert answer.json["error_code"] == "unsupported_media_type"
            assert "send" in answer.json["error_message"]


@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_a_missing_body_is_told_that_it_is_empty(
    wire: Open, klarna: MockKlarnaAsync, button: Json, method: str
) -> None:
    path = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    async with wire() as line:
        answer = await line.ask(method, path, Content_Type="application/json")
        assert (answer.status, answer.json["error_message"]) == (400, "bad_value:body")
    (problem,) = (await klarna.journal(kind="exchange"))[-1]["problems"]
    assert "the body is empty" in problem["expected"]


async def test_a_refusal_leads_to_all_of_its_problems(
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
async def test_an_expectation_that_nobody_can_meet_is_refused_as_everything_is(
    wire: Open, path: str, member: str
) -> None:
    async with wire() as line:
        answer = await line.ask("GET", path, Expect="foo")
        media = "application/problem+json" if member == "detail" else "application/json"
        assert (answer.status, answer.headers["Content-Type"]) == (417, media)
        assert "Expect is 'foo'; only 100-continue is known" in str(answer.json[member])
        if member != "detail":
            assert answer.json["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
            assert "Mock-Klarna-Explanation" in answer.headers
        assert (await line.ask("GET", "/_mock/health")).status == 200


@pytest.mark.parametrize("path", [BUTTONS, "/_mock/reset", "/nowhere"])
async def test_who_asks_first_is_told_to_go_on(wire: Open, path: str) -> None:
    async with wire() as line:
        head = line.head(f"POST {path}", Expect="100-Continue", Content_Length=2, Content_Type="application/json")
        assert (await line.answer(head)).status == 100
        assert (await line.answer(b"{}")).status in (201, 204, 400, 404)


async def test_a_page_needs_no_expectations(wire: Open) -> None:
    async with wire() as line:
        assert (await line.ask("GET", "/instantshopping/lib/v1/lib.js", Expect="foo")).status == 200


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_a_body_that_cannot_be_unpacked_is_told_and_leaves_no_traceback(
    wire: Open, klarna: MockKlarnaAsync, caplog: pytest.LogCaptureFixture, encoding: str
) -> None:
    async with wire() as line:
        answer = await line.ask("POST", BUTTONS, b"garbage", Content_Type="application/json", Content_Encoding=encoding)
        assert answer.status == 400
        assert await line.reader.read() == b""
    (told,) = await klarna.journal(name="create_button")
    assert told["problems"][0]["value"] == f"Can not decode content-encoding: {encoding}"
    assert [record.getMessage() for record in caplog.records if record.levelname == "ERROR"] == []


@pytest.mark.parametrize("path", ["/_mock/nope", "/_mock/journal/1/2", "/_mock", "/_mock/orders/x/refund"])
@pytest.mark.parametrize("who", ["", "Basic bWU6cw=="])
@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_an_unknown_path_of_the_sandbox_is_told_which_there_are(
    klarna: MockKlarnaAsync, path: str, who: str, method: str
) -> None:
    answer = await klarna.send(method, path, headers={"Authorization": who})
    assert (answer.status, answer.body["where"]) == (404, "path")
    assert f"no route for {path}" in answer.body["detail"]
    assert "/_mock/journal, /_mock/journal/{seq}" in answer.body["hint"]
    assert "/_mock/events" in answer.body["hint"]


async def test_a_path_that_only_begins_like_the_sandboxs_is_klarnas(klarna: MockKlarnaAsync) -> None:
    answer = await klarna.send("GET", "/_mockingbird")
    assert (answer.status, answer.body["error_code"]) == (404, "not_found")


ORDER = "/ordermanagement/v1/orders/00000000-0000-4000-8000-000000000001"


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status", "words"),
    [
        ("GET", "/instantshopping/v1/buttons/x", None, {"Authorization": ""}, 401, "no credentials were sent"),
        ("GET", "/instantshopping/v1/buttons/x", None, {}, 404, "button_key is not known"),
        ("PATCH", "/instantshopping/v1/buttons/x", None, {}, 405, "PATCH is not possible here"),
        ("POST", "/instantshopping/v1/buttons", {}, {"Content-Type": "text/plain"}, 415, "send application/json"),
        ("GET", "/nowhere", None, {}, 404, "no route for /nowhere"),
        ("GET", ORDER, None, {}, 404, ""),
        ("POST", f"{ORDER}/captures", {"captured_amount": 1}, {}, 404, ""),
    ],
)
async def test_every_refusal_leads_to_the_words_that_explain_it(
    klarna: MockKlarnaAsync, method: str, path: str, body: Any, headers: dict[str, str], status: int, words: str
) -> None:
    answer = await klarna.send(method, path, body, headers)
    explained = await explanation_of(klarna, answer)
    assert (answer.status, explained["status"], explained["path"]) == (status, status, path)
    assert words in explained["explanation"]


async def test_the_refusal_of_an_order_of_another_state_is_explained_too(
    klarna: MockKlarnaAsync, purchase: Json, order: Json
) -> None:
    placed = await klarna.create_order(purchase["authorization_token"], order)
    path = f"/ordermanagement/v1/orders/{placed['order_id']}/captures"
    answer = await klarna.send("POST", path, {"captured_amount": order["order_amount"] + 1})
    explained = await explanation_of(klarna, answer)
    assert (answer.status, explained["explanation"]) == (403, answer.body["error_messages"][0])


async def test_a_fault_that_was_ordered_is_explained_as_one(klarna: MockKlarnaAsync, token: str) -> None:
    await klarna.fault("request", status=503)
    answer = await klarna.send("GET", token)
    assert answer.status == 503
    assert (await explanation_of(klarna, answer))["explanation"] == "a fault was ordered for this request"


async def explanation_of(klarna: MockKlarnaAsync, answer: Any) -> Any:
    """Follow the header of a refusal to the journal."""
    url = urlsplit(answer.headers["Mock-Klarna-Explanation"])
    assert f"{url.scheme}://{url.netloc}" == klarna.url
    return (await klarna.send("GET", url.path)).body


async def test_what_is_right_needs_no_explanation(klarna: MockKlarnaAsync, token: str) -> None:
    assert "Mock-Klarna-Explanation" not in (await klarna.send("GET", token)).headers
