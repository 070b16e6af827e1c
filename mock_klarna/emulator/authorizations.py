"""The commands on an authorization token: read, place, deny (guide, step 3), and those of the clock."""

from typing import Any

import orjson

from mock_klarna.domain import purchase as purchases
from mock_klarna.domain.records import Order, Purchase
from mock_klarna.emulator.context import Context
from mock_klarna.errors import NotAllowed, NotFound, Problem
from mock_klarna.validation import is_compact, write_json

Json = dict[str, Any]


class Authorizations:
    """The orders API of Instant Shopping; a merchant may use it while its `place_order` callback is not answered yet."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, merchant: str, token: str) -> Purchase:
        """Return the authorized purchase of a token; its `order` is the JSON to answer.

        Raises `NotFound` for a token that is unknown, expired or used up, `NotAllowed` for another merchant's.
        """
        purchase = await self._context.load_own_purchase(merchant, token)
        now = await self._context.now(merchant)
        try:
            purchases.require_open(purchase, now, self._context.rules)
        except NotAllowed as used_up:
            raise NotFound(used_up.error_message) from None
        return purchase

    async def require(self, merchant: str, token: str) -> Purchase:
        """Return the purchase of a merchant's token; raises `NotFound` or `NotAllowed` if the token allows no command.

        A placed token passes: the same order may be posted again.
        """
        purchase = await self._context.load_own_purchase(merchant, token)
        if purchase.state != "placed":
            purchases.require_open(purchase, await self._context.now(merchant), self._context.rules)
        return purchase

    def differences(self, purchase: Purchase, body: Any) -> list[Problem]:
        """Return the differences between a posted order, which may be invalid, and the authorized one."""
        if not isinstance(body, dict) or not isinstance(body.get("merchant_urls", {}), dict):
            return []
        return purchases.differences(purchase, _merchant_urls(purchase, body), body, self._context.rules)

    async def place(self, merchant: str, token: str, body: Json, raw: bytes) -> tuple[Purchase, Order]:
        """Place the order of a token; `body` is the checked order and `raw` its JSON.

        The same order posted again gets the first answer, or 403, by the setting `repeated_order` (klarna.md §2).
        """
        return await self._context.persist(lambda: self._place(merchant, token, body, raw))

    async def _place(self, merchant: str, token: str, body: Json, raw: bytes) -> tuple[Purchase, Order]:
        purchase = await self._context.load_own_purchase(merchant, token)
        if purchase.state == "placed" and self._context.settings.repeated_order == "replay":
            return await self._replay(purchase, body)
        now, order_id = await self._context.new_id(merchant, "order", purchase.purchase_id)
        urls = _merchant_urls(purchase, body)
        json = raw if is_compact(raw) else write_json(body)
        result = purchases.place(purchase, urls, body, json, order_id, now, self._context.rules)
        await self._context.commit(merchant, result, now)
        return result.value

    async def _replay(self, purchase: Purchase, body: Json) -> tuple[Purchase, Order]:
        if purchase.customer_token:
            raise NotAllowed("authorization_token already used: a customer token was created with it")
        order = await self._context.store.get(Order, purchase.order_id or "")
        if order is None or orjson.loads(order.body) != body:
            raise NotAllowed("authorization_token already used: the order was placed with a different body")
        return purchase, order

    async def deny(self, merchant: str, token: str, body: Json) -> Purchase:
        """Deny the purchase of a token; `body` is the checked reason, empty for none."""
        return await self._context.decide(
            lambda: self._context.load_own_purchase(merchant, token),
            lambda purchase, now: purchases.deny(purchase, body, now, self._context.rules),
        )

    async def time_out(self, purchase_id: str) -> None:
        """Time out a purchase that the merchant has not decided on (a job of the clock)."""
        await self._context.decide(
            lambda: self._context.load_existing(Purchase, purchase_id),
            lambda purchase, _now: purchases.time_out(purchase, self._context.rules),
        )

    async def expire(self, purchase_id: str) -> None:
        """Let a token expire (a job of the clock)."""
        await self._context.decide(
            lambda: self._context.load_existing(Purchase, purchase_id),
            lambda purchase, _now: purchases.expire(purchase, self._context.rules),
        )


def _merchant_urls(purchase: Purchase, body: Json) -> Json:
    """Return the URLs of the posted order over those of the authorized one (guide, step 3).

    The authorized order is parsed only if the posted one lacks a URL.
    """
    posted: Json = body.get("merchant_urls") or {}
    if all(posted.get(name) for name in purchases.OVERRIDABLE):
        return posted
    return {**orjson.loads(purchase.order).get("merchant_urls", {}), **posted}
