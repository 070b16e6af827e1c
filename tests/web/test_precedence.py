"""Which fault is told first, and where else it is told."""

import base64
import logging
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync

AUTHORIZATIONS = "/instantshopping/v1/authorizations"
STRANGER = {"Authorization": "Basic " + base64.b64encode(b"stranger:secret").decode()}


@pytest.mark.parametrize(("method", "tail", "body"), [("POST", "/orders", {}), ("DELETE", "", {"deny_code": 5})])
async def test_whose_token_it_is_comes_before_what_is_wrong_with_the_body(
    klarna: MockKlarnaAsync, purchase: Any, method: str, tail: str, body: Any
) -> None:
    path = f"{AUTHORIZATIONS}/{purchase['authorization_token']}{tail}"
    assert (await klarna.send(method, path, body, STRANGER)).status == 403
    assert (await klarna.send(method, f"{AUTHORIZATIONS}/nobodys{tail}", body)).status == 404
    assert (await klarna.send(method, path, body)).status == 400


async def test_whose_key_it_is_comes_before_what_is_wrong_with_the_options(
    klarna: MockKlarnaAsync, button: Any
) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    assert (await klarna.send("PUT", path, {"locale": 5}, STRANGER)).status == 403
    assert (await klarna.send("PUT", path, {"locale": 5})).status == 400


async def test_a_page_names_its_key_in_setup(klarna: MockKlarnaAsync, button: Any, page: Callable[[str], Any]) -> None:
    await klarna.create_button(merchant_urls=button["merchant_urls"])
    older = {**page("se-battery-pack"), "setup": {"key": button["button_key"]}}
    assert (await klarna.purchase(page=older, wait=0))["button_key"] == button["button_key"]
    unknown = {**older, "setup": {"key": "nonsense"}}
    answer = await klarna.send("POST", "/_mock/purchases", {"page": unknown})
    assert (answer.status, answer.body["where"]) == (404, "button_key")


async def test_an_ordered_status_has_the_shape_of_klarnas_errors(klarna: MockKlarnaAsync) -> None:
    await klarna.fault("request", status=503)
    answer = await klarna.send("GET", "/instantshopping/v1/buttons/x")
    assert (answer.status, answer.body["error_code"]) == (503, "mock_fault")
    assert answer.body["correlation_id"] == answer.headers["Klarna-Correlation-Id"]


async def test_the_log_tells_why_a_shop_hears_nothing(
    klarna: MockKlarnaAsync, purchase: Any, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.WARNING, "mock_klarna.callbacks"):
        (callback,) = await klarna.callbacks(purchase_id=purchase["purchase_id"])
        await klarna.resend(callback["callback_id"])
    assert f"place_order of {klarna.merchant} to http://127.0.0.1:1/place-order: refused" in caplog.text


def test_nobody_is_pointed_at_documents_that_they_do_not_have() -> None:
    from mock_klarna.validation import Validator
    from mock_klarna.web.operations import OPERATIONS

    problems = Validator().check("create_button", {})[1]
    said = [problem.expected for problem in problems] + [operation.summary for operation in OPERATIONS]
    assert not [text for text in said if "(protocol" in text or "(C-" in text or "(seed" in text]
