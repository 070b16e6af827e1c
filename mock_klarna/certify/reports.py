"""The findings as text, JUnit XML and SARIF, from the JSON of `GET /_mock/findings`."""

from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from mock_klarna.errors import xml_text

Json = Mapping[str, Any]
_WIDTH = 100
_INDENT = " " * 14
_SARIF_LEVELS = {"error": "error", "warning": "warning", "hint": "note"}


def verdict(found: Json) -> str:
    """Return the result in one line."""
    counts = found["summary"]
    parts = [_counted(counts["rules"], "rule"), f"{counts['passed']} passed"]
    parts += [_counted(counts[f"{name}s"], name) for name in ("error", "warning", "hint")]
    result = "not certified" if counts["errors"] else "certified"
    return f"{result}: {', '.join(parts)}, {counts['inconclusive']} inconclusive"


def _counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def text(found: Json, url: str = "") -> str:
    """Return findings, then the rules that could not be decided, then those that passed, and the verdict in the last line.

    url: the address of the server, before the paths of the evidence.
    """
    merchants = len({result["merchant"] for result in found["rules"]})
    lines = []
    for finding in found["findings"]:
        lines += [finding_text(finding, url, with_merchant=merchants > 1), ""]
    undecided = [result for result in found["rules"] if result["outcome"] == "inconclusive"]
    if undecided:
        lines.append("inconclusive, because there was none of this in the journal:")
        lines += [f"  {rule:<4}  {reason}" for rule, reason in _once(undecided)] + [""]
    passed = dict.fromkeys(result["rule"] for result in found["rules"] if result["outcome"] == "passed")
    if passed:
        lines += [*wrap(f"passed: {' '.join(passed)}", _WIDTH, subsequent_indent="        "), ""]
    return "\n".join([*lines, verdict(found)])


def finding_text(finding: Json, url: str = "", *, with_merchant: bool = False) -> str:
    """Return a finding in several lines: severity, rule and title, then its members and the paths of the evidence."""
    of = f" ({finding['merchant']})" if with_merchant else ""
    lines = [f"{finding['severity']:<8}{finding['rule']:<4}  {finding['title']}{of}"]
    for name in ("seen", "expected", "remedy", "source"):
        lines += _member(name, finding[name])
    return "\n".join([*lines, *_member("evidence", "  ".join(f"{url}{path}" for path in finding["evidence"]))])


def _once(results: Sequence[Json]) -> Iterator[tuple[str, str]]:
    """Yield the rules with their reasons, each pair once."""
    yield from dict.fromkeys((result["rule"], result["reason"]) for result in results)


def _member(name: str, value: str) -> list[str]:
    first, *rest = wrap(value, _WIDTH - len(_INDENT) - 10, break_long_words=False) or [""]
    return [f"{_INDENT}{name:<10}{first}", *(f"{_INDENT}{'':<10}{line}" for line in rest)]


def junit(found: Json, severities: Sequence[str]) -> bytes:
    """Return a JUnit XML document with a case for each rule and merchant; findings of `severities` are failures."""
    root = ET.Element("testsuites", {"name": "mock-klarna certify"})
    suites: dict[str, ET.Element] = {}
    failures: dict[tuple[str, str], list[Json]] = {}
    for finding in found["findings"]:
        if finding["severity"] in severities:
            failures.setdefault((finding["merchant"], finding["rule"]), []).append(finding)
    for result in found["rules"]:
        merchant = result["merchant"]
        if merchant not in suites:
            suites[merchant] = ET.SubElement(root, "testsuite", {"name": xml_text(merchant)})
        name = f"{result['rule']} {result['title']}"
        case = ET.SubElement(suites[merchant], "testcase", {"name": name, "classname": "certify", "time": "0"})
        broken = failures.get((merchant, result["rule"]), [])
        if broken:
            message = xml_text(f"{broken[0]['seen']}; expected {broken[0]['expected']}")
            failure = ET.SubElement(case, "failure", {"message": message, "type": broken[0]["severity"]})
            failure.text = xml_text("\n\n".join(_as_text(finding) for finding in broken))
        elif result["outcome"] == "inconclusive":
            ET.SubElement(case, "skipped", {"message": xml_text(f"inconclusive: {result['reason']}")})
    for suite in (root, *suites.values()):
        suite.set("tests", str(len(suite.findall(".//testcase"))))
        suite.set("failures", str(len(suite.findall(".//failure"))))
        suite.set("skipped", str(len(suite.findall(".//skipped"))))
        suite.set("errors", "0")
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _as_text(finding: Json) -> str:
    members = ("seen", "expected", "remedy", "source")
    return "\n".join([*(f"{name}: {finding[name]}" for name in members), *finding["evidence"]])


def sarif(found: Json, version: str) -> bytes:
    """Return a SARIF 2.1.0 log; the location of a result is the path of its first journal entry."""
    rules = {result["rule"]: result for result in found["rules"]}
    remedies = {finding["rule"]: finding["remedy"] for finding in found["findings"]}
    run = {
        "tool": {
            "driver": {
                "name": "mock-klarna",
                "version": version,
                "rules": [
                    {
                        "id": rule,
                        "shortDescription": {"text": result["title"]},
                        "help": {"text": remedies.get(rule, result["title"])},
                        "defaultConfiguration": {"level": _SARIF_LEVELS[result["severity"]]},
                    }
                    for rule, result in rules.items()
                ],
            }
        },
        "results": [
            {
                "ruleId": finding["rule"],
                "level": _SARIF_LEVELS[finding["severity"]],
                "message": {"text": f"{finding['seen']}; expected {finding['expected']}. {finding['remedy']}"},
                "locations": [
                    {"physicalLocation": {"artifactLocation": {"uri": path.removeprefix("/")}}}
                    for path in finding["evidence"]
                ],
            }
            for finding in found["findings"]
        ],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)
