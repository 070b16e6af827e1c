import subprocess
import sys
from typing import Any

import pytest

from mock_klarna import resources
from mock_klarna.errors import Problem
from mock_klarna.validation import Validator
from tests.validation.samples import changed, sample, without


def paths(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.rule) for problem in problems]


def test_every_file_of_requests_and_callbacks_is_an_operation(validator: Validator) -> None:
    files = [*resources.schemas().glob("requests/*.json"), *resources.schemas().glob("callbacks/*.json")]
    assert set(validator.operations) == {file.stem for file in files} | {"page"}


@pytest.mark.parametrize("name", ["se", "us"])
def test_the_guides_bodies_are_right(validator: Validator, strict: Validator, name: str) -> None:
    for operation, body in (("create_order", f"guide/{name}-order"), ("page", f"guide/{name}-page")):
        for mode in (validator, strict):
            assert mode.check(operation, sample(body)) == (sample(body), [])


@pytest.mark.parametrize("name", ["se", "us"])
def test_the_guides_callback_lacks_nothing_but_the_button_key(validator: Validator, name: str) -> None:
    """klarna.md C-2."""
    body = sample(f"guide/{name}-callback")
    assert paths(validator.check("place_order", body)[1]) == [("button_key", "required")]
    assert validator.check("place_order", {**body, "button_key": "k"})[1] == []


def test_a_cart_is_a_page_that_works_in_both_modes(validator: Validator, strict: Validator) -> None:
    for cart in sorted(file.stem for file in (resources.fixtures() / "carts").glob("*.json")):
        page = sample(f"carts/{cart}")
        assert validator.check("page", page)[1] == strict.check("create_purchase", {"page": page})[1] == [], cart


@pytest.mark.parametrize("deny", ["with-code", "with-code-and-message", "with-own-message"])
def test_the_guides_deny_bodies_are_valid_in_both_modes(validator: Validator, strict: Validator, deny: str) -> None:
    body = sample(f"guide/deny-{deny}")
    assert validator.check("deny_authorization", body) == strict.check("deny_authorization", body) == (body, [])


def test_the_explanation_in_the_place_of_a_url_is_no_url(validator: Validator) -> None:
    assert paths(validator.check("create_button", sample("guide/create-button"))[1]) == [
        ("merchant_urls.place_order", "url")
    ]


@pytest.mark.parametrize("operation", ["create_button", "update_button"])
@pytest.mark.parametrize("url", ["place_order", "create_customer_token"])
def test_one_of_two_urls_is_enough_for_a_key(validator: Validator, operation: str, url: str) -> None:
    """klarna.md C-18."""
    body = {"merchant_urls": {url: "https://shop.example.com/klarna"}}
    assert validator.check(operation, body) == (body, [])


@pytest.mark.parametrize(
    ("body", "path"),
    [({}, "merchant_urls"), ({"merchant_urls": {"terms": "https://a.example.com"}}, "merchant_urls.place_order")],
)
def test_a_key_without_both_urls_is_refused(validator: Validator, body: Any, path: str) -> None:
    (problem,) = validator.check("create_button", body)[1]
    assert (problem.path, problem.rule) == (path, "required")
    assert "at least one of place_order and create_customer_token" in problem.expected


def test_a_wrong_body_is_refused_with_what_is_expected(validator: Validator) -> None:
    for operation, body, path, expected in (
        ("create_purchase", {"buton_key": "x"}, "buton_key", "did you mean button_key?"),
        ("create_purchase", {"shopper": {"emial": "x"}}, "shopper.emial", "did you mean email?"),
        (
            "create_purchase",
            {"select": {"shiping_option": "x"}},
            "select.shiping_option",
            "did you mean shipping_option?",
        ),
        ("create_purchase", {"shopper": 5}, "shopper", "the name of a test shopper, or an object"),
        ("create_purchase", {"outcome": "MAYBE"}, "outcome", "one of ACCEPTED, PENDING, REJECTED"),
        (
            "create_purchase",
            {"outcome": {"fraud_status": "PENDING", "after": "soon"}},
            "outcome.after",
            "a duration such as 90s",
        ),
        ("create_purchase", {"page": {"order_lines": 5}}, "page.order_lines", "a list"),
        ("create_purchase", {"wait": -1}, "wait", "at least 0"),
        (
            "create_fault",
            {"on": "request"},
            "",
            "at least one effect: delay, status, drop, garbage, twice, out_of_order",
        ),
        ("create_fault", {"on": "request", "drop": True, "tims": 2}, "tims", "did you mean times?"),
        ("create_fault", {"on": "request", "status": 200}, "status", "at least 400"),
        ("set_clock", {}, "", "exactly one of advance, set and to"),
        ("set_clock", {"advance": 1, "set": "2026-01-01T00:00:00Z"}, "", "exactly one of advance, set and to"),
        ("set_clock", {"advance": "2 hours"}, "advance", "a duration such as 90s"),
        ("set_clock", {"set": "tomorrow"}, "set", "a time such as 2026-01-01T00:00:00Z"),
        ("decide_fraud_review", {"fraud_status": "MAYBE"}, "fraud_status", "one of ACCEPTED, REJECTED, STOPPED"),
        ("reset", {"seed": 1.5}, "seed", "an integer or a string"),
        ("notification", {"order_id": "o", "event_type": "x"}, "event_type", "one of FRAUD_RISK_ACCEPTED"),
    ):
        (problem,) = validator.check(operation, body)[1]
        assert problem.path == path, (operation, body)
        assert expected in problem.expected, (operation, body)


def test_a_valid_body_is_returned_unchanged(validator: Validator) -> None:
    for operation, body in (
        ("create_purchase", {}),
        (
            "create_purchase",
            {
                "shopper": "se-approved",
                "outcome": {"fraud_status": "PENDING", "then": "STOPPED", "after": "1h30m"},
                "wait": 0.5,
            },
        ),
        (
            "create_purchase",
            {"shopper": {"email": "a@example.com", "gender": "male", "billing_address": {"city": "Oslo"}}},
        ),
        (
            "create_purchase",
            {"select": {"quantity": 2, "product_attributes": {"clr": "red"}, "checkboxes": {"newsletter": True}}},
        ),
        ("create_fault", {"on": "callback", "operation": "place_order", "times": 2, "delay": 0.5, "twice": True}),
        ("set_clock", {"advance": "2h"}),
        ("set_clock", {"advance": 172800}),
        ("set_clock", {"set": "2026-01-01T00:00:00Z"}),
        ("reset", {}),
        ("reset", {"seed": "abc"}),
        ("update_answer", {"shipping_options": [], "unknown": 1}),
        ("update", {"update_context": "session_updated", "billing_address": {"country": "SE"}}),
        ("create_customer_token", {**sample("guide/se-callback"), "button_key": "k"}),
    ):
        assert validator.check(operation, body) == (body, []), (operation, body)


def test_problems_come_by_presence_type_range_line_and_order(validator: Validator) -> None:
    body = changed(without(sample("guide/se-order"), "locale"), "purchase_country", 5)
    body = changed(changed(body, "merchant_reference1", "x" * 256), "order_lines[1].total_tax_amount", 0)
    body = changed(changed(body, "order_lines[0].total_tax_amount", 0), "order_amount", 1)
    assert paths(validator.check("create_order", body)[1]) == [
        ("locale", "required"),
        ("purchase_country", "type"),
        ("merchant_reference1", "maxLength"),
        ("order_lines[0].total_tax_amount", "line_tax"),
        ("order_lines[1].total_tax_amount", "line_tax"),
        ("order_amount", "order_amount"),
    ]


def test_one_unusable_number_leaves_the_others_and_the_order_judged(validator: Validator) -> None:
    body = changed(sample("guide/se-order"), "order_lines[0].quantity", "one")
    body = changed(changed(body, "order_lines[1].total_tax_amount", 1), "order_amount", 1)
    assert paths(validator.check("create_order", body)[1]) == [
        ("order_lines[0].quantity", "type"),
        ("order_lines[1].total_tax_amount", "line_tax"),
        ("order_amount", "order_amount"),
    ]


@pytest.mark.parametrize(
    "operation", ["create_order", "create_button", "deny_authorization", "create_purchase", "reset", "place_order"]
)
def test_a_body_that_is_no_object_is_refused(validator: Validator, operation: str) -> None:
    for body in (5, "text", [1], True, 1.5):
        (problem,) = validator.check(operation, body)[1]
        assert (problem.path, problem.rule, problem.expected) == ("", "type", "an object"), body


def test_the_value_is_shown_as_it_was_sent(validator: Validator) -> None:
    (problem, *_) = validator.check("create_order", changed(sample("guide/se-order"), "purchase_country", "swe"))[1]
    assert problem.value == "swe"


@pytest.mark.process
def test_jsonschema_is_imported_when_the_first_body_is_refused() -> None:
    script = (
        "import sys; from mock_klarna.validation import Validator; c = Validator(); c.check('reset', {});"
        "before = 'jsonschema' in sys.modules; c.check('reset', {'x': 1}); print(before, 'jsonschema' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]
