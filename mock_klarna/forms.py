"""The forms that a setting's text can have. What a parser raises is a ValueError that tells what would be right."""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import TypeVar

T = TypeVar("T", int, float)
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = re.compile(rf"(\*\.)?{_LABEL}(\.{_LABEL})*", re.ASCII)


def any_text(text: str) -> str:
    """Take every text as it is."""
    return text


def boolean(text: str) -> bool:
    """Read a yes or a no."""
    words = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}
    if text.lower() not in words:
        raise ValueError("true or false")
    return words[text.lower()]


def texts(text: str) -> tuple[str, ...]:
    """Read texts that are separated by commas."""
    return tuple(word.strip() for word in text.split(",") if word.strip())


def number(least: float, most: float) -> Callable[[str], float]:
    """Return a parser of numbers within limits."""
    return lambda text: _within(text, float, least, most, f"a number from {least:g} to {most:g}")


def whole(least: int, most: int) -> Callable[[str], int]:
    """Return a parser of whole numbers within limits."""
    return lambda text: _within(text, int, least, most, f"a whole number from {least} to {most}")


def _within(text: str, kind: Callable[[str], T], least: T, most: T, right: str) -> T:
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(right) from None
    if not least <= value <= most:
        raise ValueError(right)
    return value


def one_of(*choices: str) -> Callable[[str], str]:
    """Return a parser that takes nothing but these words."""

    def parse(text: str) -> str:
        if text not in choices:
            raise ValueError("one of " + ", ".join(choices))
        return text

    return parse


def rate(text: str) -> str:
    """Take a rate limit: one of Klarna's two, or a number of requests a second."""
    if not (text in ("production", "playground") or re.fullmatch(r"[1-9][0-9]{0,8}/s", text)):
        raise ValueError("production, playground or a number such as 20/s")
    return text


def pairs(separator: str, form: str) -> Callable[[str], tuple[str, ...]]:
    """Return a parser of texts in two parts, separated by commas; `form` shows one to people."""

    def parse(text: str) -> tuple[str, ...]:
        found = texts(text)
        if any(not all(pair.partition(separator)[::2]) for pair in found):
            raise ValueError(f"{form}, several separated by commas")
        return found

    return parse


def host_names(text: str) -> tuple[str, ...]:
    """Read host names, also with a leading `*.`, and IP addresses, separated by commas."""
    found = tuple(name.rstrip(".").lower() for name in texts(text))
    if not all(map(_is_host, found)):
        raise ValueError("a host name such as shop.test or *.shop.test, or an IP address, several separated by commas")
    return found


def _is_host(name: str) -> bool:
    try:
        return bool(ip_address(name))
    except ValueError:
        return len(name) <= 253 and _HOST_NAME.fullmatch(name) is not None
