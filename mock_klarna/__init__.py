"""An emulator of Klarna Instant Shopping for tests and for work offline."""

from importlib import import_module
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from mock_klarna.server import serve, serve_in_thread
    from mock_klarna.settings import Settings

__all__ = ["Settings", "__version__", "serve", "serve_in_thread"]

__version__ = "0.1.0"

_HOMES: Final = {
    "serve": "mock_klarna.server",
    "serve_in_thread": "mock_klarna.server",
    "Settings": "mock_klarna.settings",
}


def __getattr__(name: str) -> Any:
    """Import a public name on first use, so that importing the package costs nothing."""
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    """Every public name, imported already or not."""
    return sorted({*globals(), *__all__})
