"""The kinds of values that settings and options allow: how each is read from text and checked, and its allowed values in words."""

import re
from collections.abc import Callable
from ipaddress import ip_address, ip_network
from typing import Any, Final
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

RATES: Final = {"production": (40, 200), "playground": (5, 50)}
"""Requests a second of one merchant: those that create a button key, and all others (klarna.md §1.5)."""
_RATE = r"([1-9][0-9]{0,8})/s"
_LABEL = r"[a-z0-9_]([a-z0-9_-]{0,61}[a-z0-9_])?"
_HOST_NAME = rf"(\*\.)?{_LABEL}(\.{_LABEL})*"
SEVERAL: Final = ", several separated by commas"
"""How the allowed values of a setting with several values end."""
_STORE = r"memory|sqlite:(?!:memory:$|file:)\S(.*[^/])?|postgres(ql)?://.+"
ALL_ADDRESSES = ("", "*", "0.0.0.0")  # noqa: S104
"""The values of the setting `host` that stand for all addresses of IPv4."""
_BOOLEANS = {"1": True, "true": True, "yes": True, "on": True, "0": False, "false": False, "no": False, "off": False}


class _MistypedError(ValueError):
    """A value that is not allowed; the message suggests what was probably meant."""


class Allowed(Struct, frozen=True):
    """The values that a setting accepts.

    text: the allowed values in words, as error messages and the documentation print them.
    read: makes a value of the right type from the text of a flag or a variable; raises ValueError.
    check: returns the value in its normal form; raises ValueError, also for a wrong type.
    words: the words among the values, which are suggested for a mistyped one.
    """

    text: str
    read: Callable[[str], Any]
    check: Callable[[Any], Any]
    words: tuple[str, ...] = ()

    def parse(self, text: str) -> Any:
        """Return the value that a text stands for; raises ValueError with the allowed values."""
        try:
            value = self.read(text)
        except ValueError:
            raise ValueError(self.text) from None
        return self.validate(value)

    def validate(self, value: Any) -> Any:
        """Return a value in its normal form; raises ValueError with the allowed values."""
        try:
            return self.check(value)
        except _MistypedError as mistyped:
            raise ValueError(f"{self.text}; {mistyped}") from None
        except ValueError:
            raise ValueError(self.text) from None


def number(least: float, most: float) -> Allowed:
    """Return the numbers within limits."""

    def check(value: Any) -> float:
        _require(isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most)
        return float(value)

    return Allowed(f"a number from {least:.10g} to {most:.10g}", float, check)


def integer(least: int, most: int) -> Allowed:
    """Return the integers within limits."""

    def check(value: Any) -> int:
        _require(isinstance(value, int) and not isinstance(value, bool) and least <= value <= most)
        return int(value)

    return Allowed(f"an integer from {least} to {most}", int, check)


def one_of(*choices: str) -> Allowed:
    """Return nothing but these words."""

    def check(value: Any) -> str:
        _require(isinstance(value, str) and value in choices)
        return str(value)

    return Allowed("one of " + ", ".join(choices), str, check, choices)


def text(what: str) -> Allowed:
    """Return all texts; `what` says what the text is, such as a path."""

    def check(value: Any) -> str:
        _require(isinstance(value, str))
        return str(value)

    return Allowed(what, str, check)


def texts(each: str, check_one: Callable[[str], str]) -> Allowed:
    """Return tuples of texts, in flags and variables separated by commas; `each` describes one of them."""

    def check(value: Any) -> tuple[str, ...]:
        _require(isinstance(value, tuple) and all(isinstance(text, str) for text in value))
        return tuple(check_one(text) for text in value)

    return Allowed(each + SEVERAL, _split, check)


def pairs(separator: str, form: str) -> Allowed:
    """Return tuples of texts in two parts that are not empty; `form` shows one of them."""

    def check_one(text: str) -> str:
        _require(all(text.partition(separator)[::2]))
        return text

    return texts(form, check_one)


def requests_per_second(rate_limit: str) -> tuple[int, int]:
    """Return both limits of `production`, `playground` or `N/s`: of requests that create a session, and of all others.

    Raises ValueError for any other text.
    """
    if rate_limit in RATES:
        return RATES[rate_limit]
    match = re.fullmatch(_RATE, rate_limit)
    if match is None:
        raise ValueError(rate_limit)
    return int(match[1]), int(match[1])


def _require(is_valid: object) -> None:
    if not is_valid:
        raise ValueError


def _split(text: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",") if part.strip())


def _read_boolean(text: str) -> bool:
    _require(text.lower() in _BOOLEANS)
    return _BOOLEANS[text.lower()]


def _boolean(value: Any) -> bool:
    _require(isinstance(value, bool))
    return bool(value)


def _rate(value: Any) -> str:
    _require(isinstance(value, str))
    requests_per_second(value)
    return str(value)


def _utf8(value: Any) -> str:
    """Return a text that can be encoded: bytes of the environment outside UTF-8 are halves of surrogate pairs."""
    _require(isinstance(value, str))
    value.encode()
    return str(value)


def _path(text: str) -> str:
    _require(text)
    return text


def _target(text: str) -> str:
    try:
        network = ip_network(text.strip("[]"), strict=False)
        address, _, bits = text.partition("/")
        if bits and ip_address(address.strip("[]")) != network.network_address:
            raise _MistypedError(f"did you mean {network}?")
        return str(network)
    except _MistypedError:
        raise
    except ValueError:
        _require(not re.fullmatch(r"[\d./]+|.*[:/].*", text))  # a mistyped address, which as a name would match nothing
        return _host_name(text)


def _host_name(text: str) -> str:
    name = text.rstrip(".").lower()
    try:
        return str(ip_address(name)) and name
    except ValueError:
        _require(len(name) <= 253 and re.fullmatch(_HOST_NAME, name))
        return name


def _host(value: Any) -> str:
    _require(isinstance(value, str))
    if value not in ALL_ADDRESSES:
        _require(not _host_name(value).startswith("*"))
    return str(value)


def _rewrite(text: str) -> str:
    old, _, new = text.partition("=")
    _require(_host_and_port(old).port is None and _host_and_port(new).port != 0)
    return text


def _host_and_port(text: str) -> SplitResult:
    """Return the parts of `HOST` or `HOST:PORT`; an address of IPv6 needs brackets before a port only."""
    authority = f"[{text}]" if text.count(":") > 1 and not text.startswith("[") else text
    parts = urlsplit(f"//{authority}")
    _require(parts.hostname and parts.netloc == authority and not re.search(r"[\s@*]", text))
    return parts


def _store(value: Any) -> str:
    _require(isinstance(value, str) and re.fullmatch(_STORE, value, re.DOTALL))
    return str(value)


PATH = text("a path")
SEED = Allowed("a text in UTF-8", str, _utf8)
BOOLEAN = Allowed("true or false", _read_boolean, _boolean, ("true", "false"))
RATE = Allowed("production, playground or a number such as 20/s", str, _rate, tuple(RATES))
PATHS = texts("a path", _path)
TARGETS = texts("a network such as 10.0.0.0/8, an IP address, or a host name such as shop.test or *.shop.test", _target)
ALLOWED_HOSTS = texts(
    "a host name such as klarna.shop.example or *.shop.example, or *",
    lambda text: text if text == "*" else _host_name(text),
)
HOST = Allowed("a host name or an IP address of this machine, or * for all addresses", str, _host)
STORE = Allowed("memory, sqlite:PATH or postgresql://USER:PASSWORD@HOST/DATABASE", str, _store)
REWRITES = texts(
    "FROM=TO, two hosts without scheme and path, such as localhost=shop or shop.test=127.0.0.1:3000", _rewrite
)
HOST_NAMES = texts("a host name such as shop.test or *.shop.test, or an IP address", _host_name)
