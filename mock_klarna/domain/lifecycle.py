"""Which state follows which; a transition that is not in a table does not happen."""

from collections.abc import Mapping

PURCHASE: Mapping[str, frozenset[str]] = {
    "started": frozenset({"authorized", "declined", "failed"}),
    "authorized": frozenset({"placed", "denied", "timed_out", "expired"}),
    "timed_out": frozenset({"placed", "denied", "expired"}),
    "placed": frozenset(),
    "denied": frozenset(),
    "declined": frozenset(),
    "expired": frozenset(),
    "failed": frozenset(),
}
"""States of a purchase. `timed_out` is final unless the token outlives the shopper's patience (a setting)."""

FRAUD: Mapping[str, frozenset[str]] = {
    "PENDING": frozenset({"ACCEPTED", "REJECTED", "STOPPED"}),
    "ACCEPTED": frozenset({"STOPPED"}),
    "REJECTED": frozenset(),
    "STOPPED": frozenset(),
}
"""Fraud states of an order; an accepted one can still be stopped (protocol 4.5)."""

DELIVERY = ("in_flight", "delivered", "waiting", "failed")
"""States of a callback: being sent, answered 2xx, to be tried again, given up."""


def may(table: Mapping[str, frozenset[str]], state: str, following: str) -> bool:
    """Tell whether `following` may come after `state`."""
    return following in table[state]
