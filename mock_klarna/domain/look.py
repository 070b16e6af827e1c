"""How a button looks: the page's styling over the key's (protocol 3.9)."""

from collections.abc import Mapping
from typing import Any

from mock_klarna.domain.facts import value


@value
class Look:
    """A button's words and colours: `type` chooses the words, `theme` and `tagline` the colours, `locale` the language."""

    type: str = "express"
    theme: str = "klarna"
    tagline: str = "dark"
    locale: str = "en-US"


def look(key: Mapping[str, Any], page: Mapping[str, Any]) -> Look:
    """Return the look that key and page give together; what neither gives is the default."""
    theme = {**_theme(key), **_theme(page)}
    return Look(
        type=theme.get("type", Look().type),
        theme=theme.get("variation", Look().theme),
        tagline=theme.get("tagline", Look().tagline),
        locale=page.get("locale") or key.get("locale") or Look().locale,
    )


def _theme(options: Mapping[str, Any]) -> Mapping[str, Any]:
    theme: Mapping[str, Any] = (options.get("styling") or {}).get("theme") or {}
    return theme
