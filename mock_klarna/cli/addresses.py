"""Addresses of servers on the command line."""

from urllib.parse import SplitResult, urlsplit

from mock_klarna.settings import SettingsError


def address(flag: str, url: str, *schemes: str) -> SplitResult:
    """Return the parts of a server's address; raises `SettingsError`, which names the flag, for what is none."""
    try:
        parts = urlsplit(url)
        if parts.scheme in (schemes or ("http", "https")) and parts.hostname and parts.port != 0:
            return parts
    except ValueError:
        pass
    raise SettingsError(f"{flag}: {url!r} is no URL of a server; give http://HOST:PORT, such as http://127.0.0.1:8080")
