"""`check` reports each error of a scenario with its place and a hint."""

from pathlib import Path
from typing import Any

import orjson
import pytest

from mock_klarna import resources
from mock_klarna.certify import RULES
from mock_klarna.domain import events
from mock_klarna.domain.events import Event, event_name
from mock_klarna.scenario.loader import read_source
from mock_klarna.scenario.scenario_check import scenario_errors
from mock_klarna.scenario.steps import STEPS

SCHEMA: dict[str, Any] = orjson.loads((resources.schemas() / "scenario.json").read_bytes())
STEP = SCHEMA["properties"]["steps"]["items"]["properties"]
HEAD = "name: x\nsteps:\n"


def errors_of(text: str, tmp_path: Path) -> list[str]:
    """The errors of a scenario, each as `line:column: message; hint`."""
    file = tmp_path / "scenario.yaml"
    file.write_text(text, "utf-8")
    source, errors = read_source(file)
    if source is not None:
        errors = scenario_errors(file, source, {})
    return [str(error).removeprefix(f"{file}:") for error in errors]


def test_the_step_table_and_the_schema_have_the_same_steps() -> None:
    assert STEP.keys() - {"as", "status", "answer"} == STEPS.keys()


def test_every_step_has_a_description_in_schema_and_code() -> None:
    for name in STEPS:
        assert STEP[name]["description"].endswith("."), name
        assert (STEPS[name].__doc__ or "").strip(), name


def undescribed(schema: Any, place: str = "") -> list[str]:
    if not isinstance(schema, dict):
        return []
    inner = [(f"{place}.{name}", part) for name, part in schema.get("properties", {}).items()]
    inner += [(f"{place}[]", schema["items"])] if "items" in schema else []
    missing = [path for path, part in inner if not part.get("description")]
    return missing + [found for path, part in inner for found in undescribed(part, path)]


def test_every_member_of_the_schema_has_a_description() -> None:
    assert undescribed(SCHEMA) == []


@pytest.mark.parametrize(
    ("text", "place", "texts"),
    [
        ("", "1:1", ["is invalid", "an object"]),
        ("[]", "1:1", ["is invalid"]),
        ("steps:\n  - pause: 1\n", "1:1", ["name is missing"]),
        ("name: x\n", "1:1", ["steps is missing"]),
        ("name: x\nsteps: []\n", "2:1", ["steps is invalid", "at least 1 entry"]),
        ("name: x\nstep: []\nsteps: [{pause: 1}]\n", "2:1", ["step is unknown; did you mean steps? known: name, "]),
        ("name: 5\nsteps: [{pause: 1}]\n", "1:1", ["name is invalid", "a string"]),
        ("name: x\nmerchant: foo\nsteps: [{pause: 1}]\n", "2:1", ["merchant is invalid", "USER:PASSWORD"]),
        ("name: x\nvars: [a]\nsteps: [{pause: 1}]\n", "2:1", ["vars is invalid"]),
        (HEAD + "  - purchas: {}\n", "3:5", ["purchas is unknown; did you mean purchase? known: as, "]),
        (HEAD + "  - purchase: {shoper: se-approved}\n", "3:16", ["did you mean shopper?"]),
        (HEAD + "  - {purchase: {}, pause: 1}\n", "3:5", ["exactly one step name, found purchase and pause"]),
        (HEAD + "  - {as: x}\n", "3:5", ["exactly one step name, found none"]),
        (HEAD + "  - purchase: {quantity: many}\n", "3:16", ["quantity is invalid", "an integer"]),
        (HEAD + "  - purchase: {quantity: 0}\n", "3:16", ["at least 1"]),
        (
            HEAD + "  - purchase: {cart: se-batery-pack}\n",
            "3:16",
            ["unknown cart 'se-batery-pack'", "did you mean se-battery-pack?"],
        ),
        (
            HEAD + "  - purchase: {cart: se-shipping-choice, shipping_option: post_nrd}\n",
            "3:42",
            ["unknown shipping option 'post_nrd'; did you mean post_nord? the page has post_nord, express_priority"],
        ),
        (
            HEAD + "  - purchases: {count: 2, page: {shipping_options: [{id: a}]}, shipping_option: b}\n",
            "3:64",
            ["unknown shipping option 'b'; the page has a"],
        ),
        (
            "name: x\nvars: {how: pigeon}\nsteps:\n  - order: {cart: se-battery-pack, shipping_option: '${how}'}\n",
            "4:36",
            ["unknown shipping option 'pigeon'; the page has express_priority"],
        ),
        (
            HEAD + "  - capture: 100\n",
            "3:5",
            ["steps[0].capture is invalid: 100; expected an object or null (members:"],
        ),
        (HEAD + "  - purchase: {cart: ./mine.json}\n", "3:16", ["no such file: ./mine.json"]),
        (HEAD + "  - purchase: {shopper: se-aproved}\n", "3:16", ["did you mean se-approved?"]),
        (HEAD + "  - purchase: {shopper: no-aproved}\n", "3:16", ["did you mean no-approved? known: no-"]),
        (HEAD + "  - purchase: {shopper: nobody}\n", "3:16", ["such as se-approved, for ", "NO, "]),
        (HEAD + "  - purchase: {outcome: MAYBE}\n", "3:16", ["ACCEPTED, PENDING, REJECTED"]),
        (HEAD + "  - purchase: {page: {locale: '${lang}'}}\n", "3:23", ["unknown variable 'lang'"]),
        ("name: x\nvars: {shop: a}\nsteps: [{pause: '${shp}'}]\n", "3:10", ["did you mean shop?"]),
        (HEAD + "  - order: {cart: se-batery-pack}\n", "3:13", ["unknown cart 'se-batery-pack'"]),
        (HEAD + "  - order: {cart: se-battery-pack, wait: 1}\n", "3:36", ["wait is unknown"]),
        (HEAD + "  - purchases: {cart: se-battery-pack}\n", "3:5", ["count is missing"]),
        (HEAD + "  - decide_fraud: MAYBE\n", "3:5", ["ACCEPTED, REJECTED, STOPPED"]),
        (HEAD + "  - advance_clock: soon\n", "3:5", ["a duration such as 90s"]),
        (HEAD + "  - fault: {on: request}\n", "3:5", ["at least one effect: delay"]),
        (HEAD + "  - fault: {on: request, operation: creat, drop: true}\n", "3:26", ["create_button, get_button"]),
        (HEAD + "  - fault: {on: callback, operation: pushy, drop: true}\n", "3:27", ["did you mean push?"]),
        (HEAD + "  - fault: {on: request, out_of_order: true}\n", "3:26", ["only callbacks can arrive out of order"]),
        (HEAD + "  - fault: {on: request, operation: get_button, twice: true}\n", "3:49", ["has no effect"]),
        (HEAD + "  - fault: {on: everything, drop: true}\n", "3:13", ["request, callback"]),
        (HEAD + "  - expect_callback: {kind: place}\n", "3:23", ["place_order"]),
        (HEAD + "  - expect_callback: {}\n", "3:5", ["kind is missing"]),
        (HEAD + "  - expect_purchase: {stat: placed}\n", "3:23", ["did you mean state?"]),
        (HEAD + "  - expect_purchase: {state: plaecd}\n", "3:23", ["placed, denied"]),
        (
            HEAD + "  - expect_purchase: {order_amount: x}\n",
            "3:23",
            ["expected an integer or null, or an object of contains"],
        ),
        (HEAD + "  - expect_purchase: {order_amount: {at_lest: 5}}\n", "3:38", ["did you mean at_least?"]),
        (
            HEAD + "  - expect_order: {fraud_status: FOO}\n",
            "3:20",
            ["one of ACCEPTED, PENDING, REJECTED, STOPPED"],
        ),
        (
            HEAD + "  - expect_order: {push_url: {matches: '(push'}}\n",
            "3:31",
            ["steps[0].expect_order.push_url.matches is invalid: '(push'", "expected a regular expression: missing )"],
        ),
        (
            HEAD + "  - repeat: {times: 2, steps: [{expect_order: {push_url: {not: {matches: '*'}}}}]}\n",
            "3:65",
            ["push_url.not.matches is invalid: '*'; expected a regular expression: nothing to repeat"],
        ),
        (HEAD + "  - expect_order: {acknowledged: 1}\n", "3:20", ["true or false"]),
        (HEAD + "  - expect_order: {push_url: 5}\n", "3:20", ["text or null"]),
        (HEAD + "  - expect_event: {name: purchase_place}\n", "3:20", ["purchase_placed"]),
        (HEAD + "  - expect_request: {operation: order}\n", "3:22", ["create_order"]),
        (HEAD + "  - {pause: 1, status: ok}\n", "3:16", ["an integer"]),
        (HEAD + "  - {pause: 1, as: 'a b'}\n", "3:16", ["a name of letters"]),
        (HEAD + "  - repeat: {times: 2, steps: [{purchas: {}}]}\n", "3:33", ["did you mean purchase?"]),
        (HEAD + "  - repeat: {times: 2, steps: [{purchase: {cart: x}}]}\n", "3:44", ["unknown cart 'x'"]),
        (HEAD + "  - {pause: '${turn}'}\n", "3:6", ["unknown variable 'turn'"]),
        (
            HEAD + "  - {purchase: {}, as: first}\n  - capture: {of: frist}\n",
            "4:15",
            ["unknown variable 'frist'; did you mean first? known: first, klarna"],
        ),
        (HEAD + "  - repeat: {times: 2, steps: [{deny: {of: x}}]}\n", "3:40", ["unknown variable 'x'"]),
        (
            HEAD + "  - {purchase: {}, as: merchant}\n",
            "3:20",
            ["merchant is a variable of every scenario; use another"],
        ),
        ("name: x\nvars: {klarna: a}\nsteps: [{pause: 1}]\n", "2:8", ["klarna is a variable of every scenario"]),
        (
            HEAD + "  - {expect_callback: {kind: push}, status: 200}\n",
            "3:37",
            ["status has no effect beside expect_callback; write status inside expect_callback"],
        ),
        (HEAD + "  - {pause: 1, answer: {}}\n", "3:16", ["answer has no effect beside pause; leave it out"]),
        (HEAD + "  - expect_no_findings: {skip: [C33]}\n", "3:33", ["skip[0] is invalid: 'C33'", "did you mean C3?"]),
        (
            HEAD + "  - advance_clock: {to: end}\n",
            "3:5",
            ["an object with advance (a duration), set (a time) or to (next)"],
        ),
        ("name: x\nsteps: {", "3", ["not valid YAML"]),
    ],
)
def test_an_error_has_its_place_and_a_hint(text: str, place: str, texts: list[str], tmp_path: Path) -> None:
    errors = errors_of(text, tmp_path)
    assert errors
    assert errors[0].startswith(f"{place}:")
    assert [expected for expected in texts if not any(expected in error for error in errors)] == []


def test_unknown_names_are_reported_together_with_schema_errors(tmp_path: Path) -> None:
    steps = (
        "purchase: {cart: a, quantity: many}",
        "purchase: {shopper: b}",
        "- 5",
        "repeat: 5",
        "purchase: 5",
        "pause: ${c}",
    )
    errors = errors_of("name: x\nvars: 5\nsteps:\n" + "".join(f"  - {step}\n" for step in steps), tmp_path)
    lines = [error.partition(":")[0] for error in errors]
    assert lines == ["2", "4", "4", "5", "6", "7", "8", "9"]
    assert "unknown cart 'a'" in errors[1]
    assert "unknown shopper 'b'" in errors[3]


def test_all_errors_are_reported(tmp_path: Path) -> None:
    text = HEAD + "  - purchase: {cart: a}\n  - purchase: {shopper: b}\n  - pause: ${c}\n"
    assert len(errors_of(text, tmp_path)) == 3


def test_a_cart_file_is_read_for_its_shipping_options(tmp_path: Path) -> None:
    cart = tmp_path / "mine.json"
    cart.write_text('{"shipping_options": [{"id": "van"}]}')
    steps = (
        "  - purchase: {cart: mine.json, shipping_option: van}\n  - purchase: {cart: mine.json, shipping_option: car}\n"
    )
    (error,) = errors_of(HEAD + steps, tmp_path)
    assert error.startswith("4:33: unknown shipping option 'car'; the page has van")
    cart.write_text("[")
    assert "3:16: cannot read mine.json: line 2: not valid YAML" in errors_of(HEAD + steps, tmp_path)[0]
    cart.write_text("[]")
    assert "3:16: mine.json is not a cart; a cart is an object" in errors_of(HEAD + steps, tmp_path)[0]


@pytest.mark.parametrize(
    "step",
    [
        "purchase: {cart: digital-without-shipping, shipping_option: van}",
        "purchase: {cart: se-battery-pack, page: {shipping_options: '${options}'}, shipping_option: van}",
        "purchase: {shipping_option: van}",
        "{purchase: {cart: se-battery-pack, shipping_option: van}, status: 400}",
    ],
)
def test_an_option_is_not_judged_where_the_key_may_have_it_or_a_refusal_is_expected(step: str, tmp_path: Path) -> None:
    assert errors_of(f"name: x\nvars: {{options: null}}\nsteps:\n  - {step}\n", tmp_path) == []


def test_one_mistake_is_one_error(tmp_path: Path) -> None:
    steps = ("repeat: {times: 2, steps: 5}", "pause: '1234567890123456789012345'", "repeat: {times: 2, steps: []}")
    errors = errors_of("name: x\nsteps:\n" + "".join(f"  - {step}\n" for step in steps), tmp_path)
    assert [error.partition(":")[0] for error in errors] == ["3", "4", "5"]


def test_the_defaults_of_variables_are_checked_in_repeated_steps_too(tmp_path: Path) -> None:
    text = "name: x\nvars: {n: many}\nsteps:\n  - repeat: {times: '${m}', steps: [{purchase: {quantity: '${n}'}}]}\n"
    assert [error.partition(";")[0] for error in errors_of(text, tmp_path)] == [
        "4:14: unknown variable 'm'",
        "4:49: steps[0].repeat.steps[0].purchase.quantity is invalid: 'many'",
    ]


@pytest.mark.parametrize(
    "step",
    [
        "place: {body: '${bought}'}",
        "purchase: {quantity: '${many}'}",
        "purchase: {shopper: '${who}', cart: '${what}'}",
        "pause: '${long}'",
        "expect_purchase: {state: '${end}', order_amount: '${sum}'}",
        "expect_purchase: {order_amount: {at_least: '${sum}'}, fraud_status: null, state: {not: placed}}",
        "expect_order: {fraud_status: '${end}', order_amount: {at_most: 5}, push_url: {contains: push}}",
    ],
)
def test_values_of_unset_variables_are_not_checked(step: str, tmp_path: Path) -> None:
    names = "{bought: null, many: null, who: null, what: null, long: null, end: null, sum: null}"
    assert errors_of(f"name: x\nvars: {names}\nsteps:\n  - {step}\n", tmp_path) == []


def test_the_default_of_a_variable_is_checked_where_it_is_used(tmp_path: Path) -> None:
    assert (
        "an integer" in errors_of("name: x\nvars: {n: many}\nsteps:\n  - purchase: {quantity: '${n}'}\n", tmp_path)[0]
    )


def test_results_of_steps_are_known_in_later_steps_only(tmp_path: Path) -> None:
    step = "  - purchase: {page: {name: '${bought.order_id}'}}\n"
    assert "bought" in errors_of(HEAD + step + "    as: bought\n", tmp_path)[0]
    assert errors_of(HEAD + "  - purchase: {}\n    as: bought\n" + step, tmp_path) == []


def test_results_of_repeated_steps_are_known_after_them(tmp_path: Path) -> None:
    repeated = "  - repeat: {times: 2, steps: [{purchase: {}, as: bought}]}\n"
    step = "  - expect_purchase: {of: bought, order_id: '${bought.order_id}'}\n"
    assert errors_of(HEAD + repeated + step, tmp_path) == []
    (error,) = errors_of(HEAD + repeated + "  - pause: ${turn}\n", tmp_path)
    assert error.startswith("4:5: unknown variable 'turn'")


@pytest.mark.parametrize("purchase", ["${which}", "kept"])
def test_the_purchase_of_a_step_may_be_named_by_a_variable_or_be_one(purchase: str, tmp_path: Path) -> None:
    text = f"name: x\nvars: {{which: kept, kept: {{purchase_id: '1'}}}}\nsteps:\n  - capture: {{of: '{purchase}'}}\n"
    assert errors_of(text, tmp_path) == []


@pytest.mark.parametrize("step", ["create_button: {of: x}", "advance_clock: {of: x}"])
def test_a_member_of_another_step_is_not_taken_for_a_purchase(step: str, tmp_path: Path) -> None:
    assert not any("unknown variable" in error for error in errors_of(HEAD + f"  - {step}\n", tmp_path))


def test_every_rule_can_be_skipped_by_its_id() -> None:
    assert STEP["expect_no_findings"]["properties"]["skip"]["items"]["enum"] == [rule.id for rule in RULES]


def test_every_event_can_be_expected_by_its_name() -> None:
    names = {event_name(kind(**dict.fromkeys(kind.__struct_fields__))) for kind in recorded_events()}
    assert STEP["expect_event"]["properties"]["name"]["enum"] == sorted(names)


def recorded_events() -> list[type[Event]]:
    """All event classes except those that are only a base of others."""
    kinds = [kind for kind in vars(events).values() if isinstance(kind, type) and issubclass(kind, Event)]
    return [kind for kind in kinds if not any(kind in other.__bases__ for other in kinds) and kind is not Event]
