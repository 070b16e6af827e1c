"""Placed orders: the commands of the sandbox, and those of Order Management (klarna.md §4.5, §9.1 and §9.3)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import orjson

from mock_klarna.domain import captures
from mock_klarna.domain import order as orders
from mock_klarna.domain.countries import ADDRESS_MEMBERS
from mock_klarna.domain.records import Capture, CommandResult, Order, Purchase, Refund
from mock_klarna.emulator.context import AnswerDecision, Context
from mock_klarna.errors import NoSuchOrder, NotAllowed, WriteConflict
from mock_klarna.validation import write_json

Json = dict[str, Any]
_ADDRESSES = ("billing_address", "shipping_address")
_CAPTURE_DETAILS = ("description", "reference", "order_lines", "shipping_info", "shipping_delay")
_BILLING = "Billing address cannot be updated for user account order. Customer details cannot be updated."


class Orders:
    """The commands on an order that only a sandbox has, and those of the clock."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, merchant: str | None, order_id: str) -> Order:
        """Return an order; raises `UnknownName` if this merchant has none."""
        return await self._context.find(Order, merchant, order_id, "order_id", "GET /_mock/orders lists them")

    async def end_review(self, merchant: str | None, order_id: str, fraud_status: str) -> Order:
        """End a fraud review with ACCEPTED, REJECTED or STOPPED; raises `StateConflict` if there is none."""
        return await self._context.persist(lambda: self._end_review(merchant, order_id, fraud_status))

    async def _end_review(self, merchant: str | None, order_id: str, fraud_status: str) -> Order:
        order = await self.find(merchant, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if purchase is None:
            raise WriteConflict(f"order {order_id}")  # both were deleted meanwhile
        return await self._commit_review(order, purchase, fraud_status)

    async def _commit_review(self, order: Order, purchase: Purchase, fraud_status: str) -> Order:
        now = await self._context.now(order.merchant)
        result = orders.end_review(order, purchase, fraud_status, now)
        await self._context.commit(order.merchant, result, now)
        return result.value

    async def end_planned_review(self, order_id: str) -> None:
        """End a review as the outcome of its purchase plans (a job of the clock); one that has ended stays as it is."""
        await self._context.persist(lambda: self._end_planned_review(order_id))

    async def _end_planned_review(self, order_id: str) -> None:
        order = await self.find(None, order_id)
        purchase = await self._context.store.get(Purchase, order.purchase_id)
        if order.fraud_status == "PENDING" and purchase is not None and purchase.outcome.then:
            await self._commit_review(order, purchase, purchase.outcome.then)

    async def cancel_rejected(self, order_id: str) -> None:
        """Cancel a rejected order that was not captured in time (a job of the clock)."""
        await self._context.decide(lambda: self.find(None, order_id), orders.cancel_rejected)

    async def close(self, merchant: str | None, order_id: str) -> Order:
        """Close an order, so that only refunds are possible."""
        return await self._context.decide(
            lambda: self.find(merchant, order_id), lambda order, _now: orders.close(order)
        )


@dataclass(frozen=True, slots=True)
class OrderRequest:
    """The input of a command: the checked body, the time on the merchant's clock, and ids if the command needs them.

    `new_id` is the id of the capture or refund that the command creates, `capture_id` that of the capture it changes.
    `may_change_billing`: whether a billing address can be changed (klarna.md §9.1).
    """

    body: Json
    now: float
    new_id: str = ""
    capture_id: str = ""
    may_change_billing: bool = False


@dataclass(frozen=True, slots=True)
class OrderCommand:
    """A row of `COMMANDS`: what it does, how it decides, and what it creates ("capture" or "refund"), if anything.

    `failure` ends the message for an order that is not found, as Klarna's messages do (klarna.md §9.1).
    """

    summary: str
    decide: Callable[[Order, OrderRequest], CommandResult[Order]]
    failure: str = ""
    creates: str = ""


class OrderManagement:
    """The Order Management API. Each command is decided on the latest order, so that no amount is spent twice."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def read(self, merchant: str, order_id: str) -> tuple[Order, float]:
        """Return a merchant's order and the time on its clock; raises `NoSuchOrder`."""
        return await self._own(merchant, order_id), await self._context.now(merchant)

    async def _own(self, merchant: str, order_id: str, failure: str = "") -> Order:
        order = await self._context.store.get(Order, order_id)
        if order is None or order.merchant != merchant:
            raise NoSuchOrder(f"Order {order_id} cannot be found. {failure}".rstrip())
        return order

    async def run(
        self,
        name: str,
        merchant: str,
        order_id: str,
        body: Json | None = None,
        capture_id: str = "",
        answer: AnswerDecision[Order] | None = None,
    ) -> Order:
        """Run the command of `COMMANDS` with a name; return the order, whose last capture or refund is what was created.

        Raises `NoSuchOrder`, also for another merchant's order, and what the command raises.
        """
        command = COMMANDS[name]
        order = await self._own(merchant, order_id, command.failure)
        now, new_id = (
            await self._context.new_id(merchant, command.creates, order_id, order.version)
            if command.creates
            else (None, "")
        )
        may_change_billing = self._context.settings.billing_address_change == "accept"

        def decide(order: Order, now: float) -> CommandResult[Order]:
            return command.decide(order, OrderRequest(body or {}, now, new_id, capture_id, may_change_billing))

        load = partial(self._own, merchant, order_id, command.failure)
        return await self._context.decide(load, decide, order, now, answer)

    async def find_capture(self, merchant: str, order_id: str, capture_id: str) -> tuple[Order, Capture]:
        """Return a capture with its order."""
        order = await self._own(merchant, order_id)
        return order, captures.find_capture(order, capture_id)

    async def find_refund(self, merchant: str, order_id: str, refund_id: str) -> tuple[Order, Refund]:
        """Return a refund with its order."""
        order = await self._own(merchant, order_id)
        return order, captures.find_refund(order, refund_id)


def _update_authorization(order: Order, request: OrderRequest) -> CommandResult[Order]:
    """Set the authorized amount; lines that are not sent again are removed from the order (klarna.md §9.1)."""
    lines = request.body.get("order_lines") or []
    changes = _changes(order, order_lines=lines, **_given(request.body, "description"))
    return orders.update_authorization(order, request.body["order_amount"], changes, request.now)


def _capture(order: Order, request: OrderRequest) -> CommandResult[Order]:
    details = orjson.dumps(_given(request.body, *_CAPTURE_DETAILS))
    return captures.capture(order, request.new_id, request.body["captured_amount"], details, request.now)


def _refund(order: Order, request: OrderRequest) -> CommandResult[Order]:
    details = _without(request.body, "refunded_amount")
    return captures.refund(order, request.new_id, request.body["refunded_amount"], details, request.now)


def _add_capture_shipping_info(order: Order, request: OrderRequest) -> CommandResult[Order]:
    captures.require_captures(order)
    details = orjson.loads(captures.find_capture(order, request.capture_id).details)
    changed = write_json({**details, **_more_shipping_info(details, request.body)})
    return captures.change_details(order, request.capture_id, changed, "shipping_info")


def _change_references(order: Order, request: OrderRequest) -> CommandResult[Order]:
    """Change merchant references: "" clears one, and one that is not named stays as it is."""
    given = _given(request.body, "merchant_reference1", "merchant_reference2")
    return orders.change_references(order, _changes(order, **given), request.now)


def _change_customer(order: Order, request: OrderRequest) -> CommandResult[Order]:
    """Change members of the addresses; raises `NotAllowed` for another billing address, unless a setting allows it."""
    changed = _changed_addresses(addresses(order), request)
    return orders.change_customer(order, _changes(order, **changed), " and ".join(changed), request.now)


def _change_capture_customer(order: Order, request: OrderRequest) -> CommandResult[Order]:
    """Change members of the addresses of a capture, as `_change_customer` does for the order."""
    captures.require_captures(order)
    details = orjson.loads(captures.find_capture(order, request.capture_id).details)
    changed = _changed_addresses({**addresses(order), **_given(details, *_ADDRESSES)}, request)
    return captures.change_details(
        order, request.capture_id, orjson.dumps({**details, **changed}), " and ".join(changed)
    )


def _changed_addresses(current: Json, request: OrderRequest) -> Json:
    """Return the addresses that a request changes; one that is sent as it is stored is no change (klarna.md §9.1)."""
    changed = {}
    for name in _ADDRESSES:
        body, stored = request.body.get(name) or {}, current[name]
        sent = {member: value for member, value in body.items() if member in ADDRESS_MEMBERS}
        if any(value != stored.get(member, "") for member, value in sent.items()):
            changed[name] = {**stored, **sent}
    if "billing_address" in changed and not request.may_change_billing:
        raise NotAllowed(_BILLING)
    return changed


def _add_shipping_info(order: Order, request: OrderRequest) -> CommandResult[Order]:
    added = _more_shipping_info(orjson.loads(order.fulfilment.changes), request.body)
    return orders.add_shipping_info(order, _changes(order, **added))


COMMANDS: Mapping[str, OrderCommand] = {
    "acknowledge_order": OrderCommand(
        "Acknowledge an order, which ends the pushes.",
        lambda order, request: orders.acknowledge(order, request.now),
        "Acknowledgement not possible.",
    ),
    "update_order_authorization": OrderCommand(
        "Set another amount and other lines of an order.", _update_authorization, "Authorization cannot be updated."
    ),
    "capture_order": OrderCommand("Create a capture.", _capture, "Capture not possible.", creates="capture"),
    "refund_order": OrderCommand("Create a refund.", _refund, "Refund not possible.", creates="refund"),
    "add_capture_shipping_info": OrderCommand("Add shipping info to a capture.", _add_capture_shipping_info),
    "trigger_send_out": OrderCommand(
        "Send the invoice of a capture to the shopper again.",
        lambda order, request: captures.send_out(order, request.capture_id),
    ),
    "extend_due_date": OrderCommand(
        "Extend the due date of a capture.",
        lambda order, request: captures.extend_due_date(order, request.capture_id, request.body["number_of_days"]),
    ),
    "cancel_order": OrderCommand(
        "Cancel an order without captures.",
        lambda order, request: orders.cancel(order, request.now),
        "Cancel not possible.",
    ),
    "release_remaining_authorization": OrderCommand(
        "Release the remaining authorization of an order.",
        lambda order, request: orders.release(order, request.now),
        "Remaining authorization cannot be released.",
    ),
    "extend_authorization_time": OrderCommand(
        "Extend the authorization time of an order.",
        lambda order, request: orders.extend(order, request.now),
        "Authorization time cannot be extended.",
    ),
    "update_merchant_references": OrderCommand(
        "Change the merchant references of an order.", _change_references, "Merchant references cannot be updated."
    ),
    "update_customer_details": OrderCommand(
        "Change the shipping address of an order.", _change_customer, "Customer details cannot be updated."
    ),
    "update_capture_customer_details": OrderCommand(
        "Change the shipping address of a capture.", _change_capture_customer, "Customer details cannot be updated."
    ),
    "add_shipping_info": OrderCommand("Add shipping info to an order.", _add_shipping_info),
}
"""The commands of Order Management by the names of their operations."""


def addresses(order: Order) -> Json:
    """Return both addresses: as changed, else as placed; without a shipping address it is the billing address (klarna.md §3.11)."""
    members = {**orjson.loads(order.body), **orjson.loads(order.fulfilment.changes)}
    billing = members.get("billing_address") or {}
    return {"billing_address": billing, "shipping_address": members.get("shipping_address") or billing}


def _changes(order: Order, **members: Any) -> bytes:
    return write_json({**orjson.loads(order.fulfilment.changes), **members})


def _given(body: Json, *names: str) -> Json:
    return {name: body[name] for name in names if name in body}


def _without(body: Json, name: str) -> bytes:
    return write_json({member: value for member, value in body.items() if member != name})


def _more_shipping_info(known: Json, body: Json) -> Json:
    return {"shipping_info": [*(known.get("shipping_info") or ()), *body["shipping_info"]]}
