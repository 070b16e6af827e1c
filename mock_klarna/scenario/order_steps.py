"""The steps of a merchant after the purchase: Order Management and customer tokens."""

from typing import Any

from mock_klarna.scenario.model import Json, Step, StepError
from mock_klarna.scenario.scenario_run import ScenarioRun

_ORDERS = "/ordermanagement/v1/orders"
_TOKENS = "/customer-token/v1/tokens"
_STEP_OPTIONS = frozenset({"of", "order_id", "token", "idempotency_key", "credentials"})
"""Members that are not part of the request body."""


async def read_order(run: ScenarioRun, step: Step) -> Any:
    """Read the order in Order Management, as the merchant."""
    return await _send(run, step, "GET", await _order_path(run, step))


async def acknowledge(run: ScenarioRun, step: Step) -> Any:
    """Acknowledge the order, which ends the pushes."""
    return await _send(run, step, "POST", f"{await _order_path(run, step)}/acknowledge")


async def capture(run: ScenarioRun, step: Step) -> Any:
    """Capture `captured_amount`, by default all that remains; the result is the newest capture."""
    path = await _order_path(run, step)
    remaining = (await run.get(path))["remaining_authorized_amount"]
    await _send(run, step, "POST", f"{path}/captures", _body(step, captured_amount=remaining))
    return ((await run.get(f"{path}/captures")) or [None])[-1]


async def refund(run: ScenarioRun, step: Step) -> Any:
    """Refund `refunded_amount`, by default all that was captured and not refunded; the result is the newest refund."""
    path = await _order_path(run, step)
    order = await run.get(path)
    amount = order["captured_amount"] - order["refunded_amount"]
    await _send(run, step, "POST", f"{path}/refunds", _body(step, refunded_amount=amount))
    return ((await run.get(path))["refunds"] or [None])[-1]


async def cancel(run: ScenarioRun, step: Step) -> Any:
    """Cancel the order, which must not have any captures."""
    return await _send(run, step, "POST", f"{await _order_path(run, step)}/cancel")


async def release(run: ScenarioRun, step: Step) -> Any:
    """Release the remaining authorization of the order."""
    return await _send(run, step, "POST", f"{await _order_path(run, step)}/release-remaining-authorization")


async def extend(run: ScenarioRun, step: Step) -> Any:
    """Extend the time of the order's authorization."""
    return await _send(run, step, "POST", f"{await _order_path(run, step)}/extend-authorization-time")


async def update_authorization(run: ScenarioRun, step: Step) -> Any:
    """Change the authorized `order_amount` and its order lines."""
    return await _send(run, step, "PATCH", f"{await _order_path(run, step)}/authorization", _body(step))


async def update_references(run: ScenarioRun, step: Step) -> Any:
    """Change the merchant references of the order."""
    return await _send(run, step, "PATCH", f"{await _order_path(run, step)}/merchant-references", _body(step))


async def create_token(run: ScenarioRun, step: Step) -> Any:
    """Create a customer token from the authorization, as the merchant of a subscription."""
    token = await run.get_authorization_token(step.args)
    return await _send(run, step, "POST", f"/instantshopping/v1/authorizations/{token}/customer-token", _body(step))


async def read_token(run: ScenarioRun, step: Step) -> Any:
    """Read the status of the customer token."""
    return await _send(run, step, "GET", await _token_path(run, step))


async def order_from_token(run: ScenarioRun, step: Step) -> Any:
    """Place an order with the customer token, without a shopper; the result has the `order_id`."""
    return await _send(run, step, "POST", f"{await _token_path(run, step)}/order", _body(step))


async def cancel_token(run: ScenarioRun, step: Step) -> Any:
    """Cancel the customer token."""
    return await _send(run, step, "PATCH", f"{await _token_path(run, step)}/status", {"status": "CANCELLED"})


async def _send(run: ScenarioRun, step: Step, method: str, path: str, body: Json | None = None) -> Any:
    args = step.args or {}
    key = args.get("idempotency_key")
    return await run.request(step, method, path, body, args.get("credentials"), idempotency_key=key)


def _body(step: Step, **defaults: Any) -> Json:
    return {**defaults, **{name: value for name, value in (step.args or {}).items() if name not in _STEP_OPTIONS}}


async def _order_path(run: ScenarioRun, step: Step) -> str:
    """Return the path of the order that a step refers to: its `order_id`, or the order of a purchase."""
    args = step.args or {}
    order_id = args["order_id"] if "order_id" in args else await run.get_order_id(args)
    return f"{_ORDERS}/{order_id}"


async def _token_path(run: ScenarioRun, step: Step) -> str:
    """Return the path of the customer token that a step refers to: its `token`, or that of a purchase."""
    args = step.args or {}
    if "token" in args:
        return f"{_TOKENS}/{args['token']}"
    purchase = await run.get_purchase(args)
    if not purchase["customer_token"]:
        raise StepError("the purchase has no customer token", hint="add a create_token step before this one")
    return f"{_TOKENS}/{purchase['customer_token']}"
