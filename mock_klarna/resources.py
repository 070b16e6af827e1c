"""Where the data that ships with the package lies: JSON Schemas, and fixtures."""

from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


@cache
def schemas() -> Path:
    """Folder of the JSON Schemas, as a wheel or a checkout has it."""
    return _folder("schemas")


@cache
def fixtures() -> Path:
    """Folder of the stored scenarios, shoppers and carts, as a wheel or a checkout has it."""
    return _folder("fixtures")


def _folder(name: str) -> Path:
    bundled = _PACKAGE / "_bundle"
    return (bundled if bundled.is_dir() else _PACKAGE.parent) / name
