"""Records and journal entries as the control API shows them."""

from typing import Any

import orjson

from mock_klarna.domain.clock import moment
from mock_klarna.domain.deliveries import Attempt, Delivery
from mock_klarna.domain.events import Event, event_data
from mock_klarna.domain.journal import Entry, Exchange, Sent
from mock_klarna.domain.records import Fault, Order, Purchase

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
