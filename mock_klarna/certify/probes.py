"""The probes of `certify --shop`: what the sandbox does to a shop on purpose, once each. The rules judge the traffic."""

from collections.abc import Awaitable, Callable, Collection, Sequence
from dataclasses import dataclass
from functools import partial

from mock_klarna.certify.callback_rules import secrets_of
from mock_klarna.certify.probing import NotPlayed, Probing, answered, described
from mock_klarna.certify.traffic import AUTHORIZATIONS, WRONG_SECRET, body_of, path_part
from mock_klarna.domain.time import precise_moment, seconds_since_1970
from mock_klarna.errors import MockKlarnaError, Unreachable

Play = Callable[[Probing], Awaitable[str]]
"""Plays a probe; returns in a few words what the shop did. Raises `NotPlayed`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """One thing that is done to a shop: a row of `PROBES`.

    title: what is done. rules: the ids of the rules that its traffic decides.
    """

    name: str
    title: str
    rules: tuple[str, ...]
    play: Play


_BASIC = (
    *("K1", "K2", "K3", "K4", "K5", "K6", "K7", "K8", "K9"),
    *("C1", "C2", "C3", "C8", "C9", "C10", "O1", "O2", "O3", "O4", "O5", "T1", "T3"),
)


async def _ordinary(probing: Probing) -> str:
    try:
        bought = await probing.buy()
    except Unreachable:
        raise
    except MockKlarnaError as refused:
        text = f"a shopper cannot buy the cart: {refused.message}"
        raise MockKlarnaError(text, where="--cart", hint=refused.hint) from None
    if bought["hint"] and not bought["order_id"]:
        return f"not decided: {bought['hint']}"
    return described(bought)


async def _cheat(probing: Probing, *, cheat: str) -> str:
    if cheat == "country" and not probing.cart.has_countries:
        raise NotPlayed("this needs shipping_countries in the button key, or --cart FILE")
    return described(await probing.buy(cheat=cheat))


# Callbacks


async def _forged(probing: Probing) -> str:
    return answered(await probing.forge())


_OTHER_MERCHANT = "mock-klarna-certify-other"
"""The merchant whose token is used."""


async def _of_another_merchant(probing: Probing) -> str:
    of_other = f"merchant={_OTHER_MERCHANT}"
    try:
        order = await probing.ask("POST", f"/_mock/orders?{of_other}", {"page": probing.cart.without_key()})
    except MockKlarnaError as refused:
        raise NotPlayed(f"this needs an order of another merchant: {refused}") from None
    purchase = await probing.ask("GET", f"/_mock/purchases/{order['purchase_id']}?{of_other}")
    attempt = await probing.forge(purchase["authorization_token"])
    await probing.ask("POST", f"/_mock/reset?{of_other}")
    return answered(attempt)


async def _wrong_secret(probing: Probing) -> str:
    purchase, start = probing.last or await probing.buy(), await probing.position()
    url = str(purchase["order"]["merchant_urls"].get("place_order", ""))
    secrets = secrets_of(url, purchase["merchant"])
    if not secrets:
        raise NotPlayed("this needs a place_order URL with a secret")
    for secret in secrets:
        url = url.replace(secret, WRONG_SECRET)
    urls = {**probing.cart.page.get("merchant_urls", {}), "place_order": url}
    await probing.buy(page={**probing.cart.page, "merchant_urls": urls}, wait=0)
    called = await probing.wait_for("place_order", start)
    await probing.settle()
    if not called:
        return "not answered"
    token = called[0]["request_body"]["authorization_token"]
    acted = any(path_part(entry, AUTHORIZATIONS) == token for entry in await probing.entries(start, kind="exchange"))
    return f"{answered(called[0])}, and {'read or decided' if acted else 'nothing else'}"


async def _callback_twice(probing: Probing) -> str:
    await probing.inject("callback", "place_order", twice=True)
    bought = await probing.buy()
    await probing.settle()
    return described(bought)


async def _callback_again(probing: Probing) -> str:
    bought = await probing.place()
    return answered(await probing.resend(bought, "place_order"))


async def _expired(probing: Probing) -> str:
    start = await probing.position()
    await probing.inject("callback", "place_order", drop=True)
    bought = await probing.buy(wait=0)
    await probing.wait_for("place_order", start)
    await probing.advance("61m")
    return answered(await probing.resend(bought, "place_order"))


async def _second(probing: Probing) -> str:
    first, second = await probing.buy(), await probing.buy()
    return f"{described(first)}, then {described(second)}"


# Klarna fails


async def _lost_order(probing: Probing) -> str:
    start = await probing.position()
    await probing.inject("request", "create_order", drop=True)
    await probing.buy()
    posted = await probing.wait_for("create_order", start, number=2)
    if not posted:
        return "no order was posted"
    if len(posted) < 2:
        return "not posted again"
    return "posted again" if body_of(posted[0]) == body_of(posted[1]) else "posted again with another body"


async def _read_fails(probing: Probing) -> str:
    start = await probing.position()
    await probing.inject("request", "get_authorization", status=503)
    bought = await probing.buy()
    if not await probing.entries(start, name="get_authorization"):
        raise NotPlayed("this needs a shop that reads the authorization, and it did not")
    return described(bought)


async def _busy(probing: Probing, *, status: int, times: int) -> str:
    start = await probing.position()
    await probing.inject("request", "create_order", status=status, times=times)
    bought = await probing.buy()
    posted = await probing.entries(start, name="create_order")
    return f"{described(bought)} after {len(posted)} {'try' if len(posted) == 1 else 'tries'}"


# Fraud status


async def _pending(probing: Probing, *, then: str) -> str:
    bought = await probing.place(outcome="PENDING")
    await probing.call_shop("capture_order", bought["order_id"])
    await probing.settle()
    await probing.ask("POST", f"/_mock/orders/{bought['order_id']}/decision", {"fraud_status": then})
    await probing.settle()
    if then != "ACCEPTED":
        await probing.call_shop("capture_order", bought["order_id"])
        await probing.settle()
    return f"PENDING, then {then}"


async def _rejected(probing: Probing) -> str:
    bought = await probing.place(outcome="REJECTED")
    await probing.call_shop("capture_order", bought["order_id"])
    await probing.settle()
    return described(bought)


# Pushes

_UNTIL_PUSH, _UNTIL_NEXT_PUSH = "6m", "3h"


async def _push(probing: Probing, **effects: object) -> str:
    await _push_earlier_orders(probing)
    start = await probing.position()
    await probing.place()
    if effects:
        await probing.inject("callback", "push", **effects)
    await probing.advance(_UNTIL_PUSH)
    await probing.settle()
    pushes = await probing.entries(start, name="push")
    if not pushes:
        raise NotPlayed("this needs a push; set merchant_urls.push, and acknowledge no order before the push")
    acknowledged = await probing.entries(start, name="acknowledge_order")
    return f"{answered(pushes[-1])}, {'acknowledged' if acknowledged else 'not acknowledged'}"


async def _push_earlier_orders(probing: Probing) -> None:
    """Let the orders of earlier probes be pushed, so that faults do not meet their pushes and what follows from them."""
    start = await probing.position()
    await probing.advance(_UNTIL_PUSH)
    if await probing.entries(start, name="push"):
        await probing.settle()


async def _push_again(probing: Probing) -> str:
    await _push(probing)
    return answered(await probing.resend(probing.last, "push"))


async def _acknowledgement_fails(probing: Probing) -> str:
    await _push_earlier_orders(probing)
    start = await probing.position()
    await probing.inject("request", "acknowledge_order", status=503)
    text = await _push(probing)
    if not await probing.entries(start, name="acknowledge_order"):
        return text
    await probing.advance(_UNTIL_NEXT_PUSH)
    await probing.settle()
    done = await probing.entries(start, name="order_acknowledged")
    return "acknowledged after the next push" if done else "not acknowledged after the next push"


# Captures and refunds


async def _lost_capture(probing: Probing) -> str:
    return await _lost(probing, "capture_order")


async def _lost_refund(probing: Probing) -> str:
    order_id = await _captured(probing)
    return await _lost(probing, "refund_order", order_id)


async def _captured(probing: Probing) -> str:
    """Return the id of an order that the shop has captured."""
    bought, start = await probing.place(), await probing.position()
    await probing.advance(_UNTIL_PUSH)
    await _require_act(probing, "capture_order", bought["order_id"], start)
    return str(bought["order_id"])


async def _lost(probing: Probing, operation: str, order_id: str = "") -> str:
    """Lose the answer to a request that the shop sends, and let it try again, by itself or as it was made to send the first."""
    await _push_earlier_orders(probing)
    start = await probing.position()
    await probing.inject("request", operation, drop=True)
    if not order_id:
        order_id = (await probing.place())["order_id"]
        await probing.advance(_UNTIL_PUSH)
    await _require_act(probing, operation, order_id, start)
    sent = await probing.shop_acts(operation, order_id, start, 2)
    return "sent again" if len(sent) > 1 else "not sent again"


async def _late_capture(probing: Probing) -> str:
    bought, start = await probing.place(), await probing.position()
    await probing.advance("29d")
    sent = await probing.shop_acts("capture_order", bought["order_id"], start, 1)
    if not sent and "capture_order" in probing.urls:
        return "not captured"
    if not sent:
        raise _no_act(probing, "capture_order")
    status = sent[-1]["status"]
    return "captured" if status < 300 else f"the capture was answered {status}"


async def _require_act(probing: Probing, operation: str, order_id: str, start: int) -> None:
    """Raise `NotPlayed` unless the shop captures or refunds."""
    if not await probing.shop_acts(operation, order_id, start, 1):
        raise _no_act(probing, operation)


def _no_act(probing: Probing, operation: str) -> NotPlayed:
    word = operation.removesuffix("_order")
    how = f"give --{word}-url, or {word} the order in the shop during --wait SECONDS"
    return NotPlayed(f"the shop sent no {word}: {probing.acted.get(operation, how)}")


PROBES: tuple[Probe, ...] = (
    Probe(name="purchase", title="a shopper buys", rules=_BASIC, play=_ordinary),
    *(
        Probe(
            name=cheat.replace("_", "-"),
            title=title,
            rules=(rule, "D1", "D2", "D3", "D4"),
            play=partial(_cheat, cheat=cheat),
        )
        for cheat, rule, title in (
            ("price", "V1", "a shopper pays 1 % of the price"),
            ("discount", "V1", "a shopper adds a discount"),
            ("quantity", "V2", "a shopper buys a huge quantity"),
            ("article", "V5", "a shopper buys an unknown article"),
            ("shipping_price", "V4", "a shopper pays 1 % of the shipping"),
            ("shipping_option", "V4", "a shopper has an unknown shipping option"),
            ("country", "V3", "a shopper lives in another country"),
        )
    ),
    Probe(name="forged", title="a callback has an unknown token", rules=("C4",), play=_forged),
    Probe(
        name="other-merchant", title="a callback has another merchant's token", rules=("C4",), play=_of_another_merchant
    ),
    Probe(name="wrong-secret", title="the URL of a callback has a wrong secret", rules=("C8",), play=_wrong_secret),
    Probe(name="twice", title="the callback arrives twice", rules=("C5", "O11"), play=_callback_twice),
    Probe(name="again", title="the callback arrives after the order", rules=("C5", "O10", "O11"), play=_callback_again),
    Probe(name="expired", title="the callback arrives after 61 minutes", rules=("C6",), play=_expired),
    Probe(name="second", title="a shopper buys the same cart again", rules=("C7", "O4"), play=_second),
    Probe(name="lost-order", title="the answer to the order is lost", rules=("O8",), play=_lost_order),
    Probe(name="read-503", title="Klarna answers 503 when the shop reads", rules=("C3", "O9"), play=_read_fails),
    Probe(
        name="busy-429",
        title="Klarna answers 429 to the order, once",
        rules=("O9",),
        play=partial(_busy, status=429, times=1),
    ),
    Probe(
        name="busy-503",
        title="Klarna answers 503 to the order, twice",
        rules=("O9",),
        play=partial(_busy, status=503, times=2),
    ),
    *(
        Probe(
            name=f"pending-{then.lower()}",
            title=f"an order is PENDING, then {then}",
            rules=("O6",) if then == "ACCEPTED" else ("O6", "O7"),
            play=partial(_pending, then=then),
        )
        for then in ("ACCEPTED", "REJECTED", "STOPPED")
    ),
    Probe(name="rejected", title="an order is REJECTED", rules=("O7",), play=_rejected),
    Probe(name="push", title="the order is pushed", rules=("M1", "M2"), play=_push),
    Probe(name="push-twice", title="the push arrives twice", rules=("M3",), play=partial(_push, twice=True)),
    Probe(name="push-slow", title="the push arrives late", rules=("M1", "M3"), play=partial(_push, delay=0.2)),
    Probe(name="push-again", title="the push arrives after the acknowledgement", rules=("M3",), play=_push_again),
    Probe(
        name="acknowledge-503",
        title="Klarna answers 503 to the acknowledgement",
        rules=("M2",),
        play=_acknowledgement_fails,
    ),
    Probe(
        name="lost-capture",
        title="the answer to a capture is lost",
        rules=("M4", "M5", "M6", "M7", "M8"),
        play=_lost_capture,
    ),
    Probe(name="lost-refund", title="the answer to a refund is lost", rules=("M4", "M5"), play=_lost_refund),
    Probe(name="late-capture", title="29 days pass before the capture", rules=("M9",), play=_late_capture),
)
"""Every probe, in the order in which they are played: those that move the clock far come last."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Played:
    """What came of a probe: what the shop did, or in `reason` why it was not played."""

    probe: Probe
    text: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeRun:
    """What came of the probes.

    stopped: why the others were not played, "" if all were tried. end: the position in the journal at which the shop was last known
    to run, None if it did not end.
    """

    results: Sequence[Played]
    stopped: str = ""
    end: int | None = None

    def why_incomplete(self, named: Collection[str]) -> str:
        """Return why the run shows less than was asked for, "" if it does not; `named` are probes that must be played."""
        missing = [one for one in self.results if one.reason and one.probe.name in named]
        return self.stopped or "; ".join(f"the probe {one.probe.name} was not played: {one.reason}" for one in missing)


async def play_all(probing: Probing, probes: Sequence[Probe], show: Callable[[int, int, Played], None]) -> ProbeRun:
    """Play an ordinary purchase, then the probes. The clock is set back afterwards.

    Without an ordinary purchase that the shop places nothing else is played: a shop that denies everything proves nothing. Nothing
    is played either once the shop is not reachable any more. `show` gets the number of each result, from 1, how many there will
    be, and the result.
    """
    chosen = [PROBES[0], *(probe for probe in probes if probe is not PROBES[0])]
    before = await probing.ask("GET", "/_mock/clock")
    results: list[Played] = []
    stopped, end = "", None
    try:
        for number, probe in enumerate(chosen, 1):
            start = await probing.position()
            result = await play(probe, probing)
            if gone := await probing.why_gone():
                was_there = not results or await probing.has_acted(start)
                when = f"during the probe {probe.name}" if was_there else f"after the probe {results[-1].probe.name}"
                stopped, end = f"the shop ended {when}: {gone}; what it did since then is not judged", start
                result = Played(probe=probe, reason=stopped)
            elif number == 1 and probing.last.get("state") != "placed":
                stopped = f"nothing else was played, because the ordinary purchase was {result.text}"
            results.append(result)
            show(number, len(chosen), result)
            if stopped:
                break
        await probing.settle()
    finally:
        after = await probing.ask("GET", "/_mock/clock")
        moved = after["ahead_seconds"] - before["ahead_seconds"]
        if moved:
            await probing.ask("POST", "/_mock/clock", {"set": precise_moment(seconds_since_1970(after["now"]) - moved)})
    reason = stopped if end is not None else NO_ORDER
    results += [Played(probe=probe, reason=reason) for probe in chosen[len(results) :]]
    return ProbeRun(results=results, stopped=stopped, end=end)


NO_ORDER = "this needs a cart that the shop sells, and it placed no ordinary order"
"""Why nothing is played after an ordinary purchase that was not placed."""


def reasons(results: Sequence[Played]) -> dict[str, str]:
    """Return for each rule why its probes were not played; a rule of which one was played is not among them."""
    played = {rule for result in results if not result.reason for rule in result.probe.rules}
    found: dict[str, str] = {}
    for result in results:
        for rule in result.probe.rules:
            if result.reason and rule not in played:
                found.setdefault(rule, result.reason)
    return found


async def play(probe: Probe, probing: Probing) -> Played:
    """Play one probe, and leave no fault behind; what the sandbox refuses is a reason why it was not played."""
    try:
        return Played(probe=probe, text=await probe.play(probing))
    except NotPlayed as missing:
        return Played(probe=probe, reason=str(missing))
    except MockKlarnaError as refused:
        if probe is PROBES[0] or isinstance(refused, Unreachable):
            raise
        return Played(probe=probe, reason=str(refused))
    finally:
        await probing.ask("DELETE", "/_mock/faults")
