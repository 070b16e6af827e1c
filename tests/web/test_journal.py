"""What happened, in order (`/_mock/journal`), waited for, and as a stream (`/_mock/events`)."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import make_mocked_request

from mock_klarna import MockKlarnaAsync, Settings
from mock_klarna.domain.journal import EXCHANGE
from mock_klarna.domain.journal_text import describe
from mock_klarna.errors import MockKlarnaError
from mock_klarna.server import serve
from mock_klarna.web.journal import stream_entries
from mock_klarna.web.request import ApiRequest
from tests.store.samples import exchange
from tests.web.connection import Connection

Json = dict[str, Any]
Connect = Callable[[], Connection]
JOURNAL = "/_mock/journal"
PLACED = {"place_order": "http://127.0.0.1:1/place-order"}
OTHER = {"Authorization": "Basic b3RoZXI6c2VjcmV0"}


async def names(klarna: MockKlarnaAsync, **filters: Any) -> list[str]:
    return [entry["name"] for entry in await klarna.journal(**filters)]


async def test_entries_are_in_the_order_in_which_they_began(
    klarna: MockKlarnaAsync, purchase: Json, token: str
) -> None:
    await klarna.wait_for("place_order", within=60)
    await klarna.send("DELETE", token)
    entries = await klarna.journal()
    assert [entry["name"] for entry in entries] == [
        "create_button",
        "button_created",
        "session_initiated",
        "identification_updated",
        "purchase_authorized",
        "place_order",
        "deny_authorization",
        "purchase_denied",
    ]
    assert [entry["at"] for entry in entries] == sorted(entry["at"] for entry in entries)
    assert {entry["merchant"] for entry in entries} == {klarna.merchant}
    newest = await klarna.journal(order="newest")
    assert newest == entries[::-1]
    assert await klarna.journal(order="newest", limit=2) == newest[:2]
    assert await klarna.journal(order="newest", after=purchase_position(entries)) == newest[:2]


def purchase_position(entries: list[Json]) -> int:
    """Return the position after the last entry before the merchant's decision."""
    earlier = (entry["seq"] for entry in entries if entry["name"] not in ("deny_authorization", "purchase_denied"))
    return max(map(int, earlier))


@pytest.mark.parametrize("depth", [64, 65, 254, 255, 1000])
async def test_a_body_of_any_depth_can_be_listed(connect: Connect, depth: int) -> None:
    body = b"[" * depth + b"]" * depth
    async with connect() as connection:
        await connection.ask("POST", "/instantshopping/v1/buttons", body)
        entry = (await connection.ask("GET", f"{JOURNAL}?name=create_button")).json["entries"][0]
    assert entry["request_body"] == (json.loads(body) if depth <= 64 else body.decode())


async def test_entries_are_filtered(klarna: MockKlarnaAsync, purchase: Json) -> None:
    called = await klarna.wait_for("place_order", within=60)
    assert await names(klarna, kind="exchange") == ["create_button"]
    assert await names(klarna, kind="callback") == ["place_order"]
    assert await names(klarna, name="button_created") == ["button_created"]
    assert "create_button" not in await names(klarna, purchase_id=purchase["purchase_id"])
    assert await names(klarna, after=called["seq"]) == []
    assert await names(klarna, limit=2) == ["create_button", "button_created"]
    assert await names(klarna, limit=0) == []
    assert await names(klarna, merchant="other") == []
    everybodys = (await klarna.send("GET", JOURNAL, headers={"Authorization": ""})).body
    assert everybodys["position"] == called["seq"]


async def test_exchanges_are_found_by_status_and_correlation_id(klarna: MockKlarnaAsync, button: Json) -> None:
    assert await names(klarna, status="201") == await names(klarna, status="2xx") == ["create_button"]
    assert await names(klarna, status="4xx") == []
    refused = await klarna.send("GET", "/instantshopping/v1/buttons/x")
    assert await names(klarna, status="4XX") == await names(klarna, status=404) == ["get_button"]
    assert await names(klarna, correlation_id=refused.body["correlation_id"]) == ["get_button"]


async def test_a_callback_attempt_shows_the_request_and_the_result(klarna: MockKlarnaAsync, purchase: Json) -> None:
    called = await klarna.wait_for("place_order", within=60)
    assert called["request_body"]["authorization_token"] == purchase["authorization_token"]
    assert (called["outcome"], called["status"], called["number"]) == ("refused", None, 1)
    assert called["error"]


async def test_an_invalid_parameter_is_refused_with_what_is_expected(klarna: MockKlarnaAsync) -> None:
    for query, parameter, hint in (
        ("kind=events", "kind", "one of exchange, callback, event"),
        ("after=-1", "after", "a whole number from 0"),
        ("after=x", "after", "a whole number from 0"),
        ("limit=99999", "limit", "a whole number from 0 to 10000"),
        ("wait=soon", "wait", "a number of seconds from 0 to 600"),
        ("wait=601", "wait", "a number of seconds from 0 to 600"),
        ("wait=nan", "wait", "a number of seconds from 0 to 600"),
        ("wait=1_0", "wait", "a number of seconds from 0 to 600"),
        ("limit=%D9%A3", "limit", "a whole number"),
        ("detail=short", "detail", "one of full, summary"),
    ):
        answer = await klarna.send("GET", f"{JOURNAL}?{query}")
        assert (answer.status, answer.body["where"]) == (400, "query"), query
        (problem,) = answer.body["errors"]
        assert (problem["path"], hint in problem["expected"]) == (parameter, True), query


@pytest.mark.parametrize("seq", ["0", "999999", "x", "-1", "9" * 30, "%D9%A3"])
async def test_an_unknown_entry_is_not_found(klarna: MockKlarnaAsync, seq: str) -> None:
    assert (await klarna.send("GET", f"{JOURNAL}/{seq}")).status == 404


async def test_an_entry_of_another_merchant_is_not_found(klarna: MockKlarnaAsync, button: Json) -> None:
    (entry,) = await klarna.journal(name="create_button")
    path = f"{JOURNAL}/{entry['seq']}"
    seen = [(await klarna.send("GET", path, headers=who)).status for who in ({}, {"Authorization": ""}, OTHER)]
    assert seen == [200, 200, 404]


async def test_waiting_ends_with_the_first_entry_that_matches(klarna: MockKlarnaAsync, button: Json) -> None:
    waiting = asyncio.create_task(klarna.send("GET", f"{JOURNAL}?name=clock_moved&wait=120"))
    await klarna.fault("request", status=500, operation="create_order")
    assert not waiting.done()
    await klarna.advance_clock(1)
    (entry,) = (await waiting).body["entries"]
    assert entry["name"] == "clock_moved"


async def test_waiting_ends_without_entries_after_the_time(klarna: MockKlarnaAsync) -> None:
    assert (await klarna.send("GET", f"{JOURNAL}?wait=0.01&after=7")).body == {
        "entries": [],
        "position": 7,
        "dropped": 0,
        "newest_dropped": 0,
        "complete": False,
    }


class TestSmallJournal:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, journal_bytes=65536)

    async def test_old_exchanges_are_dropped_and_counted(self, klarna: MockKlarnaAsync, button: Json) -> None:
        for _ in range(200):
            await klarna.get_button(button["button_key"])
        journal = (await klarna.send("GET", f"{JOURNAL}?limit=10000")).body
        assert journal["dropped"] > 0
        assert journal["dropped"] + len(journal["entries"]) == 202
        assert journal["entries"][0]["name"] == "button_created"

    @pytest.mark.parametrize("interval", ["", "?interval=0.01"])
    async def test_a_client_that_comes_back_too_late_is_told_that_entries_were_dropped(
        self, klarna: MockKlarnaAsync, connect: Connect, button: Json, interval: str
    ) -> None:
        (seen,) = await klarna.journal(name="create_button")
        for _ in range(200):
            await klarna.get_button(button["button_key"])
        left = await klarna.journal(limit=1000)
        journal = (await klarna.send("GET", f"{JOURNAL}?limit=0")).body
        assert journal["newest_dropped"] == left[1]["seq"] - 1
        expected = {"after": seen["seq"], **{name: journal[name] for name in ("newest_dropped", "dropped")}}
        async with connect() as connection, asyncio.timeout(120):
            stream = await _opened(connection, f"/_mock/events{interval}", Last_Event_ID=seen["seq"])
            assert await anext(stream) == (str(seen["seq"]), "dropped", expected)
            assert [(await anext(stream))[2]["seq"] for _ in left[1:]] == [entry["seq"] for entry in left[1:]]
            await klarna.advance_clock(1)
            assert (await anext(stream))[2]["name"] == "clock_moved"

    async def test_a_client_that_misses_nothing_is_not_told_of_dropped_entries(
        self, klarna: MockKlarnaAsync, connect: Connect, button: Json
    ) -> None:
        async with connect() as connection, asyncio.timeout(120):
            stream = await _opened(connection, "/_mock/events?kind=event")
            assert (await anext(stream))[2]["name"] == "button_created"
            for _ in range(200):
                await klarna.get_button(button["button_key"])
            await klarna.advance_clock(1)
            assert (await anext(stream))[2]["name"] == "clock_moved"
            assert (await klarna.send("GET", JOURNAL)).body["dropped"] > 0
            await klarna.advance_clock(1)
            assert (await anext(stream))[2]["name"] == "clock_moved"


@pytest.mark.parametrize("interval", [0.0, 0.01])
async def test_a_client_that_reads_too_slowly_is_told_once_that_entries_were_dropped(interval: float) -> None:
    async with serve(Settings(port=0, journal_bytes=65536)) as running:
        store = running.services.emulator.store

        async def record(count: int) -> list[int]:
            return [await store.record("shop", EXCHANGE, "get_button", exchange(600), 1.0, None) for _ in range(count)]

        request = ApiRequest(make_mocked_request("GET", "/_mock/events"))
        request.query = dict.fromkeys(("purchase_id", "kind", "name", "status", "correlation_id"))
        request.query |= {"after": 0, "interval": interval, "detail": "summary"}
        response = await stream_entries(running.services, request)
        assert response.stream is not None
        seqs = await record(3)
        async with contextlib.aclosing(response.stream) as parts:
            assert (await anext(parts)).count(b"event: exchange") == 3
            await record(200)
            lost, left = [await anext(parts) for _ in range(2)]
            newest = await store.newest_dropped(None)
            expected = {"after": seqs[-1], "newest_dropped": newest, "dropped": await store.dropped(None)}
            await record(1)
            assert lost.startswith(b"id: %d\nevent: dropped\n" % seqs[-1])
            assert json.loads(lost.partition(b"data: ")[2]) == expected
            assert b"event: dropped" not in left + await anext(parts)


@pytest.mark.parametrize("query", ["", "&name=clock_moved"])
async def test_waiting_ends_with_a_reset(klarna: MockKlarnaAsync, query: str) -> None:
    waiting = asyncio.create_task(klarna.send("GET", f"{JOURNAL}?wait=600{query}"))
    async with asyncio.timeout(120):
        while not waiting.done():  # the first one may come before the request that waits
            await klarna.reset()
    assert (await waiting).body["entries"] == []


async def test_waiting_ends_when_a_snapshot_is_loaded(klarna: MockKlarnaAsync, button: Json) -> None:
    snapshot = (await klarna.send("GET", "/_mock/snapshot")).body
    waiting = asyncio.create_task(klarna.send("GET", f"{JOURNAL}?wait=600&name=clock_moved"))
    async with asyncio.timeout(120):
        while not waiting.done():
            await klarna.send("PUT", "/_mock/snapshot", snapshot)
    assert (await waiting).body["entries"] == []


async def events(connection: Connection) -> AsyncIterator[tuple[str, str, Json]]:
    """Yield the server-sent events of a connection: id, event and data."""
    while True:
        lines = (await connection.reader.readuntil(b"\n\n")).decode().strip().split("\r\n")
        block = "\n".join(lines).split("\n")
        fields = dict(field.split(": ", 1) for field in block if ": " in field)
        if "data" in fields:
            yield fields["id"], fields["event"], json.loads(fields["data"])


async def _opened(connection: Connection, path: str, **headers: str | int) -> AsyncIterator[tuple[str, str, Json]]:
    answer = await connection.answer(connection.head(f"GET {path}", **headers))
    assert answer.headers["Content-Type"] == "text/event-stream"
    return events(connection)


async def test_the_stream_has_old_and_new_entries(klarna: MockKlarnaAsync, connect: Connect, button: Json) -> None:
    async with connect() as connection, asyncio.timeout(120):
        stream = await _opened(connection, "/_mock/events")
        received = [await anext(stream) for _ in range(2)]
        assert [(kind, data["name"]) for _, kind, data in received] == [
            ("event", "button_created"),
            ("exchange", "create_button"),
        ]
        await klarna.advance_clock(1)
        number, _, data = await anext(stream)
        assert (data["name"], number) == ("clock_moved", str(data["seq"]))


@pytest.mark.parametrize("how", ["header", "query"])
async def test_a_stream_continues_after_the_last_event(
    klarna: MockKlarnaAsync, connect: Connect, button: Json, how: str
) -> None:
    seen = (await klarna.send("GET", JOURNAL)).body["position"]
    await klarna.advance_clock(1)
    async with connect() as connection, asyncio.timeout(120):
        path = f"/_mock/events?after={seen}" if how == "query" else "/_mock/events"
        stream = await _opened(connection, path, Last_Event_ID=seen if how == "header" else "")
        assert (await anext(stream))[2]["name"] == "clock_moved"


@pytest.mark.parametrize("interval", ["", "?interval=0.1"])
async def test_a_stream_begins_anew_after_an_event_of_a_server_that_was_started_again(
    klarna: MockKlarnaAsync, connect: Connect, button: Json, interval: str
) -> None:
    newest = (await klarna.send("GET", JOURNAL)).body["position"]
    for seen, names in (
        (newest + 10**6, ["button_created", "create_button"]),
        (10**17, ["button_created", "create_button"]),
        (newest, ["clock_moved"]),
    ):
        async with connect() as connection, asyncio.timeout(120):
            stream = await _opened(connection, f"/_mock/events{interval}", Last_Event_ID=seen)
            await klarna.advance_clock(1)
            assert [(await anext(stream))[2]["name"] for _ in names] == names, seen


async def test_a_stream_can_be_filtered(klarna: MockKlarnaAsync, connect: Connect, button: Json) -> None:
    await klarna.send("POST", "/instantshopping/v1/buttons", {}, OTHER)
    async with connect() as connection, asyncio.timeout(120):
        stream = await _opened(connection, "/_mock/events?kind=exchange&merchant=other")
        assert (await anext(stream))[2]["merchant"] == "other"


async def test_a_stream_with_an_invalid_filter_is_refused(klarna: MockKlarnaAsync) -> None:
    answer = await klarna.send("GET", "/_mock/events?kind=nonsense")
    assert (answer.status, answer.body["errors"][0]["path"]) == (400, "kind")


async def test_a_summary_has_neither_headers_nor_bodies(
    klarna: MockKlarnaAsync, connect: Connect, purchase: Json
) -> None:
    called = await klarna.wait_for("place_order", within=60)
    summaries = {entry["name"]: entry for entry in await klarna.journal(detail="summary")}
    for entry in await klarna.journal():
        short = summaries[entry["name"]]
        assert {name: entry[name] for name in short} == short
        assert not [name for name in short if name.endswith(("_headers", "_body"))]
    assert (summaries["place_order"]["outcome"], summaries["create_button"]["status"]) == ("refused", 201)
    async with connect() as connection, asyncio.timeout(120):
        stream = await _opened(connection, f"/_mock/events?detail=summary&after={called['seq'] - 1}")
        assert (await anext(stream))[2] == summaries["place_order"]


async def test_a_stream_with_an_interval_sends_the_position_after_too_many_entries(
    klarna: MockKlarnaAsync, connect: Connect
) -> None:
    for number in range(50):
        await klarna.create_button(name=f"Button {number}", merchant_urls=PLACED)
    path = f"/_mock/events?interval=0.01&merchant={klarna.merchant}"
    async with connect() as connection, asyncio.timeout(120):
        stream = await _opened(connection, path)
        names = [(await anext(stream))[2]["name"] for _ in range(100)]
        assert names == ["button_created", "create_button"] * 50
        await klarna.advance_clock(1)
        assert (await anext(stream))[2]["name"] == "clock_moved"
    async with connect() as connection, asyncio.timeout(120):
        stream = await _opened(connection, path)
        last, kind, data = await anext(stream)
        position = (await klarna.send("GET", f"{JOURNAL}?order=newest&limit=1")).body["position"]
        assert (last, kind, data) == (str(position), "skipped", {"position": position})
        await klarna.advance_clock(1)
        assert (await anext(stream))[2]["name"] == "clock_moved"


async def test_a_long_list_has_the_newest_entries_first(klarna: MockKlarnaAsync) -> None:
    for number in range(150):
        await klarna.create_button(name=f"Button {number}", merchant_urls=PLACED)
    oldest = await klarna.journal(limit=1000)
    newest = await klarna.journal(limit=1000, order="newest")
    assert (len(oldest), newest) == (300, oldest[::-1])
    assert [entry["at"] for entry in oldest] == sorted(entry["at"] for entry in oldest)
    page = (await klarna.send("GET", f"{JOURNAL}?limit=250&order=newest")).body
    assert page["position"] == max(entry["seq"] for entry in oldest)
    assert {entry["seq"] for entry in page["entries"]} == set(sorted(entry["seq"] for entry in oldest)[50:])


async def test_a_slow_request_is_listed_where_it_began(klarna: MockKlarnaAsync, connect: Connect, button: Json) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    async with connect() as connection, asyncio.timeout(120):
        connection.writer.write(connection.head(f"PUT {path}", Content_Length=2, Expect="100-continue"))
        await connection.reader.readuntil(b"100 Continue\r\n\r\n")
        await klarna.get_button(button["button_key"])
        assert (await connection.answer(b"{}")).status == 200
    began = ["create_button", "update_button", "get_button"]
    listed = await klarna.journal(kind="exchange")
    assert [entry["name"] for entry in listed] == began
    assert [entry["name"] for entry in sorted(listed, key=lambda entry: entry["seq"])] == [
        "create_button",
        "get_button",
        "update_button",
    ]


async def test_nothing_is_moved_before_a_change_of_the_clock(klarna: MockKlarnaAsync) -> None:
    await klarna.create_button(merchant_urls=PLACED)
    await klarna.advance_clock("1h")
    await klarna.set_clock("2020-01-01T00:00:00Z")
    await klarna.create_button(merchant_urls=PLACED)
    listed = await names(klarna)
    assert listed == [
        "create_button",
        "button_created",
        "clock_moved",
        "clock_moved",
        "create_button",
        "button_created",
    ]
    assert await names(klarna, order="newest") == listed[::-1]


URL = "http://127.0.0.1:1/callback"
PUSH = "a push has no body, so without it the shop cannot tell which order it is about"
NOTIFICATION = "without it only the body says which order it is about"


@pytest.mark.parametrize(
    ("urls", "warned"),
    [
        ({"push": URL}, [("merchant_urls.push", PUSH)]),
        (
            {"push": URL, "notification": URL},
            [("merchant_urls.push", PUSH), ("merchant_urls.notification", NOTIFICATION)],
        ),
        ({"push": f"{URL}?order={{checkout.order.id}}", "notification": f"{URL}/{{order.id}}"}, []),
        ({"push": f"{URL}?order={{order_id}}"}, [("merchant_urls.push", PUSH)]),
        ({"confirmation": URL, "update": URL}, []),
    ],
)
@pytest.mark.parametrize("is_new", [True, False], ids=["new", "changed"])
async def test_a_key_whose_urls_do_not_name_the_order_is_accepted_with_a_warning(
    klarna: MockKlarnaAsync, urls: Json, warned: list[tuple[str, str]], is_new: bool
) -> None:
    if is_new:
        await klarna.create_button(merchant_urls=PLACED | urls)
    else:
        created = await klarna.create_button(merchant_urls=PLACED)
        await klarna.update_button(created["button_key"], merchant_urls=PLACED | urls)
    entry = (await klarna.journal(kind="exchange"))[-1]
    assert (entry["status"], entry["problems"], entry["explanation"]) == (201 if is_new else 200, [], None)
    found = [(warning["path"], warning["rule"], warning["value"]) for warning in entry["warnings"]]
    assert found == [(path, "order_id", urls[path.removeprefix("merchant_urls.")]) for path, _ in warned]
    assert all(
        warning["expected"] == f"a URL with {{checkout.order.id}}, which the order id replaces; {reason}"
        for warning, (_, reason) in zip(entry["warnings"], warned, strict=True)
    )
    lines = describe(entry).details
    assert [line.startswith("warning: merchant_urls.") for line in lines] == [True] * len(warned)


@pytest.mark.parametrize("effects", [{"status": 429}, {"drop": True}, {"delay": 0}, {"garbage": True}], ids=str)
async def test_an_entry_shows_the_fault_that_its_request_met(
    klarna: MockKlarnaAsync, button: Json, effects: Json
) -> None:
    fault = await klarna.fault("request", operation="get_button", **effects)
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    with contextlib.suppress(MockKlarnaError):  # whose connection is closed
        await klarna.send("GET", path)
    await klarna.send("GET", path)
    met, *_, after = await klarna.journal(name="get_button")  # the client itself repeats a GET whose connection ended
    assert met["injected"] == {"fault_id": fault["fault_id"], **effects}
    assert after["injected"] is None


async def test_an_entry_has_the_headers_by_which_requests_are_judged(klarna: MockKlarnaAsync) -> None:
    sent = {
        "User-Agent": "Shop/1.0",
        "Klarna-Idempotency-Key": "k-1",
        "Origin": "https://shop.example",
        "Sec-Fetch-Site": "cross-site",
        "Accept-Language": "sv",
    }
    await klarna.send("GET", "/ordermanagement/v1/orders/unknown", headers=sent)
    (entry,) = await klarna.journal(name="get_managed_order")
    kept = {name: value for name, value in entry["request_headers"] if name != "Host"}
    assert kept == {name: value for name, value in sent.items() if name != "Accept-Language"}


async def test_the_calls_of_the_page_around_a_purchase_are_listed(
    klarna: MockKlarnaAsync, button: Json, page: Callable[[str], Any]
) -> None:
    async def call(key: str, **more: Any) -> int:
        options = {"setup": {"key": key, "instance_id": "1"}, **page("se-battery-pack"), **more}
        answer = await klarna.send("POST", "/instantshopping/sdk/load", {"options": options})
        assert answer.status == 200
        return int((await klarna.journal(name="sdk_load", order="newest", limit=1))[0]["seq"])

    key = button["button_key"]
    other = (await klarna.create_button(merchant_urls=PLACED))["button_key"]
    before = [await call(key) for _ in range(7)]
    await call(other)
    bought = await klarna.purchase(button_key=key, page=page("se-battery-pack"), wait=0)
    await call(key)
    await call(other, locale="Swedish")
    wrong = await call(key, locale="Swedish")
    found = (await klarna.send("GET", f"/_mock/purchases/{bought['purchase_id']}/page-calls")).body
    assert [entry["seq"] for entry in found["entries"]] == [*before[-5:], wrong]
    assert found["position"] == wrong
    assert {entry["purchase_id"] for entry in found["entries"]} == {None}
    for path in ("none/page-calls", f"{bought['purchase_id']}/page-calls?merchant=other"):
        assert (await klarna.send("GET", f"/_mock/purchases/{path}")).status == 404
