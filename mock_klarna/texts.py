"""The texts that shoppers read, in each language: the files of the dialog, from which the server takes its own texts too."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import orjson

LANGUAGES = ("en", "sv", "de", "fi", "nb", "da", "nl", "fr")
"""The languages that there are texts in; English is the one for all other languages."""
_SAME_TEXTS = {"no": "nb", "nn": "nb"}
_FOLDER = Path(__file__).parent / "web" / "static" / "texts"


def language(locale: str) -> str:
    """Return the language of a locale such as `sv-SE` if there are texts in it, else English."""
    code = locale.partition("-")[0].lower()
    code = _SAME_TEXTS.get(code, code)
    return code if code in LANGUAGES else "en"


def text(locale: str, name: str) -> str:
    """Return a text by its name, in the language of a locale."""
    return _texts(language(locale))[name]


@cache
def _texts(code: str) -> Mapping[str, str]:
    texts: dict[str, str] = orjson.loads((_FOLDER / f"{code}.json").read_bytes())
    return texts
