"""The options of a page and the order of its server: the Swedish battery pack of the integration guide."""

import json
from typing import Any

from mock_klarna import resources

PAGE: dict[str, Any] = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
ORDER: dict[str, Any] = json.loads((resources.fixtures() / "guide" / "se-order.json").read_bytes())


def urls(base: str, **others: str) -> dict[str, str]:
    """Return the merchant URLs of a shop at `base`."""
    return {"place_order": f"{base}/place-order", "terms": f"{base}/terms", **others}
