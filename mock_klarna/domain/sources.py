"""Sources of protocol facts stand in docstrings and schemas for those who maintain this; users read the fact alone."""

import re

_SOURCE = re.compile(r"\s*\((?:protocol|seed|C-\d)[^()]*\)")


def without_sources(text: str) -> str:
    """Return a sentence without the sources that it names in brackets, such as `(seed, step 3)` or `(C-18)`."""
    return _SOURCE.sub("", text)
