"""Errors as responses: problem details for our own APIs, Klarna's bodies for Klarna's."""

import errno
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from mock_klarna import MockKlarnaAsync, Settings, resources
from mock_klarna.errors import TYPE_BASE
from mock_klarna.validation import Validator
from mock_klarna.web.errors import PROBLEM_TYPES, error_response
from mock_klarna.web.operation import ErrorFormat
from mock_klarna.web.request import ApiRequest
from tests.web.connection import Connection

Json = dict[str, Any]
Connect = Callable[[], Connection]
SESSIONS = "/instantshopping/sdk/sessions"


def schema(name: str) -> Any:
    return json.loads((resources.schemas() / "components" / f"{name}.json").read_bytes())


def test_every_problem_type_is_in_the_schema() -> None:
    types = schema("problem_details")["properties"]["type"]["enum"]
    assert types == [TYPE_BASE + name for name, _ in PROBLEM_TYPES.values()]


@pytest.mark.parametrize("error_format", ErrorFormat)
@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE])
def test_an_error_for_want_of_file_descriptors_is_no_bug(error_format: ErrorFormat, number: int) -> None:
    request = ApiRequest(make_mocked_request("GET", "/_mock/scenarios"))
    response = error_response(OSError(number, "too many"), error_format, request, "list_scenarios", Settings())
    assert (response.status, response.headers["Retry-After"]) == (503, "1")
    assert b"no free file descriptors" in response.body


@pytest.mark.parametrize(
    ("method", "path", "body", "headers", "status"),
    [
        ("GET", "/_mock/journal?limit=x", b"", {}, 400),
        ("POST", "/_mock/clock", b"{}", {}, 400),
        ("POST", "/_mock/clock", b"{", {}, 400),
        ("GET", "/_mock/orders/x", b"", {}, 404),
        ("GET", "/_mock/nope", b"", {}, 404),
        ("GET", f"{SESSIONS}/x", b"", {}, 404),
        ("GET", "/instantshopping/sdk/nope", b"", {}, 404),
        ("PUT", "/_mock/clock", b"{}", {}, 405),
        ("PUT", SESSIONS, b"{}", {}, 405),
        ("POST", "/_mock/clock", b"{}", {"Content_Type": "text/plain"}, 415),
        ("GET", "/_mock/clock", b"", {"Expect": "foo"}, 417),
    ],
)
async def test_an_error_of_our_own_apis_is_problem_details(
    connect: Connect, method: str, path: str, body: bytes, headers: dict[str, str], status: int
) -> None:
    async with connect() as connection:
        answer = await connection.ask(method, path, body, **headers)
    assert (answer.status, answer.headers["Content-Type"]) == (status, "application/problem+json")
    name, title = PROBLEM_TYPES[status]
    problem = answer.json
    assert (problem["type"], problem["title"], problem["status"]) == (TYPE_BASE + name, title, status)
    assert problem["detail"]
    assert problem.keys() <= schema("problem_details")["properties"].keys()


async def test_the_documented_example_is_answered(klarna: MockKlarnaAsync) -> None:
    page = (Path(__file__).parents[2] / "docs" / "http-api.md").read_text(encoding="utf-8")
    example = page.partition("`shoper` is answered:\n\n```json\n")[2].partition("```")[0]
    answer = await klarna.send("POST", "/_mock/purchases", {"shoper": "se-approved"})
    assert answer.body == json.loads(example)


async def test_problem_details_list_every_problem_with_its_value(klarna: MockKlarnaAsync) -> None:
    answer = await klarna.send("POST", "/_mock/faults", {"on": "request", "status": 1, "times": 0})
    assert answer.status == 400
    assert answer.body["where"] == "body"
    found = {problem["path"]: problem for problem in answer.body["errors"]}
    assert (found["status"]["value"], found["times"]["value"]) == (1, 0)
    assert all(problem.keys() == schema("problem")["properties"].keys() for problem in found.values())
    assert answer.body["detail"] == f"{answer.body['errors'][0]['path']} is not valid ({found['status']['rule']})"


@pytest.mark.parametrize(
    ("path", "members"),
    [
        ("/instantshopping/nope", {"error_code", "error_message", "correlation_id"}),
        ("/nope", {"error_code", "error_message", "correlation_id"}),
        ("/ordermanagement/nope", {"error_code", "error_messages", "correlation_id"}),
        ("/customer-token/v1/nope", {"error_code", "error_messages", "correlation_id"}),
        ("/payments/v1", {"error_code", "error_messages", "correlation_id"}),
    ],
)
async def test_an_unknown_path_has_the_error_format_of_its_api(
    klarna: MockKlarnaAsync, path: str, members: set[str]
) -> None:
    answer = await klarna.send("GET", path)
    assert (answer.status, answer.body.keys()) == (404, members)
    assert f"no route for {path}" in str(answer.body)


class TestBug:
    @pytest.fixture
    def mock_klarna_settings(self, monkeypatch: pytest.MonkeyPatch) -> Settings:
        def fail(*_: Any, **__: Any) -> None:
            raise ZeroDivisionError("division by zero")

        monkeypatch.setattr(Validator, "check", fail)
        return Settings(port=0)

    @pytest.fixture
    def klarna(self, mock_klarna_async: MockKlarnaAsync) -> MockKlarnaAsync:
        return mock_klarna_async

    @pytest.mark.parametrize(
        ("path", "media", "member"),
        [
            ("/_mock/clock", "application/problem+json", "detail"),
            ("/instantshopping/v1/buttons", "application/json", "error_message"),
            ("/customer-token/v1/tokens/x/order", "application/json", "error_messages"),
        ],
    )
    async def test_an_exception_is_a_500_that_says_it_is_a_bug(
        self, klarna: MockKlarnaAsync, caplog: pytest.LogCaptureFixture, path: str, media: str, member: str
    ) -> None:
        answer = await klarna.send("POST", path, {})
        assert (answer.status, answer.headers["Content-Type"]) == (500, media)
        assert "a bug in mock-klarna: ZeroDivisionError; its log has the details" in str(answer.body[member])
        assert "division by zero" in caplog.text
