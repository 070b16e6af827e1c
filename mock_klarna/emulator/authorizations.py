"""What a merchant does with an authorization token: read, place, deny (seed, step 3)."""

from typing import Any

import orjson

from mock_klarna.domain import purchase as placing
from mock_klarna.domain.records import Order, Purchase
from mock_klarna.emulator.context import Context
from mock_klarna.errors import NotAllowed, NotFound, Problem

Json = dict[str, Any]


class Authorizations:
    """The orders API of Instant Shopping. No lock is held while a merchant is being called, so all of this may happen meanwhile."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, merchant: str, token: str) -> Purchase:
        """Return the authorized purchase behind a token; `order` holds the JSON to answer.

        Raises `NotFound` for a token that is unknown, expired or used up, `NotAllowed` for another merchant's.
        """
        purchase = await self._own(merchant, token)
        now = await self._context.now(merchant)
        try:
            placing.require_open(purchase, now, self._context.rules)
        except NotAllowed as used_up:
            raise NotFound(used_up.error_message) from None
        return purchase

    async def require(self, merchant: str, token: str) -> Purchase:
        """Return the purchase of a token that a merchant may say anything about; `NotFound` or `NotAllowed` otherwise.

        A token that was placed passes: the same order may be posted again.
        """
        purchase = await self._own(merchant, token)
        if purchase.state != "placed":
            placing.require_open(purchase, await self._context.now(merchant), self._context.rules)
        return purchase

    def differences(self, purchase: Purchase, body: Any) -> list[Problem]:
        """Return where an order that may have other faults too differs too much from the authorized one."""
        if not isinstance(body, dict) or not isinstance(body.get("merchant_urls", {}), dict):
            return []
        return placing.differences(purchase, _merchant_urls(purchase, body), body, self._context.rules)

    async def _own(self, merchant: str, token: str) -> Purchase:
        purchase = await self._context.own_purchase(merchant, token)
        if purchase.authorization_token != token:
            raise NotFound("authorization_token is not known")
        return purchase

    async def place(self, merchant: str, token: str, body: Json, raw: bytes) -> tuple[Purchase, Order]:
        """Place the order of a token; `body` is the checked order and `raw` its JSON.

        The same order posted again gets the first answer, or 403, by the setting `repeated_order` (protocol 2).
        """
        return await self._context.persist(lambda: self._place(merchant, token, body, raw))

    async def _place(self, merchant: str, token: str, body: Json, raw: bytes) -> tuple[Purchase, Order]:
        purchase = await self._own(merchant, token)
        if purchase.state == "placed" and self._context.settings.repeated_order == "replay":
            return await self._replay(purchase, body)
        order_id = await self._context.new_id(merchant, "order")
        urls, now = _merchant_urls(purchase, body), await self._context.now(merchant)
        decision = placing.place(purchase, urls, body, raw, order_id, now, self._context.rules)
        await self._context.commit(merchant, decision, now)
        placed, order = decision.writes
        assert isinstance(placed, Purchase)
        assert isinstance(order, Order)
        return placed, order

    async def _replay(self, purchase: Purchase, body: Json) -> tuple[Purchase, Order]:
        order = await self._context.store.get(Order, purchase.order_id or "")
        if order is None or orjson.loads(order.body) != body:
            raise NotAllowed("authorization_token already used: the order was placed with a different body")
        return purchase, order

    async def deny(self, merchant: str, token: str, body: Json) -> Purchase:
        """Deny the purchase of a token; `body` is the checked reason, empty for none."""
        _, decision = await self._context.decide(
            lambda: self._own(merchant, token),
            lambda purchase, now: placing.deny(purchase, body, now, self._context.rules),
        )
        (denied,) = decision.writes
        assert isinstance(denied, Purchase)
        return denied

    async def time_out(self, purchase_id: str) -> None:
        """End a shopper's patience (a job of the clock)."""
        await self._context.decide(
            lambda: self._context.found(Purchase, purchase_id),
            lambda purchase, _now: placing.time_out(purchase, self._context.rules),
        )

    async def expire(self, purchase_id: str) -> None:
        """End a token's life (a job of the clock)."""
        await self._context.decide(
            lambda: self._context.found(Purchase, purchase_id), lambda purchase, _now: placing.expire(purchase)
        )


def _merchant_urls(purchase: Purchase, body: Json) -> Json:
    """Return the URLs of the authorized order under those of the posted one, which win (seed, step 3).

    The authorized order is read only where the posted one leaves something open: that is the costlier half.
    """
    posted: Json = body.get("merchant_urls") or {}
    if all(posted.get(name) for name in placing.OVERRIDABLE):
        return posted
    return {**orjson.loads(purchase.order).get("merchant_urls", {}), **posted}
