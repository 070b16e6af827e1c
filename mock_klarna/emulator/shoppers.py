"""Which shopper buys."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from mock_klarna.domain.errors import UnknownName

if TYPE_CHECKING:
    from mock_klarna.shopper import Shopper

Json = dict[str, Any]


def shopper_for(wish: str | Mapping[str, Any] | None, session: Json, chance: str) -> "Shopper":
    """Return the shopper of a purchase: a named one, or one whose missing members are made up from `chance`.

    Without a wish it is whom the page prefills, or somebody of the purchase country. Raises `UnknownName` for a name or a
    country that there are no shoppers of.
    """
    from mock_klarna.shopper import UnknownCountry, UnknownShopper, named, person

    try:
        if isinstance(wish, str):
            return named(wish)
        given = wish if wish is not None else _prefilled(session)
        return person(_country(given) or session["purchase_country"], chance, given)
    except (UnknownShopper, UnknownCountry) as unknown:
        raise UnknownName(str(unknown), where="shopper", right="see `mock-klarna shoppers`") from None


def _prefilled(session: Json) -> Json:
    return {name: session[name] for name in ("billing_address", "shipping_address", "customer") if session.get(name)}


def _country(given: Mapping[str, Any]) -> str | None:
    return given.get("country") or (given.get("billing_address") or {}).get("country")
