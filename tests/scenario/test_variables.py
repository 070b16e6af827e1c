"""Variables are filled into texts, and members of an order can be changed by path."""

from typing import Any

import pytest

from mock_klarna.scenario.model import StepError
from mock_klarna.scenario.variables import (
    UnknownVariable,
    read_texts,
    referenced_variables,
    substitute,
    substitute_known,
    with_changes,
)

VARIABLES = {
    "shop": "http://shop",
    "amount": 124000,
    "order": {"id": "o-1", "lines": [{"name": "a"}]},
    "on": True,
    "none": None,
}


def test_variables_are_filled_in_at_any_depth() -> None:
    for value, expected in (
        ("${shop}/terms", "http://shop/terms"),
        ("${amount}", 124000),
        ("${on}", True),
        ("${order}", VARIABLES["order"]),
        ("${order.id}", "o-1"),
        ("${order.lines[0].name}", "a"),
        ("${order.lines.0.name}", "a"),
        ("${amount} of ${order.id}", "124000 of o-1"),
        ("on=${on}&none=${none}&first=${order.lines[0]}", 'on=true&none=null&first={"name": "a"}'),
        ({"a": ["${shop}", 1, None]}, {"a": ["http://shop", 1, None]}),
        ("{checkout.order.id} $shop ${", "{checkout.order.id} $shop ${"),
    ):
        assert substitute(value, VARIABLES) == expected, value


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("${shp}", "known: amount, none, on, order, shop"),
        ("${order.state}", "known: id, lines"),
        ("${order.lines[3]}", "it has 1 entries"),
        ("${amount.x}", "has no member x"),
    ],
)
def test_an_unknown_variable_is_an_error_with_the_known_names(text: str, hint: str) -> None:
    with pytest.raises(UnknownVariable, match=hint.replace("[", r"\[")):
        substitute(text, VARIABLES)


@pytest.mark.parametrize(
    ("text", "default", "value"),
    [
        ("5", 124000, 5),
        ("5", None, 5),
        ("5", "1", "5"),
        ('"5"', None, "5"),
        ("false", True, False),
        ("1.5", 1, 1.5),
        ("[1, 2]", [], [1, 2]),
        ("{a: 1}", {}, {"a": 1}),
        ("[1, 2]", None, "[1, 2]"),
        ("a: b", 1, "a: b"),
        ("http://localhost:3000", None, "http://localhost:3000"),
        ("", None, ""),
        ("{", {}, "{"),
        ("9" * 30, 1, "9" * 30),
    ],
)
def test_text_of_a_command_line_becomes_a_value_as_in_the_file(text: str, default: Any, value: Any) -> None:
    read = read_texts({"x": text}, {"x": default})["x"]
    assert (read, type(read)) == (value, type(value))


def test_references_to_unknown_variables_can_be_kept() -> None:
    value = {"a": "${shop}/x", "b": "${later.id}"}
    assert substitute_known(value, VARIABLES) == {"a": "http://shop/x", "b": "${later.id}"}
    assert list(referenced_variables(value)) == ["shop", "later"]


ORDER = {"order_amount": 5, "order_lines": [{"name": "a", "total": 1}, {"name": "b", "total": 4}], "urls": {"a": 1}}


@pytest.mark.parametrize(
    ("changes", "path", "expected"),
    [
        ({"order_amount": 6}, ("order_amount",), 6),
        ({"order_lines[1].total": 9}, ("order_lines", 1, "total"), 9),
        ({"urls.b": 2}, ("urls",), {"a": 1, "b": 2}),
        ({"urls.a": None}, ("urls",), {}),
        ({"order_lines[0]": None}, ("order_lines",), [{"name": "b", "total": 4}]),
        ({"order_lines": []}, ("order_lines",), []),
    ],
)
def test_a_change_replaces_the_member_at_its_path(changes: Any, path: tuple[Any, ...], expected: Any) -> None:
    value: Any = with_changes(ORDER, changes)
    for step in path:
        value = value[step]
    assert value == expected
    assert len(ORDER["order_lines"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["order_lines[7].total", "nothing.here", "order_amount.x", "order_lines[9]"])
def test_a_change_of_a_missing_member_is_an_error(path: str) -> None:
    with pytest.raises(StepError) as caught:
        with_changes(ORDER, {path: 1})
    assert path in str(caught.value)
