"""`run` runs scenarios: what it prints, which reports it writes, and its exit codes."""

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from xml.etree import ElementTree as ET

import pytest

from mock_klarna import Settings, serve_in_thread
from tests.commands import Command, command_process
from tests.conftest import CLOSED
from tests.merchants.processes import environment
from tests.scenario.conftest import BUTTON

pytestmark = pytest.mark.process

PASSES = f"name: Passes\nsteps:\n  {BUTTON}\n"
FAILS = f"name: Fails\nsteps:\n  {BUTTON}\n  - expect_event: {{name: purchase_placed, within: 0}}\n"


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """A folder with a scenario that passes and one that fails."""
    (tmp_path / "passes.yaml").write_text(PASSES)
    (tmp_path / "fails.yaml").write_text(FAILS)
    return tmp_path


def test_all_stored_scenarios_pass_in_a_process_of_their_own(tmp_path: Path) -> None:
    with command_process("run", "--junit", tmp_path / "new" / "report.xml", "--seed", "1") as process:
        output, errors = process.communicate(timeout=300)
    assert process.returncode == 0, output[-3000:] + errors[-3000:]
    cases = ET.parse(tmp_path / "new" / "report.xml").findall("./testsuite/testcase")
    assert len(cases) >= 30
    assert f"\n{len(cases)} passed in " in output


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_writes_the_reports_of_what_has_ended(files: Path, number: signal.Signals) -> None:
    (files / "waits.yaml").write_text(PASSES.replace("Passes", "Waits") + "  - pause: 1h\n")
    junit = files / "report.xml"
    with command_process("run", files / "passes.yaml", files / "waits.yaml", "--junit", junit) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("passed  Passes")
        process.send_signal(number)
        output, errors = process.communicate(timeout=120)
    assert (process.returncode, errors) == (130, "")
    assert re.fullmatch(r"1 passed in \S+ s, 1 interrupted\n", output), output
    assert [case.get("name") for case in ET.parse(junit).iter("testcase")] == ["Passes"]


def test_a_failed_expectation_exits_1_with_annotations_for_github(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    summary = files / "summary.md"
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(summary))
    result = command("run", files)
    assert result.returncode == 1
    assert "FAILED  Fails" in result.stdout
    assert "passed  Passes" in result.stdout
    assert "actual    there was no purchase_placed" in result.stdout
    assert f"::error file={files / 'fails.yaml'},line=4" in result.stdout
    assert "1 passed, 1 failed in " in summary.read_text("utf-8")


def test_a_summary_for_github_that_cannot_be_written_is_a_usage_error(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(files / "no" / "summary.md"))
    result = command("run", files / "passes.yaml")
    assert (result.returncode, result.stdout.splitlines()[0][:6]) == (2, "passed")
    expected = f"mock-klarna: {files}/no/summary.md: cannot write: No such file or directory; give a writable path\n"
    assert result.stderr == expected


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (["invalid.yaml"], "invalid.yaml:1:1: steps is missing"),
        (
            ["nowhere.yaml"],
            "no such file, folder or stored scenario; `mock-klarna run --list` prints the names of all ",
        ),
        (["wrong-tx"], "wrong-tx: no such file, folder or stored scenario; did you mean wrong-tax?\n"),
        (["passes.yaml", "--var", "shp=x"], "--var: no scenario has a variable 'shp'"),
        (["passes.yaml", "--var", "shop"], "--var: cannot set 'shop'; give NAME=VALUE"),
        (["passes.yaml", "--var", "klarna=x"], "with a name other than klarna, merchant, password"),
        (["passes.yaml", "--url", "bad"], "--url: 'bad' is not the URL of a server; give http://HOST:PORT"),
        (["passes.yaml", "--url", "http://:80"], "--url: 'http://:80' is not the URL of a server"),
        (
            ["passes.yaml", "--prefix", "a:b"],
            "--prefix: 'a:b' contains a colon, at which a username ends; give a prefix",
        ),
        (["passes.yaml", "--jobs", "0"], "--jobs: '0' is not an integer from 1 to 10000"),
        (["passes.yaml", "--merchant", "foo"], "--merchant: 'foo' has no user or no password; give USER:PASSWORD"),
        (["passes.yaml", "--merchant", ""], "--merchant: '' has no user or no password; give USER:PASSWORD"),
        (["passes.yaml", "--url", "http://127.0.0.1:1", "--port", "5"], "--port: this is a setting of the server"),
        (["passes.yaml", "--url", "http://127.0.0.1:1", "--no-strict"], "--strict: this is a setting of the server"),
        (["accepted", "--url", "http://127.0.0.1:1"], "the variable shop has no value; --var shop=VALUE"),
        (["passes.yaml", "--junit", "passes.yaml/x.xml"], "cannot write: "),
        (["passes.yaml", "--json", "."], "cannot write: "),
        (
            ["accepted", "--strict"],
            "--strict: the demo shop has no https, which strict requires; leave --strict out, or",
        ),
        (
            ["passes.yaml", "--store", "disk"],
            "mock-klarna: --store: 'disk' is not memory, sqlite:PATH or postgresql://",
        ),
        (
            ["passes.yaml", "-k", "zebra"],
            "-k: no scenario matches 'zebra'; --list prints the names and titles of all 1",
        ),
        (["passes.yaml", "-k", "a and"], "-k: cannot read the expression: expected a word, found the end; give words"),
    ],
)
def test_a_usage_error_exits_2_with_a_hint(command: Command, arguments: list[str], error: str, files: Path) -> None:
    (files / "invalid.yaml").write_text("name: x\n")
    result = command("run", *(files / word if ".yaml" in word else word for word in arguments))
    assert (result.returncode, error in result.stderr) == (2, True), result.stderr


def test_a_taken_port_exits_3(command: Command, files: Path, taken_port: int) -> None:
    result = command("run", files / "passes.yaml", "--port", taken_port)
    assert result.returncode == 3
    assert "cannot listen on 127.0.0.1" in result.stderr


def test_a_server_that_does_not_answer_exits_4(command: Command, files: Path) -> None:
    result = command("run", files / "passes.yaml", "--url", "http://127.0.0.1:1")
    assert result.returncode == 4
    assert "no answer from http://127.0.0.1:1" in result.stderr


def test_the_address_of_another_server_exits_2_before_anything_is_run(
    command: Command, files: Path, other_server: str
) -> None:
    result = command("run", files / "passes.yaml", "--url", f"{other_server}/")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"--url: {other_server} is not mock-klarna: it answered GET /_mock/health with 200; give " in result.stderr


def test_a_dropped_connection_fails_its_scenario_and_no_other(command: Command, files: Path) -> None:
    fault = "  - fault: {on: request, operation: create_button, drop: true}\n"
    (files / "fails.yaml").write_text(f"name: Drops\nsteps:\n{fault}  {BUTTON}\n")
    result = command("run", files, "--seed", "1")
    assert result.returncode == 1, result.stderr
    assert "FAILED  Drops" in result.stdout
    assert "actual    no answer from http://127.0.0.1:" in result.stdout
    assert "\n1 passed, 1 failed in " in result.stdout


def test_an_existing_server_variables_and_a_transcript_can_be_given(command: Command, files: Path) -> None:
    scenario = files / "passes.yaml"
    head = PASSES.replace("steps:", "vars: {word: null}\nsteps:")
    scenario.write_text(head + "  - update_button: {name: '${word}'}\n")
    transcript = files / "transcript.txt"
    options = ("--var", "word=hello", "--verbose", "--transcript", transcript)
    with serve_in_thread(Settings(port=0)) as server:
        result = command("run", scenario, "--url", server.url + "/", *options)
    assert result.returncode == 0, result.stderr
    assert "PUT /instantshopping/v1/buttons/" in result.stdout
    assert transcript.read_text("utf-8").startswith("Passes\n  passed  create_button\n  passed  update_button\n")


def test_a_scenario_without_merchant_in_its_urls_has_a_shop_with_its_own_credentials(
    command: Command, files: Path
) -> None:
    urls = "{place_order: '${shop}/klarna/place-order', terms: '${shop}/terms', confirmation: '${shop}/thanks'}"
    text = f"""name: As in the first example
vars: {{shop: null}}
steps:
  - create_button: {{merchant_urls: {urls}}}
  - purchase: {{cart: se-battery-pack, shopper: se-approved, shipping_option: express_priority}}
  - expect_callback: {{kind: place_order}}
  - expect_purchase: {{state: placed, order_amount: 124000, fraud_status: ACCEPTED}}
"""
    (files / "fails.yaml").write_text(text)
    result = command("run", files / "fails.yaml")
    assert result.returncode == 0, result.stdout


SHOPPING = """name: {name}
vars: {{shop: null}}
steps:
  - create_button: {{merchant_urls: {{place_order: "${{shop}}/klarna/place-order", terms: "${{shop}}/terms"}}}}
  - purchase: {{cart: se-battery-pack, shopper: se-approved, wait: 600}}
  - expect_purchase: {{state: placed, within: 1d}}
"""
CLOSED_SHOP = "nobody listens on 127.0.0.1:1; is the shop running there?"


def test_a_shop_that_does_not_answer_exits_4_before_anything_is_run(command: Command, files: Path) -> None:
    (files / "passes.yaml").write_text(SHOPPING.format(name="Shopping"))
    for arguments in ([], ["--merchant", "K1:secret"]):
        result = command("run", files / "passes.yaml", "--var", f"shop={CLOSED}", *arguments)
        assert (result.returncode, result.stdout) == (4, "")
        assert f"nobody answers at {CLOSED}; {CLOSED_SHOP} (--wait-for {CLOSED} waits for it)" in result.stderr


def test_the_shop_of_a_file_is_tried_too(command: Command, files: Path) -> None:
    (files / "passes.yaml").write_text(SHOPPING.format(name="Shopping").replace("null", CLOSED))
    assert command("run", files / "passes.yaml").returncode == 4


def test_a_shop_that_only_another_server_reaches_is_not_tried(command: Command, files: Path) -> None:
    (files / "passes.yaml").write_text(PASSES.replace("steps:", "vars: {shop: null}\nsteps:"))
    with serve_in_thread(Settings(port=0)) as server:
        result = command("run", files / "passes.yaml", "--url", server.url, "--var", "shop=http://no-shop.invalid")
    assert result.returncode == 0, result.stdout


def test_the_cause_stands_in_the_failure_the_junit_message_and_the_annotation(
    command: Command, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    for number in range(4):
        (files / f"{number}.yaml").write_text(SHOPPING.format(name=f"Shopping {number}"))
    with serve_in_thread(Settings(port=0)) as server:
        line = [*sorted(files.glob("[0-9].yaml")), "--url", server.url, "--var", f"shop={CLOSED}"]
        result = command("run", *line, "--merchant", "K1:secret", "--junit", files / "report.xml")
    assert result.returncode == 1
    failures = ET.parse(files / "report.xml").findall("./testsuite/testcase/failure")
    actual = [text for text in result.stdout.splitlines() if text.strip().startswith("actual ")]
    annotations = [text for text in result.stdout.splitlines() if text.startswith("::error ")]
    assert [len(found) for found in (failures, actual, annotations)] == [4, 4, 4]
    assert all(CLOSED_SHOP in failure.attrib["message"] for failure in failures)
    assert all(CLOSED_SHOP in text for text in [*actual, *annotations])


@pytest.mark.parametrize("status", [200, 404, 405, 500, 501])
def test_a_shop_is_ready_with_any_answer_of_its_own(command: Command, files: Path, status: int) -> None:
    with _answering(status) as url:
        assert command("run", files / "passes.yaml", "--wait-for", url, "--wait-timeout", "0").returncode == 0


@pytest.mark.parametrize("status", [502, 503, 504])
def test_a_shop_that_is_not_ready_in_time_exits_4(command: Command, files: Path, status: int) -> None:
    with _answering(status) as url:
        result = command("run", files / "passes.yaml", "--wait-for", url, "--wait-timeout", "0")
    assert result.returncode == 4
    assert f"--wait-for: the shop at {url} was not ready within 0 s; it answered {status}\n" in result.stderr


@contextmanager
def _answering(status: int) -> Iterator[str]:
    """Run a shop that answers one GET with a status, and yield its URL."""

    class Shop(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

    with HTTPServer(("127.0.0.1", 0), Shop) as shop:
        shop.timeout = 60
        serving = Thread(target=shop.handle_request)
        serving.start()
        yield f"http://127.0.0.1:{shop.server_port}/ready"
        serving.join()


def test_a_shop_that_does_not_come_exits_4(command: Command, files: Path) -> None:
    result = command("run", files / "passes.yaml", "--wait-for", CLOSED, "--wait-timeout", "0.01")
    assert result.returncode == 4
    assert f"the shop at {CLOSED} was not ready within 0.01 s; Connection refused\n" in result.stderr
    assert command("run", files / "passes.yaml", "--wait-for", "shop:3000").returncode == 2


def test_a_shop_that_starts_late_is_waited_for(command: Command, files: Path) -> None:
    answers = iter([503, 503, 404])

    class Starting(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_error(next(answers))

    with HTTPServer(("127.0.0.1", 0), Starting) as shop:
        serving = Thread(target=shop.serve_forever, kwargs={"poll_interval": 0.01})
        serving.start()
        result = command("run", files / "passes.yaml", "--wait-for", f"http://127.0.0.1:{shop.server_port}")
        shop.shutdown()
        serving.join()
    assert (result.returncode, next(answers, None)) == (0, None)


def test_scenarios_are_listed_as_run_takes_them(command: Command, files: Path) -> None:
    (files / "needs.yaml").write_text("name: Needs a value\nvars: {word: null}\nsteps: [{pause: 0}]\n")
    result = command("run", files, "accepted", "--list")
    assert result.returncode == 0
    rows = dict(line.split("  ", 1) for line in result.stdout.splitlines())
    assert {name.strip(): title.strip() for name, title in rows.items()} == {
        f"{files}/fails.yaml": "Fails",
        f"{files}/needs.yaml": "Needs a value",
        f"{files}/passes.yaml": "Passes",
        "accepted": "A shopper buys with express shipping",
    }
    listed = command("run", files, "--list", "-k", "pass or needs and value").stdout.splitlines()
    assert [line.split("  ")[-1].strip() for line in listed] == ["Needs a value", "Passes"]


def test_only_scenarios_that_match_are_run(command: Command, files: Path) -> None:
    result = command("run", files, "-k", "not fails")
    assert result.returncode == 0
    assert result.stdout.splitlines()[0].startswith("passed  Passes")
    assert "\n1 passed in " in result.stdout


def test_a_run_ends_after_the_first_failure_and_its_reports_have_what_ran(command: Command, files: Path) -> None:
    (files / "a.yaml").write_text(PASSES)
    (files / "z.yaml").write_text(FAILS)
    paths = [files / name for name in ("a.yaml", "fails.yaml", "passes.yaml", "z.yaml")]
    result = command("run", *paths, "-x", "--json", files / "new" / "deep" / "report.json")
    assert result.returncode == 1
    assert "\n1 passed, 1 failed in " in result.stdout
    assert result.stdout.endswith(" s, 2 not run because of -x\n")
    written = json.loads((files / "new" / "deep" / "report.json").read_text("utf-8"))
    assert (written["passed"], written["failed"]) == (1, 1)
    first, second = written["scenarios"]
    assert (first["file"], first["passed"], first["failure"]) == (str(files / "a.yaml"), True, None)
    assert second["failure"]["step"] == "expect_event"
    assert second["failure"]["line"] == 4
    assert second["failure"]["actual"].startswith("there was no purchase_placed")
    assert second["timeline"]


def test_the_purchases_of_failed_scenarios_are_exported(command: Command, files: Path) -> None:
    button = BUTTON.removeprefix("- ")
    purchase = "purchase: {cart: se-battery-pack, shopper: se-approved, wait: 0}"
    expected = "expect_event: {name: purchase_placed, within: 0}"
    steps = "".join(f"  - {step}\n" for step in (button, purchase, purchase, expected))
    (files / "buys.yaml").write_text(f"name: Buys\nsteps:\n{steps}")
    (files / "other").mkdir()
    (files / "other" / "Buys.yaml").write_text(f"name: Buys too\nsteps:\n{steps}")
    passing = steps.replace(expected, "expect_event: {name: purchase_authorized}")
    (files / "buys-well.yaml").write_text(f"name: Buys well\nsteps:\n{passing}")
    folder = files / "new" / "purchases"
    reports = files / "report.xml", files / "report.json"
    result = command("run", files, files / "other", "--export", folder, "--junit", reports[0], "--json", reports[1])
    assert result.returncode == 1
    assert "2 passed, 3 failed in " in result.stdout
    paths = sorted(folder.iterdir())
    stems = ["Buys-3", "Buys-4", "buys-2", "buys"]  # of file systems that do not know upper case too
    assert [path.name for path in paths] == [f"{stem}.{kind}" for stem in stems for kind in ("har", "html")]
    printed = [line.strip() for line in result.stdout.splitlines() if line.startswith("        exported  ")]
    assert sorted(printed) == [f"exported  {path}" for path in paths]
    attached = [each.text for each in ET.parse(reports[0]).iterfind(".//system-out")]
    assert sorted("\n".join(map(str, attached)).splitlines()) == [f"[[ATTACHMENT|{path}]]" for path in paths]
    exported = [path for each in json.loads(reports[1].read_bytes())["scenarios"] for path in each["exported"]]
    assert sorted(exported) == [str(path) for path in paths]


def test_a_folder_that_cannot_be_written_stops_the_run_before_it_starts(command: Command, files: Path) -> None:
    result = command("run", files, "--export", files / "passes.yaml")
    assert (result.returncode, result.stdout) == (2, "")
    assert f"{files / 'passes.yaml'}: cannot write: " in result.stderr


@pytest.mark.parametrize(("given", "code"), [("5", 0), ("6", 1), ("many", 2)])
def test_a_variable_of_the_command_line_has_the_type_of_its_default(
    command: Command, tmp_path: Path, given: str, code: int
) -> None:
    file = tmp_path / "counts.yaml"
    repeat = "  - repeat: {times: '${turns}', steps: [{create_button: {}, status: 400}]}\n"
    expect = "  - expect_request: {operation: create_button, count: 5, within: 0}\n"
    file.write_text(f"name: x\nvars: {{turns: 1}}\nsteps:\n{repeat}{expect}")
    result = command("run", file, "--var", f"turns={given}")
    assert result.returncode == code, result.stderr
    assert code != 2 or "times is invalid: 'many'; expected an integer" in result.stderr


def test_a_reader_that_goes_ends_neither_the_run_nor_its_reports(files: Path, tmp_path: Path) -> None:
    report = tmp_path / "report.xml"
    line = [sys.executable, "-m", "mock_klarna", "run", str(files / "fails.yaml"), "--junit", str(report)]
    read, write = os.pipe()
    os.close(read)
    ended = subprocess.run(
        line, stdout=write, stderr=subprocess.PIPE, text=True, check=False, timeout=120, env=environment()
    )
    os.close(write)
    assert (ended.returncode, ended.stderr) == (1, "")
    assert ET.parse(report).getroot().get("failures") == "1"


@pytest.mark.parametrize("flag", ["--junit", "--json", "--transcript"])
def test_a_report_that_cannot_be_written_stops_the_run_before_it_starts(
    command: Command, files: Path, flag: str
) -> None:
    result = command("run", files / "passes.yaml", flag, files)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == f"mock-klarna: {files}: cannot write: Is a directory; give a writable path\n"


def test_a_quiet_run_prints_failures_and_counts(command: Command, files: Path) -> None:
    lines = command("run", files, "-q").stdout.splitlines()
    assert lines[0].startswith("FAILED  Fails")
    assert lines[-1].startswith("1 passed, 1 failed in ")
    assert not any("Passes" in line for line in lines)


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="this system has no terminals of this kind")
def test_a_terminal_shows_how_far_the_run_is(files: Path) -> None:
    ours, theirs = os.openpty()
    line = [sys.executable, "-m", "mock_klarna", "run", str(files / "passes.yaml"), str(files / "fails.yaml")]
    env = {**environment(), "TERM": "xterm", "GITHUB_ACTIONS": "", "COLUMNS": "40"}
    with subprocess.Popen(line, stdout=theirs, stderr=theirs, env=env) as process:
        os.close(theirs)
        shown = b"".join(iter(partial(_read, ours), b"")).decode()
    os.close(ours)
    assert process.returncode == 1
    assert "0 of 2 done, waiting for: Passes\r\x1b[2Kpassed  Passes  (" in shown
    assert "1 of 2 done, waiting for: Fails\r\x1b[2KFAILED  Fails  (" in shown
    assert "\x1b[2K1 passed, 1 failed in " in shown


def _read(terminal: int) -> bytes:
    """Read from a terminal; at its end Linux raises an error."""
    try:
        return os.read(terminal, 65536)
    except OSError:
        return b""
