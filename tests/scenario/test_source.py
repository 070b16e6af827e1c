"""YAML and JSON become data with places and only JSON's types."""

import pytest

from mock_klarna.scenario.source import Place, UnreadableFile, parse


def test_an_unquoted_yaml_value_has_the_type_that_it_would_have_in_json() -> None:
    for text, value in (
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
    ):
        found = parse(f"member: {text}").data["member"]
        assert (found, type(found)) == (value, type(value)), text


@pytest.mark.parametrize(
    "number", ["9" * 5000, "-" + "9" * 5000, "18446744073709551616", "-9223372036854775809", "1e999"]
)
def test_a_number_that_no_json_body_can_have_is_an_error_with_its_place(number: str) -> None:
    with pytest.raises(UnreadableFile, match="is too large") as error:
        parse(f"name: x\nnumber: {number}\n")
    assert error.value.place == Place(2, 9)


@pytest.mark.parametrize("number", [2**64 - 1, -(2**63), 0])
def test_integers_of_64_bits_are_kept(number: int) -> None:
    assert parse(f"number: {number}").data == {"number": number}


def test_json_is_parsed_unchanged() -> None:
    assert parse('{"a": [1, "x", {"b": null}], "c": true}').data == {"a": [1, "x", {"b": None}], "c": True}


def test_an_empty_file_is_null() -> None:
    assert parse("").data is None


def test_every_part_has_a_place() -> None:
    source = parse("name: x\nsteps:\n  - purchase:\n      cart: y\n  - pause: 1s\n")
    assert source.place("name") == Place(1, 1)
    assert source.place("steps[0].purchase.cart") == Place(4, 7)
    assert source.place("steps[1]") == Place(5, 5)


def test_the_place_of_a_missing_part_is_that_of_the_part_around_it() -> None:
    source = parse("name: x\nsteps:\n  - purchase: {cart: y}\n")
    assert source.place("steps[0].purchase.shopper.email") == source.place("steps[0].purchase") == Place(3, 5)
    assert source.place("nothing[3].here") == Place(1, 1)


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("a: b: c", Place(1, 5), "mapping values are not allowed"),
        ("a:\n  - {b: [1, 2}", Place(2, 14), "expected"),
        ("a: 1\nb: 2\na: 3", Place(3, 1), "duplicate name 'a'"),
        ("? [a]\n: b", Place(1, 3), "expected a name"),
        ("a: *nowhere", Place(1, 4), "undefined alias"),
        ("a: &a [*a]", Place(1, 7), "nested too deeply"),
        ("a: 1\n---\nb: 2", Place(2, 1), "document"),
        ("a: \x00", Place(1, 1), "control characters"),
    ],
)
def test_an_unreadable_file_is_an_error_with_its_place(text: str, place: Place, message: str) -> None:
    with pytest.raises(UnreadableFile) as caught:
        parse(text)
    assert message in caught.value.message
    assert caught.value.place.line == place.line
    assert caught.value.hint


def test_multiplying_aliases_are_rejected() -> None:
    bomb = "a0: &a0 [x, x]\n" + "".join(f"a{n}: &a{n} [*a{n - 1}, *a{n - 1}]\n" for n in range(1, 30))
    with pytest.raises(UnreadableFile, match="too deeply or too large"):
        parse(bomb)


def test_an_alias_has_the_value_of_its_anchor() -> None:
    assert parse("a: &a {b: 1}\nc: *a").data == {"a": {"b": 1}, "c": {"b": 1}}
