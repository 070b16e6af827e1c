"""HARs of browsers and proxies are judged as far as they show what happened."""

import json
from base64 import b64encode
from typing import Any

import pytest

from mock_klarna.certify import judge
from mock_klarna.errors import MockKlarnaError
from tests.certify.conftest import Read
from tests.certify.results import outcomes_of, reasons_of
from tests.certify.samples import AUTHORIZATION, AUTHORIZED, BUTTON_KEY, ORDER, TOKEN, URLS

Json = dict[str, Any]


CREDENTIALS = "Basic " + b64encode(b"shop:secret").decode()


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


def test_requests_of_a_foreign_har_are_judged_as_far_as_they_show_it(read: Read) -> None:
    source = read(shop_side().har())
    assert (source.merchants, len(source.entries)) == (["shop"], 4)
    found = outcomes_of(source.traffic("shop"))
    assert {rule for rule, outcome in found.items() if outcome == "passed"} == {"K1", "K5", "K9", "O2", "M7", "T1"}
    assert {rule for rule, outcome in found.items() if outcome == "failed"} == {"M4"}
    (finding,) = next(one for one in judge(source.traffic("shop")) if one.rule.id == "M4").findings
    assert finding.evidence == ("log.entries[4]",)
    assert "has no callback to the shop" in reasons_of(source.traffic("shop"))["C3"]
    assert source.notes[0].startswith("4 requests to Klarna and 0 callbacks were found among 5 requests of the HAR. ")


def test_callbacks_in_a_foreign_har_are_those_of_the_merchant_urls(read: Read) -> None:
    body = {"authorization_token": TOKEN, "button_key": BUTTON_KEY, "order": AUTHORIZED}
    recording = Recording().sent("POST", URLS["place_order"], body, Authorization="")
    recording.entries += shop_side().sent("POST", f"{URLS['push']}?order_id=1", Authorization="").entries
    for second, entry in enumerate(recording.entries):
        entry["startedDateTime"] = f"2026-01-01T00:00:{second:02}.000Z"
    source = read(recording.har())
    assert [entry["name"] for entry in source.entries if entry["kind"] == "callback"] == ["place_order", "push"]
    found = outcomes_of(source.traffic("shop"))
    assert {rule: found[rule] for rule in ("C3", "C9", "O1", "T3")} == dict.fromkeys(("C3", "C9", "O1", "T3"), "passed")
    assert (found["C1"], found["M2"]) == ("inconclusive", "inconclusive")


def test_what_a_foreign_har_posts_is_checked_by_the_rules_of_the_sandbox(read: Read) -> None:
    lines = [{**AUTHORIZED["order_lines"][0], "total_tax_amount": 1}, *AUTHORIZED["order_lines"][1:]]
    recording = Recording().sent("POST", f"{API}{AUTHORIZATION}/orders", {**AUTHORIZED, "order_lines": lines}, 400)
    (result,) = (one for one in judge(read(recording.har()).traffic("shop")) if one.rule.id == "O2")
    assert "23800" in result.findings[0].observation.expected


def test_credentials_of_a_har_are_not_kept(read: Read) -> None:
    source = read(shop_side().har())
    assert "secret" not in json.dumps(source.entries)
    assert CREDENTIALS not in json.dumps(source.entries)


def test_a_har_of_the_page_alone_decides_nothing(read: Read) -> None:
    source = read(
        Recording().sent("POST", "http://localhost:8080/instantshopping/sdk/load", {}, Authorization="").har()
    )
    assert set(outcomes_of(source.traffic(source.merchants[0])).values()) == {"inconclusive"}
    assert "record the shop's server too" in " ".join(source.notes)


def test_a_har_without_a_request_to_klarna_is_refused(read: Read) -> None:
    with pytest.raises(MockKlarnaError, match="none of the 1 requests is to Klarna's API; record"):
        read(Recording().sent("GET", "https://shop.example.com/").har())
