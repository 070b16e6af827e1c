"""The rules of HTTP."""

import pytest

from tests.certify.results import outcome_of, outcomes
from tests.certify.samples import (
    ORDER,
    Journal,
)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        (f"{ORDER}?x=1a1b1c1d-1111-4222-8333-a4152346356b", "passed"),
        (f"{ORDER}?id=19710101-1234", "passed"),
        (f"{ORDER}?id=710101-1234", "failed"),
        (f"{ORDER}?id=7101011234", "failed"),
        (f"{ORDER}?id=010171-1234", "failed"),
        (f"{ORDER}?order_number=1000012345", "passed"),
        (f"{ORDER}?at=1790000000", "passed"),
        (f"{ORDER}?mail=sara@example.com", "failed"),
    ],
)
def test_ids_are_not_taken_for_personal_data(path: str, outcome: str) -> None:
    assert outcome_of("T3", Journal().sent("get_managed_order", path, method="GET")) == outcome


@pytest.mark.parametrize(("header", "outcome"), [("AUTHORIZATION", "failed"), ("Content-Type", "passed")])
def test_answers_to_callbacks_have_no_credentials(header: str, outcome: str) -> None:
    journal = Journal().called("push", None, answer_headers=[[header, "Basic dTpw"]])
    assert outcomes(journal)["T3"] == outcome


def test_a_user_agent_names_more_than_libraries() -> None:
    for agent, outcome in (
        ("ExampleShop/2.4", "passed"),
        ("JavaShop/1.0", "passed"),
        ("4wheels/1.0", "passed"),
        ("PHPShop/4.2 (Linux)", "passed"),
        ("Python/3.11 aiohttp/3.9 ExampleShop/2.4", "passed"),
        ("WordPress/6.4; https://shop.example.com", "passed"),
        ("", "failed"),
        ("node", "failed"),
        ("Ruby", "failed"),
        ("python-requests/2.32.3", "failed"),
        ("Python/3.11 aiohttp/3.9.1", "failed"),
        ("GuzzleHttp/6.5.5 curl/7.68.0 PHP/7.4.3", "failed"),
        ("Symfony HttpClient (Curl)", "failed"),
        ("Apache-HttpClient/4.5.14 (Java/17.0.9)", "failed"),
        ("Java-http-client/17.0.9", "failed"),
        ("node-fetch/1.0 (+https://github.com/node-fetch/node-fetch)", "failed"),
        ("Faraday v2.7.4", "failed"),
        ("Go-http-client/2.0", "failed"),
        ("Dart/3.2 (dart:io)", "failed"),
    ):
        assert outcome_of("T1", Journal().sent("get_managed_order", ORDER, headers={"User-Agent": agent})) == outcome, (
            agent
        )
