"""Making customer tokens, and the Customer Token API (protocol 4.3 and 9.5)."""

import orjson

from mock_klarna.domain.customer_token import PAYMENT_METHOD, CustomerToken
from mock_klarna.domain.time import moment
from mock_klarna.web.request import Call, Reply, Services


async def create_token(services: Services, call: Call) -> Reply:
    """Make a customer token of an authorization; how merchants did this is a guess after Klarna Payments (protocol 4.3)."""
    token = await services.emulator.customer_tokens.create(call.merchant, call.path("authorization_token"), call.body)
    purchase = await services.emulator.purchases.find(None, token.purchase_id)
    call.purchase_id = token.purchase_id
    shopper = orjson.loads(token.body)["shopper"]
    said = {
        "token_id": token.customer_token,
        "redirect_url": purchase.redirect_url or "",
        "payment_method_reference": token.customer_token,
        **{name: shopper[name] for name in ("customer", "billing_address") if name in shopper},
    }
    return Reply(200, orjson.dumps(said))


async def create_token_of_payments(services: Services, call: Call) -> Reply:
    """Make a customer token of an authorization, at the path of Klarna Payments (protocol 4.3)."""
    return await create_token(services, call)


async def get_token(services: Services, call: Call) -> Reply:
    """Read the status and the payment method of a customer token."""
    token = await services.emulator.customer_tokens.read(call.merchant, call.path("customer_token"))
    call.purchase_id = token.purchase_id
    return Reply(200, orjson.dumps({"status": token.status, "payment_method_type": PAYMENT_METHOD}))


async def order_from_token(services: Services, call: Call) -> Reply:
    """Place an order with a customer token."""
    order = await services.emulator.customer_tokens.order(call.merchant, call.path("customer_token"), call.body)
    call.purchase_id = order.purchase_id
    said = {
        "order_id": order.order_id,
        "fraud_status": order.fraud_status,
        "redirect_url": (call.body.get("merchant_urls") or {}).get("confirmation") or "",
        "authorized_payment_method": {"type": PAYMENT_METHOD.lower()},
    }
    return Reply(200, orjson.dumps(said))


async def update_token_status(services: Services, call: Call) -> Reply:
    """Cancel a customer token."""
    status = call.body["status"]
    token = await services.emulator.customer_tokens.change(call.merchant, call.path("customer_token"), status)
    call.purchase_id = token.purchase_id
    return Reply(202)


async def find_token(services: Services, call: Call) -> Reply:
    """Return a customer token with what it keeps of its shopper."""
    token = await services.emulator.customer_tokens.find(call.merchant or None, call.path("customer_token"))
    return Reply(200, orjson.dumps(_shown(token)))


async def set_token_status(services: Services, call: Call) -> Reply:
    """Suspend a customer token, cancel it or make it active again."""
    tokens = services.emulator.customer_tokens
    held = await tokens.find(call.merchant or None, call.path("customer_token"))
    await tokens.change(held.merchant, held.customer_token, call.body["status"])
    return Reply(200, orjson.dumps(_shown(await tokens.find(None, held.customer_token))))


def _shown(token: CustomerToken) -> dict[str, object]:
    return {
        "customer_token": token.customer_token,
        "merchant": token.merchant,
        "purchase_id": token.purchase_id,
        "status": token.status,
        "orders": token.orders,
        "created_at": moment(token.created_at),
        "shopper": orjson.loads(token.body)["shopper"],
    }
