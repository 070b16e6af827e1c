"""Actual JSON is compared with the expected part of it."""

from mock_klarna.scenario.matching import differences


def test_a_part_of_the_actual_value_is_enough() -> None:
    for expected, actual in (
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
        ({"contains": 2}, [1, 2]),
        ({"contains": {"a": 1}}, [{"a": 0}, {"a": 1, "b": 2}]),
        ({"contains": {"at_least": 2}}, [1, 2]),
        ({"contains": "a"}, {"a": 0}),
        ({"matches": "^h.*o$"}, "hello"),
        ({"at_least": 1, "at_most": 3}, 2),
        ({"not": None}, 0),
        ({"not": {"contains": "x"}}, "hello"),
        (1, 1.0),
    ):
        assert list(differences(expected, actual)) == [], (expected, actual)


def test_a_difference_has_the_expected_and_the_actual_value() -> None:
    for expected, actual, difference in (
        ({"a": 1}, {"a": 2}, "a: expected 1, was 2"),
        ({"a": {"b": 1}}, {"a": None}, "a: expected {b: 1}, was nothing"),
        ({"a": [{"b": 1}]}, {"a": [{"b": 2}]}, "a[0].b: expected 1, was 2"),
        ([3, 1], [1, 2, 3], "value: expected an entry with 1, was [1, 2, 3]"),
        ([], [1], "value: expected [], was [1]"),
        ({"a": None}, {"a": 0}, "a: expected nothing, was 0"),
        (True, 1, "value: expected true, was 1"),
        (0, False, "value: expected 0, was false"),
        ({"contains": "x"}, "hello", "value: expected contains x, was hello"),
        ({"contains": {"a": 1}}, [{"a": 0}], "value: expected contains {a: 1}, was [{a: 0}]"),
        ({"contains": 1}, [True], "value: expected contains 1, was [true]"),
        ({"contains": "x"}, None, "value: expected contains x, was nothing"),
        ({"matches": "x"}, 5, "value: expected matches x, was 5"),
        ({"at_least": 3}, "4", "value: expected at least 3, was 4"),
        ({"at_most": 3}, 4, "value: expected at most 3, was 4"),
        ({"not": 4}, 4, "value: expected not 4, was 4"),
    ):
        assert list(differences(expected, actual)) == [difference], (expected, actual)
