"""Reading query parameters."""

from typing import Any

import pytest
from multidict import MultiDict

from mock_klarna.errors import InvalidInput
from mock_klarna.web import query
from mock_klarna.web.operations import OPERATIONS

NAME = query.entry_name(["create_order", "capture_order"])
PARAMETERS = (query.STATUS, query.LIMIT, query.WAIT, query.KIND, NAME)


def read(*pairs: tuple[str, str]) -> dict[str, Any]:
    return query.read_query(MultiDict(pairs), PARAMETERS)


def test_parameters_that_are_not_given_have_their_default() -> None:
    assert read() == {"status": None, "limit": 100, "wait": 0.0, "kind": None, "name": None}


def test_a_value_is_read() -> None:
    for name, text, value in (
        ("status", "4XX", "4xx"),
        ("status", "404", "404"),
        ("limit", "0", 0),
        ("limit", "10000", 10_000),
        ("wait", "0.5", 0.5),
        ("wait", ".5", 0.5),
        ("wait", "1e2", 100.0),
        ("wait", "600", 600.0),
        ("kind", "event", "event"),
        ("name", "capture_order", "capture_order"),
        ("name", "place_order", "place_order"),
        ("name", "purchase_placed", "purchase_placed"),
    ):
        assert read((name, text))[name] == value, (name, text)


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("status", "600", "a status such as 404"),
        ("limit", "10001", "a whole number from 0 to 10000"),
        ("limit", "-1", "a whole number from 0 to 10000"),
        ("limit", "٣", "a whole number from 0 to 10000"),
        ("limit", "9" * 5000, "a whole number from 0 to 10000"),
        ("wait", "601", "a number of seconds from 0 to 600"),
        ("wait", "nan", "a number of seconds from 0 to 600"),
        ("kind", "other", "one of exchange, callback, event"),
        ("kind", "events", "one of exchange, callback, event; did you mean event?"),
        ("name", "purchase_place", "the name of an operation, callback or event; did you mean purchase_placed?"),
        ("name", "capture_oder", "the name of an operation, callback or event; did you mean capture_order?"),
        ("name", "", "the name of an operation, callback or event"),
    ],
)
def test_an_invalid_value_is_refused_with_what_is_expected(name: str, text: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read((name, text))
    (problem,) = refused.value.problems
    assert (problem.path, problem.rule, problem.value) == (name, "parameter", text)
    assert problem.expected.startswith(expected)
    assert refused.value.where == "query"


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("other", "known: status, limit, wait, kind, name"),
        ("limt", "did you mean limit? known: status, limit, wait, kind, name"),
    ],
)
def test_an_unknown_parameter_is_refused_with_those_that_are_known(name: str, expected: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        read((name, "x"))
    (problem,) = refused.value.problems
    assert (problem.path, problem.rule, problem.value, problem.expected) == (name, "unknown_parameter", "x", expected)
    assert refused.value.message == f"{name} is an unknown parameter"


def test_a_parameter_given_twice_is_refused() -> None:
    with pytest.raises(InvalidInput) as refused:
        read(("limit", "1"), ("limit", "2"))
    assert refused.value.problems[0].expected == "one value; known: status, limit, wait, kind, name"


def test_no_operation_has_two_parameters_of_one_name() -> None:
    for operation in OPERATIONS:
        names = [parameter.name for parameter in operation.all_parameters]
        assert len(names) == len(set(names)), operation.name
