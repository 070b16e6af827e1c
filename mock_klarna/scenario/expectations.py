"""The steps that expect: they wait for the journal, never for time to pass."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from typing import Any

from mock_klarna.domain.purchase import FRAUD, PURCHASE
from mock_klarna.scenario.matching import differences, shown
from mock_klarna.scenario.model import Json, Step
from mock_klarna.scenario.run import Play, Unmet, patience

_AT_ONCE = 0.3
"""Seconds in which nearly every shop decides; longer waits follow the journal."""
_WAIT = 10.0
_OPEN = ("started", "authorized")


def refused(play: Play, purchases: Iterable[str]) -> Iterator[str]:
    """Return the merchants who used the token of one of these purchases and got 403, but for those whom the scenario posed as."""
    for entry in play.journal.of(purchases, strangers=False):
        if entry["name"] == "authorization_refused" and entry["refused_merchant"] not in play.posed:
            yield entry["refused_merchant"]


def advice(play: Play) -> str:
    """Return who was refused, why, and what helps; empty where nobody was."""
    users = sorted(set(refused(play, play.seen)))
    if not users:
        return ""
    return (
        f"{' and '.join(users)} used the token and was answered 403, because it belongs to {play.variables['merchant']}, "
        f"as whom the scenario plays; play as the shop: --merchant {users[0]}:PASSWORD, "
        f"or `merchant: {users[0]}:PASSWORD` in the scenario"
    )


def hasty(wish: Json) -> tuple[Json, float]:
    """Return the body of a purchase that is waited for but a moment, and the seconds of its `wait` that are left then."""
    wait = wish.get("wait", _WAIT)
    if not isinstance(wait, int | float) or wait <= _AT_ONCE:
        return wish, 0.0
    return {**wish, "wait": _AT_ONCE}, wait - _AT_ONCE


async def decided(play: Play, bought: Json, wait: float) -> Json:
    """Return a purchase when it has ended, when its shop was refused, or after so many seconds."""
    purchase_id, found = bought["purchase_id"], bought

    async def undecided() -> Json | None:
        nonlocal found
        if found["state"] not in _OPEN or any(refused(play, [purchase_id])):
            return None
        found = await play.look(f"/_mock/purchases/{purchase_id}")
        return None if found["state"] not in _OPEN else {}

    await play.until({"within": wait}, undecided)
    return found


_BY_SHOP = frozenset({"placed", "denied"})
_TABLES: Mapping[str, Mapping[str, frozenset[str]]] = {"state": PURCHASE, "fraud_status": FRAUD}


def hopeless(play: Play, wanted: Json, found: Json) -> bool:
    """Tell whether a purchase or an order can no longer become what is wanted: it has ended otherwise, or its shop was refused."""
    if any(_unreachable(table, found.get(name), wanted.get(name)) for name, table in _TABLES.items()):
        return True
    return wanted.get("state") in _BY_SHOP and _waits_in_vain(play, found)


def orderless(play: Play, found: Json) -> bool:
    """Tell whether a purchase without an order will never have one."""
    return _unreachable(PURCHASE, found["state"], "placed") or _waits_in_vain(play, found)


def _waits_in_vain(play: Play, found: Json) -> bool:
    return found["state"] == "authorized" and any(refused(play, [found["purchase_id"]]))


def _unreachable(table: Mapping[str, frozenset[str]], state: Any, wanted: Any) -> bool:
    """Tell whether no way leads from a state to the wanted one; what is no state's name may be anything."""
    if not isinstance(wanted, str) or state not in table or wanted == state:
        return False
    return wanted not in _ahead(table, state)


def _ahead(table: Mapping[str, frozenset[str]], state: str) -> set[str]:
    """Return every state that can still follow."""
    following, todo = set[str](), [state]
    while todo:
        new = table[todo.pop()] - following
        following |= new
        todo += new
    return following


_NOT_COMPARED = frozenset({"of", "within", "count", "kind", "operation", "name", "body", "answer"})
_MOST_TOLD = 5


async def expect_callback(play: Play, step: Step) -> Any:
    """Expect a callback to the merchant that was answered, or failed, in a certain way."""
    wanted = _compared(step.wish, body="request_body", answer="answer_body")
    return await _expect_entries(play, step, "callback", step.wish["kind"], wanted)


async def expect_request(play: Play, step: Step) -> Any:
    """Expect a request of the merchant, with what was answered and which problems were found in it."""
    wanted = _compared(step.wish, body="request_body", answer="response_body")
    return await _expect_entries(play, step, "exchange", step.wish["operation"], wanted)


async def expect_event(play: Play, step: Step) -> Any:
    """Expect something to have become true, such as `authorization_expired`."""
    return await _expect_entries(play, step, "event", step.wish["name"], _compared(step.wish))


def _compared(wish: Json, **bodies: str) -> Json:
    """Return what an entry has to hold: the wish, with bodies under the names that the journal has for them."""
    as_given = {name: value for name, value in wish.items() if name not in _NOT_COMPARED}
    return {**as_given, **{theirs: wish[ours] for ours, theirs in bodies.items() if ours in wish}}


async def _expect_entries(play: Play, step: Step, kind: str, name: str, wanted: Json) -> Any:
    wish, purchases = step.wish, play.about(step.wish) if "of" in step.wish else play.purchases
    everyone = not play.purchases

    def candidates() -> list[Json]:
        found = play.journal.entries if everyone else play.journal.of(purchases, strangers="of" not in wish)
        return [entry for entry in found if (entry["kind"], entry["name"]) == (kind, name)]

    def matching() -> list[Json]:
        return [entry for entry in candidates() if not any(differences(wanted, entry))]

    async def too_few() -> Json | None:
        await play.journal.more()
        return None if len(matching()) >= wish.get("count", 1) else {}

    if wish.get("count") == 0 and "within" in wish:
        await play.until(wish, lambda: _while_none(play, matching))
    missing = await play.until(wish, too_few)
    if missing is not None or len(matching()) > wish.get("count", len(matching())):
        raise Unmet(_expected(wish, kind, name, wanted), _happened(candidates(), wanted, name))
    return next(reversed(matching()), None)


async def _while_none(play: Play, matching: Callable[[], list[Json]]) -> Json | None:
    await play.journal.more()
    return None if matching() else {}


_WORDS = {"callback": "callback", "exchange": "request", "event": "event"}


def _expected(wish: Json, kind: str, name: str, wanted: Json) -> str:
    many = f"exactly {wish['count']} times " if "count" in wish else ""
    details = f" with {shown(wanted)}" if wanted else ""
    return f"{many}{_WORDS[kind]} {name}{details} within {patience(wish):g} s"


def _happened(candidates: list[Json], wanted: Json, name: str) -> str:
    if not candidates:
        return f"there was no {name}"
    told = [" and ".join(differences(wanted, entry)) or "one as expected" for entry in candidates[-_MOST_TOLD:]]
    return f"{len(candidates)} times {name}: " + "; ".join(told)


async def expect_purchase(play: Play, step: Step) -> Any:
    """Expect purchases to come to a state, an amount, a message."""

    async def purchase(purchase_id: str) -> _Look:
        found = await play.look(f"/_mock/purchases/{purchase_id}")
        return found, hopeless(play, step.wish, found)

    return await _expect_things(play, step, purchase)


async def expect_order(play: Play, step: Step) -> Any:
    """Expect purchases to have become orders."""

    async def order(purchase_id: str) -> _Look:
        bought = await play.look(f"/_mock/purchases/{purchase_id}")
        if not bought["order_id"]:
            return None, orderless(play, bought)
        found = await play.look(f"/_mock/orders/{bought['order_id']}")
        return found, hopeless(play, step.wish, found)

    return await _expect_things(play, step, order)


_Look = tuple[Json | None, bool]
"""What is there, or None, and whether it can no longer become what is wanted."""


async def _expect_things(play: Play, step: Step, look: Callable[[str], Awaitable[_Look]]) -> Any:
    """Look at each purchase until it is as wanted, or can no longer be; raises `Unmet` with everything that differs."""
    wanted = {name: value for name, value in step.wish.items() if name not in ("of", "within")}
    last: dict[str, Json | None] = {}
    for purchase_id in play.about(step.wish):

        async def unlike(purchase_id: str = purchase_id) -> Json | None:
            found, is_hopeless = await look(purchase_id)
            last[purchase_id] = found
            told = list(differences(wanted, found)) if found is not None else ["no order was placed"]
            return {"told": told, "hopeless": is_hopeless} if told else None

        unmet = await play.until(step.wish, unlike)
        if unmet is not None:
            what = step.name.removeprefix("expect_")
            raise Unmet(f"{what} with {shown(wanted)} within {patience(step.wish):g} s", "; ".join(unmet["told"]))
    return next(reversed(last.values()))
