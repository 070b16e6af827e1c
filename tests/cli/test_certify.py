"""`mock-klarna certify` prints findings and writes reports."""

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

from mock_klarna import MockKlarna, Settings, serve_in_thread
from mock_klarna.cli import certify, certify_shop
from mock_klarna.errors import MockKlarnaError
from tests.certify.samples import SAMPLES, Journal
from tests.commands import Command


def written(folder: Path, journal: Journal, **members: object) -> str:
    """Write a journal as the API returns it; return the path of the file."""
    file = folder / "journal.json"
    content = {"entries": journal.entries, "position": 9, "dropped": 0, "complete": True, **members}
    file.write_text(json.dumps(content))
    return str(file)


@pytest.fixture(scope="module")
def server() -> Iterator[MockKlarna]:
    """A server."""
    with serve_in_thread(Settings(port=0)) as started:
        yield started


def test_a_good_journal_exits_0_with_the_verdict_in_the_last_line(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, Journal().placed()))
    assert result.returncode == 0
    verdict = result.stdout.splitlines()[-1]
    assert verdict.startswith("partly certified: 53 rules, ")
    assert "0 warnings, 0 errors, " in verdict
    assert verdict.endswith(" inconclusive")
    assert "rules are inconclusive: nothing is known about them." in result.stdout
    chosen = command("certify", written(tmp_path, Journal().placed()), "--only", "C3")
    assert chosen.stdout.splitlines()[-1] == "certified: 1 rule, 1 passed, 0 warnings, 0 errors, 0 inconclusive"
    assert "Note: " not in chosen.stdout


def test_a_finding_says_what_was_seen_what_is_right_and_where_it_is(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, SAMPLES["M6"][1]()))
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    at = next(number for number, line in enumerate(lines) if "M6" in line)
    assert lines[at].split() == ["error", "M6", "An", "idempotency", "key", "belongs", "to", "one", "request"]
    assert [line.split()[0] for line in lines[at + 1 : at + 6]] == [
        "seen",
        "expected",
        "evidence",
        "/_mock/journal/2",
        "remedy",
    ]
    assert lines[-1].startswith("not certified: 53 rules, ")


@pytest.mark.parametrize(("level", "code"), [("error", 0), ("warning", 1), ("hint", 1), ("never", 0)], ids=str)
def test_fail_on_says_which_findings_fail(command: Command, tmp_path: Path, level: str, code: int) -> None:
    assert command("certify", written(tmp_path, SAMPLES["M4"][1]()), "--fail-on", level).returncode == code


def test_rules_can_be_chosen_and_left_out(command: Command, tmp_path: Path) -> None:
    journal = written(tmp_path, SAMPLES["M6"][1]())
    skipped = command("certify", journal, "--skip", "M6", "--reason", "keys are made by the gateway")
    assert skipped.returncode == 0
    assert "M6   keys are made by the gateway" in skipped.stdout
    assert skipped.stdout.splitlines()[-1].endswith(", 1 skipped")
    only = command("certify", journal, "--only", "M6")
    assert only.stdout.splitlines()[-1] == ("not certified: 1 rule, 0 passed, 0 warnings, 1 error, 0 inconclusive")
    unknown = command("certify", journal, "--skip", "m6", "--reason", "x")
    assert (unknown.returncode, "did you mean M6?" in unknown.stderr) == (2, True)


@pytest.mark.parametrize(
    ("flags", "message"),
    [
        (("--skip", "M6"), "M6 skipped without a reason"),
        (("--skip", "M6", "--reason", " "), "a reason is empty"),
        (("--reason", "x"), "there is a reason, and no rule is skipped"),
        (
            ("--skip", "M6", "--skip", "M5", "--skip", "M4", "--reason", "x", "--reason", "y"),
            "2 reasons for 3 rules",
        ),
    ],
    ids=["none", "empty", "no rule", "too few"],
)
def test_a_rule_is_skipped_with_a_reason_only(flags: tuple[str, ...], message: str) -> None:
    parser = argparse.ArgumentParser()
    certify.add_arguments(parser)
    with pytest.raises(MockKlarnaError, match=message) as refused:
        certify.run(parser.parse_args(["journal.json", *flags]))
    assert "give one for each --skip, or one for all, for example --skip O9 --reason" in refused.value.hint


def test_a_merchant_without_a_name_is_refused(command: Command, server: MockKlarna) -> None:
    result = command("certify", "--url", server.url, "--merchant", "")
    assert result.returncode == 2
    assert "--merchant: no name is given; give the username of the merchant, or leave it out" in result.stderr


@pytest.mark.parametrize("flag", ["--html", "--json", "--junit", "--sarif"])
def test_a_report_that_cannot_be_written_is_refused_before_anything_is_judged(
    command: Command, tmp_path: Path, flag: str
) -> None:
    file = tmp_path / "file"
    file.write_text("old")
    for path, reason in ((tmp_path, "Is a directory"), (file / "report", "File exists")):
        result = command("certify", "no-such-journal.json", "--json", str(tmp_path / "new"), flag, str(path))
        assert (result.returncode, result.stdout) == (2, "")
        assert f"{path}: cannot write: {reason}; give a writable path" in result.stderr
    refused = command("certify", "no-such-journal.json", flag, str(file))
    assert "no-such-journal.json: cannot read" in refused.stderr
    assert file.read_text() == "old"
    assert not (tmp_path / "new").exists()


def test_reports_are_written_for_other_tools(command: Command, tmp_path: Path) -> None:
    journal, folder = written(tmp_path, SAMPLES["M6"][1]()), tmp_path / "reports"
    flags = [part for name in ("html", "json", "junit", "sarif") for part in (f"--{name}", str(folder / name))]
    command("certify", journal, *flags)
    written_as_json = json.loads((folder / "json").read_bytes())
    assert (written_as_json["certified"], written_as_json["summary"]["errors"]) == (False, 1)
    assert written_as_json["judged"]["of"] == f"journal {journal}"
    assert '<h1 class="bad">Not certified</h1>' in (folder / "html").read_text()
    suite = ET.parse(folder / "junit").getroot()
    assert (suite.get("tests"), suite.get("failures")) == ("53", "1")
    (result,) = (
        one for one in json.loads((folder / "sarif").read_bytes())["runs"][0]["results"] if one["level"] == "error"
    )
    assert result["ruleId"] == "M6"


def test_a_file_that_cannot_be_judged_is_refused(command: Command, tmp_path: Path) -> None:
    file = tmp_path / "other.json"
    file.write_text("{}")
    result = command("certify", str(file))
    assert result.returncode == 2
    assert "other.json: this is not traffic that can be judged; give a journal (GET /_mock/journal?" in result.stderr


def test_a_file_with_a_part_of_the_journal_is_not_certified(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, Journal().placed(), complete=False))
    assert result.returncode == 1
    assert "nothing to certify for any merchant: no rule could be decided" in result.stderr
    assert "save it with limit=10000" in result.stdout


def test_the_page_about_a_server_has_its_entries_and_links_to_them(
    command: Command, tmp_path: Path, server: MockKlarna
) -> None:
    shop = server.as_merchant("page-shop")
    body = {"merchant_urls": {"place_order": "https://shop.example.com/p"}}
    shop.send("POST", "/instantshopping/v1/buttons", body, headers={"User-Agent": "python-requests/2"})
    (entry,) = shop.journal(kind="exchange")
    file = tmp_path / "report.html"
    flags = ("--url", server.url, "--passive", "--merchant", "page-shop", "--fail-on", "hint", "--html", str(file))
    assert command("certify", *flags).returncode == 1
    page = file.read_text()
    assert f'href="{server.url}/_mock/journal/{entry["seq"]}"' in page
    assert "User-Agent: python-requests/2" in page


def test_a_server_that_does_not_answer_exits_4(command: Command) -> None:
    assert command("certify", "--url", "http://127.0.0.1:1").returncode == 4


def test_a_merchant_without_traffic_is_a_usage_error_that_names_the_others(
    command: Command, server: MockKlarna
) -> None:
    shop = server.as_merchant("tea-shop")
    shop.create_button(
        merchant_urls={"place_order": "https://shop.example.com/p", "terms": "https://shop.example.com/t"}
    )
    server.as_merchant("mistyped").send("GET", "/instantshopping/v1/buttons/none")
    result = command("certify", "--url", server.url, "--merchant", "tee-shop")
    assert (result.returncode, result.stdout) == (2, "")
    start = "mock-klarna: --merchant: there is no traffic of the merchant 'tee-shop'; the server has "
    assert result.stderr.startswith(start)
    assert "'tea-shop'" in result.stderr
    assert result.stderr.endswith("; did you mean tea-shop?\n")
    assert "mistyped" not in result.stderr


def test_a_file_names_its_merchants_for_one_that_it_does_not_have(command: Command, tmp_path: Path) -> None:
    result = command("certify", written(tmp_path, Journal().placed()), "--merchant", "nobody")
    assert (result.returncode, result.stdout) == (2, "")
    assert "there is no traffic of the merchant 'nobody'; the file has 'shop'; give the username" in result.stderr


def test_another_server_than_mock_klarna_is_not_judged(command: Command, server: MockKlarna) -> None:
    result = command("certify", "--url", f"{server.url}/instantshopping")
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        "is not mock-klarna: it answered GET /_mock/health with 401; give the address of mock-klarna" in result.stderr
    )


@pytest.mark.parametrize(
    ("merchants", "text"),
    [
        ([], "the file has no other merchant"),
        (["K1"], "the file has no other merchant"),
        (["K1", "tea"], "the file has 'tea'"),
        ([f"shop {number:02}" for number in range(12)], "'shop 08', 'shop 09' and 2 more"),
    ],
    ids=["none", "itself", "another", "many"],
)
def test_other_merchants_are_named_up_to_ten(merchants: list[str], text: str) -> None:
    assert certify_shop.other_merchants("the file", merchants, "K1").endswith(text)
