"""The steps of a scenario: one function each, and the table of all steps.

`schemas/scenario.json` describes the members of each step. A step function gets the running scenario and the step with its
variables filled in, and returns the step's result, which `as` keeps in a variable.
"""

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from mock_klarna import resources
from mock_klarna.domain.session import merge
from mock_klarna.domain.time import seconds
from mock_klarna.errors import bounded, did_you_mean
from mock_klarna.scenario import expectations, order_steps
from mock_klarna.scenario.model import Json, Step, StepError, parse_step
from mock_klarna.scenario.scenario_run import ExpectationFailed, Mismatch, ScenarioRun
from mock_klarna.scenario.schema import scenario_schema
from mock_klarna.scenario.source import UnreadableFile, parse
from mock_klarna.scenario.variables import referenced_variables, substitute, with_changes

_BUTTONS = "/instantshopping/v1/buttons"
_AUTHORIZATIONS = "/instantshopping/v1/authorizations"
_DENIAL_MEMBERS = ("deny_redirect_url", "deny_code", "deny_message")
_SELECT_MEMBERS = ("shipping_option", "product_attributes", "group_identifier", "quantity", "checkboxes")
_PURCHASE_MEMBERS = ("shopper", "outcome", "wait", "merchant_timeout", "integrator_url", "cheat")


async def create_button(run: ScenarioRun, step: Step) -> Any:
    """Create a button key, as the merchant."""
    answer = await run.request(step, "POST", _BUTTONS, step.args)
    if isinstance(answer, dict) and "button_key" in answer:  # not where a fault makes it garbage
        run.button_key = answer["button_key"]
    return answer


async def update_button(run: ScenarioRun, step: Step) -> Any:
    """Update the options of the button key."""
    if run.button_key is None:
        hint = "add a create_button step before this one, or a use_button step with a name or a button_key"
        raise StepError("there is no button key yet", hint=hint)
    return await run.request(step, "PUT", f"{_BUTTONS}/{run.button_key}", step.args)


async def use_button(run: ScenarioRun, step: Step) -> Any:
    """Use a button key that the shop created: the newest, the newest with a `name`, or a given `button_key`."""
    run.button_key = await _find_button(run, step.args or {})
    return {"button_key": run.button_key}


async def _find_button(run: ScenarioRun, args: Json) -> str | None:
    """Return the button key that a step refers to; None means the merchant's newest, which the server finds."""
    if "button_key" in args:
        return str(args["button_key"])
    if "name" not in args and "within" not in args:
        return None

    async def check_created() -> Mismatch | None:
        await run.journal.read_more()
        return None if _created_buttons(run, args.get("name")) else Mismatch()

    if await run.wait_until(args, check_created) is not None:
        name = f" named {args['name']}" if "name" in args else ""
        raise ExpectationFailed(f"the shop to create a button key{name}", "there is none in the journal")
    return str(_created_buttons(run, args.get("name"))[-1]["response_body"]["button_key"])


def _created_buttons(run: ScenarioRun, name: str | None) -> list[Json]:
    created = (entry for entry in run.journal.entries if entry["name"] == "create_button" and entry["status"] == 201)
    return [entry for entry in created if name in (None, entry["response_body"].get("name"))]


async def purchase(run: ScenarioRun, step: Step) -> Any:
    """Start a purchase of a shopper and wait until the merchant has decided, or for `wait` seconds."""
    body, remaining_wait = expectations.with_short_wait(purchase_body(run, step.args))
    answer = await run.request(replace(step, expected_answer=None), "POST", "/_mock/purchases", body)
    if isinstance(answer, dict) and "purchase_id" in answer:
        run.set_purchases([answer])
        answer = await expectations.wait_for_decision(run, answer, remaining_wait)
    run.compare_answer(step, answer)
    return answer


async def purchases(run: ScenarioRun, step: Step) -> Any:
    """Start `count` purchases at the same time."""
    body = purchase_body(run, step.args)
    requests = [run.request(step, "POST", "/_mock/purchases", body) for _ in range(int(step.args["count"]))]
    answers = await asyncio.gather(*requests)
    run.set_purchases(answers)
    return list(answers)


async def order(run: ScenarioRun, step: Step) -> Any:
    """Place an order of a shopper in one call, without a shop; the steps that follow refer to its purchase."""
    answer = await run.request(step, "POST", "/_mock/orders", purchase_body(run, step.args))
    if isinstance(answer, dict) and "purchase_id" in answer:
        run.set_purchases([answer])
    return answer


def purchase_body(run: ScenarioRun, args: Json) -> Json:
    """Return the body of `POST /_mock/purchases`: the cart with the changes of `page`, and the shopper's choices.

    Raises `StepError` for a cart that does not exist.
    """
    page = merge(load_cart(args["cart"], run.scenario.file.parent) if "cart" in args else {}, args.get("page") or {})
    body: Json = {name: args[name] for name in _PURCHASE_MEMBERS if name in args}
    button_key = args.get("button_key") or run.button_key
    if button_key:
        body["button_key"] = button_key
    return {**body, "page": page, "select": {name: args[name] for name in _SELECT_MEMBERS if name in args}}


def load_cart(name: str, folder: Path) -> Json:
    """Return a stored cart by its name, or the cart of a file by its path relative to the scenario's folder.

    Raises `StepError` for an unknown name, and for a file that cannot be used.
    """
    if not name.endswith((".json", ".yaml", ".yml")):
        if name not in resources.cart_names():
            raise StepError(
                f"unknown cart {bounded(name)!r}", where="cart", hint=suggestion(name, resources.cart_names())
            )
        return resources.cart(name)
    shown = bounded(name)
    try:
        data = parse((folder / name).read_text("utf-8")).data
    except FileNotFoundError:
        raise StepError(f"no such file: {shown}", where="cart", hint="paths start at the scenario's folder") from None
    except UnreadableFile as error:
        place = f"line {error.place.line}"
        raise StepError(f"cannot read {shown}: {place}: {error}", where="cart", hint=error.hint) from None
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "not UTF-8"
        raise StepError(f"cannot read {shown}: {reason}", where="cart", hint="give a readable file in UTF-8") from None
    if not isinstance(data, dict):
        raise StepError(f"{shown} is not a cart", where="cart", hint="a cart is an object with order_lines")
    return data


def suggestion(name: str, known: Iterable[str]) -> str:
    """Return a hint for an unknown name: the most similar known name, and all known names."""
    names = sorted(known)
    return f"{did_you_mean(name, names)} known: {', '.join(names) or 'none'}".lstrip()


async def get_authorization(run: ScenarioRun, step: Step) -> Any:
    """Read the authorized order, as the merchant."""
    path = await _authorization_path(run, step.args)
    return await run.request(step, "GET", path, credentials=step.args.get("credentials"))


async def place(run: ScenarioRun, step: Step) -> Any:
    """Place the authorized order or the order in `body`, with the changes in `change`, as the merchant."""
    args = step.args
    path = f"{await _authorization_path(run, args)}/orders"
    authorized = args["body"] if "body" in args else (await run.get_purchase(args))["order"]
    body = with_changes(authorized, args.get("change") or {})
    return await run.request(step, "POST", path, body, args.get("credentials"))


async def deny(run: ScenarioRun, step: Step) -> Any:
    """Deny the purchase, as the merchant; without a reason the shopper sees a general message."""
    args = step.args
    reason = {name: args[name] for name in _DENIAL_MEMBERS if name in args}
    path = await _authorization_path(run, args)
    return await run.request(step, "DELETE", path, reason or None, args.get("credentials"))


async def _authorization_path(run: ScenarioRun, args: Json) -> str:
    return f"{_AUTHORIZATIONS}/{args.get('token') or await run.get_authorization_token(args)}"


async def decide_fraud(run: ScenarioRun, step: Step) -> Any:
    """End the fraud review of a pending order."""
    args = step.args if isinstance(step.args, dict) else {"fraud_status": step.args}
    order_id = await run.get_order_id(args)
    body = {"fraud_status": args["fraud_status"]}
    return await run.request(step, "POST", f"/_mock/orders/{order_id}/decision", body)


async def advance_clock(run: ScenarioRun, step: Step) -> Any:
    """Move the merchant's clock; everything that becomes due has happened when the step ends."""
    args = step.args if isinstance(step.args, dict) else {"advance": step.args}
    return await run.request(step, "POST", "/_mock/clock", args)


async def fault(run: ScenarioRun, step: Step) -> Any:
    """Inject a fault into the next matching requests or callbacks."""
    return await run.request(step, "POST", "/_mock/faults", step.args)


async def resend(run: ScenarioRun, step: Step) -> Any:
    """Send the newest callback of a kind again, with its own body or a changed one."""
    page = await run.get(f"/_mock/callbacks?purchase_id={run.purchases_of(step.args)[0]}")
    for callback in page["callbacks"]:
        if callback["kind"] == step.args["kind"]:
            changes = {name: step.args[name] for name in ("body", "change") if name in step.args}
            return await run.request(step, "POST", f"/_mock/callbacks/{callback['callback_id']}/resend", changes)
    raise StepError(f"no {step.args['kind']} was sent yet", hint="add an expect_callback step before this one")


async def forge(run: ScenarioRun, step: Step) -> Any:
    """Send a `place_order` callback that Klarna would not send: that of the purchase, with another token."""
    body = {name: step.args[name] for name in ("authorization_token",) if name in step.args}
    purchase_id = run.purchases_of(step.args)[0]
    return await run.request(step, "POST", "/_mock/callbacks", {"purchase_id": purchase_id, **body})


async def repeat(run: ScenarioRun, step: Step) -> Any:
    """Run some steps several times; `${turn}` counts from 1."""
    args = step.args if isinstance(step.args, dict) else substitute(step.args, run.variables)
    if isinstance(args, dict) and "times" in args:
        args = {**args, "times": substitute(args["times"], run.variables)}
    _require_valid({"repeat": args}, step.path)
    for turn in range(1, int(args["times"]) + 1):
        run.variables["turn"] = turn
        await run_steps(run, args["steps"], f"{step.path}.repeat.steps")


async def pause(_run: ScenarioRun, step: Step) -> Any:
    """Do nothing for some real time."""
    await asyncio.sleep(seconds(step.args))


STEPS: Mapping[str, Callable[[ScenarioRun, Step], Awaitable[Any]]] = {
    function.__name__: function
    for function in (
        create_button,
        update_button,
        use_button,
        purchase,
        purchases,
        order,
        get_authorization,
        place,
        deny,
        decide_fraud,
        advance_clock,
        order_steps.read_order,
        order_steps.acknowledge,
        order_steps.capture,
        order_steps.refund,
        order_steps.cancel,
        order_steps.release,
        order_steps.extend,
        order_steps.update_authorization,
        order_steps.update_references,
        order_steps.create_token,
        order_steps.read_token,
        order_steps.order_from_token,
        order_steps.cancel_token,
        fault,
        resend,
        forge,
        repeat,
        pause,
        expectations.expect_callback,
        expectations.expect_request,
        expectations.expect_event,
        expectations.expect_purchase,
        expectations.expect_order,
        expectations.expect_no_findings,
    )
}
"""Every step by its name, which is the name of its function."""


async def run_steps(run: ScenarioRun, entries: list[Json], path: str) -> None:
    """Run steps one after the other; the exception of the first that fails is not caught."""
    for index, entry in enumerate(entries):
        step, position = parse_step(entry, f"{path}[{index}]"), len(run.steps)
        run.steps.append((step, False))
        if step.name != "repeat":  # whose steps get their variables in each turn
            step = _with_variables(entry, step.path, run.variables)
        result = await STEPS[step.name](run, step)
        run.steps[position] = (step, True)
        if step.save_as:
            run.variables[step.save_as] = result


def _with_variables(entry: Json, path: str, variables: Json) -> Step:
    """Return a step with its variables filled in; raises `StepError` if their values are none that the step can have."""
    filled = substitute(entry, variables)
    if any(referenced_variables(entry)):
        _require_valid(filled, path)
    return parse_step(filled, path)


def _require_valid(entry: Json, path: str) -> None:
    """Raise `StepError` with the first thing that is wrong with a step whose variables are filled in."""
    for found in scenario_schema().findings({"name": "step", "steps": [entry]}, {}):
        raise StepError(path + found.message.removeprefix("steps[0]"), hint=found.hint)
