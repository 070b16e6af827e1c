"""What each callback says and where it goes (protocol 4)."""

from typing import Any

import orjson
from msgspec import Struct

from mock_klarna.domain.order import event_type, wants_push
from mock_klarna.domain.records import Job, Order, Purchase
from mock_klarna.store.base import Store

PURCHASE_CALLBACKS = ("place_order", "create_customer_token")
"""What an authorized purchase is told by; a key that has both URLs is asked to place the order (protocol 4.3)."""
ORDER_CALLBACKS = ("push", "notification")


class Letter(Struct, frozen=True, gc=False):
    """One callback to be sent: what kind, where to, the body, and whose purchase or order it is about."""

    callback: str
    url: str
    body: bytes
    purchase_id: str
    order_id: str | None = None


async def letter(store: Store, job: Job) -> Letter | None:
    """Return what a due job has to send, or None when there is nothing to say any more."""
    match job.kind:
        case "place_order":
            purchase = await store.get(Purchase, job.subject)
            return place_order(purchase) if purchase and purchase.state == "authorized" else None
        case "push":
            order = await store.get(Order, job.subject)
            return push(order) if order and wants_push(order) else None
        case "notification":
            order = await store.get(Order, job.subject)
            return notification(order) if order else None
        case _:
            raise AssertionError(job.kind)


def place_order(purchase: Purchase) -> Letter | None:
    """Ask the merchant to place the order: token, button key and the order as it is at rest (protocol 4.1).

    A key that has no `place_order` URL is asked for a customer token instead, in the same words (protocol 4.3).
    """
    urls = orjson.loads(purchase.order)["merchant_urls"]
    kind = next((kind for kind in PURCHASE_CALLBACKS if urls.get(kind)), None)
    if kind is None:
        return None
    head = f'{{"authorization_token":"{purchase.authorization_token}","button_key":"{purchase.button_key}","order":'
    body = head.encode() + purchase.order + b"}"
    return Letter(kind, urls[kind], body, purchase.purchase_id)


def push(order: Order) -> Letter | None:
    """Tell the merchant that the order is complete: an empty body, the order id is in the URL (protocol 4.4)."""
    return Letter("push", order.push_url, b"", order.purchase_id, order.order_id) if order.push_url else None


def notification(order: Order) -> Letter | None:
    """Tell the merchant how a fraud review ended (protocol 4.5)."""
    if not order.notification_url:
        return None
    said: dict[str, Any] = {"order_id": order.order_id, "event_type": event_type(order.fraud_status)}
    return Letter("notification", order.notification_url, orjson.dumps(said), order.purchase_id, order.order_id)
