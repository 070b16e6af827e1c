"""What lib.js and the dialog ask of the server (protocol 6). It is the same purchase that `POST /_mock/purchases` plays."""

from typing import Any

import orjson

from mock_klarna.domain.clock import utc
from mock_klarna.domain.errors import InvalidInput, NotPossibleNow, UnknownName
from mock_klarna.domain.journal import Watch
from mock_klarna.domain.records import Purchase
from mock_klarna.domain.urls import is_absolute
from mock_klarna.emulator.offers import UNKNOWN_KEY, Offer
from mock_klarna.shopper import Shopper, typed
from mock_klarna.web import labels, moments, query, render
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.desk import Desk
from mock_klarna.web.parameters import LAST_POSITION
from mock_klarna.web.session_view import view

Json = dict[str, Any]
_MOST_WAIT = 600.0
_MOST_ENTRIES = 500


async def load(desk: Desk, call: Call) -> Reply:
    """Tell whether the button is offered, how it looks, and what the page got wrong."""
    page, offer = await _offer(desk, call)
    setup = page.get("setup")
    answer: Json = {
        "show_button": offer.show_button,
        "instance_id": setup.get("instance_id") if isinstance(setup, dict) else None,
    }
    if offer.look:
        answer["button"] = labels.button(offer.look)
    if offer.problems:
        answer["error"] = _error(offer)
    return Reply(200, orjson.dumps(answer))


async def _offer(desk: Desk, call: Call) -> tuple[Json, Offer]:
    """Judge the page's options; what is wrong with them goes into the journal of the key's merchant."""
    page, faults = desk.contract.check("page", call.body["options"])
    offer = await desk.emulator.offers.judge(page, faults)
    call.merchant = offer.button.merchant if offer.button else ""
    call.problems = offer.problems
    return page, offer


def _error(offer: Offer) -> Json:
    first = offer.problems[0]
    return {
        "code": offer.code,
        "message": f"{first.path or 'options'}: expected {first.expected}",
        "invalid_fields": list(dict.fromkeys(problem.path for problem in offer.problems)),
        "problems": [problem.as_json() for problem in offer.problems],
    }


async def create_session(desk: Desk, call: Call) -> Reply:
    """Begin a session, or go on with one that was left: the shopper has clicked the button."""
    page, offer = await _offer(desk, call)
    if offer.code == UNKNOWN_KEY:
        raise UnknownName("the button key is not known", where="setup.key", right=offer.problems[0].expected)
    if offer.problems:
        raise InvalidInput(offer.problems, where="options")
    if offer.button is None or not offer.show_button:
        raise NotPossibleNow("the button is not offered", where="setup.key", right="load() tells so beforehand")
    if held := await _held(desk, call.body.get("session_id", ""), offer.button.button_key):
        return _answer(call, held)
    address = call.body.get("page_url", "")
    patience = desk.settings.merchant_timeout or None
    shown = address if is_absolute(address) else None
    return _answer(call, await desk.emulator.purchases.start(offer.button, page, shown, patience), 201)


async def _held(desk: Desk, session_id: str, button_key: str) -> Purchase | None:
    """Return a session of this button that a shopper can go on with."""
    held = await desk.emulator.store.get(Purchase, session_id) if session_id else None
    if held is None or held.purchase_id != session_id:
        return None
    return held if held.state == "started" and held.button_key == button_key else None


def _answer(call: Call, purchase: Purchase, status: int = 200) -> Reply:
    call.purchase_id = purchase.purchase_id
    return Reply(status, orjson.dumps(view(purchase)))


async def _session(desk: Desk, call: Call) -> Purchase:
    """Return the session of the path; its id is what entitles to it, so nothing else is asked for."""
    session_id = call.path("session_id")
    purchase = await desk.emulator.purchases.find(None, session_id)
    if purchase.purchase_id != session_id:
        raise UnknownName(f"session {session_id[:40]!r} is not known", where="session_id")
    call.merchant, call.purchase_id = purchase.merchant, purchase.purchase_id
    return purchase


async def get_session(desk: Desk, call: Call) -> Reply:
    """Return a session as it is."""
    return _answer(call, await _session(desk, call))


async def identify(desk: Desk, call: Call) -> Reply:
    """Tell who the shopper is: a named test shopper, or what was typed, with every field that cannot be."""
    purchase = await _session(desk, call)
    wish = call.body.get("shopper")
    if wish is not None:
        return _answer(call, await desk.emulator.purchases.identify(purchase, wish))
    return _answer(call, await desk.emulator.purchases.identify_as(purchase, await _typed(desk, call, purchase)))


async def _typed(desk: Desk, call: Call, purchase: Purchase) -> Shopper:
    begun = orjson.loads(purchase.session or b"{}")
    today = utc(await desk.emulator.context.now(purchase.merchant)).date()
    shopper, found = typed(call.body, begun.get("options") or {}, today)
    if found:
        raise InvalidInput(found, where="body")
    return shopper


async def specify(desk: Desk, call: Call) -> Reply:
    """Choose a variation by its attributes, and how many of it."""
    attributes, quantity = call.body.get("product_attributes") or {}, call.body.get("quantity", 1)
    return _answer(call, await desk.emulator.purchases.specify(await _session(desk, call), attributes, quantity))


async def choose_shipping(desk: Desk, call: Call) -> Reply:
    """Choose a shipping option by its id."""
    return _answer(call, await desk.emulator.purchases.choose_shipping(await _session(desk, call), call.body["id"]))


async def answer_checkboxes(desk: Desk, call: Call) -> Reply:
    """Tick the merchant's additional checkboxes."""
    purchases = desk.emulator.purchases
    return _answer(call, await purchases.answer_checkboxes(await _session(desk, call), call.body["answers"]))


async def update(desk: Desk, call: Call) -> Reply:
    """Take new options from the page while the dialog is open; once the shopper has paid they change nothing."""
    purchase = await _session(desk, call)
    changes, found = desk.contract.check("page", call.body["options"])
    if found:
        raise InvalidInput(found, where="options")
    if purchase.state != "started":
        return _answer(call, purchase)
    return _answer(call, await desk.emulator.purchases.update_from_page(purchase, changes))


async def pay(desk: Desk, call: Call) -> Reply:
    """Press the final button; `outcome` is a developer's wish in place of what the e-mail address stands for."""
    return _answer(call, await desk.emulator.purchases.pay(await _session(desk, call), call.body.get("outcome")))


async def wait(desk: Desk, call: Call) -> Reply:
    """Return a session once it has ended, or as it is after so many seconds."""
    seconds = query.seconds(call.request, "seconds", _MOST_WAIT)
    purchase = await _session(desk, call)
    return _answer(call, await desk.emulator.purchases.settled(purchase.purchase_id, seconds))


async def timeline(desk: Desk, call: Call) -> Reply:
    """Return what the journal has of a session, for the developer's drawer."""
    after = query.whole(call.request, "after", 0, LAST_POSITION)
    purchase = await _session(desk, call)
    wanted = Watch(merchant=purchase.merchant, purchase_id=purchase.purchase_id)
    entries = await moments.entries(desk, wanted, after, _MOST_ENTRIES, 0)
    position = entries[-1].seq if entries else after
    return Reply(200, orjson.dumps({"entries": [render.entry(entry) for entry in entries], "position": position}))
