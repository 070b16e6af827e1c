"""The steps of a merchant who has an order: acknowledging, capturing, refunding, and what customer tokens are for."""

from typing import Any

from mock_klarna.scenario.model import Impossible, Json, Step
from mock_klarna.scenario.run import Play

_ORDERS = "/ordermanagement/v1/orders"
_TOKENS = "/customer-token/v1/tokens"
_OURS = frozenset({"of", "order_id", "token", "idempotency_key", "credentials"})


async def _order(play: Play, wish: Json) -> str:
    """Return the path of the order that a step is about: its `order_id`, or what a purchase became."""
    if "order_id" in wish:
        return f"{_ORDERS}/{wish['order_id']}"
    found = await play.look(f"/_mock/purchases/{play.about(wish)[0]}")
    if not found["order_id"]:
        raise Impossible(f"the purchase is {found['state']}: no order was placed", hint="place it before this step")
    return f"{_ORDERS}/{found['order_id']}"


def _body(wish: Json, **usual: Any) -> Json:
    return {**usual, **{name: value for name, value in wish.items() if name not in _OURS}}


async def _send(play: Play, step: Step, method: str, path: str, body: Json | None = None) -> Any:
    wish = step.wish or {}
    return await play.ask(step, method, path, body, wish.get("credentials"), key=wish.get("idempotency_key"))


async def read_order(play: Play, step: Step) -> Any:
    """Read the order in Order Management, as the merchant."""
    return await _send(play, step, "GET", await _order(play, step.wish or {}))


async def acknowledge(play: Play, step: Step) -> Any:
    """Acknowledge the order, which ends the pushes."""
    return await _send(play, step, "POST", f"{await _order(play, step.wish or {})}/acknowledge")


async def capture(play: Play, step: Step) -> Any:
    """Capture `captured_amount`, or all that remains; gives the newest capture."""
    wish = step.wish or {}
    path = await _order(play, wish)
    remaining = (await play.look(path))["remaining_authorized_amount"]
    await _send(play, step, "POST", f"{path}/captures", _body(wish, captured_amount=remaining))
    return ((await play.look(f"{path}/captures")) or [None])[-1]


async def refund(play: Play, step: Step) -> Any:
    """Refund `refunded_amount`, or all that was captured and not refunded yet; gives the newest refund."""
    wish = step.wish or {}
    path = await _order(play, wish)
    held = await play.look(path)
    amount = held["captured_amount"] - held["refunded_amount"]
    await _send(play, step, "POST", f"{path}/refunds", _body(wish, refunded_amount=amount))
    return ((await play.look(path))["refunds"] or [None])[-1]


async def cancel(play: Play, step: Step) -> Any:
    """Cancel the order, of which nothing may have been captured."""
    return await _send(play, step, "POST", f"{await _order(play, step.wish or {})}/cancel")


async def release(play: Play, step: Step) -> Any:
    """Give up what remains authorized of the order."""
    return await _send(play, step, "POST", f"{await _order(play, step.wish or {})}/release-remaining-authorization")


async def extend(play: Play, step: Step) -> Any:
    """Let the authorization of the order live longer."""
    return await _send(play, step, "POST", f"{await _order(play, step.wish or {})}/extend-authorization-time")


async def update_authorization(play: Play, step: Step) -> Any:
    """Authorize another `order_amount`, with the lines that make it."""
    return await _send(play, step, "PATCH", f"{await _order(play, step.wish)}/authorization", _body(step.wish))


async def update_references(play: Play, step: Step) -> Any:
    """Change the merchant references of the order."""
    return await _send(play, step, "PATCH", f"{await _order(play, step.wish)}/merchant-references", _body(step.wish))


async def create_token(play: Play, step: Step) -> Any:
    """Make a customer token of the authorization, as the merchant of a subscription."""
    wish = step.wish or {}
    found = await play.look(f"/_mock/purchases/{play.about(wish)[0]}")
    path = f"/instantshopping/v1/authorizations/{found['authorization_token']}/customer-token"
    return await _send(play, step, "POST", path, _body(wish))


async def _token(play: Play, wish: Json) -> str:
    if "token" in wish:
        return f"{_TOKENS}/{wish['token']}"
    found = await play.look(f"/_mock/purchases/{play.about(wish)[0]}")
    if not found["customer_token"]:
        raise Impossible("the purchase has no customer token", hint="create_token before this step")
    return f"{_TOKENS}/{found['customer_token']}"


async def read_token(play: Play, step: Step) -> Any:
    """Read the status of the customer token."""
    return await _send(play, step, "GET", await _token(play, step.wish or {}))


async def order_from_token(play: Play, step: Step) -> Any:
    """Place an order with the customer token, without a shopper; gives the `order_id`."""
    return await _send(play, step, "POST", f"{await _token(play, step.wish)}/order", _body(step.wish))


async def cancel_token(play: Play, step: Step) -> Any:
    """Cancel the customer token."""
    return await _send(play, step, "PATCH", f"{await _token(play, step.wish or {})}/status", {"status": "CANCELLED"})
