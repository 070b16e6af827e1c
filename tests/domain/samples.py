"""Purchases, orders and sessions for the tests of the domain."""

from typing import Any

from mock_klarna.domain.callbacks import callback_jobs
from mock_klarna.domain.purchase import PURCHASE_TRANSITIONS, PlacingRules
from mock_klarna.domain.records import Decision, Order, Outcome, Purchase

NOW = 1_000_000.0
LENIENT, STRICT = PlacingRules(), PlacingRules(strict=True)
PATIENT = PlacingRules(timeout_ends_token=False)
STATES = tuple(PURCHASE_TRANSITIONS)
LINE: dict[str, Any] = {
    "type": "physical",
    "reference": "19-402-B",
    "name": "Battery Power Pack Black",
    "quantity": 1,
    "unit_price": 119000,
    "tax_rate": 2500,
    "total_amount": 119000,
    "total_tax_amount": 23800,
}
EXPRESS: dict[str, Any] = {
    "id": "express_priority",
    "name": "Express 1-2 days",
    "price": 5000,
    "tax_amount": 1000,
    "tax_rate": 2500,
    "shipping_method": "PickUpStore",
}
POST: dict[str, Any] = {"id": "post", "name": "Post", "price": 0, "tax_amount": 0, "tax_rate": 0}


def item(colour: str, size: str = "m", **members: Any) -> dict[str, Any]:
    """Return a variation with two attributes."""
    attributes = [
        {"identifier": "clr", "identifier_label": "Colour", "value": colour, "value_label": colour.title()},
        {"identifier": "size", "identifier_label": "Size", "value": size, "value_label": size.upper()},
    ]
    product = {"type": "physical", "reference": f"shirt-{colour}-{size}", "name": "Shirt", "group_identifier": "shirt"}
    return {
        **product,
        "unit_price": 10000,
        "tax_rate": 2500,
        "total_tax_amount": 2000,
        "product_attributes": attributes,
        **members,
    }


def purchase(state: str = "authorized", **members: Any) -> Purchase:
    """Return a purchase in a state; from `authorized` on it has a token that is valid for an hour."""
    given: dict[str, Any] = {
        "merchant": "shop",
        "purchase_id": "p-1",
        "button_key": "b-1",
        "state": state,
        "created_at": NOW,
        "version": 3,
        "session": b"{}",
    }
    if state not in ("started", "declined", "failed"):
        authorized = {"authorization_token": "t-1", "order": b"{}", "order_amount": 124000, "expires_at": NOW + 3600}
        given |= {**authorized, "currency": "SEK", "country": "SE", "locale": "sv-SE", "merchant_timeout": 60.0}
    return Purchase(**{**given, **members})


def pending(**outcome: Any) -> Purchase:
    """Return an authorized purchase whose order will be PENDING."""
    return purchase(outcome=Outcome("PENDING", **outcome))


def order(fraud_status: str = "PENDING", **members: Any) -> Order:
    """Return a placed order."""
    given: dict[str, Any] = {"merchant": "shop", "order_id": "o-1", "purchase_id": "p-1", "body": b"{}"}
    return Order(**{**given, "fraud_status": fraud_status, "order_amount": 124000, "created_at": NOW, **members})


def body(**members: Any) -> dict[str, Any]:
    """Return a posted order."""
    return {"purchase_currency": "SEK", "purchase_country": "SE", "locale": "sv-SE", "order_amount": 124000, **members}


def jobs(decision: Decision, push_schedule: str = "push") -> list[tuple[str, float]]:
    """Return the jobs that follow a decision, those of its callbacks first: their kinds, and when they are due."""
    following = (*callback_jobs(decision, NOW, push_schedule), *decision.jobs)
    return [(job.kind, job.due - NOW) for job in following]
