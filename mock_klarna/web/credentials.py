"""Whose request it is: HTTP Basic, in which the username is the merchant (protocol 1.3)."""

import base64
import binascii
from collections.abc import Iterable
from functools import lru_cache
from hmac import compare_digest

from mock_klarna.domain.errors import Unauthorized

CHALLENGE = 'Basic realm="Klarna", charset="UTF-8"'
SEED_EXAMPLE = "pwhcueUff0MmwLShJiBE9JHA=="
"""What the seed page prints as credentials. It is no base64 of `user:password`, and yet its examples must work as printed."""
SEED_MERCHANT = "seed-page"


class Credentials:
    """Which credentials are accepted: a list of `user:password`, or any that are not empty."""

    def __init__(self, accepted: Iterable[str]) -> None:
        self._passwords = {user: password for user, _, password in (pair.partition(":") for pair in accepted)}

    def merchant(self, authorization: str | None) -> str:
        """Return the merchant of an `Authorization` header; raises `Unauthorized`, which says what would work."""
        scheme, _, token = (authorization or "").strip().partition(" ")
        if scheme.lower() != "basic":
            said = "no credentials were sent" if not scheme else f"the scheme {scheme[:20]!r} is not Basic"
            raise Unauthorized(f"{said}; {self.advice()}")
        user, password = self._decoded(token.strip())
        if not self._is_accepted(user, password):
            raise Unauthorized(f"the credentials of {user[:80]!r} are not accepted; {self.advice()}")
        return user

    def _decoded(self, token: str) -> tuple[str, str]:
        if token == SEED_EXAMPLE and not self._passwords:
            return SEED_MERCHANT, "seed"
        user, colon, password = decoded(token)
        if not (user and colon):
            raise Unauthorized(f"the credentials are not base64 of username:password; {self.advice()}")
        return user, password

    def _is_accepted(self, user: str, password: str) -> bool:
        if not self._passwords:
            return bool(password)
        expected = self._passwords.get(user, "")
        return compare_digest(expected.encode(), password.encode()) and user in self._passwords

    def advice(self) -> str:
        """Say in words which credentials would work."""
        if not self._passwords:
            return (
                "any HTTP Basic credentials with a username and a password work here, for example user PK00000_test with "
                "password test: the username is the merchant"
            )
        users = ", ".join(self._passwords)
        return f"this server accepts HTTP Basic for {users}, each with the password that --credentials gave it"


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
