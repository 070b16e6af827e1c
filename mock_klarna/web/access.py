"""Which requests the control API accepts: those to a host name of this server, and none of a page of another origin.

A web page that a developer visits can send requests to this machine. Two checks keep it from the control API:

- `Host`: a page can give its own name a local address (DNS rebinding) and then reads answers as its own. The name stays in `Host`.
  Only names of the public DNS can be used for this. An IP address, a name without a dot, and names such as `shop.test` cannot.
- `Sec-Fetch-Site` and `Origin`: browsers send them, and no page can change them. Other clients do not send them.
"""

from collections.abc import Callable
from functools import lru_cache

from aiohttp import hdrs, web

from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST, is_address, is_private_host
from mock_klarna.errors import Forbidden, UnknownHost
from mock_klarna.settings import Settings
from mock_klarna.web.request import require_json

ANY_HOST = "*"
"""The value of the setting `allowed_host` that accepts every host name."""
_SITE, _MODE, _DESTINATION = "Sec-Fetch-Site", "Sec-Fetch-Mode", "Sec-Fetch-Dest"
_OWN_SITES = ("same-origin", "none")
_READING = (hdrs.METH_GET, hdrs.METH_HEAD)
PROTECTION = {"Cross-Origin-Resource-Policy": "same-origin", "X-Content-Type-Options": "nosniff"}
"""Response headers with which browsers keep a response from pages of other origins that embed it."""


@lru_cache(maxsize=8)
def host_check(settings: Settings) -> Callable[[str], bool]:
    """Return the function that tells whether the control API accepts a value of the header `Host`."""
    names = {settings.host.lower(), *API_HOSTS, SCRIPT_HOST, *settings.tls_name, *settings.allowed_host}
    domains = tuple(name[1:] for name in names if name.startswith("*."))
    is_any_accepted = ANY_HOST in names

    def is_known(host: str) -> bool:
        name = _name(host)
        return is_any_accepted or name in names or name.endswith(domains) or _cannot_be_rebound(name)

    return is_known


def access_check(settings: Settings) -> Callable[[web.Request], None]:
    """Return the check of a request to the control API.

    It raises `UnknownHost`, `Forbidden` for the request of a page of another origin, and `UnsupportedMediaType` for a body that
    is declared as anything but JSON, such as that of an HTML form.
    """
    is_known = host_check(settings)

    def check(http: web.Request) -> None:
        host = http.headers.get(hdrs.HOST, "")
        if not is_known(host):
            name = _name(host)[:100]
            hint = f"if that is a name of this server, start it with --allowed-host {name}"
            raise UnknownHost(f"the control API is not for the host {name!a}", where="Host", hint=hint)
        _require_own_page(http, host)
        if http.method not in _READING and http.body_exists:
            require_json(http)

    return check


def control_url(http: web.Request, settings: Settings) -> str:
    """Return the URL at which a client reaches the control API: with its own `Host` if that is accepted, else with the address."""
    host = http.host if host_check(settings)(http.host) else address(http)
    return f"{scheme(http)}://{host or http.host}"


def scheme(http: web.Request) -> str:
    """Return the scheme with which the client asked: what a reverse proxy says about it, else that of the connection."""
    forwarded = http.headers.get("X-Forwarded-Proto", "").partition(",")[0].strip().lower()
    return forwarded if forwarded in ("http", "https") else http.scheme


def address(http: web.Request) -> str | None:
    """Return the address and port at which this machine received a request, whatever `Host` says; None if the client has left."""
    name = http.get_extra_info("sockname")
    if name is None:
        return None
    host, port = name[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _name(host: str) -> str:
    """Return the host of a `Host` header without the port and the brackets of an IPv6 address, in lower case."""
    name, colon, port = host.rpartition(":")
    if not colon or not (port.isdigit() or not port) or host.endswith("]"):
        name = host
    return name.strip("[]").rstrip(".").lower()


def _cannot_be_rebound(name: str) -> bool:
    """Return whether a page on the internet cannot have this host: an IP address, or a name that is not in the public DNS."""
    return is_private_host(name) or is_address(name)


def _require_own_page(http: web.Request, host: str) -> None:
    """Raise `Forbidden` for the request of a page of another origin; a link that a user follows to a page of ours is allowed."""
    headers = http.headers
    site, origin = headers.get(_SITE), headers.get(hdrs.ORIGIN)
    if site is None:
        is_own = origin is None or origin.partition("://")[2].lower() == host.lower()
    else:
        is_own = site in _OWN_SITES or (
            http.method in _READING and headers.get(_MODE) == "navigate" and headers.get(_DESTINATION) == "document"
        )
    if not is_own:
        where = _SITE if origin is None else "Origin"
        raise Forbidden(
            f"the control API is not for pages of other origins: {where} is {headers[where][:200]!a}",
            where=where,
            hint="send the request from a program or a test instead; pages use /instantshopping/lib/v1/lib.js",
        )
