"""The rules of button keys and pages."""

from typing import Any

import pytest

from mock_klarna.certify import judge
from tests.certify.results import BY_ID, outcome_of, outcomes, result_of, sent_by_a_test
from tests.certify.samples import (
    AUTHORIZED,
    DROPPED,
    URLS,
    WITHOUT_TERMS,
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
    own: dict[str, Any] = {"merchant_urls": {"place_order": "https://shop.example.com/place-order"}}
    journal = Journal().button(**own).page(WITHOUT_TERMS)
    journal.authorized(url="https://shop.example.com/place-order", **own).read().posted()
    assert outcomes(journal)[rule] == "failed"
    assert outcomes(sent_by_a_test(journal, "create_button"))[rule] == "inconclusive"


@pytest.mark.parametrize(
    ("url", "outcome"),
    [
        ("HTTPS://shop.example.com/p", "passed"),
        ("http://shop.lan/p", "inconclusive"),
        ("/p", "failed"),
        ("http://[x", "failed"),
        (f"https://shop.example.com/{'p' * 2000}", "failed"),
    ],
    ids=["upper case", "private network", "relative", "invalid", "too long"],
)
def test_a_url_that_klarna_calls_is_absolute_and_https(url: str, outcome: str) -> None:
    assert outcome_of("K1", Journal().button(merchant_urls={"place_order": url})) == outcome


@pytest.mark.parametrize("url", ["http://[x", "", None], ids=["invalid", "empty", "missing"])
def test_a_picture_without_a_url_is_a_hint(url: str | None) -> None:
    line = {**AUTHORIZED["order_lines"][0], "image_url": url}
    assert outcome_of("K6", Journal().authorized(order_lines=[line])) == "failed"


def test_a_key_is_created_again_after_its_answer_was_lost() -> None:
    journal = Journal().button().button()
    journal.entries[0]["injected"] = DROPPED
    assert outcome_of("K2", journal.authorized()) == "passed"


def test_a_key_that_was_created_before_the_clock_was_set_back_is_not_too_new() -> None:
    assert outcome_of("K2", Journal().button().later(-3600).button().authorized()) == "passed"


@pytest.mark.parametrize(("rule", "name"), [("K4", "confirmation"), ("K5", "terms")])
def test_a_url_may_be_given_by_the_page(rule: str, name: str) -> None:
    of_key = {other: url for other, url in URLS.items() if other != name}
    journal = Journal().button(merchant_urls=of_key).authorized(merchant_urls=URLS).posted()
    assert outcome_of(rule, journal) == "passed"


def test_a_url_that_the_key_gets_after_a_purchase_does_not_count_for_it() -> None:
    of_key = {name: url for name, url in URLS.items() if name != "push"}
    journal = Journal().button(merchant_urls=of_key).authorized().posted().button()
    assert outcome_of("K3", journal) == "failed"


@pytest.mark.parametrize(
    ("line_type", "outcome"), [("shipping_fee", "passed"), ("sales_tax", "passed"), ("discount", "failed")]
)
def test_a_line_of_klarna_and_a_tax_need_no_reference(line_type: str, outcome: str) -> None:
    without = {**AUTHORIZED["order_lines"][1], "type": line_type, "reference": None}
    assert outcome_of("K7", Journal().authorized(order_lines=[AUTHORIZED["order_lines"][0], without])) == outcome


@pytest.mark.parametrize(
    ("order", "outcome"),
    [
        ({"purchase_currency": "sek", "locale": "en-se"}, "passed"),
        ({"locale": "sv-FI"}, "failed"),
        ({"purchase_country": "NO", "locale": "nb-NO"}, "failed"),
    ],
    ids=["other letter case", "locale", "currency"],
)
def test_country_currency_and_locale_of_the_posted_order_belong_together(order: dict[str, Any], outcome: str) -> None:
    assert outcome_of("K8", Journal().authorized().posted(**order)) == outcome


def test_a_page_that_is_refused_for_its_currency_is_found() -> None:
    problem = {"path": "purchase_currency", "rule": "currency", "value": "EUR", "expected": "SEK, the currency of SE"}
    (finding,) = result_of("K8", Journal().authorized().page(problem)).findings
    assert (finding.observation.seen, finding.observation.expected) == (
        "purchase_currency EUR",
        "SEK, the currency of SE",
    )


def test_requests_of_a_page_are_not_those_of_the_shop() -> None:
    journal = Journal().page(WITHOUT_TERMS, name="sdk_problem")
    assert set(outcomes(journal).values()) == {"inconclusive"}
