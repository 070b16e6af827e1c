"""Whatever a step has in place of its arguments, `check` and `run` say what is wrong with it, and judge the other files."""

import json
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import orjson
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from mock_klarna import resources
from mock_klarna.scenario import loader
from mock_klarna.scenario.check_files import check_paths
from mock_klarna.scenario.model import FileError, InvalidFiles
from mock_klarna.scenario.steps import STEPS
from mock_klarna.validation.schemas import Catalogue, load
from tests.commands import Command
from tests.extent import extent
from tests.scenario.conftest import BUTTON, RunSteps
from tests.validation.strategies import json_values, resembling

VALID = "name: Valid\nsteps: [{pause: 0}]\n"
CATALOGUE = Catalogue(
    {
        **load(resources.schemas()).documents,
        **{name: orjson.loads((resources.schemas() / name).read_bytes()) for name in ("scenario.json", "matcher.json")},
    }
)
REFERENCES = st.sampled_from(["${x}", "${merchant}", "${x.y[0]}", "${turn}"])
ARGUMENTS = json_values | REFERENCES | st.dictionaries(st.sampled_from(["of", "within", "cart", "steps"]), json_values)


def arguments(step: str) -> st.SearchStrategy[Any]:
    """Any value, and those that are nearly what the step asks for."""
    return ARGUMENTS | resembling(CATALOGUE, CATALOGUE.at("scenario.json", ["steps", 0, step]))


def errors_beside_a_valid_file(folder: Path, scenario: Any) -> list[FileError]:
    """The errors that `check` and `run` find in a scenario, after asserting that both judge the file beside it."""
    (folder / "valid.yaml").write_text(VALID)
    (folder / "wrong.yaml").write_text(yaml.safe_dump(scenario, sort_keys=False), "utf-8")
    files, errors = check_paths([str(folder)])
    assert [file.name for file in files] == ["valid.yaml", "wrong.yaml"]
    assert {error.file.name for error in errors} <= {"wrong.yaml"}
    with pytest.raises(InvalidFiles) if errors else nullcontext() as refusal:
        loader.load_scenarios(files, {}, require_values=False)
    assert refusal is None or list(refusal.value.errors) == errors
    return errors


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the files of all examples: each replaces the one before it."""
    return tmp_path_factory.mktemp("scenarios")


@settings(max_examples=extent(usual=100, thorough=300))
@given(st.sampled_from(list(STEPS)).flatmap(lambda step: st.tuples(st.just(step), arguments(step))))
def test_every_error_has_a_place_and_a_hint_and_is_reported_once(folder: Path, step: tuple[str, Any]) -> None:
    errors = errors_beside_a_valid_file(folder, {"name": "x", "steps": [dict([step]), {"pause": 0}]})
    lines = (folder / "wrong.yaml").read_text("utf-8").count("\n")
    assert all(1 <= error.place.line <= lines and error.message and error.hint for error in errors)
    places = [error.message.partition(" is ")[0] for error in errors if " is " in error.message]
    assert len(places) == len(set(places)), errors


WRONG = ["newest", 100, 1.5, True, [1], [], "", {"unknown_member": 1}]


@pytest.mark.parametrize("step", STEPS)
def test_a_wrong_value_is_one_error_at_its_line(step: str, folder: Path) -> None:
    for args in WRONG:
        errors = errors_beside_a_valid_file(folder, {"name": "x", "steps": [{"pause": 0}, {step: args}]})
        if (step, args) in LEGAL or (isinstance(args, dict) and step in FREE):
            assert errors == [], args
        else:
            assert {error.place.line for error in errors} <= {4, 5}, args
            assert len({str(error) for error in errors}) == len(errors), args
            assert errors[0].message.startswith(f"steps[1].{step}"), args
            hint = "known: " if errors[0].message.endswith(" is unknown") else "expected "
            assert errors[0].hint.startswith(hint), args


LEGAL = [("pause", 100), ("pause", 1.5), ("advance_clock", 100), ("advance_clock", 1.5)]
FREE = ("create_button", "update_button", "create_token")
"""Steps whose arguments are a body that the server checks."""


@pytest.mark.parametrize(
    ("step", "variable"),
    [(step, "made.button_key") for step in STEPS]
    + [(step, "made.merchant_urls") for step in STEPS if step not in FREE],
)
def test_a_wrong_value_of_a_variable_fails_its_step_with_the_expected_value(
    step: str, variable: str, run_steps: RunSteps
) -> None:
    report = run_steps(f"{BUTTON}\n  as: made\n- {step}: '${{{variable}}}'")
    assert report.failure is not None
    assert (report.failure.step, report.failure.place.line) == (step, 5)
    assert f"].{step}" in report.failure.actual
    assert ("known: " if " is unknown; " in report.failure.actual else "expected ") in report.failure.actual


def test_a_regular_expression_of_a_variable_that_cannot_be_read_fails_its_step(run_steps: RunSteps) -> None:
    button = BUTTON.replace("{merchant_urls", "{name: '(', merchant_urls")
    report = run_steps(
        f"{button}\n  as: made\n- expect_request: {{operation: create_button, path: {{matches: '${{made.name}}'}}}}"
    )
    assert report.failure is not None
    assert "expect_request.path.matches is invalid: '('; expected a regular expression" in report.failure.actual


DIGITS = "9" * 5000


@pytest.mark.parametrize(
    "text",
    [
        f"name: x\nseed: {DIGITS}\nsteps: [{{pause: 0}}]\n",
        f"name: x\nsteps: [{{pause: -{DIGITS}}}]\n",
        f"name: x\nsteps: [{{pause: {DIGITS}s}}]\n",
        f"name: x\nsteps: [{{place: {{change: {{'order_lines[{DIGITS}]': 1}}, body: {DIGITS}}}}}]\n",
        f"name: x\nsteps: [{{pause: '${{a[{DIGITS}]}}'}}]\n",
        f"name: x\nsteps: [{{purchase: {{cart: {DIGITS}.json}}}}]\n",
        json.dumps({"name": "x", "steps": [{"capture": 100, "as": DIGITS}]}),
        "name: x\nsteps: " + "[" * 100_000,
        "name: x\nsteps:\n" + "- " * 100_000,
    ],
    ids=lambda text: text[:40],
)
def test_long_numbers_names_and_nestings_are_errors_of_their_file(text: str, command: Command, tmp_path: Path) -> None:
    (tmp_path / "valid.yaml").write_text(VALID)
    (tmp_path / "wrong.yaml").write_text(text)
    result = command("check", tmp_path)
    assert (result.returncode, result.stdout) == (2, "1 file valid, 1 invalid\n")
    assert result.stderr.startswith(f"{tmp_path}/wrong.yaml:")
    assert command("run", tmp_path).stderr.partition(";")[0] == result.stderr.partition(";")[0]
    assert len(result.stderr) < 1500


@pytest.mark.parametrize("line", [("check",), ("run",)])
def test_a_path_that_cannot_be_looked_up_is_a_usage_error(line: tuple[str], command: Command) -> None:
    result = command(*line, "a" * 5000)
    assert result.returncode == 2
    assert "cannot look it up: File name too long; give a path that exists" in result.stderr
