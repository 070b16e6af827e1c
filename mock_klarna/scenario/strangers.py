"""A shop that answers with other credentials than the scenario plays with: it is refused, and the purchase never ends."""

from collections.abc import Iterable, Iterator

from mock_klarna.scenario.play import Json, Play

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
