"""Whose request it is: HTTP Basic, in which the username is the merchant (protocol 1.3)."""

import base64
import binascii
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest

from aiohttp import web

from mock_klarna.domain.urls import API_HOSTS, api_host, host_of, merchant_at
from mock_klarna.errors import Unauthorized

CHALLENGE = 'Basic realm="Klarna", charset="UTF-8"'
SEED_EXAMPLE = "pwhcueUff0MmwLShJiBE9JHA=="
"""What the seed page prints as credentials. It is no base64 of `user:password`, and yet its examples must work as printed."""
SEED_MERCHANT = "seed-page"


class Credentials:
    """Which credentials are accepted: a list of `user:password`, or any that are not empty.

    Where regions are separate, credentials belong to one of Klarna's API hosts (protocol 1.2): the one that `@host` behind a
    listed password names, or else Europe's playground; without a list, the one where the username was used first.
    """

    def __init__(self, accepted: Iterable[str], *, separate_regions: bool = False) -> None:
        self._separate = separate_regions
        self._passwords = dict(self._listed(pair) for pair in accepted)
        self._first_hosts: dict[str, str] = {}

    def _listed(self, pair: str) -> tuple[str, str]:
        """Return the merchant and the password of a listed pair."""
        user, _, password = pair.partition(":")
        secret, at, host = password.rpartition("@")
        if self._separate and at and host in API_HOSTS:
            return merchant_at(user, host), secret
        return user, password

    def remember(self, merchants: Iterable[str]) -> None:
        """Take merchants from an earlier run to be where they were."""
        self._first_hosts.update(
            (merchant.removesuffix(f"@{host_of(merchant)}"), host_of(merchant)) for merchant in merchants
        )

    def forget(self, merchant: str | None) -> None:
        """Let a username, or each, be used anywhere first."""
        if merchant is None:
            self._first_hosts.clear()
        else:
            self._first_hosts.pop(merchant.removesuffix(f"@{host_of(merchant)}"), None)

    def claimed(self, authorization: str | None, host: str) -> str | None:
        """Return the merchant that a request says it is, whatever the password, or None."""
        user = username(authorization)
        return self._merchant_at(user, host) if user else None

    def _merchant_at(self, user: str, host: str) -> str:
        return merchant_at(user, api_host(host)) if self._separate else user

    def merchant(self, authorization: str | None, host: str = "") -> str:
        """Return the merchant of an `Authorization` header sent to a host; raises `Unauthorized`, which says what would work."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "basic":
            said = "no credentials were sent" if not scheme else f"the scheme {scheme[:20]!r} is not Basic"
            raise Unauthorized(f"{said}; {self.advice()}")
        user, password = self._decoded(token.strip())
        merchant = self._merchant_at(user, host)
        if not self._is_accepted(merchant, password):
            raise Unauthorized(f"the credentials of {merchant[:80]!r} are not accepted; {self.advice()}")
        if self._separate and not self._passwords:
            self._require_home(user, api_host(host))
        return merchant

    def _require_home(self, user: str, host: str) -> None:
        home = self._first_hosts.setdefault(user, host)
        if home != host:
            said = f"the credentials of {user[:80]!r} belong to {home}, where they were used first, and not to {host}"
            raise Unauthorized(f"{said}; every region and environment has credentials of its own")

    def _decoded(self, token: str) -> tuple[str, str]:
        if token == SEED_EXAMPLE and not self._passwords:
            return SEED_MERCHANT, "seed"
        user, colon, password = decoded(token)
        if not colon:
            raise Unauthorized(f"the credentials are not base64 of username:password; {self.advice()}")
        if not (user and password):
            raise Unauthorized(f"the {'password' if user else 'username'} is empty; {self.advice()}")
        return user, password

    def _is_accepted(self, merchant: str, password: str) -> bool:
        if not self._passwords:
            return bool(password)
        expected = self._passwords.get(merchant, "")
        return compare_digest(expected.encode(), password.encode()) and merchant in self._passwords

    def advice(self) -> str:
        """Say in words which credentials would work."""
        if not self._passwords:
            return (
                "any HTTP Basic credentials with a username and a password work here, for example user PK00000_test with "
                "password test: the username is the merchant"
            )
        users = ", ".join(self._passwords)
        return f"this server accepts HTTP Basic for {users}, each with the password that --credentials gave it"


CREDENTIALS = web.AppKey("credentials", Credentials)
"""Where an application keeps them, for requests whose handler has no services."""


@lru_cache(maxsize=1024)
def decoded(token: str) -> tuple[str, str, str]:
    """Return username, colon and password of a Basic token; all are empty for what is no base64 of text."""
    try:
        text = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return "", "", ""
    try:
        return text.decode().partition(":")
    except UnicodeDecodeError:
        return text.decode("latin-1").partition(":")


def username(authorization: str | None) -> str | None:
    """Return the username that a request claims, whatever the password, or None."""
    scheme, _, token = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    return SEED_MERCHANT if token.strip() == SEED_EXAMPLE else decoded(token.strip())[0] or None
