"""The rules of placing an order."""

from collections.abc import Iterator
from itertools import pairwise
from typing import Any

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import (
    Authorization,
    Entry,
    Traffic,
    body_of,
    injected,
    is_ok,
    lines,
    moment_of,
    placed_order_id,
)
from mock_klarna.domain.sums import LINE_RULES, ORDER_RULES

_LONGEST_REFERENCE = 255
_ADDRESSES = ("billing_address", "shipping_address")
_TOO_MANY = 429
_TRY_LATER = (_TOO_MANY, 500, 502, 503, 504)
_SHORTEST_PAUSE = 0.45
"""Seconds between two tries, half a second less what timers are inexact."""
_LONG_PAUSE = 0.9
"""Seconds from which on a pause is long enough, whatever the one before it was; and after 429 (klarna.md §1.5)."""
_REFUSED = ("REJECTED", "STOPPED")
"""Values of fraud_status that refuse an order; Order Management shows both as REJECTED (klarna.md §9.2)."""
_AFTER_PAYMENT = ("capture_order", "acknowledge_order")


def _amounts_are_as_authorized(traffic: Traffic) -> Iterator[Observation]:
    for authorization, entry in _posted(traffic):
        body = body_of(entry)
        differing = [
            name
            for name in ("order_amount", "order_tax_amount")
            if name in body and name in authorization.order and body[name] != authorization.order[name]
        ]
        if differing:
            name = differing[0]
            yield broken(
                authorization.attempts[0],
                entry,
                seen=f"{name} {body[name]}",
                expected=f"{authorization.order[name]}, as authorized",
            )
        else:
            yield obeyed(entry)


def _sums_are_right(traffic: Traffic) -> Iterator[Observation]:
    for entry in (
        *traffic.exchanges("create_order", "create_button", "update_button"),
        *traffic.page_requests("sdk_load", "sdk_sessions", "sdk_update"),
    ):
        wrong = [problem for problem in entry["problems"] if problem["rule"] in LINE_RULES | ORDER_RULES]
        if wrong:
            first = wrong[0]
            yield broken(entry, seen=f"{first['path']}: {first['value']}", expected=f"{first['expected']}")
        elif is_ok(entry) and lines(body_of(entry)):
            yield obeyed(entry)


def _shipping_is_a_line(traffic: Traffic) -> Iterator[Observation]:
    for authorization, entry in _posted(traffic):
        fees = [line for line in lines(authorization.order) if line.get("type") == "shipping_fee"]
        if not fees:
            continue
        if any(line.get("type") == "shipping_fee" for line in lines(body_of(entry))):
            yield obeyed(entry)
        elif any(line.get("total_amount") for line in fees):
            yield broken(
                entry,
                seen="no line of type shipping_fee",
                expected=f"the line {fees[0].get('name')} of the authorized order",
            )


def _orders_have_a_reference(traffic: Traffic) -> Iterator[Observation]:
    used: dict[str, tuple[str, Entry]] = {}
    for authorization, entry in _posted(traffic):
        if not is_ok(entry):
            continue
        changes = traffic.of_order(placed_order_id(entry), "update_merchant_references")
        later = [body_of(one) for one in changes if is_ok(one)]
        found = [body.get("merchant_reference1") for body in (body_of(entry), *later)]
        reference = next((str(one) for one in reversed(found) if one), "")
        if not reference:
            yield broken(entry, seen="no merchant_reference1", expected="the order number that the customer sees")
        elif len(reference) > _LONGEST_REFERENCE:
            yield broken(
                entry,
                seen=f"merchant_reference1 with {len(reference)} characters",
                expected=f"at most {_LONGEST_REFERENCE} characters",
            )
        elif used.setdefault(reference, (authorization.token, entry))[0] != authorization.token:
            yield broken(
                used[reference][1],
                entry,
                seen=f"merchant_reference1 {reference} for two orders",
                expected="another number for each order",
            )
        else:
            yield obeyed(entry)


def _addresses_are_as_authorized(traffic: Traffic) -> Iterator[Observation]:
    for authorization, entry in _posted(traffic):
        differing = list(_differing_members(authorization.order, body_of(entry)))
        if differing:
            path, sent, given = differing[0]
            yield broken(authorization.attempts[0], entry, seen=f"{path}: {sent}", expected=f"{given}, as authorized")
        else:
            yield obeyed(entry)


def _differing_members(authorized: dict[str, Any], posted: dict[str, Any]) -> Iterator[tuple[str, object, object]]:
    for name in _ADDRESSES:
        given, sent = authorized.get(name), posted.get(name)
        if isinstance(given, dict) and isinstance(sent, dict):
            for member, value in given.items():
                if member in sent and sent[member] != value:
                    yield f"{name}.{member}", sent[member], value


def _pending_is_not_paid(traffic: Traffic) -> Iterator[Observation]:
    reviewed = {entry["order_id"]: entry for entry in reversed(traffic.events("fraud_review_ended"))}
    for placed in traffic.events("purchase_placed"):
        order_id = placed["order_id"]
        if placed["fraud_status"] != "PENDING" or order_id in traffic.unknown_orders:
            continue
        ended = reviewed.get(order_id)
        early = [
            entry
            for entry in traffic.of_order(order_id, *_AFTER_PAYMENT)
            if ended is None or entry["seq"] < ended["seq"]
        ]
        if early:
            yield broken(
                placed,
                early[0],
                seen=f"{early[0]['name']} while fraud_status was PENDING",
                expected="wait for the notification FRAUD_RISK_ACCEPTED",
            )
        elif ended is not None:
            yield obeyed(placed, ended)


def _rejected_is_a_refusal(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.events("purchase_placed", "fraud_review_ended"):
        if entry["fraud_status"] not in _REFUSED or entry["order_id"] in traffic.unknown_orders:
            continue
        later = [one for one in traffic.of_order(entry["order_id"], *_AFTER_PAYMENT) if one["seq"] > entry["seq"]]
        if later:
            yield broken(
                entry,
                later[0],
                seen=f"{later[0]['name']} of an order that is {entry['fraud_status']}",
                expected="cancel the order in the shop",
            )
        else:
            yield obeyed(entry)


def _lost_answer_is_retried(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        posted = authorization.posted
        lost = next((entry for entry in posted if injected(entry, "drop") and is_ok(entry)), None)
        if lost is None:
            continue
        other = next((one for one in posted if one["seq"] > lost["seq"] and body_of(one) != body_of(lost)), None)
        later = [one for one in authorization.requests_named("create_order") if one["seq"] > lost["seq"]]
        found_out = list(traffic.of_order(placed_order_id(lost)))
        if other is not None:
            yield broken(
                lost,
                other,
                seen="POST …/orders with another body after a lost answer",
                expected="the same body again: then Klarna answers with the same order",
            )
        elif later or found_out:
            yield obeyed(lost, (later or found_out)[0])
        else:
            yield broken(
                lost,
                seen="the order was not posted again after its answer was lost",
                expected="POST …/orders again with the same body",
                severity=Severity.WARNING,
            )


def _retries_wait_longer(traffic: Traffic) -> Iterator[Observation]:
    tries: dict[tuple[str, str], list[Entry]] = {}
    for entry in traffic.exchanges():
        tries.setdefault((entry["name"], entry["path"]), []).append(entry)
    for found in tries.values():
        pauses = [
            (moment_of(later) - moment_of(earlier) - earlier["duration_ms"] / 1000, earlier, later)
            for earlier, later in pairwise(found)
            if injected(earlier, "status") in _TRY_LATER
            and not any(earlier["seq"] < moved["seq"] < later["seq"] for moved in traffic.events("clock_moved"))
        ]
        longest = 0.0
        for pause, earlier, later in pauses:
            is_limited = earlier["status"] == _TOO_MANY
            if pause < (_LONG_PAUSE if is_limited else _SHORTEST_PAUSE) or pause < min(longest / 2, _LONG_PAUSE):
                yield broken(
                    earlier,
                    later,
                    seen=f"{later['name']} again {max(0.0, pause):.2f} s after {earlier['status']}"
                    + (f", before that after {longest:.2f} s" if longest else ""),
                    expected=f"a pause of at least {1 if is_limited else 0.5:g} s that becomes longer with each try",
                )
                break
            longest = max(longest, pause)
        else:
            if pauses:
                yield obeyed(*(entry for _, *both in pauses for entry in both))


def _nothing_after_the_decision(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        decision = authorization.decision
        if decision is None:
            continue
        other = {"create_order": "deny_authorization", "deny_authorization": "create_order"}[decision["name"]]
        late = [entry for entry in authorization.requests_named(other) if entry["seq"] > decision["seq"]]
        if late:
            yield broken(
                decision,
                late[0],
                seen=f"{late[0]['name']} after {decision['name']}",
                expected="one decision for each authorization",
            )
        else:
            yield obeyed(decision)


def _no_second_order_body(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        decision, other = authorization.decision, authorization.posted_with_another_body
        if decision is None or decision["name"] != "create_order":
            continue
        if other is not None:
            yield broken(
                decision,
                other,
                seen=f"POST …/orders with another body {moment_of(other) - moment_of(decision):.0f} s after the order was placed",
                expected="changes of a placed order go to Order Management",
            )
        else:
            yield obeyed(decision)


def _posted(traffic: Traffic) -> Iterator[tuple[Authorization, Entry]]:
    """Yield each posted order whose body is known, accepted or refused, with its authorization."""
    for authorization in traffic.authorizations:
        for entry in authorization.requests_named("create_order"):
            if body_of(entry):
                yield authorization, entry


RULES = (
    Rule(
        id="O1",
        title="Amounts are posted as they were authorized",
        severity=Severity.WARNING,
        source="klarna.md §3.11",
        remedy="Post order_amount and order_tax_amount as GET …/authorizations/{token} returns them, and add "
        "only merchant_reference1, merchant_reference2 and merchant_data.",
        observe=_amounts_are_as_authorized,
        needs="a posted order",
    ),
    Rule(
        id="O2",
        title="Sums of lines and order are right",
        severity=Severity.ERROR,
        source="klarna.md §10",
        remedy="Calculate total_amount = quantity * unit_price - total_discount_amount, and the tax inside it, in minor units.",
        observe=_sums_are_right,
        needs="an order with lines",
    ),
    Rule(
        id="O3",
        title="The shipping fee is an order line",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Keep the line of type shipping_fee in order_lines, as GET …/authorizations/{token} returns it.",
        observe=_shipping_is_a_line,
        needs="a posted order with shipping",
    ),
    Rule(
        id="O4",
        title="Every order has a merchant_reference1 of its own",
        severity=Severity.WARNING,
        source="klarna.md §3.11",
        remedy="Send the order number as merchant_reference1 with the order, or with PATCH …/merchant-references.",
        observe=_orders_have_a_reference,
        needs="a placed order",
        compares_purchases=True,
    ),
    Rule(
        id="O5",
        title="Addresses are posted as they were authorized",
        severity=Severity.WARNING,
        source="klarna.md §3.10",
        remedy="Post billing_address and shipping_address as GET …/authorizations/{token} returns them, with the "
        "blanks of postal_code.",
        observe=_addresses_are_as_authorized,
        needs="a posted order",
    ),
    Rule(
        id="O6",
        title="A PENDING order is not treated as paid",
        severity=Severity.ERROR,
        source="klarna.md §9.3",
        remedy="Read fraud_status in the answer to POST …/orders. While it is PENDING, ship and capture nothing: "
        "wait for the call of merchant_urls.notification.",
        observe=_pending_is_not_paid,
        needs="a PENDING order whose review ended, or that was captured or acknowledged",
    ),
    Rule(
        id="O7",
        title="A REJECTED or STOPPED order is not captured",
        severity=Severity.ERROR,
        source="klarna.md §3.13",
        remedy="Read fraud_status in the answer to POST …/orders: REJECTED is a refusal, although the status is "
        "200. Cancel the order in the shop.",
        observe=_rejected_is_a_refusal,
        needs="a REJECTED or STOPPED order",
    ),
    Rule(
        id="O8",
        title="An order whose answer was lost is posted again unchanged",
        severity=Severity.ERROR,
        source="klarna.md §4.1",
        remedy="Repeat POST …/orders with the same body; Klarna answers 200 with the same order_id.",
        observe=_lost_answer_is_retried,
        needs="an order whose answer a fault with drop has lost, as --shop does it",
    ),
    Rule(
        id="O9",
        title="Retries wait longer each time",
        severity=Severity.WARNING,
        source="klarna.md §1.5",
        remedy="Wait as many seconds as X-Ratelimit-Reset or Retry-After says, else 0.5 s, and double the pause with each try.",
        observe=_retries_wait_longer,
        needs="a retry after a fault with status 429 or 503, as --shop makes it",
    ),
    Rule(
        id="O10",
        title="A decided authorization is not decided again",
        severity=Severity.WARNING,
        source="klarna.md §5",
        remedy="Store the decision with authorization_token, and send either POST …/orders or DELETE "
        "…/authorizations/{token}, never both.",
        observe=_nothing_after_the_decision,
        needs="an authorization that was placed or denied",
    ),
    Rule(
        id="O11",
        title="A placed order is not posted again with changes",
        severity=Severity.WARNING,
        source="klarna.md §5",
        remedy="Change a placed order with /ordermanagement/v1/orders/{order_id}, such as PATCH …/authorization, "
        "and not with a second POST …/orders.",
        observe=_no_second_order_body,
        needs="a placed order",
    ),
)
"""The rules of placing an order."""
