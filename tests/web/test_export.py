"""A purchase as a file: what the HTML file and the HTTP Archive have, and what they never have."""

import json
import re
from base64 import b64encode
from collections.abc import Callable
from hashlib import sha256
from html.parser import HTMLParser
from typing import Any

import pytest
from jsonschema import Draft6Validator, FormatChecker
from referencing import Registry, Resource

from mock_klarna import MockKlarnaAsync, __version__
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.domain.events import PurchaseDeclined
from mock_klarna.domain.journal import Entry, Exchange, Sent
from mock_klarna.web import export, har
from mock_klarna.web.static_files import BUNDLER
from tests.documentation.test_examples import NODE_PACKAGES, require

Json = dict[str, Any]
USUAL_BYTES = 300_000
NASTY = "</script><script>wasRun = 1</script><!--<script>\u2028\u2029]]>&lt;'\"</title>"
URL = "http://127.0.0.1:8080"


class Page(HTMLParser):
    """The scripts, style sheets and policy of an HTML page; `text` is what stands outside of them."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.scripts: list[tuple[dict[str, str | None], str]] = []
        self.styles: list[str] = []
        self.policy = ""
        self.tags: list[str] = []
        self._open = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        self.tags.append(tag)
        self._open = tag
        if tag == "script":
            self.scripts.append((attributes, ""))
        if attributes.get("http-equiv") == "Content-Security-Policy":
            self.policy = attributes["content"] or ""

    def handle_data(self, data: str) -> None:
        if self._open == "script" and self.scripts:
            self.scripts[-1] = (self.scripts[-1][0], self.scripts[-1][1] + data)
        if self._open == "style":
            self.styles.append(data)

    def handle_endtag(self, tag: str) -> None:
        self._open = ""

    @property
    def data(self) -> Any:
        """What the element with the id `export` has."""
        return next(json.loads(text) for attributes, text in self.scripts if attributes.get("id") == "export")


@pytest.fixture(scope="session")
def problems_of_har() -> Callable[[Json], list[str]]:
    """Validates an archive by the schemas of HAR 1.2 in the npm package har-schema."""
    folder = NODE_PACKAGES / "har-schema" / "lib"
    require(folder.exists(), "there is no har-schema: .ci/javascript/install installs it")
    schemas = [json.loads(path.read_bytes()) for path in folder.glob("*.json")]
    registry: Any = Registry().with_resources((one["$id"], Resource.from_contents(one)) for one in schemas)
    root = next(one for one in schemas if one["$id"] == "har.json#")
    validator = Draft6Validator(root, registry=registry, format_checker=FormatChecker())
    return lambda archive: [f"{error.json_path}: {error.message}" for error in validator.iter_errors(archive)]


async def file_of(klarna: MockKlarnaAsync, purchase: Json, kind: str = "html") -> Any:
    """Return an exported purchase: the text of the HTML file, or the archive."""
    return (await klarna.send("GET", f"/_mock/purchases/{purchase['purchase_id']}/export.{kind}")).body


@pytest.fixture
async def placed(klarna: MockKlarnaAsync, purchase: Json, token: str) -> Json:
    """A purchase whose order was refused with a nasty text, and then placed; its shop answers no callback."""
    order = purchase["order"]
    lines = [{**order["order_lines"][0], "name": NASTY, "total_tax_amount": 1}, *order["order_lines"][1:]]
    assert (await klarna.send("POST", f"{token}/orders", {**order, "order_lines": lines})).status == 400
    await klarna.create_order(purchase["authorization_token"], {**order, "merchant_data": NASTY})
    await klarna.wait_for("place_order", within=60)
    return await klarna.find_purchase(purchase["purchase_id"])


async def test_the_html_file_has_everything_inside(klarna: MockKlarnaAsync, placed: Json) -> None:
    text = await file_of(klarna, placed)
    page = Page(text)
    (json_element, _), (script_element, script) = page.scripts
    assert json_element == {"type": "application/json", "id": "export"}
    assert script_element == {"type": "module"}
    assert re.findall(r"\s(?:src|href|srcset|style|on\w+)=(\S+)", text.partition("<style>")[0]) == ['"data:,">']
    assert not {"img", "iframe", "object", "form", "base", "a"} & set(page.tags)
    assert script == (await BUNDLER.current()).files["dashboard/exported.js"].plain.decode()
    assert len(text.encode()) < USUAL_BYTES


async def test_the_policy_allows_the_script_and_the_style_sheet_of_the_file_alone(
    klarna: MockKlarnaAsync, placed: Json
) -> None:
    answer = await klarna.send("GET", f"/_mock/purchases/{placed['purchase_id']}/export.html")
    page = Page(answer.body)
    hashes = [b64encode(sha256(text.encode()).digest()).decode() for text in (page.scripts[1][1], page.styles[0])]
    assert page.policy == (
        f"default-src 'none'; script-src 'sha256-{hashes[0]}'; style-src 'sha256-{hashes[1]}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    assert answer.headers["Content-Security-Policy"] == f"{page.policy}; frame-ancestors 'none'"


async def test_the_data_is_that_of_the_api(klarna: MockKlarnaAsync, placed: Json) -> None:
    data = Page(await file_of(klarna, placed)).data
    path = f"/_mock/journal?purchase_id={placed['purchase_id']}"
    journal = (await klarna.send("GET", path)).body
    for name in ("entries", "position", "dropped"):
        assert data[name] == journal[name], name
    assert data["purchase"] == placed
    assert (data["left_out"], data["url"], data["version"]) == (None, klarna.url, __version__)
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", data["exported_at"])


async def test_no_text_of_a_merchant_ends_the_data(klarna: MockKlarnaAsync, placed: Json) -> None:
    text = await file_of(klarna, placed)
    inside = text.partition('id="export">')[2].partition("</script>")[0]
    assert json.loads(inside)["entries"]
    assert re.findall("[<\u2028\u2029]", inside) == []
    assert json.dumps(json.loads(inside), ensure_ascii=False).count(NASTY.partition("'")[0]) >= 2
    assert text.count("</script>") == 2
    assert text.count("<!--") == 0


async def test_nothing_in_the_dashboards_own_files_ends_their_elements() -> None:
    files = (await BUNDLER.current()).files
    script, style = (files[f"dashboard/{name}"].plain.decode() for name in ("exported.js", "dashboard.css"))
    assert re.findall("</script|<script|<!--", script, re.IGNORECASE) == []
    assert "</" not in style
    assert not script.startswith("throw")


async def test_the_file_does_not_load_what_only_the_server_can_do() -> None:
    files = (await BUNDLER.current()).files
    modules = re.findall(r'^modules\["([^"]+)"\]=', files["dashboard/exported.js"].plain.decode(), re.MULTILINE)
    assert "purchase.js" in modules
    assert not {"api.js", "live.js", "orders.js", "store.js", "stream.js", "dialogs.js"} & set(modules)


@pytest.mark.parametrize(("kind", "media"), [("html", "text/html; charset=utf-8"), ("har", "application/json")])
async def test_a_purchase_is_exported_by_its_id_and_by_its_token(
    klarna: MockKlarnaAsync, purchase: Json, kind: str, media: str
) -> None:
    for name in ("purchase_id", "authorization_token"):
        answer = await klarna.send("GET", f"/_mock/purchases/{purchase[name]}/export.{kind}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, media)
        file_name = f"purchase-{purchase['purchase_id']}.{kind}"
        assert answer.headers["Content-Disposition"] == f'inline; filename="{file_name}"'
        assert answer.headers["Cache-Control"] == "no-store"
    for path in ("none", f"{purchase['purchase_id']}/export.html/"):
        answer = await klarna.send("GET", f"/_mock/purchases/{path}/export.{kind}")
        assert (answer.status, answer.headers["Content-Type"]) == (404, "application/problem+json")
    other = f"/_mock/purchases/{purchase['purchase_id']}/export.{kind}?merchant=other"
    assert (await klarna.send("GET", other)).status == 404


async def test_passwords_are_in_no_file(klarna: MockKlarnaAsync, button: Json) -> None:
    merchant = klarna.as_merchant(klarna.merchant, "pass-word-of-the-merchant")
    bought = await merchant.purchase(cart="se-battery-pack", wait=0)
    await merchant.create_order(bought["authorization_token"], bought["order"])
    for kind in ("html", "har"):
        text = json.dumps(await file_of(merchant, bought, kind))
        assert "create_order" in text
        for secret in ("pass-word-of-the-merchant", merchant.authorization.partition(" ")[2]):
            assert secret not in text


@pytest.mark.parametrize(("limit", "value"), [("MAX_ENTRIES", 6), ("MAX_BYTES", 6000)])
async def test_a_long_journal_keeps_its_beginning_and_its_end(
    klarna: MockKlarnaAsync, placed: Json, token: str, monkeypatch: pytest.MonkeyPatch, limit: str, value: int
) -> None:
    for _ in range(30):
        await klarna.send("GET", token)
    entries = await klarna.journal(purchase_id=placed["purchase_id"])
    monkeypatch.setattr(export, limit, value)
    data = Page(await file_of(klarna, placed)).data
    left_out, kept = data["left_out"], [entry["seq"] for entry in data["entries"]]
    assert left_out["count"] == len(entries) - len(kept) > 0
    at = kept.index(left_out["after"]) + 1
    assert 0 < at < len(kept)
    seqs = sorted(entry["seq"] for entry in entries)
    assert sorted(kept) == [*seqs[:at], *seqs[at - len(kept) :]]
    assert left_out["reason"].startswith("a file has at most ")
    archive = await file_of(klarna, placed, "har")
    assert f"; {left_out['count']} entries are left out: a file has at most " in archive["log"]["comment"]
    monkeypatch.setattr(export, limit, 10 * len(entries) ** 2 * 1000)
    data = Page(await file_of(klarna, placed)).data
    assert (data["left_out"], data["entries"]) == (None, entries)


async def test_the_archive_is_valid_and_has_every_exchange_and_callback(
    klarna: MockKlarnaAsync, placed: Json, problems_of_har: Callable[[Json], list[str]]
) -> None:
    archive = await file_of(klarna, placed, "har")
    assert problems_of_har(archive) == []
    log = archive["log"]
    assert (log["version"], log["creator"]) == ("1.2", {"name": "mock-klarna", "version": __version__})
    journal = await klarna.journal(purchase_id=placed["purchase_id"])
    assert [one["_mock_klarna"] for one in log["entries"]] == [one for one in journal if one["kind"] != "event"]
    assert log["_mock_klarna"]["entries"] == [one for one in journal if one["kind"] == "event"]
    assert log["_mock_klarna"]["purchase"] == placed
    (refused, *_) = (one for one in log["entries"] if one["response"]["status"] == 400)
    assert refused["request"]["url"] == f"{klarna.url}{refused['_mock_klarna']['path']}"
    assert json.loads(refused["request"]["postData"]["text"])["order_lines"][0]["name"] == NASTY
    assert json.loads(refused["response"]["content"]["text"]) == refused["_mock_klarna"]["response_body"]
    (callback,) = (one for one in log["entries"] if one["_mock_klarna"]["kind"] == "callback")
    assert (callback["request"]["url"], callback["response"]["status"]) == ("http://127.0.0.1:1/place-order", 0)
    assert callback["response"]["_error"] == callback["_mock_klarna"]["error"] != ""
    del callback["request"]["httpVersion"]
    (problem,) = problems_of_har(archive)
    assert problem.endswith("request: 'httpVersion' is a required property")


def exchange(**changed: Any) -> Entry:
    """Return the entry of a request of a merchant."""
    usual = {"method": "POST", "path": "/p", "status": 200, "correlation_id": "c", "duration": 0.25}
    return Entry(
        seq=1,
        at=0.0,
        merchant="m",
        kind="exchange",
        name="create_order",
        purchase_id="p",
        data=Exchange(**{**usual, **changed}),
    )


def callback(**changed: Any) -> Entry:
    """Return the entry of an attempt to call a merchant."""
    attempt = Attempt(**{"at": 0.0, "duration": 0.25, "outcome": "answered", "status": 200, **changed})
    data = Sent(callback_id="c", url="https://shop.example/p?q=å&empty=", number=1, request_body=b"{}", attempt=attempt)
    return Entry(seq=2, at=0.0, merchant="m", kind="callback", name="push", purchase_id="p", data=data)


EVENT = Entry(
    seq=3,
    at=0.0,
    merchant="m",
    kind="event",
    name="purchase_declined",
    purchase_id="p",
    data=PurchaseDeclined(reason="x"),
)


@pytest.mark.parametrize(
    ("entry", "part", "expected"),
    [
        (exchange(), "time", 250.0),
        (exchange(), "startedDateTime", "1970-01-01T00:00:00.000000Z"),
        (exchange(), "timings", {"send": 0, "wait": 250.0, "receive": 0}),
        (exchange(), "request.url", f"{URL}/p"),
        (exchange(path="/p?a=\udce5&b=%20 <"), "request.url", f"{URL}/p?a=%E5&b=%20%20%3C"),
        (
            exchange(path="/p?a=1&b=&a=%20"),
            "request.queryString",
            [{"name": "a", "value": "1"}, {"name": "b", "value": ""}, {"name": "a", "value": " "}],
        ),
        (exchange(request_headers=(("Host", "api.klarna.com:8443"),)), "request.url", "https://api.klarna.com:8443/p"),
        (exchange(request_headers=(("Host", "[x \udcff"),)), "request.url", "http://[x%20%FF/p"),
        (exchange(request_headers=(("Host", "localhost:9"),)), "request.url", "http://localhost:9/p"),
        (
            exchange(request_headers=(("User-Agent", "\udcff"),)),
            "request.headers",
            [{"name": "User-Agent", "value": "\\xff"}],
        ),
        (exchange(), "request.bodySize", 0),
        (exchange(request_body=b'{"a": "\xff"}'), "request.postData", {"mimeType": "", "text": '{"a": "\\xff"}'}),
        (exchange(status=299), "response.statusText", ""),
        (exchange(response_body=b"{}"), "response.content", {"size": 2, "mimeType": "application/json", "text": "{}"}),
        (
            exchange(path="/ordermanagement/v1/orders/1", status=404, response_body=b"{}"),
            "response.headers",
            [{"name": "Content-Type", "value": "application/json"}, {"name": "Klarna-Correlation-Id", "value": "c"}],
        ),
        (
            exchange(path="/instantshopping/sdk/load", status=400, response_body=b"{}"),
            "response.headers",
            [{"name": "Content-Type", "value": "application/problem+json"}],
        ),
        (exchange(), "response.content", {"size": 0, "mimeType": ""}),
        (callback(), "request.url", "https://shop.example/p?q=%C3%A5&empty="),
        (callback(), "request.queryString", [{"name": "q", "value": "å"}, {"name": "empty", "value": ""}]),
        (
            callback(answer=b"\xff", answer_headers=(("content-type", "image/png"),)),
            "response.content",
            {"size": 1, "mimeType": "image/png", "text": "/w==", "encoding": "base64"},
        ),
        (callback(status=302, answer_headers=(("location", "/x"),)), "response.redirectURL", "/x"),
        (callback(status=None, outcome="refused", error="no"), "response.status", 0),
        (callback(status=None, outcome="refused", error="no"), "response._error", "no"),
    ],
)
def test_an_entry_of_the_archive(
    entry: Entry, part: str, expected: object, problems_of_har: Callable[[Json], list[str]]
) -> None:
    archive = json.loads(json.dumps(har.archive([EVENT, entry], {}, URL, "")))
    assert problems_of_har(archive) == []
    (found,) = archive["log"]["entries"]
    for name in part.split("."):
        found = found[name]
    assert found == expected


def test_an_archive_that_is_asked_for_with_a_host_that_is_no_address(
    problems_of_har: Callable[[Json], list[str]],
) -> None:
    archive = har.archive([exchange(request_headers=(("Host", "localhost:9"),))], {}, "https://[::1", "")
    assert problems_of_har(archive) == []
    assert archive["log"]["entries"][0]["request"]["url"] == "https://localhost:9/p"


def test_a_long_body_is_cut_off_and_says_so(problems_of_har: Callable[[Json], list[str]]) -> None:
    body = "å".encode() * 100_000
    archive = har.archive([exchange(request_body=b"x" + body, response_body=body)], {}, URL, "")
    assert problems_of_har(archive) == []
    (entry,) = archive["log"]["entries"]
    for part, size in ((entry["request"]["postData"], 200_001), (entry["response"]["content"], 200_000)):
        assert part["comment"] == f"the first 65536 of {size} bytes"
        assert 32_000 < len(part["text"]) < 33_000
    assert (entry["request"]["bodySize"], entry["response"]["bodySize"]) == (200_001, 200_000)
