"""What real integrations send against the documents, one by one, each with its source."""

from typing import Any

import pytest

from mock_klarna.validation import Validator
from tests.validation.samples import at, changed, sample, without

BUTTON = {"merchant_urls": {"place_order": "https://shop.example.com/klarna"}}
OPTION = {"id": "dhl", "name": "DHL", "price": 0, "tax_amount": 0, "tax_rate": 0}
ORDER = sample("guide/se-order")


@pytest.mark.parametrize(
    ("operation", "sent", "stored"),
    [
        pytest.param(
            "create_button", {**BUTTON, "options": []}, {"options": {}}, id="empty array of PHP, klarna.md §3.3"
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "styling": {"theme": []}},
            {"styling": {"theme": {}}},
            id="empty theme, klarna.md §3.3",
        ),
        pytest.param(
            "create_button", {**BUTTON, "styling": {"theme": None}}, {"styling": {}}, id="theme null, klarna.md §3.3"
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "purchase_country": "se"},
            {"purchase_country": "SE"},
            id="lower case country, klarna.md §3.10",
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "purchase_country": "UK"},
            {"purchase_country": "GB"},
            id="UK, klarna.md §3.10, C-26",
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "shipping_countries": ["uk", "se"]},
            {"shipping_countries": ["GB", "SE"]},
            id="countries in a list",
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "locale": "SV-se"},
            {"locale": "sv-SE"},
            id="letter case of locale, klarna.md C-22",
        ),
        pytest.param(
            "create_button", {**BUTTON, "locale": "en-gb"}, {"locale": "en-GB"}, id="lower case locale, klarna.md C-22"
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "purchase_currency": "sek"},
            {"purchase_currency": "SEK"},
            id="lower case currency, klarna.md §9.5",
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "shipping_options": [{**OPTION, "id": 7}]},
            {"shipping_options": [{**OPTION, "id": "7"}]},
            id="number as id of an option, klarna.md §3.7",
        ),
        pytest.param(
            "create_button",
            {**BUTTON, "additional_checkboxes": [{"id": 7, "text": "News"}]},
            {"additional_checkboxes": [{"id": "7", "text": "News"}]},
            id="number as id of a checkbox, klarna.md §3.4",
        ),
        pytest.param(
            "create_purchase",
            {"select": {"shipping_option": 7}},
            {"select": {"shipping_option": "7"}},
            id="number as chosen option",
        ),
        pytest.param("deny_authorization", None, {}, id="null as body, klarna.md §3.14"),
        pytest.param("deny_authorization", [], {}, id="empty array as body, klarna.md §3.14"),
        pytest.param("create_purchase", {"merchant_timeout": None, "wait": 0}, {"wait": 0}, id="null on our own path"),
    ],
)
def test_a_leniency_stores_what_is_right(validator: Validator, operation: str, sent: Any, stored: Any) -> None:
    body, problems = validator.check(operation, sent)
    assert problems == []
    assert {name: value for name, value in body.items() if name != "merchant_urls"} == stored


@pytest.mark.parametrize(
    ("path", "sent", "stored"),
    [
        ("billing_address.postal_code", "80339 ", "80339"),
        ("shipping_address.postal_code", "\t111 48", "111 48"),
        ("billing_address.country", "se", "SE"),
        ("order_lines[0].quantity", 1.0, 1),
        ("order_amount", 124000.0, 124000),
    ],
)
def test_a_value_of_an_order_is_put_right(validator: Validator, path: str, sent: Any, stored: Any) -> None:
    body, problems = validator.check("create_order", changed(ORDER, path, sent))
    assert problems == []
    assert repr(at(body, path)) == repr(stored)


@pytest.mark.parametrize(
    ("path", "sent", "stored"),
    [
        ("order_lines[0].reference", 4711, "4711"),
        ("order_lines[0].group_identifier", 12, "12"),
        (
            "order_lines[0].product_identifiers",
            {"global_trade_item_number": 735858293167, "size": 42},
            {"global_trade_item_number": "735858293167", "size": "42"},
        ),
        ("billing_address.postal_code", 11148, "11148"),
        ("billing_address.postal_code", 11148.0, "11148"),
        ("shipping_address.phone", 46701740615, "46701740615"),
        ("merchant_reference1", 10042, "10042"),
        ("customer.national_identification_number", 194103219202, "194103219202"),
    ],
)
def test_a_number_that_a_php_shop_sends_as_id_becomes_text(
    validator: Validator, strict: Validator, path: str, sent: Any, stored: Any
) -> None:
    """klarna.md §3.4 and §3.10: json_encode with JSON_NUMERIC_CHECK writes numbers."""
    order = changed(ORDER, path, sent)
    body, problems = validator.check("create_order", order)
    assert problems == []
    assert at(body, path) == stored
    assert strict.check("create_order", body) == (body, [])
    assert {problem.rule for problem in strict.check("create_order", order)[1]} == {"type"}


def test_the_attributes_of_a_variation_may_be_numbers(validator: Validator, strict: Validator) -> None:
    """klarna.md §3.4: sizes of shoes."""
    item = sample("carts/se-variations")["items"][0]
    sent = [{"identifier": 1, "identifier_label": 2, "value": 42, "value_label": 42}]
    stored = [{"identifier": "1", "identifier_label": "2", "value": "42", "value_label": "42"}]
    page = {"items": [{**item, "product_attributes": sent}]}
    body, problems = validator.check("page", page)
    assert (body["items"][0]["product_attributes"], problems) == (stored, [])
    assert [problem.path.rpartition(".")[2] for problem in strict.check("page", page)[1]] == list(sent[0])


@pytest.mark.parametrize("sent", [True, -1, 47.11, 2**63])
def test_a_number_that_is_no_id_is_refused(validator: Validator, sent: Any) -> None:
    (problem,) = validator.check("create_order", changed(ORDER, "order_lines[0].reference", sent))[1]
    assert (problem.path, problem.rule) == ("order_lines[0].reference", "type")


def test_a_number_as_id_is_as_short_as_the_text_has_to_be(validator: Validator) -> None:
    (problem,) = validator.check("create_order", changed(ORDER, "billing_address.postal_code", 12345678901))[1]
    assert (problem.path, problem.rule, problem.value) == ("billing_address.postal_code", "maxLength", 12345678901)


@pytest.mark.parametrize(
    ("path", "rule"),
    [
        ("customer.date_of_birth", "pattern"),
        ("order_lines[0].quantity_unit", "minLength"),
        ("shipping_address.country", "enum"),
    ],
)
def test_an_empty_text_on_an_optional_member_is_the_same_as_left_out(
    validator: Validator, strict: Validator, path: str, rule: str
) -> None:
    """klarna.md §3.4 and §3.10: forms of shops send "" for what the shopper did not fill in."""
    order = changed(ORDER, path, "")
    body, problems = validator.check("create_order", order)
    assert (body, problems) == (without(ORDER, path), [])
    assert [(problem.path, problem.rule) for problem in strict.check("create_order", order)[1]] == [(path, rule)]


@pytest.mark.parametrize("path", ["purchase_country", "purchase_currency", "locale"])
def test_an_empty_text_on_a_required_member_is_refused(validator: Validator, path: str) -> None:
    assert [problem.path for problem in validator.check("create_order", changed(ORDER, path, ""))[1]] == [path]


CARD = {"name": "Gift card", "quantity": 1, "unit_price": 5000, "tax_rate": 0, "total_amount": 5000}
CARD |= {"total_tax_amount": 0}


def with_line(line: dict[str, Any], amount: int) -> Any:
    lines = [*ORDER["order_lines"], line]
    return {**ORDER, "order_lines": lines, "order_amount": ORDER["order_amount"] + amount}


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_a_gift_card_above_zero_is_sold_as_goods(validator: Validator, strict: Validator, kind: str) -> None:
    """klarna.md §10, rule 4: that such lines are negative is a convention of Klarna's other products."""
    order = with_line({**CARD, "type": kind}, 5000)
    body, problems = validator.check("create_order", order)
    assert problems == []
    assert body["order_lines"][-1] == {**CARD, "type": "physical"}
    assert strict.check("create_order", body) == (body, [])
    assert {problem.rule for problem in strict.check("create_order", order)[1]} >= {"line_sign"}


@pytest.mark.parametrize("kind", ["gift_card", "store_credit"])
def test_a_gift_card_above_zero_that_the_sum_takes_off_is_negative(
    validator: Validator, strict: Validator, kind: str
) -> None:
    order = with_line({**CARD, "type": kind}, -5000)
    body, problems = validator.check("create_order", order)
    assert problems == []
    assert body["order_lines"][-1] == {**CARD, "type": kind, "unit_price": -5000, "total_amount": -5000}
    assert strict.check("create_order", body) == (body, [])


def test_a_gift_card_on_a_page_is_sold(validator: Validator, strict: Validator) -> None:
    page = {**sample("guide/se-page"), "order_lines": [{**CARD, "type": "gift_card"}]}
    body, problems = validator.check("page", page)
    assert problems == []
    assert body["order_lines"] == [{**CARD, "type": "physical"}]
    assert strict.check("page", page)[1]


def test_a_discount_above_zero_is_refused(validator: Validator) -> None:
    order = with_line({**CARD, "type": "discount"}, 5000)
    assert {problem.rule for problem in validator.check("create_order", order)[1]} >= {"line_sign"}


@pytest.mark.parametrize(("sent", "stored"), [("en-uk", "en-GB"), ("en-UK", "en-GB")])
def test_uk_is_gb_in_a_locale_too(validator: Validator, sent: str, stored: str) -> None:
    body, problems = validator.check("create_button", {**BUTTON, "locale": sent})
    assert (body["locale"], problems) == (stored, [])


@pytest.mark.parametrize(
    "path", ["merchant_reference1", "customer", "order_lines[0].reference", "billing_address.phone"]
)
def test_null_is_the_same_as_left_out(validator: Validator, path: str) -> None:
    """klarna.md §13: null stands for "not set" on any optional member, and is never kept."""
    assert validator.check("create_order", changed(ORDER, path, None)) == (without(ORDER, path), [])


@pytest.mark.parametrize("path", ["locale", "order_lines[1].total_amount", "billing_address"])
def test_null_on_a_required_member_is_a_missing_member(validator: Validator, path: str) -> None:
    problems = validator.check("create_order", changed(ORDER, path, None))[1]
    assert [(problem.path, problem.rule, problem.value) for problem in problems] == [(path, "required", None)]


def test_what_real_shops_place_orders_with_is_taken_as_it_is(validator: Validator) -> None:
    """klarna.md §2, §3.7, §3.10, §3.11 and §13: unknown, ignored and free members."""
    for path, value in (
        ("order_lines[0].image_url", ""),
        ("order_lines[0].product_url", "no url at all"),
        ("order_lines[0].quantity_unit", "pcs"),
        ("merchant_reference2", ""),
        ("customer.gender", "MRS"),
        ("customer.title", "Sig.ra"),
        ("merchant_urls.checkout", "no url at all"),
        ("merchant_urls.place_order", 5),
        ("merchant_urls.confirmation", "http://example.com/upsell?order={checkout.order.id}"),
        ("merchant_urls.push", "http://shop:8000/push"),
        ("selected_shipping_option", {"id": 5, "tax_amount": "wrong"}),
        ("options", {"disable_confirmation_modals": True}),
        ("order_id", "made up"),
        ("integrator_url", "https://example.com/p"),
        ("merchant_requested", {"newsletter": True}),
        ("merchant_data", '{"cart": 7}'),
        ("billing_address.organization_name", "Example AB"),
    ):
        body = changed(ORDER, path, value)
        assert validator.check("create_order", body) == (body, []), (path, value)


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"deny_code": "address_error"},
        {"deny_code": "out_of_stock"},
        {"deny_message": "Sorry"},
        {"deny_redirect_url": "", "deny_code": "other", "deny_message": "Sorry"},
        {"deny_redirect_url": "https://shop.example.com/denied", "deny_code": "out_of_stock", "deny_message": "Sorry"},
        {"reason": "unknown member"},
    ],
    ids=str,
)
def test_every_kind_of_deny_body_is_taken(validator: Validator, body: Any) -> None:
    """klarna.md §3.14 and C-10."""
    assert validator.check("deny_authorization", body) == (body, [])


def test_additional_checkboxes_are_taken_at_both_places(validator: Validator) -> None:
    """klarna.md C-13."""
    boxes = [{"id": "newsletter", "text": "Send me news"}]
    body = {**BUTTON, "additional_checkboxes": boxes, "options": {"additional_checkboxes": boxes}}
    assert validator.check("create_button", body) == (body, [])


@pytest.mark.parametrize("method", ["PickUpStore", "PICKUPSTORE", "box-reg", "PRIME_DELIVERY", ""])
def test_any_shipping_method_is_taken(validator: Validator, method: str) -> None:
    """klarna.md §3.7 and C-14."""
    body = {**BUTTON, "shipping_options": [{**OPTION, "shipping_method": method}]}
    assert validator.check("create_button", body) == (body, [])


@pytest.mark.parametrize(
    ("operation", "body", "path"),
    [
        ("resend_callback", {"change": []}, "change"),
        ("run_scenario", {"vars": []}, "vars"),
        ("create_purchase", {"select": {"checkboxes": []}}, "select.checkboxes"),
        ("create_purchase", {"shopper": []}, "shopper"),
        ("set_clock", [], ""),
        ("create_purchase", {"page": {"options": []}}, None),
        ("create_purchase", {"shopper": {"billing_address": []}}, None),
    ],
)
def test_an_empty_array_stands_for_an_object_of_klarnas_and_for_none_of_the_sandbox(
    validator: Validator, operation: str, body: Any, path: str | None
) -> None:
    """klarna.md §3.3."""
    problems = validator.check(operation, body)[1]
    assert {problem.path for problem in problems} == ({path} if path is not None else set())


def test_a_page_may_send_fractions_and_they_are_rounded(validator: Validator) -> None:
    """klarna.md §6.3 and 10, truncation."""
    body, problems = validator.check("page", sample("carts/se-fractions"))
    assert problems == []
    assert repr(body["order_lines"][0]["total_tax_amount"]) == "6667"


def test_a_wrong_total_is_reported_by_its_sum_alone(validator: Validator) -> None:
    line = {"name": "Tea", "quantity": 10**15, "unit_price": 119000, "tax_rate": 0, "total_tax_amount": 0}
    _, problems = validator.check("page", {"order_lines": [line | {"total_amount": 119000.5}]})
    assert [(problem.path, problem.rule, problem.value) for problem in problems] == [
        ("order_lines[0].total_amount", "line_total", 119000.5)
    ]


def test_a_fraction_far_from_the_formula_is_refused_by_the_number_as_sent(validator: Validator) -> None:
    page = changed(sample("guide/se-page"), "order_lines[0].total_tax_amount", 23801.2)
    (problem,) = validator.check("create_purchase", {"page": page})[1]
    assert (problem.path, problem.rule, problem.value) == ("page.order_lines[0].total_tax_amount", "line_tax", 23801.2)
    assert problem.expected == "23800 (23799 to 23801)"


def test_half_a_piece_is_no_quantity_even_on_a_page(validator: Validator) -> None:
    page = changed(sample("guide/se-page"), "order_lines[0].quantity", 1.5)
    problems = validator.check("page", page)[1]
    assert ("order_lines[0].quantity", "type") in [(problem.path, problem.rule) for problem in problems]


@pytest.mark.parametrize("member", ["order_amount", "order_tax_amount", "button_key"])
def test_what_klarna_computes_itself_is_ignored_in_a_key(validator: Validator, member: str) -> None:
    """klarna.md §2 and 3.1."""
    body = {**BUTTON, member: -5}
    assert validator.check("create_button", body) == (body, [])


@pytest.mark.parametrize("nulls", [True, False])
def test_no_body_is_an_empty_one(validator: Validator, nulls: bool) -> None:
    """klarna.md §3.14: no body means a generic message."""
    assert validator.check("deny_authorization", None, nulls=nulls) == ({}, [])


@pytest.mark.parametrize(
    ("operation", "sent", "stored"),
    [
        ("capture_order", {"captured_amount": 100.0}, {"captured_amount": 100}),
        ("refund_order", {"refunded_amount": 1e2}, {"refunded_amount": 100}),
        ("update_order_authorization", {"order_amount": 5.0}, {"order_amount": 5}),
        ("create_fault", {"on": "callback", "drop": True, "times": 2.0}, {"on": "callback", "drop": True, "times": 2}),
        ("create_purchase", {"select": {"quantity": 2.0}, "wait": 0.5}, {"select": {"quantity": 2}, "wait": 0.5}),
        ("sdk_pay", {"amount": 5.0, "version": -1e300}, {"amount": 5, "version": -1e300}),
        ("sdk_pay", {"amount": 1e300, "version": 2.0**63}, {"amount": 1e300, "version": 2.0**63}),
        ("create_order", {**ORDER, "order_amount": float(ORDER["order_amount"])}, ORDER),
    ],
)
@pytest.mark.parametrize("strict", [False, True])
def test_integers_are_integers_also_where_the_body_is_valid_without_a_conversion(
    operation: str, sent: Any, stored: Any, strict: bool
) -> None:
    accepted, problems = Validator(strict=strict).check(operation, sent)
    assert problems == []
    assert repr(accepted) == repr(stored)
