"""Files that can be judged: journals, snapshots and exported purchases."""

import json
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.certify import judge, report, sources
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError
from tests.certify.conftest import Read, operations
from tests.certify.results import outcomes_of, reasons_of
from tests.certify.samples import SAMPLES, Journal

Json = dict[str, Any]


def as_journal(journal: Journal, **members: object) -> Json:
    return {"entries": journal.entries, "position": 9, "dropped": 0, "complete": True, **members}


def exported(journal: Journal, **members: object) -> str:
    """Return a purchase that was exported as HTML."""
    data = json.dumps({**as_journal(journal), "purchase": {}, "left_out": None, **members}).replace("<", "\\u003c")
    script = f'<script type="application/json" id="export">{data}</script>'
    return f"<!doctype html><html><script>let text = '{{}}';</script>{script}<p>text</p></html>"


def archived(journal: Journal, **members: object) -> Json:
    """Return a purchase that was exported as HAR."""
    sent = [{"request": {}, "_mock_klarna": entry} for entry in journal.entries if entry["kind"] != "event"]
    events = [entry for entry in journal.entries if entry["kind"] == "event"]
    return {"log": {"entries": sent, "_mock_klarna": {"entries": events, "dropped": 0, "purchase": {}, **members}}}


@pytest.mark.parametrize("form", [as_journal, exported, archived])
def test_a_file_of_the_sandbox_is_judged_as_its_journal(read: Read, form: Any) -> None:
    good, bad = read(form(Journal().placed())), read(form(SAMPLES["M7"][1]()))
    assert good.merchants == ["shop"]
    assert (outcomes_of(good.traffic("shop"))["C3"], outcomes_of(bad.traffic("shop"))["M7"]) == ("passed", "failed")
    (finding,) = next(result for result in judge(bad.traffic("shop")) if result.rule.id == "M7").findings
    assert finding.evidence == ("/_mock/journal/2",)


@pytest.mark.parametrize("form", [as_journal, exported, archived])
def test_a_file_that_begins_with_a_byte_order_mark_is_judged(read: Read, form: Any) -> None:
    content = form(Journal().placed())
    assert read("\ufeff" + (content if isinstance(content, str) else json.dumps(content))).merchants == ["shop"]


async def test_the_exports_of_a_server_are_judged_as_the_purchase_in_its_journal(
    klarna: MockKlarnaAsync, purchase: Any, read: Read
) -> None:
    async with Client(klarna.url, klarna.merchant) as client:
        path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
        order = {**purchase["order"], "merchant_reference1": "</script><script>"}
        await client.send("POST", path, order, headers={"User-Agent": "Shop/1.0"})
        await client.ask("GET", "/_mock/journal?kind=callback&wait=120")
        whole = {one["rule"]: one for one in (await client.ask("GET", "/_mock/findings"))["findings"]}
        exports = [
            await client.send("GET", f"/_mock/purchases/{purchase['purchase_id']}/export.{kind}")
            for kind in ("html", "har")
        ]
    for export in exports:
        source = read(export.body)
        found = report(judge(source.traffic(klarna.merchant)))
        (of_file,) = (one for one in found["findings"] if one["rule"] == "C3")
        assert of_file == whole["C3"]
        assert outcomes_of(source.traffic(klarna.merchant))["O1"] == "passed"
        assert "one purchase was judged" in source.notes[0]


@pytest.mark.parametrize("form", [exported, archived])
def test_one_purchase_does_not_show_what_compares_purchases(read: Read, form: Any) -> None:
    source = read(form(Journal().placed().captured()))
    assert {rule for rule, reason in reasons_of(source.traffic("shop")).items() if "one purchase" in reason} == {
        "K2",
        "O4",
        "M6",
    }
    assert "one purchase was judged" in source.notes[0]


@pytest.mark.parametrize("form", [exported, archived])
def test_entries_that_were_left_out_make_rules_inconclusive(read: Read, form: Any) -> None:
    source = read(form(Journal().placed(), left_out={"count": 3, "after": 2}))
    assert "passed" not in outcomes_of(source.traffic("shop")).values()
    assert any("left out" in note for note in source.notes)


@pytest.mark.parametrize("members", [{"complete": False}, {"dropped": 2}], ids=str)
def test_a_part_of_a_journal_passes_no_rule(read: Read, members: Json) -> None:
    source = read(as_journal(Journal().placed().captured(), **members))
    assert "passed" not in outcomes_of(source.traffic("shop")).values()


def test_callbacks_alone_are_no_evidence_that_a_request_is_missing(read: Read) -> None:
    journal = SAMPLES["D4"][1]()
    journal.entries = [entry for entry in journal.entries if entry["kind"] == "callback"]
    assert outcomes_of(read(as_journal(journal)).traffic("shop"))["D4"] == "failed"
    traffic = read(as_journal(journal, complete=False)).traffic("shop")
    assert outcomes_of(traffic)["D4"] == "inconclusive"
    assert "save it with limit=10000" in reasons_of(traffic)["D4"]


async def test_the_api_says_whether_its_journal_is_complete(klarna: MockKlarnaAsync, purchase: Any) -> None:
    async with Client(klarna.url, klarna.merchant) as client:
        whole = await client.ask("GET", "/_mock/journal")
        parts = [
            await client.ask("GET", f"/_mock/journal?{query}")
            for query in ("limit=1", "kind=event", "after=1", f"purchase_id={purchase['purchase_id']}", "status=2xx")
        ]
        for _ in range(220):
            await client.send("GET", f"/instantshopping/v1/authorizations/{purchase['authorization_token']}")
        long = await client.ask("GET", "/_mock/journal?limit=10000")
        long_part = await client.ask("GET", "/_mock/journal?limit=210")
    assert (whole["complete"], [part["complete"] for part in parts]) == (True, [False] * 5)
    assert (long["complete"], len(long["entries"]) > 220, long_part["complete"]) == (True, True, False)


async def test_a_snapshot_shows_its_callbacks_only(klarna: MockKlarnaAsync, purchase: Any, read: Read) -> None:
    async with Client(klarna.url, klarna.merchant) as client:
        await client.ask("GET", "/_mock/journal?kind=callback&wait=120")
        source = read(await client.ask("GET", "/_mock/snapshot"))
        found = judge(source.traffic(klarna.merchant))
        for result in found:
            for finding in result.findings:
                for place in finding.evidence:
                    assert (await client.ask("GET", place))["kind"] == "place_order"
    decided = {result.rule.id for result in found if result.outcome != "inconclusive"}
    assert {"K7", "C8"} <= decided <= {"K6", "K7", "C8"}
    (of_request,) = (result.reason for result in found if result.rule.id == "C3")
    assert of_request == "a snapshot has no journal; judge the server, or a saved journal"
    assert source.notes[0].startswith("a snapshot has no journal")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("<!doctype html><p>text</p>", "this page has no journal; give a journal"),
        ("<script type='application/json'>{</script>", "this is not traffic that can be judged"),
        *(
            (text, "this is not traffic that can be judged; give a journal")
            for text in (
                "",
                "[]",
                "{}",
                "5",
                '{"entries": 5}',
                '{"entries": [{}]}',
                '{"entries": [{"merchant": 1}]}',
                '{"log": {}}',
                '{"log": {"entries": [{}]}}',
                '{"merchants": {"shop": {}}}',
                '{"merchants": 5}',
            )
        ),
    ],
    ids=str,
)
def test_other_files_are_refused_with_what_would_be_right(read: Read, content: Any, message: str) -> None:
    with pytest.raises(MockKlarnaError) as refused:
        read(content)
    assert message in str(refused.value)


@pytest.mark.parametrize(
    "change",
    [
        {"method": None},
        {"path": 5},
        {"at": "yesterday"},
        {"seq": "1"},
        {"kind": "letter"},
        {"request_headers": True},
        {"request_headers": [["User-Agent", 5]]},
        {"problems": True},
        {"problems": ["wrong"]},
    ],
    ids=str,
)
def test_an_entry_that_no_journal_has_is_refused(read: Read, change: Json) -> None:
    journal = Journal().read()
    read(as_journal(journal))
    journal.entries[0] |= change
    with pytest.raises(MockKlarnaError, match="this is not traffic that can be judged"):
        read(as_journal(journal))


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="cannot read: No such file"):
        sources.read(str(tmp_path / "none.json"), operations)
