"""Settings' texts: what is taken, and what a refusal says would be right."""

from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import settings
from mock_klarna.settings import SettingsError, from_environment
from tests.cases import in_turn

READ: list[tuple[Callable[[str], Any], str, Any]] = [
    (settings.boolean, "On", True),
    (settings.boolean, "no", False),
    (settings.number(0, 5), "2.5", 2.5),
    (settings.whole(0, 65535), "0", 0),
    (settings.one_of("text", "json"), "json", "json"),
    (settings.pairs(":", "USER:PASSWORD"), "a:b, c:d:e", ("a:b", "c:d:e")),
    (settings.host_names, "Shop.Test., *.shop.test,10.0.0.1,::1", ("shop.test", "*.shop.test", "10.0.0.1", "::1")),
]
REFUSED: list[tuple[Callable[[str], Any], str, str]] = [
    (settings.boolean, "perhaps", "true or false"),
    (settings.number(0.5, 5), "0.4", "a number from 0.5 to 5"),
    (settings.number(0, 5), "nan", "a number from 0 to 5"),
    (settings.whole(0, 65535), "65536", "a whole number from 0 to 65535"),
    (settings.whole(0, 65535), "8080x", "a whole number from 0 to 65535"),
    (settings.one_of("text", "json"), "xml", "one of text, json"),
    (settings.pairs("=", "FROM=TO"), "a=b,c", "FROM=TO, several separated by commas"),
    (settings.host_names, "https://shop.test", "a host name such as shop.test"),
    (settings.host_names, "shop.test:443", "a host name such as shop.test"),
    (settings.host_names, "a.*.test", "a host name such as shop.test"),
]


@pytest.mark.parametrize(("parse", "text", "value"), READ)
def test_a_text_of_the_right_form_is_read(parse: Callable[[str], Any], text: str, value: Any) -> None:
    assert parse(text) == value


@in_turn(("parse", "text", "hint"), REFUSED)
def test_a_refusal_says_what_would_be_right(parse: Callable[[str], Any], text: str, hint: str) -> None:
    with pytest.raises(ValueError, match="^" + hint.replace("*", r"\*")):
        parse(text)


def test_a_refusal_names_the_variable_and_its_value() -> None:
    with pytest.raises(SettingsError, match="MOCK_KLARNA_PORT: 'http' is not a whole number from 0 to 65535"):
        from_environment({"MOCK_KLARNA_PORT": "http"})
