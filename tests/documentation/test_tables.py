"""The tables of all pages are those of the code, and every step and setting is in one."""

import re

import pytest

from tests.documentation.pages import PAGES, ROOT, blocks, copied, without_copies
from tests.documentation.tables import STEP_NAMES, TABLES, VARIABLES, placed, rewritten

TEXTS = {page: page.read_text("utf-8") for page in PAGES}


def test_the_tables_of_a_page_are_those_of_the_code() -> None:
    for page in PAGES:
        assert rewritten(TEXTS[page]) == TEXTS[page], (
            f"{page}: python -m tests.documentation.tables rewrites the tables"
        )


def test_the_examples_on_a_page_are_the_files_in_the_folder_of_examples() -> None:
    for page in PAGES:
        assert copied(page, TEXTS[page]) == TEXTS[page], (
            f"{page}: python -m tests.documentation.tables copies the files"
        )


def test_every_table_is_on_a_page() -> None:
    assert {name for text in TEXTS.values() for name, *_ in placed(text)} == TABLES.keys()


def test_the_members_of_every_step_are_documented_once() -> None:
    documented = [
        step for text in TEXTS.values() for name, *steps in placed(text) if name == "members" for step in steps
    ]
    assert sorted(documented) == sorted(STEP_NAMES)


@pytest.mark.parametrize("variable", VARIABLES)
def test_every_variable_that_scenarios_always_have_is_documented(variable: str) -> None:
    assert re.search(rf"(?m)^\|.*`\$\{{{variable}\}}`.*\|$", TEXTS[ROOT / "docs" / "scenarios.md"])


def test_every_code_block_has_a_language_that_is_tested() -> None:
    tested = {"console", "php", "python", "yaml", "yml", "html", "js", "json", "text", "toml"}
    assert {block.language for block in blocks()} <= tested
    for page, text in TEXTS.items():
        assert without_copies(text).count("\n```") == 2 * sum(block.page == page for block in blocks()), (
            f"{page.name} has a block without a language"
        )
