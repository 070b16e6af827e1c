"""The findings as one HTML page with their evidence. It has no script and loads nothing; a hash allows its style sheet."""

from base64 import b64encode
from collections.abc import Iterable, Mapping, Sequence
from hashlib import sha256
from html import escape
from pathlib import Path
from typing import Any

import orjson

from mock_klarna.certify.rule import FAMILIES
from mock_klarna.certify.terminal import verdict, with_count

Json = Mapping[str, Any]
_STYLES = Path(__file__).with_name("report.css")
_MAX_CHARACTERS = 20_000
"""How many characters of a body the page has."""
_MAX_CASES = 5
"""How many cases of a rule the page has; the JSON report has more."""
_OUTCOMES = ("error", "warning", "hint", "passed", "inconclusive", "skipped")
_SEVERITIES = _OUTCOMES[:3]


def page(
    found: Json, judged: Json, failing: Sequence[str], evidence: Mapping[str, Json] | None = None, url: str = ""
) -> bytes:
    """Return the page.

    judged: what was judged, as in the JSON report. evidence: journal entries by their places in the findings.
    url: the address of the server that has the entries, "" if none is known.
    """
    styles = _STYLES.read_text(encoding="utf-8")
    digest = b64encode(sha256(styles.encode()).digest()).decode()
    policy = f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'"
    result = verdict(found, failing).partition(":")[0].capitalize()
    body = _Body(found, evidence or {}, url)
    head = (
        '<meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{escape(policy)}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<meta name="color-scheme" content="light dark">',
        '<meta name="referrer" content="no-referrer">',
        _tag("title", f"{result}: mock-klarna certify"),
        f"<style>{styles}</style>",
    )
    content = (
        _header(found, judged, failing, result),
        _tag(
            "main",
            _join(_notes(judged["notes"]), body.overview(), body.findings(), body.undecided(), body.passed()),
            raw=True,
        ),
        _tag("footer", f"mock-klarna {judged['version']} judged {judged['of']} at {judged['at']}."),
    )
    document = ('<!doctype html>\n<html lang="en">\n<head>', *head, "</head>\n<body>", *content, "</body>\n</html>\n")
    return "\n".join(document).encode()


def _tag(name: str, content: str = "", classes: str = "", *, raw: bool = False, **attributes: str | None) -> str:
    """Return an element; `content` is text, or HTML if it is `raw`. An attribute that is None is left out."""
    given = {
        "class": classes or None,
        **{key.rstrip("_").replace("_", "-"): value for key, value in attributes.items()},
    }
    written = "".join(f' {key}="{escape(value)}"' for key, value in given.items() if value is not None)
    return f"<{name}{written}>{content if raw else escape(content)}</{name}>"


def _join(*parts: str) -> str:
    return "\n".join(part for part in parts if part)


def _header(found: Json, judged: Json, failing: Sequence[str], result: str) -> str:
    counts = found["summary"]
    numbers = {
        name: counts[name if name in counts else f"{name}s"] for name in ("passed", *_SEVERITIES, *_OUTCOMES[4:])
    }
    shown = [
        _tag("div", _join(_tag("dt", _counted(name, number)), _tag("dd", str(number))), name, raw=True)
        for name, number in numbers.items()
        if number or name in ("passed", "error", "warning", "inconclusive")
    ]
    facts = {"Judged": judged["of"], "Time": judged["at"], "Fails on": judged["fail_on"], "Version": judged["version"]}
    about = "".join(_tag("div", _tag("dt", name) + _tag("dd", value), raw=True) for name, value in facts.items())
    mark = {"Certified": "good", "Partly certified": "partly"}.get(result, "bad")
    return _tag(
        "header",
        _join(
            _tag("p", "mock-klarna certify", "brand"),
            _tag("h1", result, mark),
            _tag("p", verdict(found, failing).partition(": ")[2].capitalize(), "verdict"),
            _bar(numbers),
            _tag("dl", "".join(shown), "counts", raw=True),
            _tag("dl", about, "facts", raw=True),
        ),
        raw=True,
    )


def _counted(name: str, number: int) -> str:
    return name if name not in _SEVERITIES or number == 1 else f"{name}s"


def _bar(numbers: Mapping[str, int]) -> str:
    """Return the shares of the outcomes as a bar; the numbers are in the text below it."""
    at, parts = 0, []
    for name, number in numbers.items():
        parts.append(f'<rect class="{name}" x="{at}" y="0" width="{number}" height="1"/>' if number else "")
        at += number
    box = f'viewBox="0 0 {max(at, 1)} 1" preserveAspectRatio="none"'
    return f'<svg class="bar" {box} aria-hidden="true" focusable="false">{"".join(parts)}</svg>'


def _notes(notes: Sequence[str]) -> str:
    items = "".join(_tag("li", note) for note in notes)
    return _tag("ul", items, "notes", raw=True, aria_label="Notes") if notes else ""


class _Body:
    """The parts of the page below its head."""

    def __init__(self, found: Json, evidence: Mapping[str, Json], url: str) -> None:
        self._results: Sequence[Json] = found["rules"]
        self._evidence = evidence
        self._url = url
        self._cases: dict[tuple[str, str], list[Json]] = {}
        for finding in found["findings"]:
            self._cases.setdefault((finding["merchant"], finding["rule"]), []).append(finding)
        self._merchants = list(dict.fromkeys(result["merchant"] for result in self._results))

    def overview(self) -> str:
        """Return every rule as a tile, in groups; tiles of findings lead to them."""
        return _join(*(self._tiles(merchant) for merchant in self._merchants))

    def _tiles(self, merchant: str) -> str:
        rows = []
        for family in FAMILIES.values():
            tiles = [self._tile(one) for one in self._of(merchant) if one["family"] == family]
            if tiles:
                rows.append(_tag("h3", family) + _tag("ul", "".join(tiles), raw=True))
        groups = "".join(_tag("div", row, "group", raw=True) for row in rows)
        title = _tag("h2", f"Rules for {merchant}" if merchant else "Rules")
        return _tag("section", title + _tag("div", groups, "groups", raw=True), "overview", raw=True)

    def _of(self, merchant: str) -> list[Json]:
        return [result for result in self._results if result["merchant"] == merchant]

    def _outcome(self, result: Json) -> str:
        """Return the outcome, or the most severe severity of the findings."""
        cases = self._cases.get((result["merchant"], result["rule"]))
        return str(cases[0]["severity"] if cases else result["outcome"])

    def _tile(self, result: Json) -> str:
        outcome = self._outcome(result)
        text = _join(_tag("b", result["rule"]), _tag("span", f"{outcome}: {result['title']}", "visually-hidden"))
        title = f"{result['rule']} {outcome}: {result['title']}"
        if outcome in _SEVERITIES:
            link = _tag("a", text, outcome, raw=True, href=f"#{self._anchor(result)}", title=title)
            return _tag("li", link, raw=True)
        return _tag("li", _tag("span", text, outcome, raw=True, title=title), raw=True)

    def _anchor(self, result: Json) -> str:
        return f"{result['rule']}-{self._merchants.index(result['merchant']) + 1}"

    def findings(self) -> str:
        """Return a card for each rule that was broken, the most severe first."""
        broken = [result for result in self._results if (result["merchant"], result["rule"]) in self._cases]
        if not broken:
            return ""
        broken.sort(key=lambda result: _SEVERITIES.index(self._outcome(result)))
        cards = [self._card(result) for result in broken]
        title = _tag("h2", f"{len(broken)} rule{'s were' if len(broken) > 1 else ' was'} broken")
        filters = _filters([self._outcome(result) for result in broken])
        return _tag("section", _join(title, filters, *cards), "findings", raw=True)

    def _card(self, result: Json) -> str:
        cases, severity = self._cases[result["merchant"], result["rule"]], self._outcome(result)
        head = _tag("span", severity, f"badge {severity}") + " " + _tag("span", result["rule"], "id") + " "
        of = [_tag("p", f"Merchant {result['merchant']}", "merchant")] if len(self._merchants) > 1 else []
        cases = cases[:_MAX_CASES]
        hidden = result["broken"] - sum(case["cases"] for case in cases)
        more = (
            _tag("p", f"{hidden} more {'case is' if hidden == 1 else 'cases are'} not shown.", "more") if hidden else ""
        )
        advice = (
            _tag("dt", "Remedy")
            + _tag("dd", cases[0]["remedy"])
            + _tag("dt", "Source")
            + _tag("dd", cases[0]["source"])
        )
        return _tag(
            "article",
            _join(
                _tag("h3", head + _tag("span", result["title"]), raw=True),
                *of,
                *(self._case(case, number, len(cases)) for number, case in enumerate(cases, 1)),
                more,
                _tag("dl", advice, "advice", raw=True),
            ),
            f"finding {severity}",
            raw=True,
            id=self._anchor(result),
        )

    def _case(self, case: Json, number: int, count: int) -> str:
        pair = "".join(
            _tag("div", _tag("dt", name) + _tag("dd", case[member]), member, raw=True)
            for name, member in ((with_count("Seen", case), "seen"), ("Expected", "expected"))
        )
        title = _tag("h4", f"{number} of {count}") if count > 1 else ""
        entries = "".join(self._entry(place) for place in case["evidence"])
        return _tag("div", _join(title, _tag("dl", pair, "pair", raw=True), entries), "case", raw=True)

    def _entry(self, place: str) -> str:
        """Return one journal entry of the evidence, closed; one that is not known is a link or its place."""
        entry = self._evidence.get(place)
        is_linked = bool(self._url) and place.startswith("/")
        link = _tag("a", place, href=f"{self._url}{place}", rel="noreferrer") if is_linked else _tag("code", place)
        if entry is None:
            return _tag("p", f"Evidence: {link}", "place", raw=True)
        time = _tag("time", str(entry["at"])[11:19], datetime=str(entry["at"]))
        summary = time + " " + _tag("span", _line_of(entry), "what") + " " + _status(entry)
        content = _join(_tag("p", f"Journal entry {link}", "place", raw=True), *_parts(entry))
        return _tag("details", _tag("summary", summary, raw=True) + content, raw=True)

    def undecided(self) -> str:
        """Return the rules that were not decided, with their reasons."""
        found = [result for result in self._results if result["outcome"] in ("inconclusive", "skipped")]
        if not found:
            return ""
        rows = [
            (
                self._name(result),
                _tag("span", result["outcome"], f"badge {result['outcome']}"),
                escape(result["reason"]),
            )
            for result in found
        ]
        return _tag("section", _tag("h2", "Not decided") + _table(("Rule", "Result", "Why"), rows), raw=True)

    def passed(self) -> str:
        """Return the rules that passed."""
        results = [result for result in self._results if result["outcome"] == "passed"]
        if not results:
            return ""
        rows = [(self._name(one), escape(str(one["cases"])), escape(one["source"])) for one in results]
        return _tag("section", _tag("h2", "Passed") + _table(("Rule", "Cases", "Source"), rows), raw=True)

    def _name(self, result: Json) -> str:
        of = f" ({result['merchant']})" if len(self._merchants) > 1 else ""
        return _tag("span", result["rule"], "id") + " " + escape(f"{result['title']}{of}")


def _filters(severities: Sequence[str]) -> str:
    """Return the choice of severities: the style sheet hides the others."""
    present = [severity for severity in _SEVERITIES if severity in severities]
    if len(present) < 2:
        return ""
    choices = [("all", f"All {len(severities)}")]
    choices += [(name, f"{severities.count(name)} {_counted(name, severities.count(name))}") for name in present]
    radios = "".join(
        f'<label><input type="radio" name="only" id="only-{name}"{" checked" if name == "all" else ""}> {text}</label>'
        for name, text in choices
    )
    return _tag("fieldset", _tag("legend", "Show", "visually-hidden") + radios, "filters", raw=True)


def _table(head: Iterable[str], rows: Iterable[Iterable[str]]) -> str:
    """Return a table; the cells of the rows are HTML."""
    titles = "".join(_tag("th", title, scope="col") for title in head)
    lines = "".join(
        _tag(
            "tr",
            _tag("th", first, raw=True, scope="row") + "".join(_tag("td", cell, raw=True) for cell in rest),
            raw=True,
        )
        for first, *rest in rows
    )
    return _tag(
        "table", _tag("thead", _tag("tr", titles, raw=True), raw=True) + _tag("tbody", lines, raw=True), raw=True
    )


def _line_of(entry: Json) -> str:
    if entry["kind"] == "exchange":
        return f"Shop → Klarna: {entry['method']} {entry['path']}"
    if entry["kind"] == "callback":
        return f"Klarna → shop: {entry['name']} to {entry['url']}"
    return f"Klarna: {str(entry['name']).replace('_', ' ')}"


def _status(entry: Json) -> str:
    if entry["kind"] == "event":
        return ""
    status = entry.get("status")
    return _tag("span", str(status or "no answer"), "status" if status and status < 400 else "status bad")


def _parts(entry: Json) -> Iterable[str]:
    """Yield what an entry has: what was wrong, headers, bodies."""
    for name in ("explanation", "error", "remedy"):
        if entry.get(name):
            yield _tag("p", str(entry[name]), "why")
    problems = [f"{one['path'] or 'body'}: expected {one['expected']}" for one in entry.get("problems") or ()]
    if problems:
        yield _tag("ul", "".join(_tag("li", problem) for problem in problems), "problems", raw=True)
    if entry["kind"] == "event":
        yield _shown("Event", {name: value for name, value in entry.items() if name not in ("seq", "kind", "merchant")})
        return
    headers = entry.get("request_headers") or ()
    yield _shown("Request headers", "\n".join(f"{name}: {value}" for name, value in headers))
    yield _shown("Request body", entry.get("request_body"))
    yield _shown("Answer body", entry.get("response_body", entry.get("answer_body")))


def _shown(title: str, value: Any) -> str:
    if value in (None, ""):
        return ""
    text = value if isinstance(value, str) else orjson.dumps(value, option=orjson.OPT_INDENT_2).decode()
    if len(text) > _MAX_CHARACTERS:
        text = f"{text[:_MAX_CHARACTERS]}\n… {len(text) - _MAX_CHARACTERS} more characters"
    body = _tag("pre", text, tabindex="0", role="group", aria_label=title)
    return _tag("h4", title, "part") + body
