"""Klarna's hosts: every region and environment has its own (protocol 1.2)."""

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
