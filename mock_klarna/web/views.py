"""Records and journal entries as JSON."""

from typing import Any

import orjson

from mock_klarna.domain.callbacks import ORDER_CALLBACKS, Attempt, Delivery
from mock_klarna.domain.captures import refunded_amounts
from mock_klarna.domain.events import Event, event_data
from mock_klarna.domain.journal import Entry, Exchange, Sent, readable
from mock_klarna.domain.order import balance, expires_at, klarna_reference
from mock_klarna.domain.records import Capture, Fault, MerchantSummary, Order, Purchase, Refund
from mock_klarna.domain.time import moment, precise_moment
from mock_klarna.domain.urls import host_of
from mock_klarna.validation import MalformedBody, read_json

_MAX_BODY = 64 << 10
Json = dict[str, Any]


def body(raw: bytes) -> Any:
    """Return a body as JSON, or as text if no request may have such a body or it is longer than 64 KiB, which is cut off."""
    if not raw:
        return None
    if len(raw) <= _MAX_BODY:
        try:
            return read_json(raw)
        except MalformedBody:
            return raw.decode("utf-8", "backslashreplace")
    return raw[:_MAX_BODY].decode("utf-8", "backslashreplace") + f"… ({len(raw)} bytes)"


def merchant(summary: MerchantSummary, real_time: float, *, has_host: bool) -> Json:
    """Return what a merchant has; `has_host` if the name has the host of a region."""
    return {
        "merchant": summary.merchant,
        "api_host": host_of(summary.merchant) if has_host else None,
        "buttons": summary.buttons,
        "purchases": summary.purchases,
        "orders": summary.orders,
        "now": moment(real_time + summary.clock_offset),
        "ahead_seconds": round(summary.clock_offset, 3),
        "last_activity": None if summary.last_at is None else precise_moment(summary.last_at),
        "last_seq": summary.last_seq,
    }


def purchase(record: Purchase, deliveries: list[Delivery], hint: str | None = None) -> Json:
    """Return a purchase with its callbacks; `hint` is why it is not decided."""
    return {
        "purchase_id": record.purchase_id,
        "merchant": record.merchant,
        "state": record.state,
        "button_key": record.button_key,
        "authorization_token": record.authorization_token,
        "order_amount": record.order_amount or None,
        "order_id": record.order_id,
        "customer_token": record.customer_token,
        "fraud_status": record.fraud_status,
        "deny": dict(record.deny) if record.deny is not None else None,
        "redirect_url": record.redirect_url,
        "consumer_message": record.consumer_message,
        "hint": hint,
        "created_at": moment(record.created_at),
        "expires_at": moment(record.expires_at) if record.expires_at else None,
        "order": orjson.Fragment(record.order) if record.order else None,
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
        "attempts": [attempt(each) for each in delivery.attempts],
        "attempts_dropped": delivery.attempts_dropped,
    }


def attempt(record: Attempt) -> Json:
    """Return one attempt to send a callback; `duration_ms` is real time."""
    return {
        "at": moment(record.at),
        "duration_ms": round(record.duration * 1000, 3),
        "outcome": record.outcome,
        "status": record.status,
        "error": record.error,
        "remedy": record.remedy,
        "answer_headers": [list(pair) for pair in record.answer_headers],
        "answer_body": body(record.answer),
    }


def order(record: Order) -> Json:
    """Return a placed order."""
    return {
        "order_id": record.order_id,
        "merchant": record.merchant,
        "purchase_id": record.purchase_id,
        "fraud_status": record.fraud_status,
        "order_amount": record.order_amount,
        "created_at": moment(record.created_at),
        **{kind.url: getattr(record, kind.url) for kind in ORDER_CALLBACKS},
        "acknowledged": record.acknowledged,
        "order": orjson.Fragment(record.body),
    }


def fault(record: Fault) -> Json:
    """Return a fault with the number of `times` that are left; `merchant` is null for a fault of any merchant."""
    options: Json = orjson.loads(record.body)
    return {**options, "merchant": record.merchant or None, "times": record.times}


def entry(record: Entry) -> Json:
    """Return an entry of the journal."""
    return {**_head(record), **_details(record.data)}


def entry_summary(record: Entry) -> Json:
    """Return an entry of the journal without headers and bodies."""
    return {**_head(record), **_short_details(record.data)}


def _head(record: Entry) -> Json:
    return {
        "seq": record.seq,
        "at": precise_moment(record.at),
        "merchant": record.merchant,
        "kind": record.kind,
        "name": record.name,
        "purchase_id": record.purchase_id,
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
            "at": precise_moment(data.attempt.at),
            "injected": data.injected,
        }
    return _exchange(data)


def _short_details(data: Exchange | Sent | Event) -> Json:
    if isinstance(data, Event):
        return event_data(data)
    if isinstance(data, Sent):
        result = {name: getattr(data.attempt, name) for name in ("outcome", "status", "error", "remedy")}
        return {
            "callback_id": data.callback_id,
            "url": data.url,
            "number": data.number,
            **result,
            "injected": data.injected,
        }
    return {
        "method": data.method,
        "path": data.path,
        "status": data.status,
        "correlation_id": data.correlation_id,
        "explanation": data.explanation or None,
        "problems": [problem.as_json() for problem in data.problems],
        "injected": data.injected,
    }


def _exchange(data: Exchange) -> Json:
    return {
        "method": data.method,
        "path": data.path,
        "status": data.status,
        "correlation_id": data.correlation_id,
        "duration_ms": round(data.duration * 1000, 3),
        "request_headers": [[name, readable(value)] for name, value in data.request_headers],
        "request_body": body(data.request_body),
        "response_body": body(data.response_body),
        "explanation": data.explanation or None,
        "problems": [problem.as_json() for problem in data.problems],
        "warnings": [warning.as_json() for warning in data.warnings],
        "injected": data.injected,
    }


_ORDER_MEMBERS = (
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
_ADDRESSES = ("billing_address", "shipping_address")
_CUSTOMER_MEMBERS = ("date_of_birth", "national_identification_number")
_PAYMENT_METHOD = {"type": "INVOICE", "description": "Pay later"}


def managed_order(order: Order, now: float) -> Json:
    """Return an order at a time of the merchant's clock; lists are always lists (klarna.md §13)."""
    amounts = balance(order, now)
    return {
        "order_id": order.order_id,
        "status": amounts.status,
        "fraud_status": _fraud_status(order),
        "order_amount": amounts.authorized,
        "original_order_amount": order.order_amount,
        "captured_amount": amounts.captured,
        "refunded_amount": amounts.refunded,
        "remaining_authorized_amount": amounts.remaining,
        **_members(order),
        "klarna_reference": klarna_reference(order.order_id),
        "created_at": moment(order.created_at),
        "expires_at": moment(expires_at(order)),
        "captures": captures(order),
        "refunds": [refund(record) for record in order.fulfilment.refunds],
        "initial_payment_method": _PAYMENT_METHOD,
    }


def _fraud_status(order: Order) -> str:
    """Return the fraud status; this API shows a stopped order as rejected."""
    return "REJECTED" if order.fraud_status == "STOPPED" else order.fraud_status


def _members(order: Order) -> Json:
    """Return the members that were posted, with later changes; of the customer only date of birth and identification number.

    `merchant_reference1` and `merchant_reference2` are null where they are not set (klarna.md §9.2).
    """
    placed: Json = orjson.loads(order.body)
    members = {"shipping_info": [], "shipping_address": placed.get("billing_address"), **placed}
    members |= orjson.loads(order.fulfilment.changes)
    customer = members.get("customer") or {}
    members["customer"] = {name: customer[name] for name in _CUSTOMER_MEMBERS if name in customer}
    members["order_lines"] = _lines(members)
    given = {name: members[name] for name in _ORDER_MEMBERS if name in members and members[name] not in (None, "")}
    return {"merchant_reference1": None, "merchant_reference2": None, **given}


def _lines(members: Json) -> list[Json]:
    """Return the order lines with `type` and `reference`, and without `product_attributes` (klarna.md §9.2)."""
    lines = members.get("order_lines") or ()
    shown = ({"type": "physical", "reference": None, **line} for line in lines)
    return [{name: value for name, value in line.items() if name != "product_attributes"} for line in shown]


def captures(order: Order) -> list[Json]:
    """Return the captures of an order, oldest first; a capture has the addresses of the order unless it has its own."""
    addresses = _given(_members(order), *_ADDRESSES)
    pairs = zip(order.fulfilment.captures, refunded_amounts(order), strict=True)
    return [
        {**addresses, **_capture(capture, refunded), "klarna_reference": f"{klarna_reference(order.order_id)}-{number}"}
        for number, (capture, refunded) in enumerate(pairs, start=1)
    ]


def _capture(capture: Capture, refunded: int) -> Json:
    details = orjson.loads(capture.details)
    return {
        "capture_id": capture.capture_id,
        "captured_amount": capture.captured_amount,
        "captured_at": moment(capture.captured_at),
        "refunded_amount": refunded,
        **_given(details, "description", *_ADDRESSES),
        "reference": details.get("reference") or None,
        "order_lines": _lines(details),
        "shipping_info": details.get("shipping_info") or [],
    }


def refund(record: Refund) -> Json:
    """Return a refund; `credit_invoice` is false, as its meaning is not documented."""
    details = orjson.loads(record.details)
    return {
        "refund_id": record.refund_id,
        "refunded_amount": record.refunded_amount,
        "refunded_at": moment(record.refunded_at),
        **_given(details, "description"),
        "reference": details.get("reference") or None,
        "order_lines": _lines(details),
        "credit_invoice": False,
    }


def _given(members: Json, *names: str) -> Json:
    return {name: members[name] for name in names if members.get(name)}
