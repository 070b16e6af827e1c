"""The report for a terminal: in groups, in lines of its width, with and without colours."""

import re

import pytest

from mock_klarna.certify import only, report, skip, terminal
from mock_klarna.certify.terminal import Style, text, verdict
from tests.certify.samples import SAMPLES, Journal
from tests.certify.test_reports import found_in

GROUPS = ["Keys", "Callbacks", "Validation", "Placing", "Denying", "After the order", "Transport"]
COLOUR = re.compile(r"\x1b\[[0-9;]*m")


@pytest.mark.parametrize("columns", [80, 120])
def test_no_line_is_longer_than_the_terminal_but_those_of_links(columns: int) -> None:
    found = skip(found_in(*(breaks() for _obeys, breaks in SAMPLES.values())), {"O9": "the reason " * 20})
    lines = text(found, "http://localhost:8080", Style(columns=columns), notes=["a long note " * 20]).splitlines()
    assert [line for line in lines[:-1] if len(line) > columns and "http://localhost:8080" not in line] == []
    assert max(len(line) for line in lines[:-1]) > columns - 20


def test_rules_are_in_their_groups_and_the_verdict_is_the_last_line() -> None:
    lines = text(found_in(SAMPLES["M6"][1]())).splitlines()
    assert [line for line in lines if line in GROUPS] == GROUPS
    assert lines[-1].startswith("not certified: ")
    group = next(
        name for name in reversed(lines[: next(at for at, line in enumerate(lines) if "M6" in line)]) if name in GROUPS
    )
    assert group == "After the order"


def test_colours_add_nothing_but_colours() -> None:
    found = found_in(SAMPLES["M6"][1](), Journal().placed())
    plain, coloured = text(found), text(found, style=Style(colours=True))
    assert "\x1b" not in plain
    assert "\x1b[1;31merror" in coloured
    assert COLOUR.sub("", coloured) == plain


def test_several_merchants_are_shown_one_after_the_other() -> None:
    lines = text(found_in(SAMPLES["M6"][1](), Journal().placed())).splitlines()
    assert [line for line in lines if line.startswith("Merchant")] == ["Merchant shop-0", "Merchant shop-1"]
    assert "Merchant shop-0" not in text(found_in(Journal().placed()))


def test_only_some_cases_of_a_rule_are_shown_and_the_others_counted() -> None:
    journal = Journal()
    for number in range(30):
        journal.captured(key=f"k-{number}", amount=1).captured(key=f"k-{number}", amount=2).captured(key=None)
    shown = text(found_in(journal))
    assert shown.count("again for another request") == 3
    assert "and 27 more cases like these" in shown
    assert shown.count("capture_order without") == 1
    assert "seen      capture_order without Klarna-Idempotency-Key (30 times)" in shown


def test_rules_without_a_decision_for_the_same_reason_share_a_line() -> None:
    assert "           K3 K4: this needs a placed order of a button key" in text(found_in(Journal()))


@pytest.mark.parametrize(
    ("journal", "failing", "is_certified"),
    [
        (Journal().placed(), ("error",), True),
        (SAMPLES["M4"][1](), ("error",), True),
        (SAMPLES["M4"][1](), ("error", "warning"), False),
        (SAMPLES["M6"][1](), ("error",), False),
        (SAMPLES["M6"][1](), (), True),
        (Journal(), ("error",), False),
    ],
    ids=["good", "warning", "warning that fails", "error", "error that does not fail", "nothing happened"],
)
def test_what_was_not_seen_is_not_certified(journal: Journal, failing: tuple[str, ...], is_certified: bool) -> None:
    found = found_in(journal)
    assert terminal.is_certified(found, failing) is is_certified
    assert verdict(found, failing).startswith("partly certified: " if is_certified else "not certified: ")


def test_what_was_seen_in_part_is_certified_in_part() -> None:
    found = found_in(Journal().placed())
    passed = [one["rule"] for one in found["rules"] if one["outcome"] == "passed"]
    undecided = [one["rule"] for one in found["rules"] if one["outcome"] == "inconclusive"]
    half = only(found, {*passed, *undecided[: len(passed)]})
    assert verdict(half).startswith("certified: ")
    more = only(found, {*passed, *undecided[: len(passed) + 1]})
    assert verdict(more).startswith("partly certified: ")
    assert verdict(skip(more, {undecided[0]: "not used"})).startswith("certified: ")
    assert terminal.is_certified(more, ("error",))


def test_a_report_that_is_not_complete_is_not_certified() -> None:
    found = {**only(found_in(Journal().placed()), {"C3"}), "incomplete": "the shop ended"}
    assert verdict(found) == "not certified: 1 rule, 1 passed, 0 warnings, 0 errors, 0 inconclusive"
    assert terminal.why_undecided(found) == "the shop ended"


def test_the_second_part_of_a_line_is_below_the_first_where_both_do_not_fit() -> None:
    assert terminal.two_parts("head ", "two words", None) == ["head two words"]
    assert terminal.two_parts("head ", "two words", 14) == ["head two words"]
    assert terminal.two_parts("head ", "two words", 13) == ["head", "        two", "        words"]


def test_no_merchant_at_all_is_not_certified() -> None:
    assert verdict(report([])) == "not certified: 0 rules, 0 passed, 0 warnings, 0 errors, 0 inconclusive"
