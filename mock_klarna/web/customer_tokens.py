"""Customer tokens: creating them, the Customer Token API, and their endpoints in `/_mock` (klarna.md §4.3 and §9.5)."""

import orjson

from mock_klarna.domain.customer_token import PAYMENT_METHOD, CustomerToken
from mock_klarna.domain.purchase import filled
from mock_klarna.domain.records import Order
from mock_klarna.domain.time import moment
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response


async def create_token(services: Services, request: ApiRequest) -> ApiResponse:
    """Make a customer token of an authorization; how merchants did this is a guess after Klarna Payments (klarna.md §4.3)."""
    token = await services.emulator.customer_tokens.create(
        request.merchant, request.path("authorization_token"), request.body
    )
    purchase = await services.emulator.checkout.find(None, token.purchase_id)
    request.purchase_id = token.purchase_id
    shopper = orjson.loads(token.body)["shopper"]
    body = {
        "token_id": token.customer_token,
        "redirect_url": purchase.redirect_url or "",
        "payment_method_reference": token.customer_token,
        **{name: shopper[name] for name in ("customer", "billing_address") if name in shopper},
    }
    return json_response(body)


async def create_token_of_payments(services: Services, request: ApiRequest) -> ApiResponse:
    """Make a customer token of an authorization, at the path of Klarna Payments (klarna.md §4.3)."""
    return await create_token(services, request)


async def get_token(services: Services, request: ApiRequest) -> ApiResponse:
    """Read the status and the payment method of a customer token."""
    token = await services.emulator.customer_tokens.read(request.merchant, request.path("customer_token"))
    request.purchase_id = token.purchase_id
    return json_response({"status": token.status, "payment_method_type": PAYMENT_METHOD})


async def order_from_token(services: Services, request: ApiRequest) -> ApiResponse:
    """Place an order with a customer token."""
    confirmation = (request.body.get("merchant_urls") or {}).get("confirmation")

    def rendered(order: Order) -> ApiResponse:
        body = {
            "order_id": order.order_id,
            "fraud_status": order.fraud_status,
            "redirect_url": filled(confirmation, order.order_id) or "",
            "authorized_payment_method": {"type": PAYMENT_METHOD.lower()},
        }
        return json_response(body)

    order = await services.emulator.customer_tokens.order(
        request.merchant, request.path("customer_token"), request.body, request.answer_decision(rendered)
    )
    request.purchase_id = order.purchase_id
    return rendered(order)


async def update_token_status(services: Services, request: ApiRequest) -> ApiResponse:
    """Cancel a customer token."""
    answer = request.answer_decision(lambda _token: ApiResponse(202))
    token = await services.emulator.customer_tokens.change(
        request.merchant, request.path("customer_token"), request.body["status"], answer
    )
    request.purchase_id = token.purchase_id
    return ApiResponse(202)


async def find_token(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a customer token with the data of its shopper."""
    token = await services.emulator.customer_tokens.find(request.scope, request.path("customer_token"))
    return json_response(_shown(token))


async def set_token_status(services: Services, request: ApiRequest) -> ApiResponse:
    """Suspend a customer token, cancel it or make it active again."""
    tokens = services.emulator.customer_tokens
    token = await tokens.find(request.scope, request.path("customer_token"))
    await tokens.change(token.merchant, token.customer_token, request.body["status"])
    return json_response(_shown(await tokens.find(None, token.customer_token)))


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
