"""Which URLs a merchant may register, and what becomes of their placeholders."""

import ipaddress
from functools import lru_cache
from urllib.parse import parse_qsl, quote_plus, urlsplit

MOST_CHARACTERS = 2000
CALLED = ("place_order", "update", "create_customer_token", "push", "notification")
"""The merchant URLs that Klarna's server calls; https is demanded of them (protocol 3.2)."""
SHOWN = ("terms", "confirmation")
"""The merchant URLs that only a shopper's browser opens; http is as good (C-20)."""

_PLACEHOLDERS = ("{checkout.order.id}", "{order.id}")
_PRIVATE_ENDINGS = (
    ".localhost",
    ".local",
    ".test",
    ".internal",
    ".lan",
    ".home.arpa",
    ".docker",
    ".svc",
    ".cluster.local",
)


@lru_cache(maxsize=4096)
def is_absolute(url: str) -> bool:
    """Tell whether a URL is an absolute http or https one, with a host, without blanks, of at most 2000 characters."""
    if len(url) > MOST_CHARACTERS or any(mark <= " " for mark in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


@lru_cache(maxsize=4096)
def is_callable(url: str, *, strict: bool = False) -> bool:
    """Tell whether Klarna's server may call a URL: https; unless strict, http too for loopback and private hosts."""
    if not is_absolute(url):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (not strict and is_private_host(parts.hostname or ""))


def is_private_host(host: str) -> bool:
    """Tell whether a host is out of the public internet's reach: loopback, a private address, a name without dots.

    Names of compose services have no dot; `.test`, `.local`, `.internal` and their like are reserved for such use.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(_PRIVATE_ENDINGS)
    return not address.is_global


def with_order_id(url: str, order_id: str) -> str:
    """Return the URL with the order id in place of `{checkout.order.id}` and `{order.id}` (protocol 3.2)."""
    if "{" not in url:
        return url
    for placeholder in _PLACEHOLDERS:
        url = url.replace(placeholder, order_id)
    return url


def with_query(url: str, name: str, value: str) -> str:
    """Return the URL with one query parameter more, or as it is when it has that parameter already (C-29)."""
    address, mark, fragment = url.partition("#")
    query = urlsplit(address).query
    if any(known == name for known, _ in parse_qsl(query, keep_blank_values=True)):
        return url
    joint = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{joint}{quote_plus(name)}={quote_plus(value)}{mark}{fragment}"


EUROPES_PLAYGROUND = "api.playground.klarna.com"
API_HOSTS = (
    "api.klarna.com",
    EUROPES_PLAYGROUND,
    "api-na.klarna.com",
    "api-na.playground.klarna.com",
    "api-oc.klarna.com",
    "api-oc.playground.klarna.com",
)
"""The API's hosts: Europe, North America, Oceania, each live and playground."""
SCRIPT_HOST = "x.klarnacdn.net"
"""Where pages load `lib.js` from."""
_ELSEWHERE = frozenset(API_HOSTS) - {EUROPES_PLAYGROUND}


def api_host(host: str) -> str:
    """Return the API host that a `Host` header chooses; one that is not Klarna's chooses Europe's playground."""
    name = host.partition(":")[0].rstrip(".").lower()
    return name if name in _ELSEWHERE else EUROPES_PLAYGROUND


def merchant_at(username: str, host: str) -> str:
    """Return the merchant that a username is at an API host: itself in Europe's playground, else `username@host`."""
    return username if host == EUROPES_PLAYGROUND else f"{username}@{host}"


def host_of(merchant: str) -> str:
    """Return the API host that a merchant belongs to, as `merchant_at` wrote it."""
    host = merchant.rpartition("@")[2]
    return host if host in _ELSEWHERE else EUROPES_PLAYGROUND
