"""Where the data that ships with the package lies: JSON Schemas, and fixtures, such as the stored carts."""

from functools import cache
from pathlib import Path
from typing import Any

import orjson

_PACKAGE = Path(__file__).resolve().parent


@cache
def schemas() -> Path:
    """Folder of the JSON Schemas, as a wheel or a checkout has it."""
    return _folder("schemas")


@cache
def fixtures() -> Path:
    """Folder of the stored scenarios, shoppers and carts, as a wheel or a checkout has it."""
    return _folder("fixtures")


@cache
def cart_names() -> tuple[str, ...]:
    """Return the names of the stored carts."""
    return tuple(sorted(file.stem for file in (fixtures() / "carts").glob("*.json")))


@cache
def cart(name: str) -> dict[str, Any]:
    """Return a stored cart, the options of a page's load(), by one of `cart_names`; it is shared, and not to be changed."""
    loaded: dict[str, Any] = orjson.loads((fixtures() / "carts" / f"{name}.json").read_bytes())
    return loaded


def _folder(name: str) -> Path:
    bundled = _PACKAGE / "_bundle"
    return (bundled if bundled.is_dir() else _PACKAGE.parent) / name
