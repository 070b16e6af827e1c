"""Orders, captures and refunds as Order Management shows them (protocol 9.2)."""

from typing import Any

import orjson

from mock_klarna.domain.balance import balance, expires_at, klarna_reference
from mock_klarna.domain.capturing import refunded_amounts
from mock_klarna.domain.clock import moment
from mock_klarna.domain.fulfilment import Capture, Refund
from mock_klarna.domain.records import Order

Json = dict[str, Any]
_OF_THE_ORDER = (
    "purchase_currency",
    "purchase_country",
    "locale",
    "order_lines",
    "merchant_reference1",
    "merchant_reference2",
    "merchant_data",
    "customer",
    "billing_address",
    "shipping_address",
    "shipping_info",
    "description",
)
_OF_THE_CUSTOMER = ("date_of_birth", "national_identification_number")
_PAYMENT_METHOD = {"type": "INVOICE", "description": "Pay later"}


def managed_order(order: Order, now: float) -> Json:
    """Return an order as it stands at a time of the merchant's clock; lists are always lists (protocol 13)."""
    held = balance(order, now)
    return {
        "order_id": order.order_id,
        "status": held.status,
        "fraud_status": _fraud_status(order),
        "order_amount": held.authorized,
        "original_order_amount": order.order_amount,
        "captured_amount": held.captured,
        "refunded_amount": held.refunded,
        "remaining_authorized_amount": held.remaining,
        **_members(order),
        "klarna_reference": klarna_reference(order.order_id),
        "created_at": moment(order.created_at),
        "expires_at": moment(expires_at(order)),
        "captures": captures(order),
        "refunds": [refund(given) for given in order.fulfilment.refunds],
        "initial_payment_method": _PAYMENT_METHOD,
    }


def _fraud_status(order: Order) -> str:
    """Return the fraud status; a stopped order is rejected to this API, which knows no other word for it."""
    return "REJECTED" if order.fraud_status == "STOPPED" else order.fraud_status


def _members(order: Order) -> Json:
    """Return what was posted or changed since; the shopper's birthday and number only, as this API has no more of a customer."""
    placed: Json = orjson.loads(order.body)
    whole = {"shipping_info": [], "shipping_address": placed.get("billing_address"), **placed}
    whole |= orjson.loads(order.fulfilment.changes)
    customer = whole.get("customer") or {}
    whole["customer"] = {name: customer[name] for name in _OF_THE_CUSTOMER if name in customer}
    return {name: whole[name] for name in _OF_THE_ORDER if name in whole and whole[name] not in (None, "")}


def captures(order: Order) -> list[Json]:
    """Return the captures of an order, oldest first."""
    addresses = {
        name: value for name, value in _members(order).items() if name in ("billing_address", "shipping_address")
    }
    pairs = zip(order.fulfilment.captures, refunded_amounts(order), strict=True)
    return [
        {**_capture(capture, refunded), **addresses, "klarna_reference": f"{klarna_reference(order.order_id)}-{number}"}
        for number, (capture, refunded) in enumerate(pairs, start=1)
    ]


def _capture(capture: Capture, refunded: int) -> Json:
    said = orjson.loads(capture.details)
    return {
        "capture_id": capture.capture_id,
        "captured_amount": capture.captured_amount,
        "captured_at": moment(capture.captured_at),
        "refunded_amount": refunded,
        **{name: said[name] for name in ("description", "reference") if said.get(name)},
        "order_lines": said.get("order_lines") or [],
        "shipping_info": said.get("shipping_info") or [],
    }


def refund(given: Refund) -> Json:
    """Return a refund; `credit_invoice` is false, as its meaning is not documented."""
    said = orjson.loads(given.details)
    return {
        "refund_id": given.refund_id,
        "refunded_amount": given.refunded_amount,
        "refunded_at": moment(given.refunded_at),
        **{name: said[name] for name in ("description", "reference") if said.get(name)},
        "order_lines": said.get("order_lines") or [],
        "credit_invoice": False,
    }
