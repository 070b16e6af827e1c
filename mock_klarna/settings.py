"""One frozen settings object; flags, environment variables and the README's table are made from its fields."""

import re
from collections.abc import Callable, Mapping
from dataclasses import Field, dataclass, field, fields
from ipaddress import ip_address
from typing import Any, TypeVar

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


def _within(text: str, kind: Callable[[str], T], least: T, most: T, hint: str) -> T:
    try:
        value = kind(text)
    except ValueError:
        raise ValueError(hint) from None
    if not least <= value <= most:
        raise ValueError(hint)
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


PREFIX = "MOCK_KLARNA_"


class SettingsError(ValueError):
    """A setting has a value that cannot be used; the message names the setting and what would be right."""


def _setting(
    default: Any, parse: Callable[[str], Any], meaning: str, *, metavar: str = "", repeat: bool = False
) -> Any:
    return field(default=default, metadata={"parse": parse, "help": meaning, "metavar": metavar, "repeat": repeat})


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How a server behaves. Every field is a flag `--field-name` and an environment variable `MOCK_KLARNA_FIELD_NAME`."""

    host: str = _setting("127.0.0.1", any_text, "address to listen on", metavar="HOST")
    port: int = _setting(8080, whole(0, 65535), "port to listen on; 0 takes any free one", metavar="PORT")
    ready_file: str = _setting(
        "", any_text, "file that is written with {url, port, pid} once requests are accepted", metavar="PATH"
    )
    credentials: tuple[str, ...] = _setting(
        (),
        pairs(":", "USER:PASSWORD"),
        "the only credentials that are accepted; without it any non-empty ones are",
        metavar="USER:PASSWORD",
        repeat=True,
    )
    strict: bool = _setting(
        False, boolean, "demand what the documents demand: https, the authorized order, known deny forms"
    )
    seed: str = _setting(
        "", any_text, "seed of all ids and shoppers; without it every start has its own", metavar="SEED"
    )
    environment: str = _setting(
        "",
        one_of("production", "playground"),
        "the one environment that pages may name in setup; without it both are accepted",
        metavar="NAME",
    )
    region: str = _setting(
        "",
        one_of("eu", "na", "oc"),
        "the one region that pages may name in setup; without it all are accepted",
        metavar="NAME",
    )
    store: str = _setting(
        "memory",
        any_text,
        "where the state is kept: memory, sqlite:PATH to survive a restart, or postgresql://USER:PASSWORD@HOST/DATABASE",
        metavar="STORE",
    )
    log_format: str = _setting("text", one_of("text", "json"), "form of the log lines", metavar="FORMAT")
    callback_timeout: float = _setting(
        10.0, number(0.01, 600), "seconds that a merchant may take to answer a callback", metavar="SECONDS"
    )
    callback_host_rewrite: tuple[str, ...] = _setting(
        (),
        pairs("=", "FROM=TO"),
        "send callbacks for one host to another, such as localhost=host.docker.internal",
        metavar="FROM=TO",
        repeat=True,
    )
    callback_ca: tuple[str, ...] = _setting(
        (),
        texts,
        "file of certificates in PEM that are trusted for callbacks, beside the system's own",
        metavar="PATH",
        repeat=True,
    )
    callback_insecure: bool = _setting(False, boolean, "send callbacks to https sites whoever signed their certificate")
    tls: bool = _setting(False, boolean, "serve https beside http, in the names of Klarna's hosts")
    tls_port: int = _setting(8443, whole(0, 65535), "port of https; 0 takes any free one", metavar="PORT")
    tls_name: tuple[str, ...] = _setting(
        (), host_names, "further host name or address that the certificate names", metavar="NAME", repeat=True
    )
    tls_folder: str = _setting(
        "",
        any_text,
        "folder that keeps the certificate authority; without it every start has its own",
        metavar="PATH",
    )
    tls_cert: str = _setting(
        "", any_text, "certificate in PEM to use: an authority's, or the server's own with its chain", metavar="PATH"
    )
    tls_key: str = _setting("", any_text, "private key of --tls-cert in PEM", metavar="PATH")
    separate_regions: bool = _setting(
        False, boolean, "each of Klarna's API hosts has its own credentials (USER:PASSWORD@HOST), keys and tokens"
    )
    merchant_timeout: float = _setting(
        60.0,
        number(0, 86400),
        "seconds that a shopper waits for the merchant to place or deny; 0 waits as long as the token lives",
        metavar="SECONDS",
    )
    timeout_ends_token: bool = _setting(True, boolean, "a token is dead once its shopper has stopped waiting")
    token_lifetime: float = _setting(
        3600.0, number(1, 86400 * 30), "seconds that an authorization token lives", metavar="SECONDS"
    )
    repeated_order: str = _setting(
        "replay",
        one_of("replay", "refuse"),
        "an order posted again unchanged gets the first answer, or 403",
        metavar="ANSWER",
    )
    update_failure: str = _setting(
        "keep",
        one_of("keep", "abort"),
        "when an update callback fails the session stays as it was, or the purchase fails",
        metavar="WHAT",
    )
    push_schedule: str = _setting(
        "push", one_of("push", "push-old"), "Klarna's newer or older schedule for repeating a push", metavar="SCHEDULE"
    )
    pending_everywhere: bool = _setting(
        False, boolean, "the pending e-mail triggers work outside the US and the UK too"
    )
    shipping_method_case: str = _setting(
        "kebab",
        one_of("kebab", "as-sent"),
        "spelling of shipping_method in callbacks: box-reg, or as the page sent it",
        metavar="CASE",
    )
    confirmation_order_id: bool = _setting(False, boolean, "add ?order_id= to the confirmation URL")
    unauthorized_body: str = _setting(
        "klarna",
        one_of("klarna", "gateway"),
        "body of a 401: an error object, or the one seen from Klarna's gateway",
        metavar="FORM",
    )
    max_body: int = _setting(
        8 << 20, whole(1024, 1 << 30), "bytes of a request body that are read at most", metavar="BYTES"
    )
    body_timeout: float = _setting(
        30.0, number(0.1, 3600), "seconds that a request body may take to arrive", metavar="SECONDS"
    )
    scenarios: str = _setting(
        "", any_text, "folder of scenarios that are offered beside the stored ones", metavar="PATH"
    )
    rate_limit: str = _setting(
        "",
        rate,
        "requests a second of each merchant: production, playground or a number such as 20/s; without it any",
        metavar="RATE",
    )
    journal_bytes: int = _setting(
        8 << 20, whole(65536, 1 << 34), "bytes of journal kept for each merchant", metavar="BYTES"
    )
    all_journals_bytes: int = _setting(
        64 << 20,
        whole(65536, 1 << 36),
        "bytes of journal kept for all merchants together; the largest journal gives way first",
        metavar="BYTES",
    )
    max_callbacks: int = _setting(10_000, whole(10, 10_000_000), "callbacks kept for each merchant", metavar="COUNT")


def setting_fields() -> tuple[Field[Any], ...]:
    """Return the fields of `Settings`, in order, with `help`, `metavar`, `parse` and `repeat` as metadata."""
    return fields(Settings)


def flag_of(name: str) -> str:
    """Return the command-line flag of a setting: `ready_file` is `--ready-file`."""
    return "--" + name.replace("_", "-")


def parsed(setting: Field[Any], text: str, source: str) -> Any:
    """Return a setting's value from text; raises `SettingsError` naming the source, the value and what would be right."""
    parse = setting.metadata["parse"]
    try:
        return parse(text)
    except ValueError as fault:
        raise SettingsError(f"{source}: {text!r} is not {fault}") from None


def from_environment(environ: Mapping[str, str], flags: Mapping[str, Any] = {}) -> Settings:
    """Return the settings of flags over environment variables over defaults; `PORT` stands in for `MOCK_KLARNA_PORT`.

    Raises `SettingsError` for a value that cannot be used.
    """
    known = {PREFIX + setting.name.upper(): setting for setting in setting_fields()}
    values: dict[str, Any] = {}
    if environ.get("PORT"):
        values["port"] = parsed(known[PREFIX + "PORT"], environ["PORT"], "PORT")
    for variable, setting in known.items():
        if environ.get(variable):
            values[setting.name] = parsed(setting, environ[variable], variable)
    return Settings(**{**values, **flags})


RATES = {"production": (40, 200), "playground": (5, 50)}
"""Requests a second of one merchant: calls that create a session, and all others."""
SESSION_CALLS = frozenset({"create_button"})
"""Which calls of Instant Shopping count as creating a session is not documented; a button key is the nearest to one."""


def rates(rate_limit: str) -> tuple[int, int]:
    """Return both limits of `production`, `playground` or `N/s`; raises `ValueError` for anything else."""
    if rate_limit in RATES:
        return RATES[rate_limit]
    number, _, unit = rate_limit.partition("/")
    if unit != "s" or not number.isascii() or not number.isdigit() or not int(number):
        raise ValueError(rate_limit)
    return int(number), int(number)
