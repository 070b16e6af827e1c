"""The test shoppers in the control API."""

from typing import Any

import orjson

from mock_klarna.domain.errors import UnknownName
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk


async def list_shoppers(_desk: Desk, call: Call) -> Reply:
    """List the test shoppers by name."""
    from mock_klarna.shopper import UnknownCountry, described

    try:
        found = described(call.request.query.get("country"))
    except UnknownCountry as unknown:
        raise UnknownName(str(unknown), where="country") from None
    return Reply(200, orjson.dumps({"shoppers": [_shopper(name, text) for name, text in found.items()]}))


def _shopper(name: str, description: str) -> dict[str, Any]:
    from mock_klarna.shopper import named

    shopper = named(name)
    return {
        "name": name,
        "description": description,
        "billing_address": shopper.billing_address,
        "customer": shopper.customer,
    }
