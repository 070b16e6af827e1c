"""What a shopper brings to a purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING

from mock_klarna.domain.facts import value

if TYPE_CHECKING:
    from collections.abc import Mapping


@value
class Shopper:
    """Somebody who buys; every mapping is JSON-ready and in Klarna's members (protocol 3.10).

    `shipping_address` is None for a shopper who has the goods sent to the billing address.
    """

    name: str
    billing_address: Mapping[str, str]
    shipping_address: Mapping[str, str] | None
    customer: Mapping[str, str]
