"""The texts that shoppers read: every language has all of them, and the server uses those of the dialog."""

import json
import re
from pathlib import Path

import pytest

import mock_klarna.web
from mock_klarna.domain.purchase import DENY_CODES
from mock_klarna.shoppers import shopper_descriptions
from mock_klarna.texts import LANGUAGES, language, text

FOLDER = Path(mock_klarna.web.__file__).parent / "static" / "texts"


def texts(code: str) -> dict[str, str]:
    found: dict[str, str] = json.loads((FOLDER / f"{code}.json").read_text(encoding="utf-8"))
    return found


def test_every_file_of_texts_is_a_language() -> None:
    assert {path.stem for path in FOLDER.iterdir()} == set(LANGUAGES)


@pytest.mark.parametrize("code", LANGUAGES)
def test_every_language_has_the_same_texts_and_placeholders(code: str) -> None:
    def values(texts: dict[str, str]) -> dict[str, list[str]]:
        return {name: sorted(re.findall(r"\{\w+\}", text)) for name, text in texts.items()}

    assert values(texts(code)) == values(texts("en"))


@pytest.mark.parametrize("code", LANGUAGES[1:])
def test_no_text_is_left_in_english(code: str) -> None:
    own, english = texts(code), texts("en")
    sentences = {name for name, value in english.items() if " " in value}
    assert {name for name in sentences if own[name] == english[name]} == {"method_dhlpackstation"}


@pytest.mark.parametrize(
    ("locale", "code"),
    [("sv-SE", "sv"), ("SV-fi", "sv"), ("no-NO", "nb"), ("nn-NO", "nb"), ("es-ES", "en"), ("", "en")],
)
def test_a_locale_has_the_texts_of_its_language_or_english_ones(locale: str, code: str) -> None:
    assert language(locale) == code
    assert text(locale, "close") == texts(code)["close"]


@pytest.mark.parametrize("code", LANGUAGES)
def test_each_predefined_deny_code_has_a_text_of_its_own(code: str) -> None:
    names = [f"denied_{name}" for name in (*DENY_CODES, "generic")]
    assert len({text(code, name) for name in names}) == len(names)


def test_each_test_shopper_has_the_english_text_of_its_file() -> None:
    for name, description in shopper_descriptions().items():
        assert text("en", "_".join(["shopper", *name.split("-")[1:]])) == description
