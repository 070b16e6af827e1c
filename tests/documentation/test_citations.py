"""Every citation of a protocol fact leads to a place in docs/klarna.md, and that document keeps its own promises."""

import re
from collections.abc import Mapping
from dataclasses import fields
from functools import cache
from pathlib import Path

from mock_klarna.settings import Settings

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "klarna.md"
TEXT = DOCUMENT.read_text(encoding="utf-8")

SEARCHED = ("mock_klarna", "schemas", "fixtures", "tests", "docs", "README.md")
SUFFIXES = frozenset({".py", ".json", ".yaml", ".md", ".js", ".html", ".css"})

_ITEM = r"(?:§\d+(?:\.\d+)?|C-\d+)(?![\d.]*\d)"
_GAP = r"\s+(?:[#*]\s+)?"
_CITED = re.compile(rf"klarna\.md{_GAP}({_ITEM}(?:(?:,|;|{_GAP}and|{_GAP}to)?{_GAP}{_ITEM})*)")
_STEP = re.compile(
    rf"\bguide,{_GAP}steps?{_GAP}(\d+(?:\.[a-z])?(?:(?:,|{_GAP}and){_GAP}\d+(?:\.[a-z])?)*)", re.IGNORECASE
)
_OLD = re.compile(
    r"(?i:\bprotocol,?\s+(?:\d|C-)|\bseed,\s+(?:steps?\b|\d)|\bseed page)|(?<![\w-])C-\d+|§\s?\d+",
)

_MARKS = re.compile(r"C-\d|§|(?i:protocol|seed)")
"""What every text with an old form has."""


@cache
def cited(text: str) -> list[str]:
    """Return the places that a text cites: `§3.10`, `C-14`, `step 3`, in order."""
    found = [(match.start(), re.findall(_ITEM, match[1])) for match in _CITED.finditer(text)]
    found += [
        (match.start(), [f"step {number}" for number in re.findall(r"\d+(?:\.[a-z])?", match[1])])
        for match in _STEP.finditer(text)
    ]
    return [place for _, places in sorted(found) for place in places]


def old_forms(text: str) -> list[str]:
    """Return what looks like a citation and does not name the document: the former words, a bare `C-14`, a bare `§3.1`."""
    return _OLD.findall(_CITED.sub("", text)) if _MARKS.search(text) else []


def places(document: str) -> set[str]:
    """Return every place of the document that can be cited."""
    sections = re.findall(r"^#{2,3} (§\d+(?:\.\d+)?) ", document, re.MULTILINE)
    rows = re.findall(r"^\| (C-\d+) \|", document, re.MULTILINE)
    steps = re.findall(r"^### Guide, (step \d+)$|\*\*Guide, (step \d+\.[a-z])\*\*", document, re.MULTILINE)
    return {*sections, *rows, *(step for pair in steps for step in pair if step)}


@cache
def searched_texts() -> Mapping[Path, str]:
    """Return the texts of the files that may cite, but of this one, whose samples are made up."""
    paths = [ROOT / name for name in SEARCHED]
    files = [file for path in paths for file in (sorted(path.rglob("*")) if path.is_dir() else [path])]
    return {
        file: file.read_text(encoding="utf-8") for file in files if file.suffix in SUFFIXES and file != Path(__file__)
    }


def line_of(find: str, file: Path) -> str:
    """Return where a text stands in a file, as `path:line`."""
    text = file.read_text(encoding="utf-8")
    return f"{file.relative_to(ROOT)}:{text[: text.find(find)].count(chr(10)) + 1}"


def test_the_finder_finds_what_a_text_cites() -> None:
    for text, expected in (
        ("The limits (klarna.md §3.10).", ["§3.10"]),
        ("klarna.md §3", ["§3"]),
        ("klarna.md §3.10, §3.11", ["§3.10", "§3.11"]),
        ("klarna.md §4.3 and §9.5", ["§4.3", "§9.5"]),
        ("klarna.md §3.2, C-20", ["§3.2", "C-20"]),
        ("klarna.md C-7 and C-29", ["C-7", "C-29"]),
        ("klarna.md §10, rule 4", ["§10"]),
        ("at the end of a line (klarna.md\n    §3.1)", ["§3.1"]),
        ("in a comment (klarna.md §3.1,\n # §3.2)", ["§3.1", "§3.2"]),
        ("(guide, step 3)", ["step 3"]),
        ("(guide, step 2.a)", ["step 2.a"]),
        ("(guide, steps 1 and 3)", ["step 1", "step 3"]),
        ("(guide, step 3; klarna.md §3.11)", ["step 3", "§3.11"]),
        ("(klarna.md §5; guide, step 3)", ["§5", "step 3"]),
        ("a guide of three steps", []),
        ("section 3.10 of the document", []),
    ):
        assert cited(text) == expected, text


def test_the_finder_finds_citations_that_do_not_name_the_document() -> None:
    for text, expected in (
        ("(protocol 3.10)", ["protocol 3"]),
        ("Protocol, 13: null", ["Protocol, 1"]),
        ("(protocol C-26)", ["protocol C-"]),
        ("(seed, step 3)", ["seed, step"]),
        ("(seed, 8.2)", ["seed, 8"]),
        ("the seed page's order", ["seed page"]),
        ("the redirect counts (C-10)", ["C-10"]),
        ("the limits of §3.10", ["§3"]),
        ("klarna.md §3.2 says so, and C-20", ["C-20"]),
        ("klarna.md §3.2, C-20", []),
        ("the same seed, the same ids", []),
        ("HTTP is a protocol of 1991", []),
        ("AC-3 and EAC-3", []),
        ('{"callback_id": "c-1"}', []),
    ):
        assert old_forms(text) == expected, text


def test_a_place_is_a_heading_a_row_or_a_step() -> None:
    document = "## §3 Data\n\n### §3.10 Address\n\n| C-14 | a | b |\n\n### Guide, step 2\n\n* **Guide, step 2.a**: b\n\n§3.11, C-15"
    assert places(document) == {"§3", "§3.10", "C-14", "step 2", "step 2.a"}


def test_every_citation_leads_to_a_place_of_the_document() -> None:
    known = places(TEXT)
    wrong = {
        f"{line_of(place, file)} cites {place}"
        for file, text in searched_texts().items()
        for place in cited(text)
        if place not in known
    }
    assert not wrong


def test_every_citation_names_the_document() -> None:
    """Within `docs/`, where sections refer to each other, a bare `C-14` or `§3.1` is fine."""
    wrong = [
        f"{line_of(form, file)}: {form}"
        for file, text in searched_texts().items()
        for form in old_forms(text)
        if not (ROOT / "docs" in file.parents and form.startswith(("C-", "§")))
    ]
    assert not wrong


def test_code_schemas_and_tests_cite_the_document() -> None:
    """The search is not blind: each of these folders has many citations."""
    counted = dict.fromkeys(("mock_klarna", "schemas", "tests"), 0)
    for file, text in searched_texts().items():
        folder = file.relative_to(ROOT).parts[0]
        if folder in counted:
            counted[folder] += len(cited(text))
    assert min(counted.values()) >= 20, counted


def test_the_document_has_every_number_once_and_in_order() -> None:
    sections = re.findall(r"^#{2,3} §(\d+)(?:\.(\d+))? ", TEXT, re.MULTILINE)
    numbers = [(int(chapter), int(section or 0)) for chapter, section in sections]
    rows = [int(number) for number in re.findall(r"^\| C-(\d+) \|", TEXT, re.MULTILINE)]
    assert numbers == sorted(set(numbers))
    assert [chapter for chapter, section in numbers if not section] == list(range(16))
    assert rows == list(range(1, 30))


def test_every_link_within_the_document_leads_to_a_heading() -> None:
    heads = re.findall(r"^#+ (.+)$", TEXT, re.MULTILINE)
    anchors = {re.sub(r"[^\w -]", "", head.lower()).strip().replace(" ", "-") for head in heads}
    links = set(re.findall(r"\]\(#([^)]+)\)", TEXT))
    assert links
    assert links <= anchors, links - anchors


def test_every_setting_that_the_document_names_exists() -> None:
    flags = {"--" + field.name.replace("_", "-") for field in fields(Settings)}
    negated = {flag.replace("--", "--no-", 1) for flag in flags}
    named = set(re.findall(r"`(--[a-z-]+)", TEXT))
    assert {"--strict", "--repeated-order"} <= named
    assert named <= flags | negated, named - flags - negated
