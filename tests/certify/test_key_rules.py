"""The rules of button keys and pages."""

import pytest

from mock_klarna.certify import judge
from tests.certify.results import BY_ID, outcomes, sent_by_a_test
from tests.certify.samples import (
    URLS,
    Journal,
)


@pytest.mark.parametrize("country", ["US", "GB"])
def test_missing_push_urls_are_an_error_where_they_are_required(country: str) -> None:
    journal = Journal().button(merchant_urls={"terms": "https://shop.example.com"})
    (result,) = judge(journal.authorized(purchase_country=country).posted().traffic(), [BY_ID["K3"]])
    assert [finding.severity for finding in result.findings] == ["error"]


@pytest.mark.parametrize(
    "url", ["http://localhost:3000/p", "http://shop:3000/p", "http://10.0.0.7/p", "http://[::1]/p"]
)
def test_urls_of_test_machines_are_not_judged(url: str) -> None:
    journal = Journal().button(merchant_urls={"place_order": url})
    assert outcomes(journal)["K1"] == "inconclusive"


@pytest.mark.parametrize(("agent", "outcome"), [("mock-klarna/0.1.0", "passed"), ("Shop/1.0", "failed")])
def test_keys_that_scenarios_create_are_not_those_of_the_shop(agent: str, outcome: str) -> None:
    journal = Journal().placed()
    for _ in range(5):
        body, answer = {"merchant_urls": URLS, "theme": {}}, {"button_key": "other"}
        journal.sent("create_button", "/instantshopping/v1/buttons", body, 201, answer, {"User-Agent": agent})
    assert outcomes(journal)["K2"] == outcome


@pytest.mark.parametrize("rule", ["K3", "K4", "K5", "C8"])
def test_the_urls_of_a_button_key_that_a_test_created_are_not_those_of_the_shop(rule: str) -> None:
    journal = Journal().button().authorized(url="https://shop.example.com/place-order").read().posted()
    journal.entries[0]["request_body"]["merchant_urls"] = {"place_order": "https://shop.example.com/place-order"}
    journal.entries[0]["response_body"]["merchant_urls"] = {"place_order": "https://shop.example.com/place-order"}
    assert outcomes(journal)[rule] == "failed"
    assert outcomes(sent_by_a_test(journal, "create_button"))[rule] == "inconclusive"
