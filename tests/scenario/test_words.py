"""Variables, changes of an order, and holding what happened against what was expected."""

import json
from typing import Any

import pytest

from mock_klarna import resources
from mock_klarna.domain import events
from mock_klarna.domain import events as order_events
from mock_klarna.domain.events import Event, event_name
from mock_klarna.scenario.matching import differences, shown
from mock_klarna.scenario.model import Impossible
from mock_klarna.scenario.variables import UnknownVariable, changed, filled, filled_where_known, mentions
from tests.cases import in_turn

VARIABLES = {"shop": "http://shop", "amount": 124000, "order": {"id": "o-1", "lines": [{"name": "a"}]}, "on": True}


@in_turn(
    ("value", "expected"),
    [
        ("${shop}/terms", "http://shop/terms"),
        ("${amount}", 124000),
        ("${on}", True),
        ("${order}", VARIABLES["order"]),
        ("${order.id}", "o-1"),
        ("${order.lines[0].name}", "a"),
        ("${order.lines.0.name}", "a"),
        ("${amount} of ${order.id}", "124000 of o-1"),
        ({"a": ["${shop}", 1, None]}, {"a": ["http://shop", 1, None]}),
        ("{checkout.order.id} $shop ${", "{checkout.order.id} $shop ${"),
    ],
)
def test_variables_are_filled_in_wherever_they_are_mentioned(value: Any, expected: Any) -> None:
    assert filled(value, VARIABLES) == expected


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("${shp}", "known are amount, on, order, shop"),
        ("${order.state}", "there are id, lines"),
        ("${order.lines[3]}", "there are 1 entries"),
        ("${amount.x}", "has no member x"),
    ],
)
def test_an_unknown_variable_names_those_that_there_are(text: str, said: str) -> None:
    with pytest.raises(UnknownVariable, match=said.replace("[", r"\[")):
        filled(text, VARIABLES)


def test_what_is_not_known_yet_stays_as_it_is() -> None:
    value = {"a": "${shop}/x", "b": "${later.id}"}
    assert filled_where_known(value, VARIABLES) == {"a": "http://shop/x", "b": "${later.id}"}
    assert list(mentions(value)) == ["shop", "later"]


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
def test_a_change_replaces_what_stands_at_its_path(changes: Any, path: tuple[Any, ...], expected: Any) -> None:
    found: Any = changed(ORDER, changes)
    for step in path:
        found = found[step]
    assert found == expected
    assert len(ORDER["order_lines"]) == 2  # type: ignore[arg-type]


@pytest.mark.parametrize("path", ["order_lines[7].total", "nothing.here", "order_amount.x", "order_lines[9]"])
def test_a_change_that_leads_nowhere_says_so(path: str) -> None:
    with pytest.raises(Impossible) as caught:
        changed(ORDER, {path: 1})
    assert path in str(caught.value)


@in_turn(
    ("wanted", "found"),
    [
        ({}, {"a": 1}),
        ({"a": 1}, {"a": 1, "b": 2}),
        ({"a": None}, {}),
        ({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}}),
        ([{"a": 1}], [{"a": 0}, {"a": 1, "b": 2}]),
        ([1, 3], [1, 2, 3]),
        ([], []),
        ({"contains": "ell"}, "hello"),
        ({"contains": 238}, "expected 23800"),
        ({"contains": "a"}, ["a", "b"]),
        ({"matches": "^h.*o$"}, "hello"),
        ({"at_least": 1, "at_most": 3}, 2),
        ({"not": None}, 0),
        ({"not": {"contains": "x"}}, "hello"),
        (1, 1.0),
    ],
)
def test_a_part_of_what_happened_is_enough(wanted: Any, found: Any) -> None:
    assert list(differences(wanted, found)) == []


@in_turn(
    ("wanted", "found", "said"),
    [
        ({"a": 1}, {"a": 2}, "a: expected 1, was 2"),
        ({"a": {"b": 1}}, {"a": None}, "a: expected {b: 1}, was nothing"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b: expected 1, was 2"),
        ([3, 1], [1, 2, 3], "it: expected an entry with 1, was [1, 2, 3]"),
        ([], [1], "it: expected [], was [1]"),
        ({"a": None}, {"a": 0}, "a: expected nothing, was 0"),
        (True, 1, "it: expected true, was 1"),
        (0, False, "it: expected 0, was false"),
        ({"contains": "x"}, "hello", "it: expected contains x, was hello"),
        ({"contains": "x"}, None, "it: expected contains x, was nothing"),
        ({"matches": "x"}, 5, "it: expected matches x, was 5"),
        ({"at_least": 3}, "4", "it: expected at least 3, was 4"),
        ({"at_most": 3}, 4, "it: expected at most 3, was 4"),
        ({"not": 4}, 4, "it: expected not 4, was 4"),
    ],
)
def test_a_difference_says_what_was_expected_and_what_was_there(wanted: Any, found: Any, said: str) -> None:
    assert list(differences(wanted, found)) == [said]


def test_long_values_are_shown_by_their_beginning() -> None:
    assert len(shown("x" * 5000)) == 301


def test_every_event_that_is_recorded_can_be_expected_by_its_name() -> None:
    schema = json.loads((resources.schemas() / "scenario.json").read_bytes())
    steps = schema["properties"]["steps"]["items"]["properties"]
    names = {
        event_name(kind(**dict.fromkeys(kind.__struct_fields__)))
        for module in (events, order_events)
        for kind in recorded(module)
    }
    assert steps["expect_event"]["properties"]["name"]["enum"] == sorted(names)


def recorded(module: Any) -> list[type[Event]]:
    """The events of a module; the bases of others are none."""
    kinds = [kind for kind in vars(module).values() if isinstance(kind, type) and issubclass(kind, Event)]
    return [kind for kind in kinds if not any(kind in other.__bases__ for other in kinds) and kind is not Event]
