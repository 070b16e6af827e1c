"""The rules of the callbacks place_order and update: how quickly, how carefully and how often a shop reacts to them."""

import json
import math
import re
from collections.abc import Iterator
from operator import itemgetter
from urllib.parse import parse_qsl, urlsplit

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import (
    ANSWER_FAULTS,
    Entry,
    Traffic,
    body_of,
    has_body,
    injected,
    is_of_test,
    is_ok,
    lines,
    moment_of,
)

_SLOW_SECONDS, _TOO_SLOW_SECONDS = 2.0, 10.0
_NOT_MODIFIED = 304
_VOUCHERS = ("discount", "gift_card", "store_credit")
"""Types of lines that a shop may accept once only."""
_CART = ("order_lines", "billing_address", "shipping_address")
_SECRET = re.compile(r"(?=.*\d)[A-Za-z0-9_\-]{16,}")
_WORDS = re.compile(r"[A-Za-z]*\d{0,8}(?:[-_][A-Za-z]*\d{0,8})*")
"""Words and numbers, such as place-order-v2 or order_20260131: they can be guessed."""


def _every_callback_is_decided(traffic: Traffic) -> Iterator[Observation]:
    timed_out = {entry["purchase_id"]: entry for entry in traffic.events("purchase_timed_out")}
    for authorization in traffic.authorizations:
        first, decision = authorization.attempts[0], authorization.decision
        ended = timed_out.get(first["purchase_id"])
        if ended is not None and authorization.is_disturbed:
            continue  # the shop was not asked, or Klarna did not answer it
        if ended is not None:
            yield broken(
                first,
                ended,
                seen=f"neither an order nor a denial within {ended['seconds']:g} s",
                expected="POST …/orders or DELETE …/authorizations/{token} while the shopper waits",
            )
        elif decision is not None:
            yield obeyed(first, decision)


def _decisions_are_quick(traffic: Traffic) -> Iterator[Observation]:
    taken = [
        (moment_of(decision) - moment_of(authorization.received), authorization.received, decision)
        for authorization in traffic.authorizations
        if (decision := authorization.decision) is not None
        and not is_of_test(decision)
        and not authorization.is_disturbed
    ]
    if not taken:
        return
    taken.sort(key=itemgetter(0))
    seconds, received, decision = taken[math.ceil(0.95 * len(taken)) - 1]
    if seconds <= _SLOW_SECONDS:
        yield obeyed(received, decision)
    else:
        yield broken(
            received,
            decision,
            seen=f"{seconds:.1f} s from the callback to the decision (95 % of {len(taken)} are not slower)",
            expected=f"at most {_SLOW_SECONDS:g} s",
            severity=Severity.ERROR if seconds > _TOO_SLOW_SECONDS else None,
        )


def _authorization_is_read(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        decision = authorization.decision
        if decision is None or decision["name"] != "create_order":
            continue
        posted = authorization.requests_named("create_order")[0]
        read = next((entry for entry in authorization.requests_named("get_authorization") if _was_read(entry)), None)
        if read is not None and read["seq"] < posted["seq"]:
            yield obeyed(read, decision)
        else:
            yield broken(
                authorization.attempts[0],
                posted,
                seen="POST …/orders without an answer to GET …/authorizations/{token} before it",
                expected="read the authorization first: anybody can send a callback",
            )


def _was_read(entry: Entry) -> bool:
    """Return whether a request was answered 2xx, and a fault has not lost the answer."""
    return is_ok(entry) and not injected(entry, *ANSWER_FAULTS)


def _repeated_callback_places_once(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        delivered = [entry for entry in authorization.attempts if entry["status"] is not None]
        if len(delivered) < 2:
            continue
        decision = authorization.decision
        if decision is None:
            continue
        other = authorization.posted_with_another_body
        if other is None:
            yield obeyed(*delivered, decision)
        else:
            yield broken(
                *delivered,
                other,
                seen="POST …/orders with another body after the second callback",
                expected="no second POST …/orders, or one with the same body",
            )


def _forged_callback_places_nothing(traffic: Traffic) -> Iterator[Observation]:
    for forged in traffic.forged:
        delivered = forged.attempts[0]
        posted = forged.requests_named("create_order")
        if posted:
            is_read = any(entry["seq"] < posted[0]["seq"] for entry in forged.requests_named("get_authorization"))
            yield broken(
                delivered,
                posted[0],
                seen="POST …/orders with the token of a forged callback"
                + (", although reading it was refused" if is_read else ""),
                expected="GET …/authorizations/{token}, and nothing else after 403 or 404",
            )
        elif forged.requests or _is_refused(delivered):
            yield obeyed(delivered, *forged.requests[:1])


def _is_refused(attempt: Entry) -> bool:
    return 400 <= (attempt["status"] or 0) < 500


def _late_callback_does_no_harm(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        for attempt in authorization.late:
            later = [entry for entry in authorization.requests if moment_of(entry) >= moment_of(attempt)]
            refused = next((entry for entry in later if has_body(entry) and not is_ok(entry)), None)
            again = [
                entry
                for entry in later
                if refused is not None and entry["seq"] > refused["seq"] and entry["name"] == "create_order"
            ]
            if refused is not None and again:
                yield broken(
                    attempt,
                    refused,
                    again[0],
                    seen=f"POST …/orders after a request with the token was answered {refused['status']}",
                    expected="no further request with a token that has expired",
                )
            elif later or _is_refused(attempt):
                yield obeyed(attempt, *later[:1])


def _second_authorization_works(traffic: Traffic) -> Iterator[Observation]:
    placed: dict[str, Entry] = {}
    for authorization in traffic.authorizations:
        decision = authorization.decision
        if (
            decision is None
            or not lines(authorization.order)
            or any(line.get("type") in _VOUCHERS for line in lines(authorization.order))
            or authorization.attempts[0]["purchase_id"] in traffic.cheats
        ):
            continue
        cart = json.dumps([authorization.order.get(name) for name in _CART], sort_keys=True)
        first = placed.get(cart)
        if first is None:
            if decision["name"] == "create_order":
                placed[cart] = decision
            continue
        if decision["name"] == "create_order":
            yield obeyed(first, decision)
        elif not authorization.is_disturbed and body_of(decision).get("deny_code") != "item_out_of_stock":
            yield broken(
                first,
                authorization.attempts[0],
                decision,
                seen="the second authorization of a cart was denied",
                expected="an order, or item_out_of_stock",
            )


def _url_has_a_secret(traffic: Traffic) -> Iterator[Observation]:
    seen: set[str] = set()
    for authorization in traffic.authorizations:
        entry = authorization.attempts[0]
        if entry["url"] in seen or traffic.is_button_of_test(authorization.button_key):
            continue
        seen.add(entry["url"])
        if secrets_of(entry["url"], traffic.merchant):
            yield obeyed(entry)
        else:
            yield broken(
                entry,
                seen=f"{urlsplit(entry['url']).path} without a secret",
                expected="a random part of 16 or more characters in the URL",
            )
    for authorization in traffic.with_wrong_secret:
        entry = authorization.attempts[0]
        if authorization.requests:
            yield broken(
                entry,
                authorization.requests[0],
                seen=f"{authorization.requests[0]['name']} after a callback to a URL with another secret",
                expected="403, and no request to Klarna",
            )
        elif entry["status"] is not None:
            yield obeyed(entry)


def secrets_of(url: str, merchant: str) -> set[str]:
    """Return the parts of path and query of a URL that look random; the username of the merchant is none of them."""
    split = urlsplit(url)
    parts = {*split.path.split("/"), *(value for _name, value in parse_qsl(split.query))} - {merchant}
    return {part for part in parts if _SECRET.fullmatch(part) and not _WORDS.fullmatch(part)}


def _callbacks_are_not_redirected(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.callbacks():
        status = entry["status"]
        if status is None or injected(entry, "status"):
            continue
        if 300 <= status < 400 and status != _NOT_MODIFIED:
            yield broken(
                entry, seen=f"{entry['name']} was answered {status}", expected="the final URL in merchant_urls"
            )
        else:
            yield obeyed(entry)


def _updates_are_answered(traffic: Traffic) -> Iterator[Observation]:
    last: dict[str, Entry] = {}
    ignored: dict[int, Entry] = {}
    for entry in sorted((*traffic.callbacks("update"), *traffic.events("update_ignored")), key=itemgetter("seq")):
        if entry["kind"] == "callback":
            last[entry["purchase_id"]] = entry
        elif entry["purchase_id"] in last:
            ignored[last.pop(entry["purchase_id"])["seq"]] = entry
    for entry in traffic.callbacks("update"):
        problem = ignored.get(entry["seq"])
        if injected(entry, *ANSWER_FAULTS):
            continue
        if problem is not None:
            yield broken(entry, problem, seen=problem["reason"], expected="200 with lines that add up, or 304")
        elif entry["status"] is not None:
            yield obeyed(entry)


RULES = (
    Rule(
        id="C1",
        title="Every place_order callback is decided",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Send POST …/orders or DELETE …/authorizations/{token} within 60 s of the callback; after that "
        "the shopper has seen an error.",
        observe=_every_callback_is_decided,
        needs="a place_order callback that was decided, or for which a shopper waited 60 s",
    ),
    Rule(
        id="C2",
        title="Decisions are quick",
        severity=Severity.WARNING,
        source="klarna.md §4.1",
        remedy="Decide within 2 s, and do slow work such as e-mails after POST …/orders; the shopper waits.",
        observe=_decisions_are_quick,
        needs="a place_order callback that was decided",
    ),
    Rule(
        id="C3",
        title="The authorization is read before the order is placed",
        severity=Severity.WARNING,
        source="klarna.md §1.3",
        remedy="Call GET /instantshopping/v1/authorizations/{token} before POST …/orders: callbacks carry no "
        "authentication.",
        observe=_authorization_is_read,
        needs="an order that was placed after a callback",
    ),
    Rule(
        id="C4",
        title="A forged callback places nothing",
        severity=Severity.ERROR,
        source="klarna.md §1.3",
        remedy="Put a secret into merchant_urls.place_order and check it, and call GET …/authorizations/{token} "
        "before POST …/orders; stop after 403 and 404.",
        observe=_forged_callback_places_nothing,
        needs="a forged callback, as --shop sends it, that is answered with 4xx or read; 2xx alone does not show what is stored",
    ),
    Rule(
        id="C5",
        title="A repeated callback places one order",
        severity=Severity.ERROR,
        source="klarna.md §4.1",
        remedy="Store authorization_token with the order, and answer a second callback with the first result; "
        "send no other POST …/orders.",
        observe=_repeated_callback_places_once,
        needs="a place_order callback that arrived twice",
    ),
    Rule(
        id="C6",
        title="A callback after the token expired does no harm",
        severity=Severity.WARNING,
        source="klarna.md §5",
        remedy="Stop when GET …/authorizations/{token} is answered 404: send no POST …/orders, and tell the "
        "shopper to buy again.",
        observe=_late_callback_does_no_harm,
        needs="a callback after its token expired, as --shop sends it, that is answered with 4xx or read",
    ),
    Rule(
        id="C7",
        title="A second authorization of the same cart works",
        severity=Severity.WARNING,
        source="klarna.md §4.1",
        remedy="Recognize a purchase by authorization_token, not by its cart: a shopper can buy the same "
        "order_lines again.",
        observe=_second_authorization_works,
        needs="two authorizations of one cart, the first of which was placed",
    ),
    Rule(
        id="C8",
        title="The callback URL has a secret that is checked",
        severity=Severity.HINT,
        source="klarna.md §1.3",
        remedy="Add a random token of the shop to the path or the query of merchant_urls.place_order, and check it.",
        observe=_url_has_a_secret,
        needs="a place_order callback to a URL of a button key that the shop created; --shop changes the secret too",
    ),
    Rule(
        id="C9",
        title="Callbacks are not redirected",
        severity=Severity.ERROR,
        source="klarna.md §4",
        remedy="Give the final URL in merchant_urls; Klarna sends one POST, and does not follow the answers 301 "
        "to 308.",
        observe=_callbacks_are_not_redirected,
        needs="a callback that was answered",
    ),
    Rule(
        id="C10",
        title="Update callbacks are answered with an order that can be used",
        severity=Severity.ERROR,
        source="klarna.md §4.2",
        remedy="Answer with 200 and order_lines whose sums are right, or with 304 if nothing changes, within 10 s.",
        observe=_updates_are_answered,
        needs="an update callback",
    ),
)
"""The rules of callbacks, in the order of the reports."""
