"""Files that can be judged: journals, snapshots, exported purchases, and HARs of browsers and proxies."""

import json
from base64 import b64encode
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.certify import Traffic, judge, report, sources
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError
from mock_klarna.web.operations import OPERATIONS
from tests.certify.samples import AUTHORIZATION, AUTHORIZED, BUTTON_KEY, ORDER, SAMPLES, TOKEN, URLS, Journal

Json = dict[str, Any]
CREDENTIALS = "Basic " + b64encode(b"shop:secret").decode()


def operations() -> Iterable[tuple[str, str, str]]:
    return [(one.method, one.path, one.name) for one in OPERATIONS]


@pytest.fixture
def read(tmp_path: Path) -> Any:
    """Writes a file and reads it as a source."""

    def of(content: Json | str) -> sources.Source:
        file = tmp_path / "traffic"
        file.write_text(content if isinstance(content, str) else json.dumps(content))
        return sources.read(str(file), operations)

    return of


def outcomes(traffic: Traffic) -> dict[str, str]:
    return {result.rule.id: result.outcome for result in judge(traffic)}


def reasons(traffic: Traffic) -> dict[str, str]:
    return {result.rule.id: result.reason for result in judge(traffic)}


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
def test_a_file_of_the_sandbox_is_judged_as_its_journal(read: Any, form: Any) -> None:
    good, bad = read(form(Journal().placed())), read(form(SAMPLES["M7"][1]()))
    assert good.merchants == ["shop"]
    assert (outcomes(good.traffic("shop"))["C3"], outcomes(bad.traffic("shop"))["M7"]) == ("passed", "failed")
    (finding,) = next(result for result in judge(bad.traffic("shop")) if result.rule.id == "M7").findings
    assert finding.evidence == ("/_mock/journal/2",)


async def test_the_exports_of_a_server_are_judged_as_the_purchase_in_its_journal(
    klarna: MockKlarnaAsync, purchase: Any, read: Any
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
        assert outcomes(source.traffic(klarna.merchant))["O1"] == "passed"
        assert "one purchase was judged" in source.notes[0]


@pytest.mark.parametrize("form", [exported, archived])
def test_one_purchase_does_not_show_what_compares_purchases(read: Any, form: Any) -> None:
    source = read(form(Journal().placed().captured()))
    assert {rule for rule, reason in reasons(source.traffic("shop")).items() if "one purchase" in reason} == {
        "K2",
        "O4",
        "M6",
    }
    assert "one purchase was judged" in source.notes[0]


@pytest.mark.parametrize("form", [exported, archived])
def test_entries_that_were_left_out_make_rules_inconclusive(read: Any, form: Any) -> None:
    source = read(form(Journal().placed(), left_out={"count": 3, "after": 2}))
    assert "passed" not in outcomes(source.traffic("shop")).values()
    assert any("left out" in note for note in source.notes)


@pytest.mark.parametrize("members", [{"complete": False}, {"dropped": 2}], ids=str)
def test_a_part_of_a_journal_passes_no_rule(read: Any, members: Json) -> None:
    source = read(as_journal(Journal().placed().captured(), **members))
    assert "passed" not in outcomes(source.traffic("shop")).values()


def test_callbacks_alone_are_no_evidence_that_a_request_is_missing(read: Any) -> None:
    journal = SAMPLES["D4"][1]()
    journal.entries = [entry for entry in journal.entries if entry["kind"] == "callback"]
    assert outcomes(read(as_journal(journal)).traffic("shop"))["D4"] == "failed"
    traffic = read(as_journal(journal, complete=False)).traffic("shop")
    assert outcomes(traffic)["D4"] == "inconclusive"
    assert "save it with limit=10000" in reasons(traffic)["D4"]


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


async def test_a_snapshot_shows_its_callbacks_only(klarna: MockKlarnaAsync, purchase: Any, read: Any) -> None:
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


class Recording:
    """A HAR of a browser or proxy, in which a request takes 10 ms and begins a second after the one before it."""

    def __init__(self) -> None:
        self.entries: list[Json] = []

    def sent(
        self, method: str, url: str, body: object = None, status: int = 200, answer: object = None, **headers: str
    ) -> "Recording":
        """Add a request."""
        names = {"Authorization": CREDENTIALS, "User_Agent": "Shop/1", **headers}
        request: Json = {
            "method": method,
            "url": url,
            "headers": [{"name": name.replace("_", "-"), "value": value} for name, value in names.items() if value],
        }
        if body is not None:
            request["postData"] = {"mimeType": "application/json", "text": json.dumps(body)}
        text = b64encode(json.dumps(answer).encode()).decode()
        response = {"status": status, "content": {"text": text, "encoding": "base64"} if answer else {}}
        at = f"2026-01-01T00:00:{len(self.entries):02}.000Z"
        self.entries.append({"startedDateTime": at, "time": 10, "request": request, "response": response})
        return self

    def har(self) -> Json:
        """Return the archive."""
        return {"log": {"version": "1.2", "entries": self.entries}}


API = "https://api.playground.klarna.com"


def shop_side() -> Recording:
    """Return what a proxy at the shop's server sees of a purchase without a callback."""
    return (
        Recording()
        .sent("GET", "https://cdn.example.com/logo.png")
        .sent("POST", f"{API}/instantshopping/v1/buttons", {"merchant_urls": URLS}, 201, {"button_key": BUTTON_KEY})
        .sent("GET", f"{API}{AUTHORIZATION}", answer=AUTHORIZED)
        .sent("POST", f"{API}{AUTHORIZATION}/orders", AUTHORIZED, answer={"order_id": "order-1"})
        .sent("POST", f"{API}{ORDER}/captures", {"captured_amount": 1}, 201)
    )


def test_requests_of_a_foreign_har_are_judged_as_far_as_they_show_it(read: Any) -> None:
    source = read(shop_side().har())
    assert (source.merchants, len(source.entries)) == (["shop"], 4)
    found = outcomes(source.traffic("shop"))
    assert {rule for rule, outcome in found.items() if outcome == "passed"} == {"K1", "K5", "K9", "O2", "M7", "T1"}
    assert {rule for rule, outcome in found.items() if outcome == "failed"} == {"M4"}
    (finding,) = next(one for one in judge(source.traffic("shop")) if one.rule.id == "M4").findings
    assert finding.evidence == ("log.entries[4]",)
    assert "has no callback to the shop" in reasons(source.traffic("shop"))["C3"]
    assert source.notes[0].startswith("4 requests to Klarna and 0 callbacks were found among 5 requests of the HAR. ")


def test_callbacks_in_a_foreign_har_are_those_of_the_merchant_urls(read: Any) -> None:
    body = {"authorization_token": TOKEN, "button_key": BUTTON_KEY, "order": AUTHORIZED}
    recording = Recording().sent("POST", URLS["place_order"], body, Authorization="")
    recording.entries += shop_side().sent("POST", f"{URLS['push']}?order_id=1", Authorization="").entries
    for second, entry in enumerate(recording.entries):
        entry["startedDateTime"] = f"2026-01-01T00:00:{second:02}.000Z"
    source = read(recording.har())
    assert [entry["name"] for entry in source.entries if entry["kind"] == "callback"] == ["place_order", "push"]
    found = outcomes(source.traffic("shop"))
    assert {rule: found[rule] for rule in ("C3", "C9", "O1", "T3")} == dict.fromkeys(("C3", "C9", "O1", "T3"), "passed")
    assert (found["C1"], found["M2"]) == ("inconclusive", "inconclusive")


def test_what_a_foreign_har_posts_is_checked_by_the_rules_of_the_sandbox(read: Any) -> None:
    lines = [{**AUTHORIZED["order_lines"][0], "total_tax_amount": 1}, *AUTHORIZED["order_lines"][1:]]
    recording = Recording().sent("POST", f"{API}{AUTHORIZATION}/orders", {**AUTHORIZED, "order_lines": lines}, 400)
    (result,) = (one for one in judge(read(recording.har()).traffic("shop")) if one.rule.id == "O2")
    assert "23800" in result.findings[0].observation.expected


def test_credentials_of_a_har_are_not_kept(read: Any) -> None:
    source = read(shop_side().har())
    assert "secret" not in json.dumps(source.entries)
    assert CREDENTIALS not in json.dumps(source.entries)


def test_a_har_of_the_page_alone_decides_nothing(read: Any) -> None:
    source = read(
        Recording().sent("POST", "http://localhost:8080/instantshopping/sdk/load", {}, Authorization="").har()
    )
    assert set(outcomes(source.traffic(source.merchants[0])).values()) == {"inconclusive"}
    assert "record the shop's server too" in " ".join(source.notes)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            Recording().sent("GET", "https://shop.example.com/").har(),
            "none of the 1 requests is to Klarna's API; record",
        ),
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
def test_other_files_are_refused_with_what_would_be_right(read: Any, content: Any, message: str) -> None:
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
def test_an_entry_that_no_journal_has_is_refused(read: Any, change: Json) -> None:
    journal = Journal().read()
    read(as_journal(journal))
    journal.entries[0] |= change
    with pytest.raises(MockKlarnaError, match="this is not traffic that can be judged"):
        read(as_journal(journal))


def test_a_file_that_does_not_exist_is_refused(tmp_path: Path) -> None:
    with pytest.raises(MockKlarnaError, match="cannot read: No such file"):
        sources.read(str(tmp_path / "none.json"), operations)
