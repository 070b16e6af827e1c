"""Files become data with places, and nothing but JSON's own types."""

from typing import Any

import pytest

from mock_klarna.scenario.source import Place, Unreadable, read
from tests.cases import in_turn


@in_turn(
    ("text", "value"),
    [
        ("no", "no"),
        ("on", "on"),
        ("NO", "NO"),
        ("2026-01-01", "2026-01-01"),
        ("12:30", "12:30"),
        ("true", True),
        ("null", None),
        ("~", None),
        ("", None),
        ("12", 12),
        ("-3", -3),
        ("012", "012"),
        ("1.5", 1.5),
        ("1e3", 1000.0),
        ('"12"', "12"),
        ("'true'", "true"),
        ("0x1f", "0x1f"),
        ("1_000", "1_000"),
        (".5", ".5"),
        ("+46701740615", "+46701740615"),
    ],
)
def test_a_plain_word_is_what_json_would_make_of_it(text: str, value: Any) -> None:
    found = read(f"member: {text}").data["member"]
    assert (found, type(found)) == (value, type(value))


def test_json_is_read_as_it_is() -> None:
    assert read('{"a": [1, "x", {"b": null}], "c": true}').data == {"a": [1, "x", {"b": None}], "c": True}


def test_an_empty_file_holds_nothing() -> None:
    assert read("").data is None


def test_every_part_has_a_place() -> None:
    source = read("name: x\nsteps:\n  - purchase:\n      cart: y\n  - pause: 1s\n")
    assert source.place("name") == Place(1, 1)
    assert source.place("steps[0].purchase.cart") == Place(4, 7)
    assert source.place("steps[1]") == Place(5, 5)


def test_what_is_not_there_is_placed_at_what_is_around_it() -> None:
    source = read("name: x\nsteps:\n  - purchase: {cart: y}\n")
    assert source.place("steps[0].purchase.shopper.email") == source.place("steps[0].purchase") == Place(3, 5)
    assert source.place("nothing[3].here") == Place(1, 1)


@pytest.mark.parametrize(
    ("text", "place", "said"),
    [
        ("a: b: c", Place(1, 5), "mapping values are not allowed"),
        ("a:\n  - {b: [1, 2}", Place(2, 14), "expected"),
        ("a: 1\nb: 2\na: 3", Place(3, 1), "a is given twice"),
        ("? [a]\n: b", Place(1, 3), "a name is expected"),
        ("a: *nowhere", Place(1, 4), "undefined alias"),
        ("a: &a [*a]", Place(1, 7), "nested too deeply"),
        ("a: 1\n---\nb: 2", Place(2, 1), "document"),
        ("a: \x00", Place(1, 1), "control characters"),
    ],
)
def test_what_cannot_be_read_says_where_and_why(text: str, place: Place, said: str) -> None:
    with pytest.raises(Unreadable) as caught:
        read(text)
    assert said in caught.value.message
    assert caught.value.place.line == place.line
    assert caught.value.hint


def test_aliases_that_multiply_are_refused_before_they_fill_the_memory() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    with pytest.raises(Unreadable, match="too deeply, or too large"):
        read(bomb)


def test_an_alias_stands_for_what_it_names() -> None:
    assert read("a: &a {b: 1}\nc: *a").data == {"a": {"b": 1}, "c": {"b": 1}}
