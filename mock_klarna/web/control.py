"""The control API under `/_mock`: one command, or one look, each."""

from collections.abc import Iterable
from typing import Any

import orjson

from mock_klarna import __version__
from mock_klarna.domain.deliveries import Delivery
from mock_klarna.domain.errors import AnothersState, UnknownName
from mock_klarna.domain.journal import NOBODY
from mock_klarna.domain.lifecycle import DELIVERY, PURCHASE
from mock_klarna.domain.records import ButtonKey, Order, Purchase
from mock_klarna.domain.urls import CALLED
from mock_klarna.emulator.buying import buy
from mock_klarna.web import moments, query, render
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.parameters import LAST_POSITION

_DEFAULT_WAIT = 10.0
_MOST_WAIT = 600.0


def _json(data: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(data))


async def health(desk: Desk, _call: Call) -> Reply:
    """Tell that the server can serve: version, uptime in seconds, counts."""
    store = desk.emulator.store
    counts = {
        "merchants": len(await store.merchants()),
        "buttons": len(await store.records(ButtonKey, None)),
        "purchases": len(await store.records(Purchase, None)),
        "orders": len(await store.records(Order, None)),
        "journal_dropped": await store.dropped(None),
    }
    uptime = round(desk.emulator.context.real_time() - desk.started, 3)
    return _json(
        {"status": "ok", "version": __version__, "uptime": uptime, "seed": desk.emulator.context.default_seed, **counts}
    )


async def openapi(desk: Desk, _call: Call) -> Reply:
    """Return this document."""
    from mock_klarna.web.openapi import document

    return _json(document(desk.contract))


async def create_purchase(desk: Desk, call: Call) -> Reply:
    """Let a shopper buy without a browser, and wait for what the merchant decides."""
    purchase = await buy(desk.emulator, call.merchant or None, call.body)
    purchase = await desk.emulator.purchases.settled(purchase.purchase_id, call.body.get("wait", _DEFAULT_WAIT))
    reply = await _purchase(desk, purchase, 201)
    reply.headers["Location"] = f"/_mock/purchases/{purchase.purchase_id}"
    return reply


async def _purchase(desk: Desk, purchase: Purchase, status: int = 200) -> Reply:
    sent = await desk.emulator.store.records(Delivery, purchase.merchant, subject=purchase.purchase_id)
    return _json(render.purchase(purchase, sent), status)


async def list_purchases(desk: Desk, call: Call) -> Reply:
    """List purchases, newest first; `total` counts those in the state that is asked for."""
    state = query.one_of(call.request, "state", PURCHASE)
    held = [
        found
        for found in await desk.emulator.store.records(Purchase, call.merchant or None)
        if state in (None, found.state)
    ]
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = sorted(held, key=lambda purchase: purchase.created_at)[-limit:][::-1] if limit else []
    return _json({"purchases": [render.purchase(purchase, []) for purchase in newest], "total": len(held)})


async def get_purchase(desk: Desk, call: Call) -> Reply:
    """Return a purchase by its id or its token; `wait` seconds for it to end."""
    found = await desk.emulator.purchases.find(call.merchant or None, call.path("purchase_id"))
    wait = query.seconds(call.request, "wait", _MOST_WAIT)
    return await _purchase(desk, await desk.emulator.purchases.settled(found.purchase_id, wait))


async def list_journal(desk: Desk, call: Call) -> Reply:
    """Return what happened, in order; with `wait`, wait so many seconds for the first entry that matches."""
    wanted = query.watch(call.request)
    after = query.whole(call.request, "after", 0, LAST_POSITION)
    limit = query.whole(call.request, "limit", 100, 10_000)
    wait = query.seconds(call.request, "wait", _MOST_WAIT)
    entries = await moments.entries(desk, wanted, after, limit, wait)
    return _json(
        {
            "entries": [render.entry(entry) for entry in entries],
            "position": entries[-1].seq if entries else max(after, 0),
            "dropped": await desk.emulator.store.dropped(wanted.merchant),
        }
    )


async def journal_entry(desk: Desk, call: Call) -> Reply:
    """Return one entry of the journal, with every problem that was found; another merchant's is not found."""
    seq = call.path("seq")
    entry = await desk.emulator.store.entry(int(seq)) if seq.isascii() and seq.isdigit() and len(seq) < 19 else None
    if entry is None or (call.merchant not in (NOBODY, entry.merchant) and entry.merchant != NOBODY):
        raise UnknownName(
            f"the journal has no entry {seq[:40]!r} any more", where="seq", right="GET /_mock/journal lists them"
        )
    return _json(render.entry(entry))


async def list_callbacks(desk: Desk, call: Call) -> Reply:
    """List callbacks with their attempts, newest first; `total` counts those that match."""
    subject = call.request.query.get("purchase_id")
    kind, state = query.one_of(call.request, "kind", CALLED), query.one_of(call.request, "state", DELIVERY)
    sent = await desk.emulator.store.records(Delivery, call.merchant or None, subject=subject)
    held = [found for found in sent if kind in (None, found.callback) and state in (None, found.state)]
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = held[-limit:][::-1] if limit else []
    return _json({"callbacks": [render.callback(delivery) for delivery in newest], "total": len(held)})


async def get_callback(desk: Desk, call: Call) -> Reply:
    """Return a callback with its attempts."""
    return _json(render.callback(await desk.deliveries.find(call.merchant or None, call.path("callback_id"))))


async def resend_callback(desk: Desk, call: Call) -> Reply:
    """Send a callback again and return it with the new attempt."""
    return _json(render.callback(await desk.deliveries.resend(call.merchant or None, call.path("callback_id"))))


async def create_fault(desk: Desk, call: Call) -> Reply:
    """Order trouble for the next matching requests or callbacks of a merchant, or of whichever comes first."""
    return _json(render.fault(await desk.emulator.faults.create(call.merchant, call.body)), 201)


async def list_faults(desk: Desk, call: Call) -> Reply:
    """List the faults that still wait for something to spoil: a merchant's own and those for all, or every one."""
    return _json(
        {"faults": [render.fault(fault) for fault in await desk.emulator.faults.waiting(call.merchant or None)]}
    )


async def clear_faults(desk: Desk, call: Call) -> Reply:
    """Forget a merchant's own faults, or every one."""
    await desk.emulator.faults.clear(call.merchant or None)
    return Reply(204)


async def reset(desk: Desk, call: Call) -> Reply:
    """Forget everything of a merchant or of all, and begin again with a seed."""
    seed = call.body.get("seed")
    await desk.emulator.merchants.reset(call.merchant or None, None if seed is None else str(seed))
    desk.credentials.forget(call.merchant or None)
    return Reply(204)


async def get_snapshot(desk: Desk, call: Call) -> Reply:
    """Return the state of a merchant or of all: everything but the journal."""
    return _json(await desk.emulator.store.dump([call.merchant] if call.merchant else None))


async def put_snapshot(desk: Desk, call: Call) -> Reply:
    """Replace the state of the merchants that a snapshot holds, all or nothing; with credentials only that of their merchant."""
    _require_own(call.merchant, call.body["merchants"])
    await desk.emulator.store.load(call.body)
    for merchant in await desk.emulator.merchants.names():
        desk.runner.wake(merchant)
    return Reply(204)


def snapshot_outline(state: Any) -> Any:
    """Return what a schema can say of a snapshot, without what fills it: the store reads that."""
    merchants = state.get("merchants") if isinstance(state, dict) else None
    if not isinstance(merchants, dict):
        return state
    return {**state, "merchants": {name: _parts(held) for name, held in merchants.items()}}


def _parts(held: Any) -> Any:
    if not isinstance(held, dict):
        return held
    return {name: type(part)() if isinstance(part, dict | list) else part for name, part in held.items()}


def _require_own(merchant: str, held: Iterable[str]) -> None:
    """Raise `AnothersState` where a call acts for one merchant and a snapshot holds others."""
    others = [name for name in held if name != merchant]
    if merchant and others:
        said = f"this call acts for {merchant!r}, and the snapshot holds {', '.join(map(repr, others[:10]))}"
        right = "send it without credentials and ?merchant= to replace any merchant's state"
        raise AnothersState(said, where=f"merchants.{others[0]}", right=right)
