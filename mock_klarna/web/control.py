"""The control API under `/_mock`: one command, or one look, each."""

import asyncio
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import orjson

from mock_klarna import __version__
from mock_klarna.client import Client
from mock_klarna.domain.callbacks import CALLBACKS, DELIVERY, Delivery
from mock_klarna.domain.journal import NOBODY
from mock_klarna.domain.purchase import PURCHASE
from mock_klarna.domain.records import ButtonKey, Order, Purchase
from mock_klarna.domain.time import moment
from mock_klarna.domain.time import seconds as seconds_of
from mock_klarna.emulator.emulator import buy
from mock_klarna.errors import BadValue, Forbidden, UnknownName
from mock_klarna.store.snapshot import read_snapshot, write_snapshot
from mock_klarna.validation.json_body import MalformedBody
from mock_klarna.web import journal, query, views
from mock_klarna.web.auth import decoded
from mock_klarna.web.query import LAST_POSITION
from mock_klarna.web.request import PEM, Call, Reply, Services

_DEFAULT_WAIT = 10.0
_MOST_WAIT = 600.0


def _json(data: Any, status: int = 200) -> Reply:
    return Reply(status, orjson.dumps(data))


async def health(services: Services, _call: Call) -> Reply:
    """Tell that the server can serve: version, uptime in seconds, counts."""
    store = services.emulator.store
    counts = {
        "merchants": len(await store.merchants()),
        "buttons": len(await store.records(ButtonKey, None)),
        "purchases": len(await store.records(Purchase, None)),
        "orders": len(await store.records(Order, None)),
        "journal_dropped": await store.dropped(None),
    }
    uptime = round(services.emulator.context.real_time() - services.started, 3)
    return _json(
        {
            "status": "ok",
            "version": __version__,
            "uptime": uptime,
            "seed": services.emulator.context.default_seed,
            **counts,
        }
    )


async def openapi(services: Services, _call: Call) -> Reply:
    """Return this document."""
    from mock_klarna.web.openapi import document

    return _json(document(services.validator))


async def create_purchase(services: Services, call: Call) -> Reply:
    """Let a shopper buy without a browser, and wait for what the merchant decides."""
    purchase = await buy(services.emulator, call.merchant or None, call.body)
    purchase = await services.emulator.purchases.settled(purchase, call.body.get("wait", _DEFAULT_WAIT))
    reply = await _purchase(services, purchase, 201)
    reply.headers["Location"] = f"/_mock/purchases/{purchase.purchase_id}"
    return reply


async def _purchase(services: Services, purchase: Purchase, status: int = 200) -> Reply:
    sent = await services.emulator.store.records(Delivery, purchase.merchant, subject=purchase.purchase_id)
    return _json(views.purchase(purchase, sent), status)


async def list_purchases(services: Services, call: Call) -> Reply:
    """List purchases, newest first; `total` counts those in the state that is asked for."""
    state = query.one_of(call.request, "state", PURCHASE)
    held = [
        found
        for found in await services.emulator.store.records(Purchase, call.merchant or None)
        if state in (None, found.state)
    ]
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = sorted(held, key=lambda purchase: purchase.created_at)[-limit:][::-1] if limit else []
    return _json({"purchases": [views.purchase(purchase, []) for purchase in newest], "total": len(held)})


async def get_purchase(services: Services, call: Call) -> Reply:
    """Return a purchase by its id or its token; `wait` seconds for it to end."""
    found = await services.emulator.purchases.find(call.merchant or None, call.path("purchase_id"))
    wait = query.seconds(call.request, "wait", _MOST_WAIT)
    return await _purchase(services, await services.emulator.purchases.settled(found, wait))


async def list_journal(services: Services, call: Call) -> Reply:
    """Return what happened, in order; with `wait`, wait so many seconds for the first entry that matches."""
    wanted = query.watch(call.request)
    after = query.whole(call.request, "after", 0, LAST_POSITION)
    limit = query.whole(call.request, "limit", 100, 10_000)
    wait = query.seconds(call.request, "wait", _MOST_WAIT)
    entries = await journal.entries(services, wanted, after, limit, wait)
    return _json(
        {
            "entries": [views.entry(entry) for entry in entries],
            "position": entries[-1].seq if entries else max(after, 0),
            "dropped": await services.emulator.store.dropped(wanted.merchant),
        }
    )


async def journal_entry(services: Services, call: Call) -> Reply:
    """Return one entry of the journal, with every problem that was found; another merchant's is not found."""
    seq = call.path("seq")
    entry = await services.emulator.store.entry(int(seq)) if seq.isascii() and seq.isdigit() and len(seq) < 19 else None
    if entry is None or (call.merchant not in (NOBODY, entry.merchant) and entry.merchant != NOBODY):
        raise UnknownName(
            f"the journal has no entry {seq[:40]!r} any more", where="seq", hint="GET /_mock/journal lists them"
        )
    return _json(views.entry(entry))


async def list_callbacks(services: Services, call: Call) -> Reply:
    """List callbacks with their attempts, newest first; `total` counts those that match."""
    subject = call.request.query.get("purchase_id")
    kind, state = query.one_of(call.request, "kind", CALLBACKS), query.one_of(call.request, "state", DELIVERY)
    sent = await services.emulator.store.records(Delivery, call.merchant or None, subject=subject)
    held = [found for found in sent if kind in (None, found.callback) and state in (None, found.state)]
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = held[-limit:][::-1] if limit else []
    return _json({"callbacks": [views.callback(delivery) for delivery in newest], "total": len(held)})


async def get_callback(services: Services, call: Call) -> Reply:
    """Return a callback with its attempts."""
    return _json(views.callback(await services.deliveries.find(call.merchant or None, call.path("callback_id"))))


async def resend_callback(services: Services, call: Call) -> Reply:
    """Send a callback again and return it with the new attempt."""
    return _json(views.callback(await services.deliveries.resend(call.merchant or None, call.path("callback_id"))))


async def create_fault(services: Services, call: Call) -> Reply:
    """Order trouble for the next matching requests or callbacks of a merchant, or of whichever comes first."""
    return _json(views.fault(await services.emulator.faults.create(call.merchant, call.body)), 201)


async def list_faults(services: Services, call: Call) -> Reply:
    """List the faults that still wait for something to spoil: a merchant's own and those for all, or every one."""
    return _json(
        {"faults": [views.fault(fault) for fault in await services.emulator.faults.waiting(call.merchant or None)]}
    )


async def clear_faults(services: Services, call: Call) -> Reply:
    """Forget a merchant's own faults, or every one."""
    await services.emulator.faults.clear(call.merchant or None)
    return Reply(204)


async def reset(services: Services, call: Call) -> Reply:
    """Forget everything of a merchant or of all, and begin again with a seed."""
    seed = call.body.get("seed")
    await services.emulator.merchants.reset(call.merchant or None, None if seed is None else str(seed))
    services.credentials.forget(call.merchant or None)
    return Reply(204)


async def get_snapshot(services: Services, call: Call) -> Reply:
    """Return the state of a merchant or of all: everything but the journal."""
    snapshot = await services.emulator.store.dump([call.merchant] if call.merchant else None)
    return Reply(200, await asyncio.to_thread(write_snapshot, snapshot))


async def put_snapshot(services: Services, call: Call) -> Reply:
    """Replace the state of the merchants that a snapshot holds, all or nothing; with credentials only that of their merchant."""
    try:
        snapshot = await asyncio.to_thread(read_snapshot, call.raw)
    except MalformedBody as malformed:
        raise BadValue([malformed.problem]) from None
    _require_own(call.merchant, snapshot)
    await services.emulator.store.load(snapshot)
    for merchant in await services.emulator.merchants.names():
        services.scheduler.wake(merchant)
    return Reply(204)


def _require_own(merchant: str, held: Iterable[str]) -> None:
    """Raise `Forbidden` where a call acts for one merchant and a snapshot holds others."""
    others = [name for name in held if name != merchant]
    if merchant and others:
        said = f"this call acts for {merchant!r}, and the snapshot holds {', '.join(map(repr, others[:10]))}"
        hint = "send it without credentials and ?merchant= to replace any merchant's state"
        raise Forbidden(said, where=f"merchants.{others[0]}", hint=hint)


async def get_authority(services: Services, _call: Call) -> Reply:
    """Return the certificate, in PEM, that clients have to trust to reach this server by https."""
    if services.authority is None:
        hint = "start it with --tls; with --tls-cert of your own, trust whoever signed that"
        raise UnknownName("this server has no certificate authority", where="ca.pem", hint=hint)
    return Reply(200, services.authority, {"Content-Type": PEM})


async def get_clock(services: Services, call: Call) -> Reply:
    """Return the time on a merchant's clock and how many seconds it is ahead of real time."""
    return _reply(await _clock(services, call.merchant))


async def _clock(services: Services, merchant: str) -> dict[str, Any]:
    offset = await services.emulator.merchants.offset(merchant)
    now = moment(await services.emulator.context.now(merchant))
    return {"merchant": merchant or None, "now": now, "ahead_seconds": round(offset, 3)}


async def set_clock(services: Services, call: Call) -> Reply:
    """Advance or set the clock; everything due on the way happens, in order, before this answers.

    Set back, it undoes nothing: what has happened keeps its times, and what is not yet due waits until the clock is there again.
    """
    merchants = [call.merchant] if call.merchant else await services.emulator.merchants.names()
    if "advance" in call.body:
        seconds = seconds_of(call.body["advance"])
        for merchant in merchants:
            await services.scheduler.require_reachable(merchant, seconds)
    else:
        seconds = journal.parsed(call.body["set"]) - services.emulator.context.real_time()
    for merchant in merchants:
        await services.scheduler.move_clock(merchant, seconds, further="advance" in call.body)
    return _reply(await _clock(services, call.merchant))


def _reply(data: Any) -> Reply:
    return Reply(200, orjson.dumps(data))


async def list_orders(services: Services, call: Call) -> Reply:
    """List placed orders, newest first."""
    held = await services.emulator.store.records(Order, call.merchant or None)
    limit = query.whole(call.request, "limit", 100, 10_000)
    newest = sorted(held, key=lambda order: order.created_at)[-limit:][::-1] if limit else []
    return _placed_orders_json({"orders": [await _order(services, order) for order in newest], "total": len(held)})


async def get_order(services: Services, call: Call) -> Reply:
    """Return a placed order, as it was posted and as Order Management shows it."""
    return _placed_orders_json(
        await _order(services, await services.emulator.orders.find(call.merchant or None, call.path("order_id")))
    )


async def close_order(services: Services, call: Call) -> Reply:
    """Close an order, so that nothing but refunds is possible any more."""
    order = await services.emulator.orders.close(call.merchant or None, call.path("order_id"))
    return _placed_orders_json(await _order(services, order))


async def decide(services: Services, call: Call) -> Reply:
    """End a fraud review; the merchant is notified."""
    verdict = call.body["fraud_status"]
    order = await services.emulator.orders.end_review(call.merchant or None, call.path("order_id"), verdict)
    return _placed_orders_json(await _order(services, order))


async def _order(services: Services, order: Order) -> dict[str, Any]:
    now = await services.emulator.context.now(order.merchant)
    return {**views.order(order), "order_management": views.managed_order(order, now)}


def _placed_orders_json(data: Any) -> Reply:
    return Reply(200, orjson.dumps(data))


async def list_scenarios(services: Services, _call: Call) -> Reply:
    """List the stored scenarios, and those of the folder that the server was given."""
    from mock_klarna.scenario.loader import describe_stored

    return Reply(200, orjson.dumps({"scenarios": await asyncio.to_thread(describe_stored, _folders(services))}))


async def run_scenario(services: Services, call: Call) -> Reply:
    """Play a stored scenario for its caller, as a merchant of that scenario and caller alone, and return the report."""
    from mock_klarna.scenario.loader import load_stored
    from mock_klarna.scenario.runner import RunOptions
    from mock_klarna.scenario.runner import run_scenario as run

    scenario = await asyncio.to_thread(load_stored, call.path("name"), _folders(services), call.body.get("vars") or {})
    url, seed = _own_url(call), call.body.get("seed")
    options = RunOptions(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        variables=lambda _: call.body.get("vars") or {},
        seed=None if seed is None else str(seed),
        merchant=call.body.get("merchant") or _accepted(services, call),
        prefix=call.merchant or "scenario",
    )
    return Reply(200, orjson.dumps((await run(scenario, options)).as_json()))


def _accepted(services: Services, call: Call) -> str | None:
    """Return the caller's own `USER:PASSWORD` where a list of credentials leaves no other merchant to play as."""
    if not services.settings.credentials:
        return None
    _, _, token = call.request.headers.get("Authorization", "").partition(" ")
    return "".join(decoded(token.strip())) or None


def _folders(services: Services) -> list[Path]:
    return [Path(services.settings.scenarios)] if services.settings.scenarios else []


def _own_url(call: Call) -> str:
    """Return this server's address as it is reached from here, whatever the caller calls it."""
    assert call.request.transport is not None
    host, port = call.request.transport.get_extra_info("sockname")[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"


async def list_shoppers(_services: Services, call: Call) -> Reply:
    """List the test shoppers by name."""
    from mock_klarna.shoppers import UnknownCountry, shopper_descriptions

    try:
        found = shopper_descriptions(call.request.query.get("country"))
    except UnknownCountry as unknown:
        raise UnknownName(str(unknown), where="country") from None
    return Reply(200, orjson.dumps({"shoppers": [_shopper(name, text) for name, text in found.items()]}))


def _shopper(name: str, description: str) -> dict[str, Any]:
    from mock_klarna.shoppers import named_shopper

    shopper = named_shopper(name)
    return {
        "name": name,
        "description": description,
        "billing_address": shopper.billing_address,
        "customer": shopper.customer,
    }
