"""The Instant Shopping API (klarna.md §2): each handler executes one command of the emulator and renders the result."""

from functools import partial

from mock_klarna.domain.button import warnings
from mock_klarna.web.request import ApiRequest, ApiResponse, FindProblems, Services, json_response


async def create_button(services: Services, request: ApiRequest) -> ApiResponse:
    """Create a button key based on setup options (guide, step 1)."""
    button = await services.emulator.buttons.create(request.merchant, request.body)
    request.warnings = warnings(request.body)
    location = {"Location": f"/instantshopping/v1/buttons/{button.button_key}"}
    return ApiResponse(201, button.body, location)


async def get_button(services: Services, request: ApiRequest) -> ApiResponse:
    """See the setup options of a button key."""
    return ApiResponse(200, (await services.emulator.buttons.read(request.merchant, request.path("button_key"))).body)


async def update_button(services: Services, request: ApiRequest) -> ApiResponse:
    """Update the setup options of a button key."""
    button = await services.emulator.buttons.update(request.merchant, request.path("button_key"), request.body)
    request.warnings = warnings(request.body)
    return ApiResponse(200, button.body)


async def get_authorization(services: Services, request: ApiRequest) -> ApiResponse:
    """Retrieve an authorized order (guide, step 3)."""
    purchase = await services.emulator.authorizations.read(request.merchant, request.path("authorization_token"))
    request.purchase_id = purchase.purchase_id
    return ApiResponse(200, purchase.order)


async def create_order(services: Services, request: ApiRequest) -> ApiResponse:
    """Approve the authorized order and place an order (guide, step 3).

    A repeated order gets the fraud status that the first answer had, whatever became of it (klarna.md §2).
    """
    token = request.path("authorization_token")
    purchase, order = await services.emulator.authorizations.place(
        request.merchant, token, request.body, request.raw_body
    )
    request.purchase_id = purchase.purchase_id
    return json_response({"order_id": order.order_id, "fraud_status": purchase.outcome.fraud_status})


async def deny_authorization(services: Services, request: ApiRequest) -> ApiResponse:
    """Decline an authorized order (guide, step 3)."""
    purchase = await services.emulator.authorizations.deny(
        request.merchant, request.path("authorization_token"), request.body
    )
    request.purchase_id = purchase.purchase_id
    return ApiResponse(204)


async def own_button(services: Services, request: ApiRequest) -> None:
    """Raise an error for a key that is unknown or belongs to another merchant."""
    await services.emulator.buttons.read(request.merchant, request.path("button_key"))


async def orderable_authorization(services: Services, request: ApiRequest) -> FindProblems:
    """Raise the errors of `open_authorization`; return the function that compares an order with the authorized one."""
    purchase = await services.emulator.authorizations.require(request.merchant, request.path("authorization_token"))
    return partial(services.emulator.authorizations.differences, purchase)


async def open_authorization(services: Services, request: ApiRequest) -> None:
    """Raise an error for a token that is unknown, expired, denied, or belongs to another merchant."""
    await services.emulator.authorizations.require(request.merchant, request.path("authorization_token"))
