"""Merchant URLs, which may be registered and how placeholders are replaced, and the API's hosts."""

import ipaddress
from functools import lru_cache
from urllib.parse import parse_qsl, quote_plus, urlsplit

MAX_CHARACTERS = 2000
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


def is_absolute(url: str) -> bool:
    """Return whether a URL is an absolute http or https one, with a host, without blanks, of at most 2000 characters."""
    return len(url) <= MAX_CHARACTERS and is_http_url(url)


@lru_cache(maxsize=4096)
def is_http_url(url: str) -> bool:
    """Return what `is_absolute` does for a URL of any length."""
    if any(mark <= " " for mark in url):
        return False
    try:
        parts = urlsplit(url)
        return parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False


def is_callable(url: str, *, strict: bool = False) -> bool:
    """Return whether Klarna's server may call a URL: https; unless strict, http too for loopback and private hosts."""
    return is_absolute(url) and _is_callable(url, strict)


@lru_cache(maxsize=4096)
def _is_callable(url: str, strict: bool) -> bool:
    parts = urlsplit(url)
    return parts.scheme == "https" or (not strict and is_private_host(parts.hostname or ""))


def is_private_host(host: str) -> bool:
    """Return whether a host is not on the public internet: loopback, a private address, a name without dots.

    Names of compose services have no dot; `.test`, `.local`, `.internal` and the others are reserved for such use.
    """
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        name = host.lower().rstrip(".")
        return "." not in name or name.endswith(_PRIVATE_ENDINGS)
    return not address.is_global


def is_address(host: str) -> bool:
    """Return whether a host is an IP address and not a name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True


def names_order(url: str) -> bool:
    """Return whether a URL has a placeholder that the order id replaces."""
    return any(placeholder in url for placeholder in _PLACEHOLDERS)


def with_order_id(url: str, order_id: str) -> str:
    """Return the URL with the order id in place of `{checkout.order.id}` and `{order.id}` (klarna.md §3.2)."""
    if "{" not in url:
        return url
    for placeholder in _PLACEHOLDERS:
        url = url.replace(placeholder, order_id)
    return url


def with_query(url: str, name: str, value: str) -> str:
    """Return the URL with one more query parameter, unless it has that parameter already (klarna.md C-29)."""
    address, mark, fragment = url.partition("#")
    query = urlsplit(address).query
    if any(known == name for known, _ in parse_qsl(query, keep_blank_values=True)):
        return url
    separator = "" if address.endswith(("?", "&")) else "&" if "?" in address else "?"
    return f"{address}{separator}{quote_plus(name)}={quote_plus(value)}{mark}{fragment}"


EUROPEAN_PLAYGROUND = "api.playground.klarna.com"
API_HOSTS = (
    "api.klarna.com",
    EUROPEAN_PLAYGROUND,
    "api-na.klarna.com",
    "api-na.playground.klarna.com",
    "api-oc.klarna.com",
    "api-oc.playground.klarna.com",
    "api.kustom.co",
    "api.playground.kustom.co",
)
"""The API's hosts: Europe, North America, Oceania and Kustom (klarna.md §1.2), each live and playground."""
SCRIPT_HOST = "x.klarnacdn.net"
"""Where pages load `lib.js` from."""
_OTHER_HOSTS = frozenset(API_HOSTS) - {EUROPEAN_PLAYGROUND}


def api_host(host: str) -> str:
    """Return the API host of a `Host` header; hosts that are not Klarna's stand for Europe's playground."""
    name = host.partition(":")[0].rstrip(".").lower()
    return name if name in _OTHER_HOSTS else EUROPEAN_PLAYGROUND


def merchant_at(username: str, host: str) -> str:
    """Return the merchant of a username at an API host: the username in Europe's playground, else `username@host`.

    A username that ends with an API host is the merchant of that one: any address of the server then has every merchant.
    """
    name, _, named = username.rpartition("@")
    if name and named in API_HOSTS:
        username, host = name, named
    return username if host == EUROPEAN_PLAYGROUND else f"{username}@{host}"


def username_of(merchant: str) -> str:
    """Return the username of a merchant, as `merchant_at` wrote it."""
    return merchant.removesuffix(f"@{host_of(merchant)}")


def host_of(merchant: str) -> str:
    """Return the API host that a merchant belongs to, as `merchant_at` wrote it."""
    host = merchant.rpartition("@")[2]
    return host if host in _OTHER_HOSTS else EUROPEAN_PLAYGROUND
