"""Statements of the pages that no code block shows."""

import json
import re

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.certify import RULES
from mock_klarna.settings import from_environment
from tests.documentation import curl
from tests.documentation.conftest import Sandbox
from tests.documentation.pages import PAGES, ROOT, blocks

TEXT = "\n".join(page.read_text("utf-8") for page in PAGES)


def test_every_password_is_accepted_under_mock() -> None:
    assert "every password is accepted, also with `--credentials`" in TEXT
    with serve_in_thread(Settings(port=0, credentials=("K123:secret",))) as server:
        status, _, _ = curl.requested("GET", f"{server.url}/_mock/purchases", user="K123:wrong")
    assert status == 200


def test_several_credentials_fit_in_one_variable() -> None:
    (given,) = re.findall(r"`MOCK_KLARNA_CREDENTIALS=(\S+)`", TEXT)
    assert from_environment({"MOCK_KLARNA_CREDENTIALS": given}).credentials == ("K123:secret", "K456:secret")


@pytest.mark.parametrize(
    ("pattern", "folder"), [(r"(\d+) stored scenarios", "scenarios"), (r"Test shoppers in (\d+) countries", "shoppers")]
)
def test_the_number_of_fixtures_is_right(pattern: str, folder: str) -> None:
    numbers = set(re.findall(pattern, TEXT))
    assert numbers == {str(len(list((ROOT / "fixtures" / folder).iterdir())))}


def test_the_pages_use_no_word_of_the_old_vocabulary() -> None:
    words = r"\b(held|wish|strangers?|hopeless|hasty|is told|whoever)\b"
    current = "\n".join(page.read_text("utf-8") for page in PAGES if page.name != "CHANGELOG.md")
    prose = re.sub(r"(?m)^\|.*$", "", current)
    assert re.findall(words, prose, re.IGNORECASE) == []


def test_an_error_of_the_sandbox_is_the_one_of_the_page(sandbox: Sandbox) -> None:
    (block,) = blocks("json")
    shown = json.loads(block.code)
    body = {shown["errors"][0]["path"]: shown["errors"][0]["value"]}
    status, headers, answer = curl.requested("POST", f"{sandbox.klarna}/_mock/purchases", body)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")
    assert answer.keys() == shown.keys()
    assert (answer["status"], answer["title"]) == (shown["status"], shown["title"])
    (problem,) = answer["errors"]
    assert problem.keys() == shown["errors"][0].keys()
    assert problem["expected"].startswith(shown["errors"][0]["expected"])


def test_the_functions_of_the_demo_shop_are_where_the_page_says() -> None:
    rows = re.findall(
        r"(?m)^\| [A-Z].* \| ([^|]*`[^|]*\.(?:py|js)`) \|$", (ROOT / "docs" / "certify.md").read_text("utf-8")
    )
    assert len(rows) == 18
    for row in rows:
        for names, module in re.findall(r"((?:`\w+`,? )+)in `(\w+\.py)`", row):
            code = (ROOT / "mock_klarna" / "demo" / module).read_text("utf-8")
            for name in re.findall(r"\w+", names):
                assert f"def {name}(" in code, (name, module)


def test_every_rule_that_a_shop_can_obey_has_its_place_in_the_demo_shop() -> None:
    section = (ROOT / "docs" / "certify.md").read_text("utf-8").partition("## The demo shop as an example")[2]
    named = set(re.findall(r"\b[A-Z]\d+\b", section.partition("## The rules")[0]))
    assert named == {rule.id for rule in RULES} - {"T4"}
