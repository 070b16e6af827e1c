import asyncio
import sys
import threading
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna.validation import Validator
from mock_klarna.validation.explain import NOT_CHECKED
from tests.validation.samples import sample

SHIPPING = sample("guide/se-order")["order_lines"][1]


def test_a_body_that_is_wrong_everywhere_has_a_bounded_number_of_problems(validator: Validator) -> None:
    body = {**sample("guide/se-order"), "order_lines": [{}] * 1000}
    assert len(validator.check("create_order", body)[1]) == 200


@pytest.mark.parametrize("length", [5, 1000])
@pytest.mark.parametrize("place", [0, 3, -1])
def test_the_one_wrong_line_of_many_is_named(validator: Validator, length: int, place: int) -> None:
    lines = [SHIPPING] * length
    lines[place] = {**SHIPPING, "name": 5}
    amounts = {"order_amount": 5000 * length, "order_tax_amount": 1000 * length}
    (problem,) = validator.check("create_order", {**sample("guide/se-order"), **amounts, "order_lines": lines})[1]
    assert (problem.path, problem.rule) == (f"order_lines[{place % length}].name", "type")


@pytest.mark.parametrize(("length", "refused"), [(1000, []), (1001, ["order_lines"])])
def test_an_order_has_at_most_a_thousand_lines(validator: Validator, length: int, refused: list[str]) -> None:
    amounts = {"order_amount": 5000 * length, "order_tax_amount": 1000 * length}
    body = {**sample("guide/se-order"), **amounts, "order_lines": [SHIPPING] * length}
    assert [problem.path for problem in validator.check("create_order", body)[1]] == refused


@pytest.mark.parametrize(("length", "refused"), [(10000, []), (10001, ["order_lines"])])
def test_a_key_has_at_most_ten_thousand_lines(validator: Validator, length: int, refused: list[str]) -> None:
    """klarna.md C-11."""
    body = {"merchant_urls": {"place_order": "https://a.example.com"}, "order_lines": [SHIPPING] * length}
    assert [problem.path for problem in validator.check("create_button", body)[1]] == refused


def test_unknown_members_are_reported_up_to_the_bound(validator: Validator) -> None:
    assert len(validator.check("reset", {f"member{number}": 1 for number in range(5000)})[1]) == 200


ORDER = sample("guide/se-order")
KEY = {"merchant_urls": {"place_order": "https://a.example.com"}}
LARGE: dict[str, tuple[str, Callable[[], Any]]] = {
    "wrong lines": ("create_order", lambda: {**ORDER, "order_lines": [{**SHIPPING, "name": 5}] * 25_000}),
    "empty lines": ("create_order", lambda: {**ORDER, "order_lines": [{}] * 400_000}),
    "numbers as lines": ("create_order", lambda: {**ORDER, "order_lines": [1] * 400_000}),
    "wrong sums": ("create_order", lambda: {**ORDER, "order_lines": [{**SHIPPING, "total_amount": 1}] * 25_000}),
    "right lines and one wrong member": (
        "create_order",
        lambda: {**ORDER, "locale": 5, "order_lines": [SHIPPING] * 25_000},
    ),
    "a list as text": ("create_order", lambda: {**ORDER, "locale": [{"a": 1}] * 400_000}),
    "an object as lines": ("create_order", lambda: {**ORDER, "order_lines": {f"m{n}": n for n in range(400_000)}}),
    "members that do not exist": ("reset", lambda: {f"member{number}": 1 for number in range(200_000)}),
    "variations": ("create_button", lambda: {**KEY, "items": [{}] * 400_000}),
    "countries of which the last is wrong": (
        "create_button",
        lambda: {**KEY, "shipping_countries": ["SE"] * 400_000 + [5]},
    ),
    "options of a page of which the last is wrong": (
        "page",
        lambda: {
            "shipping_options": [{"id": "a", "name": "b", "price": 0, "tax_amount": 0, "tax_rate": 0}] * 50_000 + [5]
        },
    ),
    "lists in lines": (
        "create_button",
        lambda: {**KEY, "order_lines": [{**SHIPPING, "product_attributes": [{"name": "a"}] * 1000}] * 100 + [{}]},
    ),
}


@pytest.mark.parametrize("shape", LARGE)
def test_explaining_a_large_body_is_a_bounded_number_of_calls(validator: Validator, shape: str) -> None:
    operation, make = LARGE[shape]
    body = make()
    validator.check(operation, {"locale": 5})  # compiles the schemas
    calls = 0

    def count(_frame: Any, event: str, _argument: Any) -> None:
        nonlocal calls
        calls += event == "call"

    sys.setprofile(count)
    try:
        problems = validator.check(operation, body, nulls=False)[1]
    finally:
        sys.setprofile(None)
    assert 1 <= len(problems) <= 200
    assert calls < 1_200_000


def test_that_not_everything_was_checked_is_the_last_problem(validator: Validator) -> None:
    body = {**KEY, "order_lines": [{**SHIPPING, "name": 5}] + [SHIPPING] * 5000}
    first, last = validator.check("create_button", body)[1]
    assert (first.path, last) == ("order_lines[0].name", NOT_CHECKED)


def test_a_list_that_is_too_long_names_its_length_and_its_first_problems(validator: Validator) -> None:
    body = {**ORDER, "order_lines": [{**SHIPPING, "name": 5}] + [SHIPPING] * 5000}
    first, second = validator.check("create_order", body)[1]
    assert (first.path, first.rule) == ("order_lines[0].name", "type")
    assert (second.path, second.rule) == ("order_lines", "maxItems")
    assert "5001 were sent" in second.expected


def test_the_last_of_ten_thousand_lines_is_named(validator: Validator) -> None:
    body = {**KEY, "order_lines": [SHIPPING] * 9999 + [{**SHIPPING, "name": 5}]}
    (problem,) = validator.check("create_button", body)[1]
    assert problem.path == "order_lines[9999].name"


class WithThread(Validator):
    """Records in which thread `check` ran."""

    thread: threading.Thread | None = None

    def check(self, operation: str, body: object, *, nulls: bool = True) -> tuple[Any, list[Any]]:
        """Do what it does, and record the thread."""
        self.thread = threading.current_thread()
        return super().check(operation, body, nulls=nulls)


@pytest.mark.parametrize("wrong", [True, False])
def test_a_large_body_is_explained_in_a_thread(wrong: bool) -> None:
    validator = WithThread()
    body = {**ORDER, "locale": 5} if wrong else ORDER
    checked = asyncio.run(validator.check_large("create_order", body, nulls=False))
    assert checked == Validator().check("create_order", body)
    assert (validator.thread not in (None, threading.main_thread())) == wrong
