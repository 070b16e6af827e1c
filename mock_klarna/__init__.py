"""An emulator of Klarna Instant Shopping for tests and for work offline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mock_klarna.api import Client, MockKlarna, MockKlarnaAsync
    from mock_klarna.errors import MockKlarnaError
    from mock_klarna.server import serve, serve_in_thread
    from mock_klarna.settings import Settings

__all__ = [
    "Client",
    "MockKlarna",
    "MockKlarnaAsync",
    "MockKlarnaError",
    "Settings",
    "__version__",
    "serve",
    "serve_in_thread",
]

__version__ = "0.1.0"

_MODULES: Final = {
    "Client": "mock_klarna.api",
    "MockKlarna": "mock_klarna.api",
    "MockKlarnaAsync": "mock_klarna.api",
    "MockKlarnaError": "mock_klarna.errors",
    "Settings": "mock_klarna.settings",
    "serve": "mock_klarna.server",
    "serve_in_thread": "mock_klarna.server",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package is fast."""
    if name not in _MODULES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_MODULES[name]), name)


def __dir__() -> list[str]:
    """Return every public name, imported already or not."""
    return sorted({*globals(), *__all__})
