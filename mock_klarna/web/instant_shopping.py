"""Klarna's own endpoints (protocol 2): read the checked body, one command, render."""

from functools import partial

import orjson

from mock_klarna.web.request import Call, Differences, Reply, Services


async def create_button(services: Services, call: Call) -> Reply:
    """Create a button key based on setup options (seed, step 1)."""
    button = await services.emulator.buttons.create(call.merchant, call.body)
    location = {"Location": f"/instantshopping/v1/buttons/{button.button_key}"}
    return Reply(201, button.body, location)


async def get_button(services: Services, call: Call) -> Reply:
    """See the setup options of a button key."""
    return Reply(200, (await services.emulator.buttons.read(call.merchant, call.path("button_key"))).body)


async def update_button(services: Services, call: Call) -> Reply:
    """Update the setup options of a button key."""
    return Reply(200, (await services.emulator.buttons.update(call.merchant, call.path("button_key"), call.body)).body)


async def get_authorization(services: Services, call: Call) -> Reply:
    """Retrieve an authorized order (seed, step 3)."""
    purchase = await services.emulator.authorizations.read(call.merchant, call.path("authorization_token"))
    call.purchase_id = purchase.purchase_id
    return Reply(200, purchase.order)


async def create_order(services: Services, call: Call) -> Reply:
    """Approve the authorized order and place an order (seed, step 3)."""
    token = call.path("authorization_token")
    purchase, order = await services.emulator.authorizations.place(call.merchant, token, call.body, call.raw)
    call.purchase_id = purchase.purchase_id
    return Reply(200, orjson.dumps({"order_id": order.order_id, "fraud_status": order.fraud_status}))


async def deny_authorization(services: Services, call: Call) -> Reply:
    """Decline an authorized order (seed, step 3)."""
    purchase = await services.emulator.authorizations.deny(call.merchant, call.path("authorization_token"), call.body)
    call.purchase_id = purchase.purchase_id
    return Reply(204)


async def own_button(services: Services, call: Call) -> None:
    """Refuse a key that is unknown or belongs to another merchant."""
    await services.emulator.buttons.read(call.merchant, call.path("button_key"))


async def own_order(services: Services, call: Call) -> Differences:
    """Refuse as `own_authorization` does; return what tells where an order differs from the authorized one."""
    purchase = await services.emulator.authorizations.require(call.merchant, call.path("authorization_token"))
    return partial(services.emulator.authorizations.differences, purchase)


async def own_authorization(services: Services, call: Call) -> None:
    """Refuse a token that is unknown, expired, denied, or belongs to another merchant."""
    await services.emulator.authorizations.require(call.merchant, call.path("authorization_token"))
