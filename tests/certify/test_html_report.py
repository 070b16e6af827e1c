"""The report as one HTML page."""

import re
from base64 import b64encode
from hashlib import sha256
from html import unescape
from typing import Any

from mock_klarna.certify import html_report, judge, only, report, skip
from tests.certify.samples import SAMPLES, Journal

Json = dict[str, Any]
NASTY = "</pre><script>alert(1)</script><img src=x onerror=alert(1)>"
ABOUT: Json = {
    "of": f"journal {NASTY}",
    "at": "2026-01-01T00:00:00Z",
    "version": "1.0",
    "fail_on": "error",
    "notes": [f"note {NASTY}"],
}


def page_of(journal: Journal, url: str = "", *, merchant: str = "shop", reasons: dict[str, str] | None = None) -> str:
    """Return the page about a journal, with all of its entries as evidence."""
    traffic = journal.traffic()
    traffic.merchant = merchant
    evidence = {traffic.place_of(entry["seq"]): entry for entry in traffic.entries}
    found = skip(report(judge(traffic)), reasons or {})
    return html_report.page(found, ABOUT, ("error",), evidence, url).decode()


def test_the_page_loads_nothing_and_its_policy_allows_its_own_styles_only() -> None:
    page = page_of(SAMPLES["M6"][1](), "http://localhost:8080")
    (styles,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (policy,) = re.findall(r'Content-Security-Policy" content="(.*?)"', page)
    digest = b64encode(sha256(styles.encode()).digest()).decode()
    assert unescape(policy) == (f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'")
    assert page.index("Content-Security-Policy") < page.index("<style>")
    assert re.findall(r"<(?:script|link|img|iframe|object|embed|form)\b", page) == []
    assert re.findall(r"<\w+[^>]*\s(?:src|style|srcset|on[a-z]+)=", page) == []
    assert re.findall(r"url\(|@import", styles) == []


def test_what_a_merchant_sent_stays_text() -> None:
    journal = SAMPLES["M6"][1]()
    journal.entries = [{**entry, "request_body": NASTY, "path": NASTY, "url": NASTY} for entry in journal.entries]
    journal.captured(key=NASTY).captured(key=NASTY, amount=5).authorized(
        locale=NASTY, order_lines=[{"reference": NASTY}]
    )
    page = page_of(journal, NASTY, merchant=NASTY, reasons={"O9": NASTY})
    assert NASTY in unescape(page)
    assert re.findall(r"<(?:script|img)\b", page) == []


def test_a_finding_has_everything_that_a_developer_needs() -> None:
    page = page_of(SAMPLES["M6"][1](), "http://localhost:8080")
    (card,) = re.findall(r'<article class="finding error" id="M6-1">.*?</article>', page, re.DOTALL)
    text = unescape(card)
    for part in (
        "An idempotency key belongs to one request",
        "Klarna-Idempotency-Key k-1 again for another request",
        "a key of its own for each capture and refund",
        "Klarna compares the key alone",
        "klarna.md §9.4",
        'href="http://localhost:8080/_mock/journal/1"',
        'href="http://localhost:8080/_mock/journal/2"',
        '"captured_amount": 2000',
        "Klarna-Idempotency-Key: k-1",
    ):
        assert part in text
    assert '<a class="error" href="#M6-1"' in page


def test_without_a_server_the_evidence_has_no_links() -> None:
    page = page_of(SAMPLES["M6"][1]())
    assert "<code>/_mock/journal/1</code>" in page
    assert re.findall(r'href="(?!#)', page) == []


def test_evidence_that_is_not_known_is_a_link_alone() -> None:
    found = report(judge(SAMPLES["M6"][1]().traffic()))
    page = html_report.page(found, ABOUT, ("error",), {}, "http://localhost:8080").decode()
    assert 'Evidence: <a href="http://localhost:8080/_mock/journal/1"' in page
    assert "<details>" not in page


def test_rules_without_a_finding_are_listed_with_their_reasons() -> None:
    page = unescape(page_of(Journal().placed(), reasons={"O9": "the gateway repeats requests"}))
    assert '<h1 class="partly">Partly certified</h1>' in page
    assert "the gateway repeats requests" in page
    assert "a look at the shop's log" in page
    assert "The authorization is read before the order is placed" in page
    assert 'class="findings"' not in page


def test_a_page_about_rules_that_passed_says_certified() -> None:
    found = only(report(judge(Journal().placed().traffic())), {"C3", "O1"})
    page = html_report.page(found, ABOUT, ("error",)).decode()
    assert '<h1 class="good">Certified</h1>' in page


def test_a_rule_that_is_broken_often_does_not_make_the_page_long() -> None:
    journal = Journal()
    for number in range(40):
        journal.captured(key=f"k-{number}", amount=1).captured(key=f"k-{number}", amount=2).captured(key=None)
    page = page_of(journal)
    assert page.count("again for another request") == 5
    assert "35 more cases are not shown." in page
    assert page.count("capture_order without Klarna-Idempotency-Key") == 1
    assert "Seen (40 times)" in page


def test_a_long_body_is_cut() -> None:
    journal = SAMPLES["M6"][1]()
    journal.entries[0]["request_body"] = "x" * 30_000
    page = page_of(journal)
    assert "10000 more characters" in page
    assert "x" * 20_001 not in page
