"""What a shopper brings to a purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Shopper:
    """Somebody who buys; every mapping is JSON-ready and in Klarna's members (protocol 3.10).

    `shipping_address` is None for a shopper who has the goods sent to the billing address.
    """

    name: str
    billing_address: Mapping[str, str]
    shipping_address: Mapping[str, str] | None
    customer: Mapping[str, str]
