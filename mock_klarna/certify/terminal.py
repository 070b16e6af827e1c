"""The findings as text, for a terminal and for messages of tests, from the JSON of `GET /_mock/findings`."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from textwrap import wrap
from typing import Any

from mock_klarna.certify.rule import FAMILIES

Json = Mapping[str, Any]
_SHORTEST, _LONGEST, _USUAL = 72, 120, 100
_LABEL, _ID, _NAME = 9, 5, 10
_MAX_CASES = 3
_BELOW = " " * 8
_BOLD, _DIM, _RESET = "\x1b[1m", "\x1b[2m", "\x1b[0m"
_COLOURS = {"error": "\x1b[1;31m", "warning": "\x1b[33m", "hint": "\x1b[36m", "passed": "\x1b[32m"}


@dataclass(frozen=True, slots=True)
class Style:
    """How text is shown: in colours or without, and in lines of how many columns; None is for a file or a pipe."""

    colours: bool = False
    columns: int | None = None

    @property
    def width(self) -> int:
        """The columns of a line."""
        return min(max(self.columns or _USUAL, _SHORTEST), _LONGEST)

    def paint(self, text: str, code: str) -> str:
        """Return text in a colour, where there are colours."""
        return f"{code}{text}{_RESET}" if self.colours and text else text


def verdict(found: Json, failing: Sequence[str] = ("error",)) -> str:
    """Return the result in one line: `certified`, `partly certified` or `not certified`, and how many rules had which result.

    With several merchants each of them has a result of each rule.
    """
    counts = found["summary"]
    rules, merchants = ({result[name] for result in found["rules"]} for name in ("rule", "merchant"))
    several = f" for {len(merchants)} merchants" if len(merchants) > 1 else ""
    parts = [_counted(len(rules), "rule") + several, f"{counts['passed']} passed"]
    parts += [_counted(counts[f"{name}s"], name) for name in ("warning", "error")]
    parts += [_counted(counts["hints"], "hint")] if counts["hints"] else []
    parts.append(f"{counts['inconclusive']} inconclusive")
    parts += [f"{counts['skipped']} skipped"] if counts["skipped"] else []
    if not is_certified(found, failing):
        word = "not certified"
    else:
        word = "partly certified" if is_mostly_undecided(found) else "certified"
    return f"{word}: {', '.join(parts)}"


def is_certified(found: Json, failing: Sequence[str]) -> bool:
    """Return whether no finding has one of some severities, and something passed: what was not seen is not certified."""
    return not any(finding["severity"] in failing for finding in found["findings"]) and not why_undecided(found)


def is_mostly_undecided(found: Json) -> bool:
    """Return whether more rules are inconclusive than were decided, so that the findings say little about the integration."""
    counts = found["summary"]
    return 2 * int(counts["inconclusive"]) > int(counts["rules"]) - int(counts["skipped"])


def why_undecided(found: Json) -> str:
    """Return why the results do not show enough to certify an integration, "" if they do.

    The member `incomplete` of a report is why probes were not played.
    """
    counts = found["summary"]
    if found.get("incomplete"):
        return str(found["incomplete"])
    if not any(counts[name] for name in ("passed", "errors", "warnings", "hints")):
        return "no rule could be decided"
    return "no rule passed" if not counts["passed"] and counts["inconclusive"] else ""


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def text(
    found: Json,
    url: str = "",
    style: Style = Style(),
    *,
    failing: Sequence[str] = ("error",),
    notes: Sequence[str] = (),
) -> str:
    """Return the results of each merchant in the groups of the rules, and the verdict in the last line.

    url: the address of the server, before the paths of the evidence. notes: what else limits the results.
    """
    merchants = list(dict.fromkeys(result["merchant"] for result in found["rules"]))
    lines: list[str] = []
    for merchant in merchants:
        if len(merchants) > 1:
            lines += [style.paint(f"Merchant {merchant}", _BOLD), ""]
        for family in FAMILIES.values():
            lines += _family(found, merchant, family, url, style)
    for note in notes:
        lines += [*_wrapped(f"Note: {note}", style.width, "      "), ""]
    last = verdict(found, failing)
    return "\n".join([*lines, style.paint(last, _BOLD if is_certified(found, failing) else _COLOURS["error"])])


def _family(found: Json, merchant: str, family: str, url: str, style: Style) -> list[str]:
    results = [one for one in found["rules"] if one["merchant"] == merchant and one["family"] == family]
    if not results:
        return []
    lines = [style.paint(family, _BOLD)]
    for result in results:
        cases = [one for one in found["findings"] if one["merchant"] == merchant and one["rule"] == result["rule"]]
        if cases:
            lines += _broken(result, cases, url, style)
    for outcome in ("inconclusive", "skipped"):
        lines += _without_result([one for one in results if one["outcome"] == outcome], outcome, style)
    passed = [result["rule"] for result in results if result["outcome"] == "passed"]
    if passed:
        start = f"  {style.paint('passed'.ljust(_LABEL), _COLOURS['passed'])}"
        first, *rest = wrap(" ".join(passed), style.width - _LABEL - 2)
        lines += [f"{start}{first}", *(f"{'':<{_LABEL + 2}}{line}" for line in rest)]
    return [*lines, ""]


def _broken(result: Json, cases: Sequence[Json], url: str, style: Style) -> Iterator[str]:
    severity = cases[0]["severity"]
    label = style.paint(severity.ljust(_LABEL), _COLOURS[severity])
    yield f"  {label}{style.paint(result['rule'].ljust(_ID), _BOLD)}{result['title']}"
    indent = 2 + _LABEL + _ID
    for case in cases[:_MAX_CASES]:
        yield from _member("seen", with_count(case["seen"], case), indent, style)
        yield from _member("expected", case["expected"], indent, style)
        yield from _places(case["evidence"], url, indent, style)
    if more := result["broken"] - sum(case["cases"] for case in cases[:_MAX_CASES]):
        yield from _member("", f"and {_counted(more, 'more case')} like these", indent, style)
    yield from _member("remedy", cases[0]["remedy"], indent, style)
    yield from _member("source", cases[0]["source"], indent, style)


def _without_result(results: Sequence[Json], outcome: str, style: Style) -> Iterator[str]:
    """Yield rules that were not decided, with their reasons; rules with the same reason are together."""
    rules: dict[str, list[str]] = {}
    for result in results:
        rules.setdefault(result["reason"], []).append(result["rule"])
    if rules:
        yield style.paint(f"  {outcome}", _DIM)
    for reason, ids in rules.items():
        start = f"{' '.join(ids)}: " if len(ids) > 1 else ids[0].ljust(_ID)
        indent = " " * (2 + _LABEL)
        for line in _wrapped(start + reason, style.width - len(indent), " " * _ID):
            yield style.paint(f"{indent}{line}", _DIM)


def _places(places: Sequence[str], url: str, indent: int, style: Style) -> Iterator[str]:
    """Yield where the evidence is, a URL a line, so that a terminal makes it a link."""
    for at, place in enumerate(places):
        name = style.paint(("" if at else "evidence").ljust(_NAME), _DIM)
        yield f"{'':<{indent}}{name}{url if place.startswith('/') else ''}{place}"


def _member(name: str, value: str, indent: int, style: Style) -> Iterator[str]:
    first, *rest = _wrapped(value, style.width - indent - _NAME)
    yield f"{'':<{indent}}{style.paint(name.ljust(_NAME), _DIM)}{first}"
    for line in rest:
        yield f"{'':<{indent + _NAME}}{line}"


def _wrapped(value: str, width: int, indent: str = "") -> list[str]:
    width = max(width, 20)
    return wrap(value, width, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False) or [""]


def with_count(text: str, finding: Json) -> str:
    """Return a text about a finding with the number of its cases, if it has several."""
    return f"{text} ({finding['cases']} times)" if finding["cases"] > 1 else text


def two_parts(head: str, rest: str, columns: int | None) -> list[str]:
    """Return a line of two parts; the second is below the first where both do not fit into so many columns."""
    if columns is None or len(head) + len(rest) <= columns:
        return [head + rest]
    return [head.rstrip(), *wrap(rest, columns, initial_indent=_BELOW, subsequent_indent=_BELOW)]


def finding_text(finding: Json, url: str = "") -> str:
    """Return one finding in several lines: severity, rule and title, then its members and the paths of the evidence."""
    style, indent = Style(), 14
    lines = [f"{finding['severity']:<8}{finding['rule']:<4}  {finding['title']}"]
    for name in ("seen", "expected", "remedy", "source"):
        text = with_count(finding[name], finding) if name == "seen" else finding[name]
        lines += _member(name, text, indent, style)
    return "\n".join([*lines, *_places(finding["evidence"], url, indent, style)])
