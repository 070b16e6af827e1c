"""The rules of Order Management: what a shop does after it has placed an order."""

from collections import Counter, defaultdict
from collections.abc import Iterator
from itertools import pairwise

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import (
    ORDERS,
    Entry,
    Traffic,
    body_of,
    has_body,
    header,
    injected,
    is_ok,
    lines,
    moment_of,
    path_part,
    placed_order_id,
)

_IDEMPOTENCY_KEY = "Klarna-Idempotency-Key"
_WITH_KEY = ("capture_order", "refund_order")
_AMOUNTS = ("captured_amount", "refunded_amount")
_CHANGES = (*_WITH_KEY, "cancel_order", "release_remaining_authorization")
_SLOW_PUSH, _AFTER_PUSH = 10.0, 10.0
_DAY = 24 * 3600
_LIFETIME = 28 * _DAY
_EXPIRED = "expired"
_PUSHES_WITHOUT_ACKNOWLEDGEMENT = 3
_PLACED = ("purchase_placed", "order_from_token")
"""The events of orders: of a purchase, and of the customer token of a purchase."""


def _acknowledged_after_push(traffic: Traffic) -> Iterator[Observation]:
    pushes = _pushes(traffic)
    for entry in traffic.accepted("acknowledge_order"):
        order_id = path_part(entry, ORDERS)
        pushed = [one for one in pushes.get(order_id, ()) if moment_of(one) <= moment_of(entry)]
        if pushed:
            yield obeyed(pushed[0], entry)
        elif order_id in pushes or _has_push_url(traffic, order_id):
            yield broken(
                entry,
                seen="POST …/acknowledge before the push",
                expected="POST …/acknowledge when merchant_urls.push is called",
            )


def _has_push_url(traffic: Traffic, order_id: str) -> bool:
    for authorization in traffic.authorizations:
        decision = authorization.decision
        if decision is not None and placed_order_id(decision) == order_id:
            return bool(traffic.merchant_urls(authorization).get("push"))
    return False


def _pushes(traffic: Traffic) -> dict[str, list[Entry]]:
    """Return the attempts to push by the id of their order, without those that a fault changed.

    A purchase has one order, unless orders were placed with its customer token: then the URL has the id. Orders that the shop does
    not know are left out.
    """
    orders: dict[str, list[str]] = defaultdict(list)
    for placed in traffic.events(*_PLACED):
        orders[placed["purchase_id"]].append(placed["order_id"])
    found: dict[str, list[Entry]] = defaultdict(list)
    for entry in traffic.callbacks("push"):
        of_purchase = orders.get(entry["purchase_id"], [])
        named = [order_id for order_id in of_purchase if order_id in entry["url"]] or of_purchase
        if len(named) == 1 and named[0] not in traffic.unknown_orders and not injected(entry, "drop", "status"):
            found[named[0]].append(entry)
    return found


def _orders_are_acknowledged(traffic: Traffic) -> Iterator[Observation]:
    acknowledged = {entry["order_id"]: entry for entry in traffic.events("order_acknowledged", "order_captured")}
    sent = traffic.exchanges("acknowledge_order", "capture_order")
    acknowledged |= {path_part(entry, ORDERS): entry for entry in reversed(sent) if _has_acknowledged(entry)}
    for order_id, attempts in _pushes(traffic).items():
        if order_id in acknowledged:
            yield obeyed(attempts[0], acknowledged[order_id])
        elif len(attempts) >= _PUSHES_WITHOUT_ACKNOWLEDGEMENT:
            yield broken(
                attempts[-1],
                seen=f"{_PUSHES_WITHOUT_ACKNOWLEDGEMENT} or more pushes of an order that was not acknowledged",
                expected="POST /ordermanagement/v1/orders/{order_id}/acknowledge",
            )


def _has_acknowledged(entry: Entry) -> bool:
    return is_ok(entry) or (entry["name"] == "acknowledge_order" and bool(injected(entry, "status")))


def _repeated_push_changes_nothing(traffic: Traffic) -> Iterator[Observation]:
    for order_id, attempts in _pushes(traffic).items():
        delivered = [entry for entry in attempts if entry["status"] is not None]
        for before, push in pairwise(delivered):
            seconds = push["duration_ms"] / 1000
            changed = _changed_again(traffic, order_id, push)
            if changed:
                yield broken(
                    before,
                    push,
                    changed,
                    seen=f"{changed['name']} again after the second push",
                    expected="200, and nothing that was done after the first push",
                )
            elif not is_ok(before):
                continue
            elif not is_ok(push):
                yield broken(before, push, seen=f"the second push was answered {push['status']}", expected="200")
            elif seconds > _SLOW_PUSH:
                yield broken(
                    push, seen=f"the push was answered after {seconds:.0f} s", expected=f"at most {_SLOW_PUSH:g} s"
                )
            else:
                yield obeyed(before, push)


def _changed_again(traffic: Traffic, order_id: str, push: Entry) -> Entry | None:
    """Return a change soon after a push that was made before, of the same amount with another key or without one."""
    made: dict[tuple[object, ...], set[str | None]] = {}
    for entry in traffic.of_order(order_id, *_CHANGES):
        if not is_ok(entry):
            continue
        key, keys = header(entry, _IDEMPOTENCY_KEY), made.setdefault(_purpose(entry), set())
        if keys and 0 <= moment_of(entry) - moment_of(push) < _AFTER_PUSH and (key is None or key not in keys):
            return entry
        keys.add(key)
    return None


def _requests_have_idempotency_keys(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges(*_WITH_KEY):
        if header(entry, _IDEMPOTENCY_KEY):
            yield obeyed(entry)
        else:
            yield broken(
                entry,
                seen=f"{entry['name']} without {_IDEMPOTENCY_KEY}",
                expected="a UUID that is stored before the call",
            )


def _retry_has_the_same_key(traffic: Traffic) -> Iterator[Observation]:
    sent = traffic.exchanges(*_WITH_KEY)
    for lost in (entry for entry in sent if injected(entry, "drop") and is_ok(entry)):
        again = next((one for one in sent if one["seq"] > lost["seq"] and _purpose(one) == _purpose(lost)), None)
        if again is None:
            continue
        first, second = header(lost, _IDEMPOTENCY_KEY), header(again, _IDEMPOTENCY_KEY)
        if first and first == second:
            yield obeyed(lost, again)
        else:
            yield broken(
                lost,
                again,
                seen=f"{again['name']} again with {_IDEMPOTENCY_KEY} {second or 'missing'}",
                expected=f"{first}, as in the first try" if first else "a key that is stored before the first try",
            )


def _keys_belong_to_one_amount(traffic: Traffic) -> Iterator[Observation]:
    first: dict[str, Entry] = {}
    for entry in traffic.exchanges(*_WITH_KEY):
        key = header(entry, _IDEMPOTENCY_KEY)
        if not key or not has_body(entry):
            continue
        before = first.setdefault(key, entry)
        if _purpose(before) == _purpose(entry):
            yield obeyed(entry)
        else:
            yield broken(
                before,
                entry,
                seen=f"{_IDEMPOTENCY_KEY} {key} again for another request",
                expected="a key of its own for each capture and refund",
            )


def _purpose(entry: Entry) -> tuple[object, ...]:
    """Return by what a request is known as another try of the same: its path, which has the order id, and its amounts."""
    body = body_of(entry)
    return (entry["path"], *(body.get(name) for name in _AMOUNTS))


def _amounts_are_possible(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges(*_WITH_KEY, "cancel_order", "release_remaining_authorization"):
        if injected(entry, "status") or (entry["status"] == 403 and _EXPIRED in (entry["explanation"] or "")):
            continue  # a fault refused it, or M9 judges it
        if entry["status"] == 403:
            yield broken(
                entry,
                seen=f"{entry['name']}: {entry['explanation'] or 'refused'}",
                expected="at most what remains; read the order first",
            )
        elif is_ok(entry):
            yield obeyed(entry)
    if "event" not in traffic.gaps.kinds:
        yield from _closed_with_a_rest(traffic)


def _closed_with_a_rest(traffic: Traffic) -> Iterator[Observation]:
    last: dict[str, Entry] = {}
    captured: Counter[str] = Counter()
    rest: Counter[str] = Counter()
    for entry in traffic.events(
        "order_captured", "order_authorization_updated", "remaining_authorization_released", "order_closed"
    ):
        order_id = entry["order_id"]
        match entry["name"]:
            case "order_captured":
                last[order_id] = entry
                captured[order_id] += entry["captured_amount"]
                rest[order_id] = entry["remaining_authorized_amount"]
            case "order_authorization_updated":
                rest[order_id] = entry["order_amount"] - captured[order_id]
            case "remaining_authorization_released":
                rest[order_id] = 0
            case _ if order_id in last and rest[order_id] > 0:
                sent = [one for one in traffic.of_order(order_id, "capture_order") if is_ok(one)]
                yield broken(
                    *sent[-1:],
                    last[order_id],
                    entry,
                    seen=f"{rest[order_id]} neither captured nor released when the order was closed",
                    expected="POST …/release-remaining-authorization after the last capture",
                )


def _captures_have_shipping_info(traffic: Traffic) -> Iterator[Observation]:
    physical = {
        placed_order_id(decision)
        for authorization in traffic.authorizations
        if (decision := authorization.decision) is not None
        and any(line.get("type", "physical") == "physical" for line in lines(body_of(decision)))
    }
    for entry in traffic.accepted("capture_order"):
        order_id = path_part(entry, ORDERS)
        if order_id not in physical:
            continue
        later = list(traffic.of_order(order_id, "add_capture_shipping_info", "add_shipping_info"))
        if body_of(entry).get("shipping_info") or later:
            yield obeyed(entry, *later[:1])
        else:
            yield broken(
                entry,
                seen="a capture without shipping_info",
                expected="shipping_info with the carrier and the number of the parcel",
            )


def _captured_or_extended_in_time(traffic: Traffic) -> Iterator[Observation]:
    ends = {entry["order_id"]: moment_of(entry) + _LIFETIME for entry in traffic.events(*_PLACED)}
    extended = {entry["order_id"]: entry for entry in traffic.events("authorization_time_extended")}
    ends |= {order_id: float(entry["expires_at"]) for order_id, entry in extended.items()}
    for order_id, entry in extended.items():
        yield obeyed(entry, *list(traffic.of_order(order_id, "extend_authorization_time"))[:1])
    for entry in traffic.exchanges("capture_order"):
        order_id = path_part(entry, ORDERS)
        if order_id not in ends:
            continue
        late = moment_of(entry) - ends[order_id]
        if late > 0 and not is_ok(entry):
            yield broken(
                entry,
                seen=f"captured {late / _DAY:.1f} days after the authorization ended",
                expected="a capture, or POST …/extend-authorization-time, within 28 days",
            )
        elif is_ok(entry):
            yield obeyed(entry)


RULES = (
    Rule(
        id="M1",
        title="Orders are acknowledged after the push",
        severity=Severity.WARNING,
        source="klarna.md §4.4",
        remedy="Send POST …/acknowledge when merchant_urls.push is called; Klarna sends no push for an "
        "acknowledged order.",
        observe=_acknowledged_after_push,
        needs="an acknowledged order with a push URL",
    ),
    Rule(
        id="M2",
        title="Orders are acknowledged",
        severity=Severity.ERROR,
        source="klarna.md §4.4",
        remedy="Answer each push with POST /ordermanagement/v1/orders/{order_id}/acknowledge; pushes end after 48 h.",
        observe=_orders_are_acknowledged,
        needs="a push that was answered or repeated; move the clock to repeat it",
    ),
    Rule(
        id="M3",
        title="A repeated push changes nothing",
        severity=Severity.WARNING,
        source="klarna.md §4.4",
        remedy="Look up order_id when merchant_urls.push is called; if it is known, answer 200 and repeat nothing.",
        observe=_repeated_push_changes_nothing,
        needs="a push that arrived twice, as --shop sends it",
    ),
    Rule(
        id="M4",
        title="Captures and refunds have an idempotency key",
        severity=Severity.WARNING,
        source="klarna.md §9.4",
        remedy="Send Klarna-Idempotency-Key with a UUID that is stored before the call; Klarna remembers it for 24 h.",
        observe=_requests_have_idempotency_keys,
        needs="a capture or a refund",
    ),
    Rule(
        id="M5",
        title="A retry has the idempotency key of the first try",
        severity=Severity.ERROR,
        source="klarna.md §9.4",
        remedy="Store Klarna-Idempotency-Key before the call, and send the same key again after a lost answer.",
        observe=_retry_has_the_same_key,
        needs="a capture or a refund whose answer a fault with drop has lost, and the same request again",
    ),
    Rule(
        id="M6",
        title="An idempotency key belongs to one request",
        severity=Severity.ERROR,
        source="klarna.md §9.4",
        remedy="Make a new Klarna-Idempotency-Key for each capture and refund: Klarna compares the key alone, "
        "and does nothing for a second request within 24 h.",
        observe=_keys_belong_to_one_amount,
        needs="a capture or a refund with a key",
        compares_purchases=True,
    ),
    Rule(
        id="M7",
        title="Captures, refunds and cancellations are possible",
        severity=Severity.WARNING,
        source="klarna.md §9.1",
        remedy="Capture at most remaining_authorized_amount, refund at most captured_amount, cancel only before a capture, and "
        "send POST …/release-remaining-authorization after the last one.",
        observe=_amounts_are_possible,
        needs="a capture, a refund or a cancellation",
    ),
    Rule(
        id="M8",
        title="Captures of goods have shipping info",
        severity=Severity.HINT,
        source="klarna.md §9.1",
        remedy="Send shipping_info with POST …/captures, or with POST …/captures/{capture_id}/shipping-info after it.",
        observe=_captures_have_shipping_info,
        needs="a capture of an order with physical goods",
    ),
    Rule(
        id="M9",
        title="Orders are captured or extended before they expire",
        severity=Severity.WARNING,
        source="klarna.md §9.1",
        remedy="Send POST …/captures within 28 days, or POST …/extend-authorization-time before they end.",
        observe=_captured_or_extended_in_time,
        needs="a capture, or an extension of the authorization",
    ),
)
"""The rules of Order Management, in the order of the reports."""
