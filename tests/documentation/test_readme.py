"""What only the README says: its first screen, its demo, its merchant, and why an order is refused."""

import inspect
import json
import re
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import HTTPServer
from typing import Any

import pytest

from mock_klarna.certify import RULES
from mock_klarna.certify.probes import PROBES
from mock_klarna.cli import demo
from tests.commands import Command
from tests.documentation import curl
from tests.documentation.conftest import Sandbox
from tests.documentation.pages import README, ROOT, Block, blocks

TEXT = README.read_text("utf-8")
MAX_LINES, MAX_BYTES = 240, 300_000


def block(language: str, containing: str) -> Block:
    """Return the one code block of the README that contains a text."""
    (found,) = (each for each in blocks(language, containing=containing) if each.page == README)
    return found


def test_the_readme_is_short_and_its_pictures_light() -> None:
    assert len(TEXT.splitlines()) <= MAX_LINES
    pictures = re.findall(r"\(docs/images/(.+\.png)\)", TEXT)
    assert pictures == ["dialog.png", "dashboard.png"]
    assert all((ROOT / "docs" / "images" / name).stat().st_size < MAX_BYTES for name in pictures)


def test_the_first_screen_has_the_picture_and_both_commands() -> None:
    screen = "\n".join(TEXT.splitlines()[:40])
    assert screen.index("dialog.png") < screen.index("demo --once") < screen.index(".venv/bin/pytest")


@pytest.mark.process
def test_the_command_for_the_tests_is_the_one_that_continuous_integration_runs() -> None:
    ran = subprocess.run([ROOT / ".ci" / "readme-test-command"], capture_output=True, text=True, check=True)
    assert ran.stdout.strip() == 'python3 -m venv .venv && .venv/bin/pip install -e ".[test]" && .venv/bin/pytest'


def test_the_demo_prints_what_the_readme_shows(command: Command) -> None:
    ran = command("demo", "--once", "--port", "0")
    assert ran.returncode == 0
    for line in block("text", "John Doe buys").code.splitlines():
        assert re.search(_pattern(line), ran.stdout, re.MULTILINE), line


def _pattern(line: str) -> str:
    """Return what matches a line of output with other ids and times; `…` stands for any text."""
    pattern = re.escape(line).replace("…", ".*")
    pattern = re.sub(r"\b[0-9a-f]{8}\.\*", ".*", pattern)
    pattern = re.sub(r"^\d\d:\d\d:\d\d\\\.\d{3}(\\ \\ )([0-9a-f]{8})?", r"[\\d:.]{12}\1(\\w{8})?", pattern)
    return "^" + re.sub(r"(\\ )+[\d\\.]+\\ ms", r" +(less than )?[\\d.]+ ms", pattern) + "$"


@contextmanager
def merchant(sandbox: Sandbox) -> Iterator[str]:
    """Run the README's merchant, on a free port, and give its address."""
    code = sandbox.replaced(block("python", "HTTPServer").code).replace("3000", "0")
    assert code.count(".serve_forever()") == 1
    names: dict[str, Any] = {}
    *program, last = code.strip().splitlines()
    exec("\n".join(program), names)
    server: HTTPServer = eval(last.removesuffix(".serve_forever()"), names)
    names["Merchant"].log_message = lambda *_: None
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.mark.process
def test_the_merchant_places_the_order_of_the_curl_commands(
    sandbox: Sandbox, capsys: pytest.CaptureFixture[str]
) -> None:
    script = block("console", "/_mock/purchases").code
    with merchant(sandbox) as address:
        printed = curl.run(sandbox.replaced(script.replace("http://127.0.0.1:3000", address)))
        purchase = curl.decided(sandbox.klarna, printed)
    assert purchase["state"] == "placed"
    assert capsys.readouterr().out == f"placed {purchase['order_id']}\n"
    (callback,) = purchase["callbacks"]
    assert (callback["kind"], callback["url"]) == ("place_order", f"{address}/")


@pytest.mark.process
def test_the_merchant_is_not_certified_as_the_readme_shows(sandbox: Sandbox, command: Command) -> None:
    shown = [line for line in block("text", "not certified").code.splitlines() if line != "..."]
    with merchant(sandbox) as address:
        curl.run(sandbox.replaced(block("console", "/_mock/purchases").code.replace("http://127.0.0.1:3000", address)))
        options = ("--url", sandbox.klarna, "--shop", address, "--merchant", "K123:secret", "--patience", "60")
        ran = command("certify", *options, "--only", "V1")
    assert ran.returncode == 1
    printed = re.sub(rf"{sandbox.klarna}(/_mock/journal/)\d+", r"http://127.0.0.1:8080\g<1>19", ran.stdout)
    probe, verdict = shown[0].removeprefix(f" 2/{len(PROBES)}"), shown[-1].partition(":")[0]
    assert [line for line in (probe, verdict, *shown[1:-1]) if line not in printed] == [], ran.stdout


def test_the_number_of_probes_and_rules_is_right() -> None:
    pages = (TEXT, (ROOT / "docs" / "certify.md").read_text("utf-8"), inspect.getsource(demo))
    assert [re.findall(r"(\d+)\s+probes", page) for page in pages] == [[str(len(PROBES))]] * len(pages)
    assert re.findall(r"(\d+) rules", TEXT) == [str(len(RULES))] * 2


def test_the_merchant_has_about_fifteen_lines() -> None:
    assert len([line for line in block("python", "HTTPServer").code.splitlines() if line]) <= 15


@pytest.fixture
def refusal(sandbox: Sandbox) -> Any:
    """The journal entry of an order whose tax is the one that the pages show."""
    urls = {"place_order": "http://127.0.0.1:1/place-order", "terms": "http://127.0.0.1:1/terms"}
    curl.requested("POST", f"{sandbox.klarna}/instantshopping/v1/buttons", {"merchant_urls": urls})
    page = json.loads((ROOT / "fixtures" / "carts" / "se-battery-pack.json").read_text("utf-8"))
    wanted = {"page": page, "shopper": "se-approved", "wait": 0}
    _, _, purchase = curl.requested("POST", f"{sandbox.klarna}/_mock/purchases", wanted)
    order = purchase["order"]
    order["order_tax_amount"] += 5000 - order["order_lines"][0]["total_tax_amount"]
    order["order_lines"][0]["total_tax_amount"] = 5000
    orders = f"{sandbox.klarna}/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    status, headers, _ = curl.requested("POST", orders, order)
    assert status == 400
    return curl.requested("GET", headers["Mock-Klarna-Explanation"])[2]


@pytest.mark.parametrize("shown", blocks("text", containing="[line_tax]"), ids=lambda block: block.name)
def test_an_order_with_a_wrong_tax_is_refused_as_the_page_shows(shown: Block, refusal: Any) -> None:
    (problem,) = refusal["problems"]
    lines = shown.code.splitlines()
    assert " shop → Klarna  POST /instantshopping/v1/authorizations/" in lines[0]
    assert lines[0].endswith("…/orders → 400 in 0.7 ms")
    assert lines[1].strip() == "{path} [{rule}]: sent {value}, expected {expected} ({formula})".format(**problem)


def test_the_scenario_of_the_readme_is_the_first_of_the_page_about_scenarios() -> None:
    first = next(each for each in blocks("yaml", containing="\nsteps:") if each.page.name == "scenarios.md")
    assert block("yaml", "\nsteps:").code == first.code


def test_the_job_for_continuous_integration_is_about_ten_lines() -> None:
    assert len(block("yaml", "runs-on").code.splitlines()) <= 12
