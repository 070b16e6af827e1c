"""`mock-klarna certify` prints findings and writes reports."""

import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna import Settings, serve_in_thread
from tests.certify.samples import SAMPLES, Journal
from tests.commands import Command


def written(folder: Path, journal: Journal, dropped: int = 0) -> str:
    """Write a journal as the API returns it; return the path of the file."""
    file = folder / "journal.json"
    file.write_text(json.dumps({"entries": journal.entries, "position": 9, "dropped": dropped}))
    return str(file)


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server."""
    with serve_in_thread(Settings(port=0)) as server:
        yield server.url


def test_a_good_journal_exits_0_with_the_verdict_in_the_last_line(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, Journal().placed()))
    assert result.returncode == 0
    verdict = result.stdout.splitlines()[-1]
    assert verdict.startswith("certified: 53 rules, ")
    assert "0 errors, 0 warnings, 0 hints" in verdict


def test_a_finding_says_what_was_seen_what_is_right_and_where_it_is(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, SAMPLES["M6"][1]()))
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[0].split() == ["error", "M6", "An", "idempotency", "key", "belongs", "to", "one", "request"]
    assert [line.split()[0] for line in lines[1:4]] == ["seen", "expected", "remedy"]
    assert "/_mock/journal/1" in result.stdout
    assert lines[-1].startswith("not certified: ")


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("hint", 1), ("never", 0)], ids=str)
def test_fail_on_says_which_findings_fail(command: Command, tmp_path: Path, level: str, code: int) -> None:
    assert command("certify", written(tmp_path, SAMPLES["M4"][1]()), "--fail-on", level).returncode == code


def test_rules_can_be_chosen_and_left_out(command: Command, tmp_path: Path) -> None:
    journal = written(tmp_path, SAMPLES["M6"][1]())
    assert command("certify", journal, "--skip", "M6").returncode == 0
    only = command("certify", journal, "--only", "M6")
    assert only.stdout.splitlines()[-1].startswith("not certified: 1 rule, 0 passed, 1 error,")
    unknown = command("certify", journal, "--skip", "m6")
    assert (unknown.returncode, "did you mean M6?" in unknown.stderr) == (2, True)


def test_reports_are_written_for_other_tools(command: Command, tmp_path: Path) -> None:
    journal, folder = written(tmp_path, SAMPLES["M6"][1]()), tmp_path / "reports"
    flags = [part for name in ("json", "junit", "sarif") for part in (f"--{name}", str(folder / name))]
    command("certify", journal, *flags)
    assert json.loads((folder / "json").read_bytes())["summary"]["errors"] == 1
    suite = ET.parse(folder / "junit").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("53", "1")
    (result,) = (
        one for one in json.loads((folder / "sarif").read_bytes())["runs"][0]["results"] if one["level"] == "error"
    )
    assert result["ruleId"] == "M6"


@pytest.mark.parametrize(
    "text", ["", "[]", "{}", '{"entries": 5}', '{"entries": [{}]}', '{"entries": [{"merchant": 1}]}']
)
def test_a_file_that_is_no_journal_is_refused(command: Command, tmp_path: Path, text: str) -> None:
    file = tmp_path / "other.json"
    file.write_text(text)
    result = command("certify", str(file))
    assert result.returncode == 2
    assert "this is not a journal; write one with GET /_mock/journal?limit=10000" in result.stderr


def test_a_merchant_without_traffic_is_not_certified(command: Command, url: str) -> None:
    result = command("certify", "--url", url, "--merchant", "nobody-yet")
    assert result.returncode == 1
    assert "nothing to judge: no rule had a case in the journal of merchant 'nobody-yet'" in result.stderr
    assert result.stdout.splitlines()[-1].endswith("53 inconclusive")


def test_a_server_that_does_not_answer_exits_4(command: Command) -> None:
    assert command("certify", "--url", "http://127.0.0.1:1").returncode == 4
