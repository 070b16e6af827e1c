"""Customer tokens: creating them, and the Customer Token API (klarna.md §4.3 and §9.5)."""

from typing import Any

import orjson

from mock_klarna.domain import customer_token as tokens
from mock_klarna.domain.customer_token import CustomerToken
from mock_klarna.domain.purchase import require_open
from mock_klarna.domain.records import CommandResult, Order, Purchase
from mock_klarna.domain.urls import host_of
from mock_klarna.emulator.context import AnswerDecision, Context
from mock_klarna.errors import BadValue, NotAllowed, NotFound, Problem
from mock_klarna.validation import write_json

Json = dict[str, Any]
_KEPT = ("purchase_country", "purchase_currency", "locale", "billing_address", "customer")


class CustomerTokens:
    """Tokens of shoppers who agreed to a subscription."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, merchant: str, authorization_token: str, body: Json) -> CustomerToken:
        """Create a customer token from an authorization; the same body again returns the same token.

        Raises `NotFound` or `NotAllowed` by the state of the authorization token, `BadValue` for another country or currency.
        """
        return await self._context.persist(lambda: self._create(merchant, authorization_token, body))

    async def _create(self, merchant: str, authorization_token: str, body: Json) -> CustomerToken:
        purchase = await self._context.load_own_purchase(merchant, authorization_token)
        if purchase.customer_token and self._context.settings.repeated_order == "replay":
            return await self._replay(purchase, body)
        now, customer_token = await self._context.new_id(merchant, "customer_token", purchase.purchase_id)
        require_open(purchase, now, self._context.rules)
        kept, confirmation = _kept(purchase, body)
        result = tokens.create(purchase, customer_token, kept, confirmation, now, self._context.rules)
        await self._context.commit(merchant, result, now)
        return result.value

    async def _replay(self, purchase: Purchase, body: Json) -> CustomerToken:
        token = await self._context.store.get(CustomerToken, purchase.customer_token or "")
        if token is None or orjson.loads(token.body)["request"] != body:
            raise NotAllowed("authorization_token already used: a customer token was created with a different body")
        return token

    async def read(self, merchant: str, customer_token: str) -> CustomerToken:
        """Return a merchant's token; raises `NotFound`, or `NotAllowed` for another merchant's."""
        token = await self._context.store.get(CustomerToken, customer_token)
        if token is None or host_of(token.merchant) != host_of(merchant):
            raise NotFound("Invalid customer-token ID")
        if token.merchant != merchant:
            raise NotAllowed(
                f"Customer token belongs to merchant {token.merchant!r}, and this request is from {merchant!r}."
            )
        return token

    async def order(
        self, merchant: str, customer_token: str, body: Json, answer: AnswerDecision[Order] | None = None
    ) -> Order:
        """Place an order with a token, without a shopper; raises `BadValue` for another currency than the token's."""
        return await self._context.create(lambda: self._order(merchant, customer_token, body, answer))

    async def _order(
        self, merchant: str, customer_token: str, body: Json, answer: AnswerDecision[Order] | None
    ) -> Order:
        token = await self.read(merchant, customer_token)
        _require_agreed_currency(token, body)
        now, order_id = await self._context.new_id(merchant, "order", customer_token, token.version)

        def command(token: CustomerToken, now: float) -> CommandResult[Order]:
            agreed = _require_agreed_currency(token, body)
            raw = write_json({**orjson.loads(token.body)["shopper"], **body, "purchase_currency": agreed})
            return tokens.order(token, order_id, body, raw, now)

        return await self._context.decide(lambda: self.read(merchant, customer_token), command, token, now, answer)

    async def change(
        self, merchant: str, customer_token: str, status: str, answer: AnswerDecision[CustomerToken] | None = None
    ) -> CustomerToken:
        """Set the status of a merchant's token."""
        return await self._context.decide(
            lambda: self.read(merchant, customer_token), lambda token, _now: tokens.change(token, status), answer=answer
        )

    async def find(self, merchant: str | None, customer_token: str) -> CustomerToken:
        """Return a token for the control API; raises `UnknownName` if this merchant has none."""
        hint = "a token_id that creating a customer token answered"
        return await self._context.find(CustomerToken, merchant, customer_token, "customer_token", hint)


def _require_agreed_currency(token: CustomerToken, body: Json) -> str:
    """Return the currency that the shopper agreed to; raises `BadValue` for an order in another."""
    sent, agreed = body["purchase_currency"].upper(), orjson.loads(token.body)["shopper"]["purchase_currency"]
    if sent != agreed:
        raise BadValue([Problem("purchase_currency", "authorized", sent, f"{agreed}, as the shopper agreed to")])
    return str(agreed)


def _kept(purchase: Purchase, body: Json) -> tuple[bytes, str | None]:
    """Return the JSON that a token keeps and the URL to which the shopper is redirected; raises `BadValue` for a difference."""
    authorized = orjson.loads(purchase.order)
    for name in ("purchase_country", "purchase_currency"):
        sent, expected = body.get(name) or authorized[name], authorized[name]
        if sent != expected:
            raise BadValue([Problem(name, "authorized", sent, f"{expected}, as authorized")])
    shopper = {name: body.get(name) or authorized.get(name) for name in _KEPT}
    known = {name: value for name, value in shopper.items() if value}
    urls = {**(authorized.get("merchant_urls") or {}), **(body.get("merchant_urls") or {})}
    return write_json({"shopper": known, "request": body}), urls.get("confirmation")
