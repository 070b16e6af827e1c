"""The steps of a scenario: one function each, and the table of them at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import orjson

from mock_klarna import resources
from mock_klarna.domain.session import merge
from mock_klarna.domain.time import seconds
from mock_klarna.errors import did_you_mean
from mock_klarna.scenario import expectations, order_steps
from mock_klarna.scenario.model import Impossible, Json, Step, step_of
from mock_klarna.scenario.run import Play, Unmet
from mock_klarna.scenario.source import Unreadable, read
from mock_klarna.scenario.variables import changed, filled

_CHOICES = ("shipping_option", "product_attributes", "quantity", "checkboxes")
_AS_GIVEN = ("shopper", "outcome", "wait", "merchant_timeout", "integrator_url")


def purchase_body(play: Play, wish: Json) -> Json:
    """Return the body of `POST /_mock/purchases`: cart and page together, and what the shopper chooses.

    Raises `Impossible` for a cart that does not exist.
    """
    page = merge(cart(wish["cart"], play.scenario.file.parent) if "cart" in wish else {}, wish.get("page") or {})
    wanted: Json = {name: wish[name] for name in _AS_GIVEN if name in wish}
    button_key = wish.get("button_key") or play.button_key
    if button_key:
        wanted["button_key"] = button_key
    return {**wanted, "page": page, "select": {name: wish[name] for name in _CHOICES if name in wish}}


def cart(name: str, folder: Path) -> Json:
    """Return a stored cart by its name, or one of the user's own by its path from the scenario's folder."""
    if not is_file(name):
        return stored_cart(name)
    try:
        data = read((folder / name).read_text("utf-8")).data
    except (OSError, UnicodeDecodeError, Unreadable) as fault:
        raise Impossible(f"the cart {name} cannot be read: {fault}", where="cart") from None
    return data if isinstance(data, dict) else {}


def is_file(name: str) -> bool:
    """Tell whether a cart is named by a path and not by the name of a stored one."""
    return name.endswith((".json", ".yaml", ".yml"))


@cache
def stored_cart(name: str) -> Json:
    """Return the cart of `fixtures/carts/<name>.json`; raises `Impossible` with the names that there are."""
    if name not in cart_names():
        raise Impossible(f"no cart is called {name!r}", where="cart", hint=choice(name, cart_names()))
    loaded: Json = orjson.loads((resources.fixtures() / "carts" / f"{name}.json").read_bytes())
    return loaded


@cache
def cart_names() -> tuple[str, ...]:
    """Return the names of the stored carts."""
    return tuple(sorted(file.stem for file in (resources.fixtures() / "carts").glob("*.json")))


def choice(name: str, known: Iterable[str]) -> str:
    """Return which name was probably meant, and all that there are."""
    names = sorted(known)
    return f"{did_you_mean(name, names)} known are {', '.join(names) or 'none'}".lstrip()


async def button(play: Play, wish: Json) -> str | None:
    """Return the button key that a step names, or that the shop made under that name; None is the merchant's newest."""
    if "button_key" in wish:
        return str(wish["button_key"])
    if "name" not in wish and "within" not in wish:
        return None
    if await play.until(wish, lambda: _no_button(play, wish)) is not None:
        raise Unmet(f"the shop to make a button key{_named(wish)}", "the journal has none")
    return str(_made(play, wish)[-1]["response_body"]["button_key"])


async def _no_button(play: Play, wish: Json) -> Json | None:
    await play.journal.more()
    return None if _made(play, wish) else {}


def _made(play: Play, wish: Json) -> list[Json]:
    created = (entry for entry in play.journal.entries if entry["name"] == "create_button" and entry["status"] == 201)
    return [entry for entry in created if wish.get("name") in (None, entry["response_body"].get("name"))]


def _named(wish: Json) -> str:
    return f" called {wish['name']}" if "name" in wish else ""


_BUTTONS = "/instantshopping/v1/buttons"
_AUTHORIZATIONS = "/instantshopping/v1/authorizations"
_DENIAL = ("deny_redirect_url", "deny_code", "deny_message")


async def create_button(play: Play, step: Step) -> Any:
    """Create a button key, as the merchant; the wish is Klarna's own body."""
    answer = await play.ask(step, "POST", _BUTTONS, step.wish)
    play.button_key = answer.get("button_key", play.button_key)
    return answer


async def update_button(play: Play, step: Step) -> Any:
    """Put new options over those of the button key."""
    return await play.ask(step, "PUT", f"{_BUTTONS}/{play.button_key}", step.wish)


async def use_button(play: Play, step: Step) -> Any:
    """Take a button key that the shop itself made: the newest, by its `name`, or a `button_key`."""
    play.button_key = await button(play, step.wish or {})
    return {"button_key": play.button_key}


async def purchase(play: Play, step: Step) -> Any:
    """Let a shopper buy; ends when the merchant has decided, or after `wait` seconds."""
    wish, wait = expectations.hasty(purchase_body(play, step.wish))
    answer = await play.ask(replace(step, answer=None), "POST", "/_mock/purchases", wish)
    if isinstance(answer, dict) and "purchase_id" in answer:
        play.bought([answer])
        answer = await expectations.decided(play, answer, wait)
    play.compare(step, answer)
    return answer


async def purchases(play: Play, step: Step) -> Any:
    """Let `count` shoppers buy at the same time."""
    body = purchase_body(play, step.wish)
    asked = [play.ask(step, "POST", "/_mock/purchases", body) for _ in range(step.wish["count"])]
    answers = await asyncio.gather(*asked)
    play.bought(answers)
    return list(answers)


async def get_authorization(play: Play, step: Step) -> Any:
    """Read the authorized order, as the merchant."""
    path = f"{_AUTHORIZATIONS}/{await _token(play, step.wish)}"
    return await play.ask(step, "GET", path, credentials=step.wish.get("credentials"))


async def _token(play: Play, wish: Json) -> str:
    return str(wish.get("token") or (await _looked_at(play, wish))["authorization_token"])


async def _looked_at(play: Play, wish: Json) -> Json:
    looked_at: Json = await play.look(f"/_mock/purchases/{play.about(wish)[0]}")
    return looked_at


async def place(play: Play, step: Step) -> Any:
    """Place the order, as the merchant: the authorized one or `body`, with `change` made to it."""
    wish = step.wish
    order = wish["body"] if "body" in wish else (await _looked_at(play, wish))["order"]
    body = changed(order, wish.get("change") or {})
    path = f"{_AUTHORIZATIONS}/{await _token(play, wish)}/orders"
    return await play.ask(step, "POST", path, body, wish.get("credentials"))


async def deny(play: Play, step: Step) -> Any:
    """Deny the purchase, as the merchant; without any reason the shopper reads a generic text."""
    wish = step.wish
    reason = {name: wish[name] for name in _DENIAL if name in wish}
    path = f"{_AUTHORIZATIONS}/{await _token(play, wish)}"
    return await play.ask(step, "DELETE", path, reason or None, wish.get("credentials"))


async def decide_fraud(play: Play, step: Step) -> Any:
    """End the fraud review of a pending order."""
    wish = step.wish if isinstance(step.wish, dict) else {"fraud_status": step.wish}
    order_id = (await _looked_at(play, wish))["order_id"]
    return await play.ask(step, "POST", f"/_mock/orders/{order_id}/decision", {"fraud_status": wish["fraud_status"]})


async def advance_clock(play: Play, step: Step) -> Any:
    """Move the merchant's clock; all that is due on the way has happened when this ends."""
    wish = step.wish if isinstance(step.wish, dict) else {"advance": step.wish}
    return await play.ask(step, "POST", "/_mock/clock", wish)


async def fault(play: Play, step: Step) -> Any:
    """Order trouble for the next matching requests or callbacks."""
    return await play.ask(step, "POST", "/_mock/faults", step.wish)


async def resend(play: Play, step: Step) -> Any:
    """Send the newest callback of a kind again."""
    sent = await play.look(f"/_mock/callbacks?purchase_id={play.about(step.wish)[0]}")
    for callback in sent["callbacks"]:
        if callback["kind"] == step.wish["kind"]:
            return await play.ask(step, "POST", f"/_mock/callbacks/{callback['callback_id']}/resend")
    raise Impossible(f"no {step.wish['kind']} was sent yet", hint="expect_callback before this step waits for it")


async def repeat(play: Play, step: Step) -> Any:
    """Play some steps several times; `${turn}` counts from 1."""
    for turn in range(1, filled(step.wish["times"], play.variables) + 1):
        play.variables["turn"] = turn
        await play_steps(play, step.wish["steps"], f"{step.path}.repeat.steps")


async def pause(_play: Play, step: Step) -> Any:
    """Do nothing for some real seconds."""
    await asyncio.sleep(seconds(step.wish))


STEPS: Mapping[str, Callable[[Play, Step], Awaitable[Any]]] = {
    "create_button": create_button,
    "update_button": update_button,
    "use_button": use_button,
    "purchase": purchase,
    "purchases": purchases,
    "get_authorization": get_authorization,
    "place": place,
    "deny": deny,
    "decide_fraud": decide_fraud,
    "advance_clock": advance_clock,
    "read_order": order_steps.read_order,
    "acknowledge": order_steps.acknowledge,
    "capture": order_steps.capture,
    "refund": order_steps.refund,
    "cancel": order_steps.cancel,
    "release": order_steps.release,
    "extend": order_steps.extend,
    "update_authorization": order_steps.update_authorization,
    "update_references": order_steps.update_references,
    "create_token": order_steps.create_token,
    "read_token": order_steps.read_token,
    "order_from_token": order_steps.order_from_token,
    "cancel_token": order_steps.cancel_token,
    "fault": fault,
    "resend": resend,
    "repeat": repeat,
    "pause": pause,
    "expect_callback": expectations.expect_callback,
    "expect_request": expectations.expect_request,
    "expect_event": expectations.expect_event,
    "expect_purchase": expectations.expect_purchase,
    "expect_order": expectations.expect_order,
}
"""Every step by its name; `schemas/scenario.json` describes what each wishes for."""


async def play_steps(play: Play, entries: list[Json], path: str) -> None:
    """Play steps one after the other; ends at the first that fails, whose exception gets through."""
    for index, entry in enumerate(entries):
        step, mark = step_of(entry, f"{path}[{index}]"), len(play.trail)
        play.trail.append((step, False))
        if step.name != "repeat":
            step = step_of(filled(entry, play.variables), step.path)
        given = await STEPS[step.name](play, step)
        play.trail[mark] = (step, True)
        if step.keep:
            play.variables[step.keep] = given
