"""HTTP Basic authentication; the username is the merchant (klarna.md §1.3)."""

import base64
import binascii
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest
from typing import NamedTuple

from mock_klarna.domain.urls import API_HOSTS, EUROPEAN_PLAYGROUND, api_host, host_of, merchant_at, username_of
from mock_klarna.errors import Unauthorized

CHALLENGE = 'Basic realm="Klarna", charset="UTF-8"'
_MAX_CACHED = 1024
_LONGEST_CACHED = 500
"""Characters of an `Authorization` header that is remembered with what it means."""


class BasicCredentials(NamedTuple):
    """The content of an `Authorization` header; `problem` describes what is wrong with it, or is ""."""

    user: str
    password: str
    problem: str = ""


_NOT_A_PAIR = "the credentials are not base64 of username:password"
_GUIDE_TOKEN = "pwhcueUff0MmwLShJiBE9JHA=="  # noqa: S105
"""What the integration guide prints as credentials: not base64 of `user:password`, but its examples must work as printed."""
_GUIDE_CREDENTIALS = BasicCredentials("guide", "", _NOT_A_PAIR)


def parse_basic(header: str) -> BasicCredentials:
    """Return the credentials of an `Authorization` header, "" for none."""
    return _parsed_before(header) if len(header) <= _LONGEST_CACHED else _parsed(header)


def _parsed(header: str) -> BasicCredentials:
    scheme, _, token = header.strip().partition(" ")
    if scheme.lower() != "basic":
        problem = f"the scheme {scheme[:20]!r} is not Basic" if scheme else "no credentials were sent"
        return BasicCredentials("", "", problem)
    if token.strip() == _GUIDE_TOKEN:
        return _GUIDE_CREDENTIALS
    user, colon, password = _decoded(token.strip()).partition(":")
    if not colon:
        return BasicCredentials(user, "", _NOT_A_PAIR)
    empty = "username" if not user else "password" if not password else ""
    return BasicCredentials(user, password, f"the {empty} is empty" if empty else "")


_parsed_before = lru_cache(maxsize=_MAX_CACHED)(_parsed)


def _decoded(token: str) -> str:
    """Return the text of a Basic token, in UTF-8 or Latin-1; empty if it is not base64."""
    try:
        text = base64.b64decode(token, validate=True)
    except (binascii.Error, ValueError):
        return ""
    try:
        return text.decode()
    except UnicodeDecodeError:
        return text.decode("latin-1")


class Credentials:
    """The credentials that are accepted: a list of `user:password`, or any that are not empty.

    Where regions are separate, credentials belong to one of Klarna's API hosts (klarna.md §1.2): the one that `@host` behind a
    listed password names, or else Europe's playground; without a list, the one where the username was used first. A username
    `USER@HOST` is that of the API host that it names, at any address.
    """

    def __init__(self, accepted: Iterable[str], *, separate_regions: bool = False) -> None:
        self._separate = separate_regions
        self._passwords = dict(self._listed(pair) for pair in accepted)
        self._accepted_headers: dict[str, str] = {}

    def _listed(self, pair: str) -> tuple[str, str]:
        """Return the merchant and the password of a listed pair."""
        user, _, password = pair.partition(":")
        secret, at, host = password.rpartition("@")
        if self._separate and at and host in API_HOSTS:
            return merchant_at(user, host), secret
        return self._merchant_at(user, EUROPEAN_PLAYGROUND), password

    @property
    def belong_to_first_host(self) -> bool:
        """Whether a username belongs to the host where it was used first."""
        return self._separate and not self._passwords

    def merchant(self, authorization: str, host: str) -> str:
        """Return the merchant of an `Authorization` header sent to a host; raises `Unauthorized`, which says what would work."""
        known = self._accepted_headers.get(authorization)
        return known if known is not None else self._authenticated(authorization, host)

    def _authenticated(self, authorization: str, host: str) -> str:
        sent = parse_basic(authorization)
        if sent.problem and sent is not _GUIDE_CREDENTIALS:
            raise Unauthorized(f"{sent.problem}; {self.advice()}")
        merchant = self._merchant_at(sent.user, host)
        if self._passwords and not self._is_listed(merchant, sent.password):
            raise Unauthorized(f"the credentials of {merchant[:80]!r} are not accepted; {self.advice()}")
        is_short = len(authorization) <= _LONGEST_CACHED
        if is_short and not self._separate and len(self._accepted_headers) < _MAX_CACHED:
            self._accepted_headers[authorization] = merchant
        return merchant

    def claimed(self, authorization: str, host: str) -> str | None:
        """Return the merchant that an `Authorization` header names, whether or not it would be accepted, or None."""
        user = parse_basic(authorization).user
        return self._merchant_at(user, host) if user else None

    def _merchant_at(self, user: str, host: str) -> str:
        return merchant_at(user, api_host(host)) if self._separate else user

    def _is_listed(self, merchant: str, password: str) -> bool:
        expected = self._passwords.get(merchant, "")
        return compare_digest(expected.encode(), password.encode()) and merchant in self._passwords

    def advice(self) -> str:
        """Say which credentials would work."""
        if not self._passwords:
            return (
                "any HTTP Basic credentials with a username and a password work here, for example user PK00000_test with "
                "password test: the username is the merchant"
            )
        users = ", ".join(self._passwords)
        return f"this server accepts HTTP Basic for {users}, each with the password that --credentials gave it"


def require_first_host(merchant: str, first_host: str) -> None:
    """Raise `Unauthorized` for a merchant at another API host than the one where its username was used first."""
    host = host_of(merchant)
    if host != first_host:
        user = username_of(merchant)
        why = f"the credentials of {user[:80]!r} belong to {first_host}, where they were used first, and not to {host}"
        raise Unauthorized(f"{why}; every region and environment has credentials of its own")
