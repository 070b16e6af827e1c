"""The findings as JSON, JUnit XML and SARIF for other tools, from the JSON of `GET /_mock/findings`."""

from collections.abc import Mapping, Sequence
from hashlib import sha256
from typing import Any
from xml.etree import ElementTree as ET

import orjson

from mock_klarna.certify.terminal import is_certified, verdict, with_count
from mock_klarna.errors import xml_text

Json = Mapping[str, Any]
_SARIF_LEVELS = {"error": "error", "warning": "warning", "hint": "note"}
_UNDECIDED = ("inconclusive", "skipped")


def as_json(found: Json, judged: Json, failing: Sequence[str]) -> bytes:
    """Return the report that `schemas/certify_report.json` describes; `judged` says what was judged, and by which version."""
    members = {"certified": is_certified(found, failing), "verdict": verdict(found, failing), "judged": judged}
    return orjson.dumps({**members, **found}, option=orjson.OPT_INDENT_2)


def junit(found: Json, failing: Sequence[str]) -> bytes:
    """Return a JUnit XML document with a case for each rule and merchant.

    Findings of the severities `failing` are failures, and others are in the output of a passed case.
    """
    root = ET.Element("testsuites", {"name": "mock-klarna certify"})
    suites: dict[str, ET.Element] = {}
    for result in found["rules"]:
        merchant = result["merchant"]
        if merchant not in suites:
            suites[merchant] = ET.SubElement(root, "testsuite", {"name": xml_text(f"certify {merchant}")})
        name, group = f"{result['rule']} {result['title']}", f"certify.{result['family']}"
        case = ET.SubElement(suites[merchant], "testcase", {"name": name, "classname": group, "time": "0"})
        _add_result(case, result, _cases(found, result), failing)
    for suite in suites.values():
        suite.set("tests", str(len(suite.findall("testcase"))))
        suite.set("failures", str(len(suite.findall("testcase/failure"))))
        suite.set("errors", "0")
        suite.set("skipped", str(len(suite.findall("testcase/skipped"))))
        suite.set("time", "0")
    for name in ("tests", "failures", "errors"):
        root.set(name, str(sum(int(suite.get(name, "0")) for suite in suites.values())))
    ET.indent(root)
    return bytes(ET.tostring(root, encoding="utf-8", xml_declaration=True))


def _cases(found: Json, result: Json) -> list[Json]:
    of = (result["merchant"], result["rule"])
    return [finding for finding in found["findings"] if (finding["merchant"], finding["rule"]) == of]


def _add_result(case: ET.Element, result: Json, cases: Sequence[Json], failing: Sequence[str]) -> None:
    text = xml_text("\n\n".join(_as_text(finding) for finding in cases))
    worst = next((finding for finding in cases if finding["severity"] in failing), None)
    if worst is not None:
        message = xml_text(f"{with_count(worst['seen'], worst)}; expected {worst['expected']}")
        ET.SubElement(case, "failure", {"message": message, "type": worst["severity"]}).text = text
    elif cases:
        ET.SubElement(case, "system-out").text = xml_text(f"{cases[0]['severity']}\n{text}")
    elif result["outcome"] in _UNDECIDED:
        ET.SubElement(case, "skipped", {"message": xml_text(f"{result['outcome']}: {result['reason']}")})


def _as_text(finding: Json) -> str:
    members = {**finding, "seen": with_count(finding["seen"], finding)}
    return "\n".join(
        [*(f"{name}: {members[name]}" for name in ("seen", "expected", "remedy", "source")), *finding["evidence"]]
    )


def sarif(found: Json, version: str, url: str = "") -> bytes:
    """Return a SARIF 2.1.0 log. Its results are at virtual files of the rules, because tools demand files.

    url: the address of the server, before the paths of the evidence. Rules without a result are notifications.
    """
    rules = {result["rule"]: result for result in found["rules"]}
    indexes = {rule: index for index, rule in enumerate(rules)}
    run = {
        "tool": {
            "driver": {
                "name": "mock-klarna",
                "semanticVersion": version,
                "rules": [_sarif_rule(result) for result in rules.values()],
            }
        },
        "invocations": [
            {
                "executionSuccessful": True,
                "toolConfigurationNotifications": [
                    {
                        "level": "note",
                        "message": {"text": _notice(result)},
                        "associatedRule": {"id": result["rule"], "index": indexes[result["rule"]]},
                    }
                    for result in found["rules"]
                    if result["outcome"] in _UNDECIDED
                ],
            }
        ],
        "results": [_sarif_result(finding, indexes, url) for finding in found["findings"]],
    }
    document = {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}
    return orjson.dumps(document, option=orjson.OPT_INDENT_2)


def _sarif_rule(result: Json) -> Json:
    help_text = f"{result['remedy']} Source: {result['source']}."
    return {
        "id": result["rule"],
        "name": result["title"],
        "shortDescription": {"text": result["title"]},
        "fullDescription": {"text": f"{result['title']}. {result['remedy']}"},
        "help": {"text": help_text, "markdown": help_text},
        "defaultConfiguration": {"level": _SARIF_LEVELS[result["severity"]]},
        "properties": {"tags": [result["family"]]},
    }


def _notice(result: Json) -> str:
    return f"{result['rule']} is {result['outcome']} for {result['merchant']}: {result['reason']}"


def _sarif_result(finding: Json, indexes: Mapping[str, int], url: str) -> Json:
    evidence = [f"{url if place.startswith('/') else ''}{place}" for place in finding["evidence"]]
    text = f"{finding['title']}. Seen: {with_count(finding['seen'], finding)}. Expected: {finding['expected']}. {finding['remedy']}"
    text = f"{text} Evidence: {' '.join(evidence)}. Merchant: {finding['merchant']}."
    identity = sha256(f"{finding['merchant']}\n{finding['rule']}".encode()).hexdigest()[:32]
    region = {"startLine": 1}
    return {
        "ruleId": finding["rule"],
        "ruleIndex": indexes[finding["rule"]],
        "level": _SARIF_LEVELS[finding["severity"]],
        "occurrenceCount": finding["cases"],
        "message": {"text": text},
        "locations": [
            {
                "physicalLocation": {"artifactLocation": {"uri": f"mock-klarna/{finding['rule']}"}, "region": region},
                "logicalLocations": [
                    {"fullyQualifiedName": place, "kind": "resource"} for place in finding["evidence"]
                ],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": f"{identity}:1"},
        "properties": {"seen": finding["seen"], "expected": finding["expected"], "evidence": evidence},
    }
