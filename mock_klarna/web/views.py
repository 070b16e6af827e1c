"""Records and journal entries as the control API shows them."""

from typing import Any

import orjson

from mock_klarna.domain.callbacks import Attempt, Delivery
from mock_klarna.domain.captures import refunded_amounts
from mock_klarna.domain.events import Event, event_data
from mock_klarna.domain.journal import Entry, Exchange, Sent
from mock_klarna.domain.order import balance, expires_at, klarna_reference
from mock_klarna.domain.records import Capture, Fault, Order, Purchase, Refund
from mock_klarna.domain.time import moment

_MOST_SHOWN = 64 << 10
Json = dict[str, Any]


def body(raw: bytes) -> Any:
    """Return a body as it is to be shown: JSON as JSON, anything else as text, what is too long cut."""
    if not raw:
        return None
    if len(raw) <= _MOST_SHOWN:
        try:
            return orjson.loads(raw)
        except orjson.JSONDecodeError:
            return raw.decode("utf-8", "backslashreplace")
    return raw[:_MOST_SHOWN].decode("utf-8", "backslashreplace") + f"… ({len(raw)} bytes)"


def purchase(held: Purchase, deliveries: list[Delivery]) -> Json:
    """Return a purchase as `POST /_mock/purchases` answers it."""
    return {
        "purchase_id": held.purchase_id,
        "merchant": held.merchant,
        "state": held.state,
        "button_key": held.button_key,
        "authorization_token": held.authorization_token,
        "order_amount": held.order_amount or None,
        "order_id": held.order_id,
        "customer_token": held.customer_token,
        "fraud_status": held.fraud_status,
        "deny": dict(held.deny) if held.deny is not None else None,
        "redirect_url": held.redirect_url,
        "consumer_message": held.consumer_message,
        "created_at": moment(held.created_at),
        "expires_at": moment(held.expires_at) if held.expires_at else None,
        "order": orjson.Fragment(held.order) if held.order else None,
        "callbacks": [_summary(delivery) for delivery in deliveries],
    }


def callback(delivery: Delivery) -> Json:
    """Return a callback with its body and all its attempts."""
    return {**_summary(delivery), "request_body": body(delivery.body)}


def _summary(delivery: Delivery) -> Json:
    return {
        "callback_id": delivery.callback_id,
        "kind": delivery.callback,
        "url": delivery.url,
        "state": delivery.state,
        "purchase_id": delivery.purchase_id,
        "order_id": delivery.order_id,
        "created_at": moment(delivery.created_at),
        "attempts": [attempt(tried) for tried in delivery.attempts],
    }


def attempt(tried: Attempt) -> Json:
    """Return one attempt; `duration_ms` is real time."""
    return {
        "at": moment(tried.at),
        "duration_ms": round(tried.duration * 1000, 3),
        "outcome": tried.outcome,
        "status": tried.status,
        "error": tried.error,
        "remedy": tried.remedy,
        "answer_headers": [list(pair) for pair in tried.answer_headers],
        "answer_body": body(tried.answer),
    }


def order(held: Order) -> Json:
    """Return a placed order."""
    return {
        "order_id": held.order_id,
        "merchant": held.merchant,
        "purchase_id": held.purchase_id,
        "fraud_status": held.fraud_status,
        "order_amount": held.order_amount,
        "created_at": moment(held.created_at),
        "push_url": held.push_url,
        "notification_url": held.notification_url,
        "acknowledged": held.acknowledged,
        "order": orjson.Fragment(held.body),
    }


def fault(held: Fault) -> Json:
    """Return a fault with the `times` that are left; `merchant` is null where it waits for any."""
    wish: Json = orjson.loads(held.body)
    return {**wish, "merchant": held.merchant or None, "times": held.times}


def entry(held: Entry) -> Json:
    """Return a line of the journal."""
    return {
        "seq": held.seq,
        "at": moment(held.at),
        "merchant": held.merchant,
        "kind": held.kind,
        "name": held.name,
        "purchase_id": held.purchase_id,
        **_details(held.data),
    }


def _details(data: Exchange | Sent | Event) -> Json:
    if isinstance(data, Event):
        return event_data(data)
    if isinstance(data, Sent):
        return {
            "callback_id": data.callback_id,
            "url": data.url,
            "number": data.number,
            "request_body": body(data.request_body),
            **attempt(data.attempt),
            "at": moment(data.attempt.at),
        }
    return _exchange(data)


def _exchange(data: Exchange) -> Json:
    return {
        "method": data.method,
        "path": data.path,
        "status": data.status,
        "correlation_id": data.correlation_id,
        "duration_ms": round(data.duration * 1000, 3),
        "request_headers": [list(pair) for pair in data.request_headers],
        "request_body": body(data.request_body),
        "response_body": body(data.response_body),
        "explanation": data.explanation or None,
        "problems": [problem.as_json() for problem in data.problems],
    }


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
