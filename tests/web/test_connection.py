"""A client's connection: limits of headers and bodies, bytes that are not HTTP, and what a response says about its end."""

import asyncio
import logging
import zlib
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings, serve
from mock_klarna.web.connection import LONGEST_HEAD, LONGEST_LINE, MAX_PIPELINED
from tests.bench.processes import cpu_seconds
from tests.merchants.processes import served
from tests.web.connection import Connection

Connect = Callable[[], Connection]
BUTTONS = "/instantshopping/v1/buttons"
JSON = {"Content_Type": "application/json"}
DECLARED = {"Content-Type": "application/json"}
AUTHORIZATION = "Basic c2hvcDpzZWNyZXQ="


async def until_closed(connection: Connection) -> bytes:
    """Return what else arrives until the server closes the connection."""
    async with asyncio.timeout(120):
        return await connection.reader.read()


class TestBytesBehindARequest:
    """A complete request is answered, whatever follows it."""

    @pytest.mark.parametrize("stray", [b"{}", b"{}\r\n", b"\x00", b"garbage\r\n\r\n", b"\xff" * 100])
    @pytest.mark.parametrize("kept", ["", "close", "keep-alive"])
    async def test_a_request_without_a_body_is_answered_and_recorded(
        self, connect: Connect, klarna: MockKlarnaAsync, stray: bytes, kept: str
    ) -> None:
        async with connect() as connection:
            answer = await connection.answer(connection.head(f"GET {BUTTONS}/unknown", Connection=kept) + stray)
            following = await until_closed(connection)
        assert (answer.status, answer.headers.get("Connection")) == (404, "close" if kept == "close" else None)
        (entry,) = await klarna.journal(name="get_button")
        assert entry["correlation_id"] == answer.headers["Klarna-Correlation-Id"]
        assert (b" 400 Bad Request" in following) is (kept != "close")

    async def test_a_request_that_arrives_in_parts_is_answered(self, connect: Connect) -> None:
        async with connect() as connection:
            head = connection.head("GET /_mock/clock", Connection="close")
            for byte in head[:-1]:
                connection.writer.write(bytes([byte]))
                await asyncio.sleep(0)
            assert (await connection.answer(head[-1:] + b"{}")).status == 200

    async def test_a_request_of_http_1_0_is_answered(self, connect: Connect) -> None:
        async with connect() as connection:
            head = connection.head("GET /_mock/clock").replace(b"HTTP/1.1", b"HTTP/1.0")
            assert (await connection.answer(head + b"{}")).status == 200

    @pytest.mark.parametrize("length", [{"Content_Length": 2}, {"Transfer_Encoding": "chunked"}])
    async def test_a_request_with_a_body_is_answered(self, connect: Connect, length: dict[str, str | int]) -> None:
        body = b"{}" if "Content_Length" in length else b"2\r\n{}\r\n0\r\n\r\n"
        async with connect() as connection:
            head = connection.head("POST /_mock/reset", **JSON, **length)
            assert (await connection.answer(head + body + b"{}")).status == 204
            assert (await connection.next()).status == 400

    async def test_a_large_body_that_arrives_in_parts_is_followed_by_the_next_request(self, connect: Connect) -> None:
        body = b'{"x": "' + b"a" * 2_000_000 + b'"}'
        async with connect() as connection:
            head = connection.head("POST /_mock/clock", Content_Length=len(body), **JSON)
            assert (await connection.answer(head + body + connection.head("GET /_mock/clock"))).status == 400
            assert (await connection.next()).status == 200

    @pytest.mark.parametrize("count", [3, MAX_PIPELINED, 5 * MAX_PIPELINED])
    async def test_all_complete_requests_are_answered(self, connect: Connect, count: int) -> None:
        async with connect() as connection:
            connection.writer.write(connection.head("GET /_mock/clock") * count + b"{}")
            assert [(await connection.next()).status for _ in range(count + 1)] == [200] * count + [400]
            assert await until_closed(connection) == b""


class TestHeaders:
    """What is not UTF-8 is text such as \\xe9, and long headers are read."""

    @pytest.mark.parametrize(
        "name",
        [
            *(
                "Klarna-Idempotency-Key",
                "Content-Type",
                "Content-Encoding",
                "Accept",
                "Cookie",
                "Expect",
                "Host",
                "Origin",
            ),
            *("Sec-Fetch-Site", "If-None-Match", "Last-Event-ID", "User-Agent", "Connection", "Authorization", "X-Any"),
        ],
    )
    async def test_no_header_outside_utf8_is_an_error_of_the_server(
        self, connect: Connect, klarna: MockKlarnaAsync, name: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        order = "/ordermanagement/v1/orders/00000000-0000-4000-8000-000000000000"
        for start, body in {
            f"POST {order}/acknowledge": b"",
            f"PATCH {order}/authorization": b"{}",
            f"POST {BUTTONS}": b"{}",
            f"GET {BUTTONS}/x": b"",
            "GET /unknown": b"",
            "GET /_mock/clock": b"",
            "POST /_mock/clock": b"{}",
            "GET /instantshopping/lib/v1/lib.js": b"",
            "GET /instantshopping/buy/x/qr.svg": b"",
            "GET /instantshopping/sdk/sessions/x": b"",
        }.items():
            async with connect() as connection:
                headers: dict[str, str | int] = {"Content-Length": len(body), **DECLARED} if body else {}
                head = connection.head(start, **{**headers, name: "\xe9\xff"})
                assert (await connection.answer(head + body)).status < 500, start
        assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []
        assert all(isinstance(entry["seq"], int) for entry in await klarna.journal())

    async def test_idempotency_keys_outside_utf8_are_different_keys(self, connect: Connect) -> None:
        path = "/ordermanagement/v1/orders/00000000-0000-4000-8000-000000000000/acknowledge"
        async with connect() as connection:
            for key in ("\xe9", "\xe8"):
                assert (await connection.ask("POST", path, Klarna_Idempotency_Key=key)).status == 404

    @pytest.mark.parametrize("size", [8_300, 20_000, LONGEST_LINE - 100])
    async def test_the_cookies_of_everything_on_localhost_are_accepted(self, connect: Connect, size: int) -> None:
        async with connect() as connection:
            answer = await connection.ask("GET", "/instantshopping/lib/v1/lib.js", Cookie="a=" + "b" * size)
            assert answer.status == 200
            assert (await connection.ask("GET", "/_mock/clock?x=" + "a" * size)).status == 400

    async def test_a_longer_header_is_refused(self, connect: Connect) -> None:
        async with connect() as connection:
            answer = await connection.ask("GET", "/_mock/clock", Cookie="a" * (LONGEST_LINE + 1))
            assert (answer.status, answer.headers["Connection"]) == (431, "close")
            assert answer.json["detail"].endswith(f"a header has more than {LONGEST_LINE} bytes")

    async def test_headers_are_bounded_together(self, connect: Connect) -> None:
        async with connect() as connection:
            connection.writer.write(b"GET / HTTP/1.1\r\nHost: a\r\n")
            for number in range(LONGEST_HEAD // 40_000 + 1):
                await connection.writer.drain()
                connection.writer.write(b"X-%d: " % number + b"a" * 40_000 + b"\r\n")
            assert (await connection.next()).status == 431


@pytest.fixture
async def impatient() -> AsyncIterator[Connect]:
    """Opens connections to a server that waits a tenth of a second for headers and bodies."""
    async with serve(Settings(port=0, body_timeout=0.1)) as running:
        yield lambda: Connection(running.url, AUTHORIZATION)


class TestTime:
    """Headers and bodies have to arrive in time; an idle connection does not."""

    async def test_headers_that_trickle_are_refused(self, impatient: Connect) -> None:
        async with impatient() as connection:
            answer = asyncio.create_task(connection.next())
            connection.writer.write(b"GET / HTTP/1.1\r\n")
            while not answer.done():
                connection.writer.write(b"a")
                await asyncio.wait((answer,), timeout=0.01)
            assert ((await answer).status, (await answer).headers["Connection"]) == (408, "close")
            assert "headers did not arrive within 0.1 seconds" in (await answer).json["error_message"]

    async def test_a_connection_without_a_request_stays_open(self, impatient: Connect) -> None:
        async with impatient() as idle, impatient() as slow:
            slow.writer.write(b"GET")
            assert (await slow.next()).status == 408  # the time that the idle one did not need either has passed
            for _ in range(2):
                assert (await idle.ask("GET", "/_mock/clock")).status == 200
                idle.writer.write(b"\r\n")

    async def test_a_body_that_does_not_arrive_ends_the_connection(self, impatient: Connect) -> None:
        async with impatient() as connection:
            answer = await connection.answer(connection.head(f"POST {BUTTONS}", Content_Length=9, **JSON) + b"{")
            assert (answer.status, answer.headers["Connection"]) == (408, "close")


async def test_a_client_that_leaves_in_the_middle_of_a_body_is_no_error_of_the_server(
    connect: Connect, klarna: MockKlarnaAsync, caplog: pytest.LogCaptureFixture
) -> None:
    for head in ({"Content_Length": 1000}, {"Transfer_Encoding": "chunked"}):
        async with connect() as connection:
            part = b'{"merchant' if "Content_Length" in head else b'1000\r\n{"merchant'
            connection.writer.write(connection.head(f"POST {BUTTONS}", **head, **JSON) + part)
            await connection.writer.drain()
        entry = await klarna.wait_for("create_button", status="400", within=60)
        assert [problem["rule"] for problem in entry["problems"]] == ["incomplete"]
        await klarna.reset()
    assert [record.getMessage() for record in caplog.records if record.levelno >= logging.ERROR] == []


class TestEnd:
    """A response says `Connection: close` where the connection is closed."""

    @pytest.mark.parametrize(
        ("status", "headers", "body"),
        [
            (413, {"Content-Length": 1 << 40}, b"{"),
            (417, {"Content-Length": 9, "Expect": "200-ok"}, b""),
            (401, {"Content-Length": 1 << 20, "Authorization": ""}, b"{"),
            (401, {"Transfer-Encoding": "chunked", "Authorization": ""}, b"9\r\n{"),
            (401, {"Content-Length": 9, "Content-Encoding": "gzip", "Authorization": ""}, b"\x1f\x8b"),
            (400, {"Content-Length": "many"}, b""),
        ],
    )
    async def test_the_rest_of_a_body_that_is_not_read_ends_the_connection(
        self, connect: Connect, status: int, headers: dict[str, Any], body: bytes
    ) -> None:
        async with connect() as connection:
            answer = await connection.answer(connection.head(f"POST {BUTTONS}", **headers) + body)
            assert (answer.status, answer.headers["Connection"]) == (status, "close")
            connection.writer.write_eof()
            assert await until_closed(connection) == b""

    async def test_after_an_early_answer_a_small_body_is_dropped_and_the_connection_kept(
        self, connect: Connect
    ) -> None:
        async with connect() as connection:
            head = connection.head(f"POST {BUTTONS}", Content_Length=2, Authorization="", **JSON)
            refused = await connection.answer(head + b"{")
            assert (refused.status, refused.headers.get("Connection")) == (401, None)
            connection.writer.write(b"}")
            assert (await connection.ask("GET", "/_mock/clock")).status == 200

    @pytest.mark.parametrize(
        "start", ["OPTIONS *", "CONNECT klarna.test:443", "CONNECT /_mock/clock", "OPTIONS klarna.test:443"]
    )
    async def test_a_target_that_is_not_a_path_is_refused_in_json(self, connect: Connect, start: str) -> None:
        async with connect() as connection:
            refused = await connection.answer(connection.head(start))
            assert 400 <= refused.status < 500
            assert refused.json["error_code"] in ("not_found", "bad_request")


def bomb(megabytes: int) -> bytes:
    """Return the beginning of a gzip file of spaces, about a kilobyte for each megabyte."""
    packer, spaces = zlib.compressobj(9, wbits=31), b" " * (1 << 20)
    first, next_one = (packer.compress(spaces) + packer.flush(zlib.Z_FULL_FLUSH) for _ in range(2))
    return first + next_one * (megabytes - 1)


@pytest.mark.process
async def test_a_refused_body_is_not_unpacked_further() -> None:
    body = bomb(5000)
    async with served() as server, Connection(server.url, AUTHORIZATION) as connection:
        head = connection.head(f"POST {BUTTONS}", Content_Length=len(body) + 10, Content_Encoding="gzip", **JSON)
        before = cpu_seconds(server.process.pid)
        answer = await connection.answer(head + body)
        assert (answer.status, answer.headers["Connection"]) == (413, "close")
        async with Connection(server.url, AUTHORIZATION) as other:
            assert (await other.ask("GET", "/_mock/clock")).status == 200
        used = cpu_seconds(server.process.pid) - before  # of this server alone: nothing else runs in its process
    assert used < 1.5  # to unpack all of it takes several times as long
