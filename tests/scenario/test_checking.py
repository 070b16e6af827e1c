"""What `check` says of wrong files: where, what is wrong, what would be right."""

import json
from pathlib import Path
from typing import Any

import orjson
import pytest

from mock_klarna import resources
from mock_klarna.errors import MockKlarnaError
from mock_klarna.scenario import fixtures, loader
from mock_klarna.scenario.check import Checker
from mock_klarna.scenario.steps import STEPS
from tests.cases import in_turn

SCHEMA: dict[str, Any] = orjson.loads((resources.schemas() / "scenario.json").read_bytes())
STEP = SCHEMA["properties"]["steps"]["items"]["properties"]
HEAD = "name: x\nsteps:\n"


def told(text: str, tmp_path: Path, name: str = "wrong.yaml") -> list[str]:
    file = tmp_path / name
    file.write_text(text, "utf-8")
    _, faults = fixtures.checked([str(file)])
    return [str(fault).removeprefix(f"{file}:") for fault in faults]


def test_every_step_is_in_the_table_and_in_the_schema() -> None:
    assert STEP.keys() - {"as", "status", "answer"} == STEPS.keys()


@in_turn("name", STEPS)
def test_every_step_says_what_it_does(name: str) -> None:
    assert STEP[name]["description"].endswith(".")
    assert (STEPS[name].__doc__ or "").strip()


def undescribed(schema: Any, place: str = "") -> list[str]:
    if not isinstance(schema, dict):
        return []
    inner = [(f"{place}.{name}", part) for name, part in schema.get("properties", {}).items()]
    inner += [(f"{place}[]", schema["items"])] if "items" in schema else []
    lacking = [path for path, part in inner if not part.get("description")]
    return lacking + [found for path, part in inner for found in undescribed(part, path)]


def test_every_member_of_the_schema_has_a_description() -> None:
    assert undescribed(SCHEMA) == []


@in_turn(
    ("text", "places", "words"),
    [
        ("", "1:1", ["is not right", "an object"]),
        ("[]", "1:1", ["is not right"]),
        ("steps:\n  - pause: 1\n", "1:1", ["name is missing"]),
        ("name: x\n", "1:1", ["steps is missing"]),
        ("name: x\nsteps: []\n", "2:1", ["steps is not right", "at least 1 entry"]),
        ("name: x\nstep: []\nsteps: [{pause: 1}]\n", "2:1", ["step is not known", "did you mean steps?"]),
        ("name: 5\nsteps: [{pause: 1}]\n", "1:1", ["name is not right", "a string"]),
        ("name: x\nmerchant: foo\nsteps: [{pause: 1}]\n", "2:1", ["merchant is not right", "USER:PASSWORD"]),
        ("name: x\nvars: [a]\nsteps: [{pause: 1}]\n", "2:1", ["vars is not right"]),
        (HEAD + "  - purchas: {}\n", "3:5", ["purchas is not known here", "did you mean purchase?"]),
        (HEAD + "  - purchase: {shoper: se-approved}\n", "3:16", ["did you mean shopper?"]),
        (HEAD + "  - {purchase: {}, pause: 1}\n", "3:5", ["names one thing to do", "purchase and pause"]),
        (HEAD + "  - {as: x}\n", "3:5", ["names no step"]),
        (HEAD + "  - purchase: {quantity: many}\n", "3:16", ["quantity is not right", "an integer"]),
        (HEAD + "  - purchase: {quantity: 0}\n", "3:16", ["at least 1"]),
        (
            HEAD + "  - purchase: {cart: se-batery-pack}\n",
            "3:16",
            ["no cart is called", "did you mean se-battery-pack?"],
        ),
        (HEAD + "  - purchase: {cart: ./mine.json}\n", "3:16", ["there is no file ./mine.json"]),
        (HEAD + "  - purchase: {shopper: se-aproved}\n", "3:16", ["did you mean se-approved?"]),
        (HEAD + "  - purchase: {shopper: no-aproved}\n", "3:16", ["did you mean no-approved? known are no-"]),
        (HEAD + "  - purchase: {shopper: nobody}\n", "3:16", ["such as se-approved, for ", "NO, "]),
        (HEAD + "  - purchase: {outcome: MAYBE}\n", "3:16", ["ACCEPTED, PENDING, REJECTED"]),
        (HEAD + "  - purchase: {page: {locale: '${lang}'}}\n", "3:23", ["${lang} is not known here"]),
        ("name: x\nvars: {shop: a}\nsteps: [{pause: '${shp}'}]\n", "3:10", ["did you mean shop?"]),
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
        (HEAD + "  - expect_order: {acknowledged: 1}\n", "3:20", ["true or false"]),
        (HEAD + "  - expect_order: {push_url: 5}\n", "3:20", ["text or null"]),
        (HEAD + "  - expect_event: {name: purchase_place}\n", "3:20", ["purchase_placed"]),
        (HEAD + "  - expect_request: {operation: order}\n", "3:22", ["create_order"]),
        (HEAD + "  - {pause: 1, status: ok}\n", "3:16", ["an integer"]),
        (HEAD + "  - {pause: 1, as: 'a b'}\n", "3:16", ["a name of letters"]),
        (HEAD + "  - repeat: {times: 2, steps: [{purchas: {}}]}\n", "3:33", ["did you mean purchase?"]),
        (HEAD + "  - repeat: {times: 2, steps: [{purchase: {cart: x}}]}\n", "3:44", ["no cart is called"]),
        (HEAD + "  - {pause: '${turn}'}\n", "3:6", ["${turn} is not known here"]),
        ("name: x\nsteps: {", "3:1", ["not YAML"]),
    ],
)
def test_a_wrong_scenario_is_told_with_its_place_and_what_would_be_right(
    text: str, places: str, words: list[str], tmp_path: Path
) -> None:
    faults = told(text, tmp_path)
    assert faults
    first = faults[0]
    assert first.startswith(places.partition(":")[0] + ":")
    if "not YAML" not in first:
        assert first.startswith(places + ": "), first
    assert [word for word in words if not any(word in fault for fault in faults)] == []


def test_unknown_names_are_told_beside_what_breaks_the_schema(tmp_path: Path) -> None:
    steps = (
        "purchase: {cart: a, quantity: many}",
        "purchase: {shopper: b}",
        "- 5",
        "repeat: 5",
        "purchase: 5",
        "pause: ${c}",
    )
    faults = told("name: x\nvars: 5\nsteps:\n" + "".join(f"  - {step}\n" for step in steps), tmp_path)
    lines = [fault.partition(":")[0] for fault in faults]
    assert lines == ["2", "4", "4", "5", "6", "7", "8", "9"]
    assert "no cart is called 'a'" in faults[1]
    assert "no shopper is called 'b'" in faults[3]


def test_everything_that_is_wrong_is_told_at_once(tmp_path: Path) -> None:
    text = HEAD + "  - purchase: {cart: a}\n  - purchase: {shopper: b}\n  - pause: ${c}\n"
    assert len(told(text, tmp_path)) == 3


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
def test_what_a_variable_will_hold_is_not_judged_before(step: str, tmp_path: Path) -> None:
    names = "{bought: null, many: null, who: null, what: null, long: null, end: null, sum: null}"
    assert told(f"name: x\nvars: {names}\nsteps:\n  - {step}\n", tmp_path) == []


def test_a_default_of_a_variable_is_judged_where_it_is_used(tmp_path: Path) -> None:
    assert "an integer" in told("name: x\nvars: {n: many}\nsteps:\n  - purchase: {quantity: '${n}'}\n", tmp_path)[0]


def test_names_of_earlier_steps_are_known_to_later_ones_alone(tmp_path: Path) -> None:
    step = "  - purchase: {page: {name: '${bought.order_id}'}}\n"
    assert "bought" in told(HEAD + step + "    as: bought\n", tmp_path)[0]
    assert told(HEAD + "  - purchase: {}\n    as: bought\n" + step, tmp_path) == []


CART = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_text("utf-8"))


def test_a_cart_with_wrong_tax_is_told_with_the_line_and_the_sum(tmp_path: Path) -> None:
    wrong = {**CART, "order_lines": [{**CART["order_lines"][0], "total_tax_amount": 1}]}
    (fault,) = told(json.dumps(wrong, indent=2), tmp_path, "cart.json")
    assert fault.startswith("18:7: order_lines[0].total_tax_amount")
    assert "23800" in fault


def test_a_shopper_with_a_wrong_address_is_told_with_the_place(tmp_path: Path) -> None:
    wrong = {"somebody": {"billing_address": {"given_name": 5}}}
    faults = told(json.dumps(wrong, indent=1), tmp_path, "shoppers.json")
    assert [fault.partition(" ")[0] for fault in faults] == ["2:2:", "4:4:"]
    assert "no description" in faults[0]


def test_a_file_of_no_known_kind_is_told_when_it_was_asked_for(tmp_path: Path) -> None:
    assert "no scenario, cart or shoppers" in told('{"a": 1}', tmp_path, "other.json")[0]


def test_a_file_of_another_kind_may_lie_in_a_folder_of_ours(tmp_path: Path) -> None:
    (tmp_path / "cart.json").write_text(json.dumps(CART))
    (tmp_path / "other.json").write_text('{"a": 1}')
    assert fixtures.checked([str(tmp_path)]) == ([tmp_path / "cart.json"], [])


def test_a_folder_of_nothing_but_other_files_is_told_what_they_should_be(tmp_path: Path) -> None:
    (tmp_path / "shopper.json").write_text('{"billing_adress": {"given_name": "Alice"}}')
    ((file,), (fault,)) = fixtures.checked([str(tmp_path)])
    assert file == fault.file == tmp_path / "shopper.json"
    assert "names with a billing_address each are shoppers" in fault.hint


def test_a_folder_without_files_has_nothing_to_check(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="there is nothing to check; a folder with scenarios"):
        fixtures.checked([str(tmp_path)])


def test_a_shopper_without_an_address_is_told(tmp_path: Path) -> None:
    (fault,) = told('{"somebody": {"description": "Pays."}}', tmp_path, "shoppers.json")
    assert fault.startswith("1:2: somebody has no billing_address")


@pytest.mark.parametrize("paths", [[], [str(resources.fixtures())]], ids=["no path", "the folder of all fixtures"])
def test_all_that_is_stored_is_right(paths: list[str]) -> None:
    checked, faults = fixtures.checked(paths)
    assert faults == []
    assert len(checked) > 60


def test_a_path_that_leads_nowhere_is_named() -> None:
    with pytest.raises(MockKlarnaError, match="no such file or folder"):
        fixtures.checked(["/nowhere/at/all"])


def test_bytes_that_are_no_text_are_told(tmp_path: Path) -> None:
    file = tmp_path / "bytes.yaml"
    file.write_bytes(b"name: \xff\xfe\n")
    assert "not UTF-8" in str(fixtures.checked([str(file)])[1][0])


def test_the_checker_takes_what_json_and_yaml_alike_say(tmp_path: Path) -> None:
    file = tmp_path / "scenario.json"
    file.write_text('{"name": "x",\n "steps": [{"purchase": {"cart": "none"}}]}')
    source, _ = loader.source_of(file)
    assert source is not None
    assert [fault.place.line for fault in Checker().faults(file, source, {})] == [2]
