"""What strict mode demands in addition: only what the documents allow."""

from typing import Any

import pytest

from mock_klarna.errors import Problem
from mock_klarna.validation import Validator
from tests.validation.samples import changed, sample

LOCAL = {"merchant_urls": {"place_order": "http://localhost:3000/klarna"}}


def paths(problems: list[Problem]) -> list[tuple[str, str]]:
    return [(problem.path, problem.rule) for problem in problems]


def test_a_key_is_changed_in_part_unless_strict(validator: Validator, strict: Validator) -> None:
    assert validator.check("update_button", {"disabled": True})[1] == []
    assert paths(strict.check("update_button", {"disabled": True})[1]) == [("merchant_urls", "required")]


def test_plain_http_to_this_machine_is_valid_unless_strict(validator: Validator, strict: Validator) -> None:
    assert validator.check("create_button", LOCAL)[1] == []
    (problem,) = strict.check("create_button", LOCAL)[1]
    assert (problem.path, problem.expected) == ("merchant_urls.place_order", "an https URL")


@pytest.mark.parametrize(
    ("body", "refused"),
    [
        ({"deny_code": "out_of_stock"}, [("deny_code", "enum")]),
        ({"deny_message": "Sorry"}, [("deny_code", "required")]),
        ({"deny_code": "other"}, []),
        (
            {"deny_redirect_url": "https://a.example.com", "deny_code": "other", "deny_message": "x"},
            [("deny_code", "not"), ("deny_message", "not")],
        ),
        ({"deny_redirect_url": ""}, [("deny_redirect_url", "minLength")]),
        ({"deny_redirect_url": "https://a.example.com"}, []),
    ],
    ids=str,
)
def test_strict_takes_documented_deny_bodies_only(strict: Validator, body: Any, refused: list[tuple[str, str]]) -> None:
    assert paths(strict.check("deny_authorization", body)[1]) == refused


def test_an_underscore_in_an_identifier_is_refused_when_strict(validator: Validator, strict: Validator) -> None:
    """klarna.md C-12."""
    page = changed(sample("carts/se-variations"), "items[0].product_attributes[0].identifier", "clr_22")
    assert validator.check("page", page)[1] == []
    assert paths(strict.check("page", page)[1]) == [("items[0].product_attributes[0].identifier", "pattern")]
