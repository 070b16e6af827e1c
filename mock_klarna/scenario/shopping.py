"""What a shopper wants, out of a `purchase` step: whose button, which cart, and what is chosen."""

import difflib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from mock_klarna import bundle
from mock_klarna.domain.session import merge
from mock_klarna.scenario.play import Play, Unmet
from mock_klarna.scenario.reading import Unreadable, read
from mock_klarna.scenario.scenario import Impossible

Json = dict[str, Any]
_CHOICES = ("shipping_option", "product_attributes", "quantity", "checkboxes")
_AS_GIVEN = ("shopper", "outcome", "wait", "merchant_timeout", "integrator_url")


def body(play: Play, wish: Json) -> Json:
    """Return the body of `POST /_mock/purchases`: cart and page together, and what the shopper chooses.

    Raises `Impossible` for a cart that does not exist.
    """
    page = merge(cart(wish["cart"], play.scenario.file.parent) if "cart" in wish else {}, wish.get("page") or {})
    wanted: Json = {name: wish[name] for name in _AS_GIVEN if name in wish}
    button_key = wish.get("button_key") or play.button_key
    if button_key:
        wanted["button_key"] = button_key
    return {**wanted, "page": page, "select": {name: wish[name] for name in _CHOICES if name in wish}}


def cart(name: str, folder: Path) -> Json:
    """Return a stored cart by its name, or one of the user's own by its path from the scenario's folder."""
    if not is_file(name):
        return stored_cart(name)
    try:
        data = read((folder / name).read_text("utf-8")).data
    except (OSError, UnicodeDecodeError, Unreadable) as fault:
        raise Impossible(f"the cart {name} cannot be read: {fault}", where="cart") from None
    return data if isinstance(data, dict) else {}


def is_file(name: str) -> bool:
    """Tell whether a cart is named by a path and not by the name of a stored one."""
    return name.endswith((".json", ".yaml", ".yml"))


@cache
def stored_cart(name: str) -> Json:
    """Return the cart of `fixtures/carts/<name>.json`; raises `Impossible` with the names that there are."""
    if name not in cart_names():
        raise Impossible(f"no cart is called {name!r}", where="cart", right=choice(name, cart_names()))
    loaded: Json = orjson.loads((bundle.fixtures() / "carts" / f"{name}.json").read_bytes())
    return loaded


@cache
def cart_names() -> tuple[str, ...]:
    """Return the names of the stored carts."""
    return tuple(sorted(file.stem for file in (bundle.fixtures() / "carts").glob("*.json")))


def choice(name: str, known: Iterable[str]) -> str:
    """Return which name was probably meant, and all that there are."""
    names = sorted(known)
    near = difflib.get_close_matches(name[:80], names, n=1)
    return (f"did you mean {near[0]}? " if near else "") + "known are " + (", ".join(names) or "none")


async def button(play: Play, wish: Json) -> str | None:
    """Return the button key that a step names, or that the shop made under that name; None is the merchant's newest."""
    if "button_key" in wish:
        return str(wish["button_key"])
    if "name" not in wish and "within" not in wish:
        return None
    if await play.until(wish, lambda: _no_button(play, wish)) is not None:
        raise Unmet(f"the shop to make a button key{_named(wish)}", "the journal has none")
    return str(_made(play, wish)[-1]["response_body"]["button_key"])


async def _no_button(play: Play, wish: Json) -> Json | None:
    await play.journal.more()
    return None if _made(play, wish) else {}


def _made(play: Play, wish: Json) -> list[Json]:
    created = (entry for entry in play.journal.entries if entry["name"] == "create_button" and entry["status"] == 201)
    return [entry for entry in created if wish.get("name") in (None, entry["response_body"].get("name"))]


def _named(wish: Json) -> str:
    return f" called {wish['name']}" if "name" in wish else ""
