"""The steps of a scenario: one function each, and the table of them at the end."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from typing import Any

from mock_klarna.domain.durations import seconds
from mock_klarna.scenario import expecting, managing, shopping, strangers
from mock_klarna.scenario.changing import changed
from mock_klarna.scenario.filling import filled
from mock_klarna.scenario.play import Play
from mock_klarna.scenario.scenario import Impossible, Json, Step, step_of

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
    play.button_key = await shopping.button(play, step.wish or {})
    return {"button_key": play.button_key}


async def purchase(play: Play, step: Step) -> Any:
    """Let a shopper buy; ends when the merchant has decided, or after `wait` seconds."""
    wish, wait = strangers.hasty(shopping.body(play, step.wish))
    answer = await play.ask(replace(step, answer=None), "POST", "/_mock/purchases", wish)
    if isinstance(answer, dict) and "purchase_id" in answer:
        play.bought([answer])
        answer = await strangers.decided(play, answer, wait)
    play.compare(step, answer)
    return answer


async def purchases(play: Play, step: Step) -> Any:
    """Let `count` shoppers buy at the same time."""
    body = shopping.body(play, step.wish)
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
    raise Impossible(f"no {step.wish['kind']} was sent yet", right="expect_callback before this step waits for it")


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
    "read_order": managing.read_order,
    "acknowledge": managing.acknowledge,
    "capture": managing.capture,
    "refund": managing.refund,
    "cancel": managing.cancel,
    "release": managing.release,
    "extend": managing.extend,
    "update_authorization": managing.update_authorization,
    "update_references": managing.update_references,
    "create_token": managing.create_token,
    "read_token": managing.read_token,
    "order_from_token": managing.order_from_token,
    "cancel_token": managing.cancel_token,
    "fault": fault,
    "resend": resend,
    "repeat": repeat,
    "pause": pause,
    "expect_callback": expecting.expect_callback,
    "expect_request": expecting.expect_request,
    "expect_event": expecting.expect_event,
    "expect_purchase": expecting.expect_purchase,
    "expect_order": expecting.expect_order,
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
