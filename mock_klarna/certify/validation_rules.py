"""The rules of what a shop checks before it places an order: it denies a cart that a shopper has changed."""

from collections.abc import Iterator

from mock_klarna.certify.rule import Observation, Observe, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import Authorization, Entry, Traffic, body_of, is_of_test, is_ok, lines

_ARTICLES = ("physical", "digital")


def _denies(*cheats: str) -> Observe:
    """Return what observes that carts which were changed in these ways are not placed.

    A shop that has placed no honest cart shows nothing by placing no changed one.
    """

    def observe(traffic: Traffic) -> Iterator[Observation]:
        sells = any(
            decision["name"] == "create_order" and one.attempts[0]["purchase_id"] not in traffic.cheats
            for one in traffic.authorizations
            if (decision := one.decision) is not None and not is_of_test(decision)
        )
        for authorization in traffic.authorizations:
            first, decision = authorization.attempts[0], authorization.decision
            changed = traffic.cheats.get(first["purchase_id"])
            if changed is None or changed["cheat"] not in cheats or first["status"] is None:
                continue
            posted = _posted_as_changed(authorization)
            if posted is not None and not _may_be_placed(authorization, changed):
                yield broken(
                    changed,
                    first,
                    posted,
                    seen=f"an order was {'placed' if is_ok(posted) else 'posted'} "
                    f"with {changed['path']} {changed['after']} in place of {changed['before']}",
                    expected="DELETE …/authorizations/{token}",
                )
            elif posted is None and sells and (decision is not None or not authorization.is_disturbed):
                yield obeyed(changed, first, *([decision] if decision is not None else ()))

    return observe


def _posted_as_changed(authorization: Authorization) -> Entry | None:
    """Return the request that placed the order, or else the first that had the changed amount and was refused, or None."""
    decision = authorization.decision
    if decision is not None and decision["name"] == "create_order":
        return decision
    amount = authorization.order.get("order_amount")
    return next((entry for entry in authorization.posted if body_of(entry).get("order_amount") == amount), None)


def _may_be_placed(authorization: Authorization, changed: Entry) -> bool:
    """Return whether a changed cart is one that a shop may sell: digital articles are always in stock, and go everywhere."""
    articles = [line for line in lines(authorization.order) if line.get("type", "physical") in _ARTICLES]
    if changed["cheat"] == "quantity":
        articles = [line for line in articles if str(line.get("quantity")) == changed["after"]]
    is_digital = bool(articles) and all(line.get("type") == "digital" for line in articles)
    return is_digital and changed["cheat"] in ("quantity", "country")


RULES = (
    *(
        Rule(
            id=number,
            title=title,
            severity=severity,
            source="guide, step 3",
            remedy=remedy,
            observe=_denies(*cheats),
            needs=f"an order, and a purchase with cheat: {' or '.join(cheats)}, as --shop makes it",
        )
        for number, title, severity, cheats, remedy in (
            (
                "V1",
                "A changed price is denied",
                Severity.ERROR,
                ("price", "discount"),
                (
                    "Compare unit_price of each line with the catalogue before POST …/orders; if they differ, send "
                    "DELETE …/authorizations/{token}."
                ),
            ),
            (
                "V2",
                "A quantity that is not in stock is denied",
                Severity.WARNING,
                ("quantity",),
                "Compare quantity of each line with the stock before POST …/orders, and deny with deny_code item_out_of_stock.",
            ),
            (
                "V3",
                "A country that the shop does not ship to is denied",
                Severity.WARNING,
                ("country",),
                "Check shipping_address.country before POST …/orders, and deny with deny_code unsupported_shipping_address.",
            ),
            (
                "V4",
                "A shipping option that was not offered is denied",
                Severity.ERROR,
                ("shipping_price", "shipping_option"),
                (
                    "Compare id and price of selected_shipping_option with those that the shop offers before POST …/orders; if "
                    "they differ, send DELETE …/authorizations/{token}."
                ),
            ),
            (
                "V5",
                "An article that the shop does not sell is denied",
                Severity.ERROR,
                ("article",),
                (
                    "Look up reference of each line in the catalogue before POST …/orders; if there is none, send "
                    "DELETE …/authorizations/{token}."
                ),
            ),
        )
    ),
)
"""The rules of validation, in the order of the reports."""
