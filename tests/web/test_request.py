"""What no client should send: a 4xx in JSON that names the fault, never a 500, never a hang, and memory stays flat."""

import asyncio
import gzip
import json
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings, resources
from tests.extent import extent
from tests.web.connection import Connection, RawAnswer
from tests.web.malformed import malformed

Connect = Callable[[], Connection]
BUTTONS = "/instantshopping/v1/buttons"
JSON = {"Content_Type": "application/json"}
BUTTON = b'{"merchant_urls":{"place_order":"https://shop.example/place"}}'


def assert_refused(answer: RawAnswer, status: int, *text: str) -> None:
    assert answer.status == status
    assert answer.headers["Content-Type"].startswith("application/json")
    assert answer.headers["Klarna-Correlation-Id"] == answer.json["correlation_id"]
    assert answer.json["error_code"]
    for part in text:
        assert part in answer.json["error_message"]


GET = b"GET /_mock/health HTTP/1.1\r\nHost: a\r\n"
POST = b"POST /_mock/reset HTTP/1.1\r\nHost: a\r\n"
REQUEST_LINE = "write the request line as METHOD /path HTTP/1.1, with %20 for a blank in the path"
NO_HTTP: list[tuple[bytes, str, str]] = [
    (b"\r\n\r\nhello\r\n\r\n", "the method is not known; sent 'hello'", "send one such as GET, POST"),
    (
        b"\x16\x03\x01\x02\x00\r\n\r\n",
        "TLS was sent to a port for plain HTTP; sent '\\x16\\x03",
        "use http:// in the URL",
    ),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "HTTP/2 was sent; sent 'PRI * HTTP/2.0'", "use HTTP/1.1"),
    (
        b"GET _mock HTTP/1.1\r\nHost: a\r\n\r\n",
        "the path does not begin with /; sent 'GET _mock HTTP/1.1'",
        REQUEST_LINE,
    ),
    (
        b"get /_mock/health HTTP/1.1\r\n\r\n",
        "the method is not known; sent 'get /_mock/health HTTP/1.1'",
        "in upper case",
    ),
    (
        b"GET /_mock/he alth HTTP/1.1\r\n\r\n",
        "the path is not followed by HTTP/1.1; sent 'GET /_mock/he alth",
        REQUEST_LINE,
    ),
    (
        b"GET /_mock/health HTTP/9.9\r\n\r\n",
        "the HTTP version is not known; sent 'GET /_mock/health HTTP/9.9'",
        "HTTP/1.1",
    ),
    (
        b"GET /_mock/\xe9 HTTP/1.1\r\n\r\n",
        "a character that is not allowed; sent 'GET /_mock/\\xe9 HTTP/1.1'",
        "%C3%A9",
    ),
    (b"GET /_mock/health HTTP/1.1\r\n\r\n", "the header Host is missing; sent 'GET /_mock/health", "send it once"),
    (GET + b"Host: b\r\n\r\n", "the header Host was sent twice; sent 'GET /_mock/health", "send it once"),
    (GET + b"no colon\r\n\r\n", "a header is malformed; sent 'no colon'", "write it as Name: value"),
    (GET + b"X: a\x00b\r\n\r\n", "a header is malformed; sent 'X: a", "leave out control characters"),
    (GET + b"Authorization: Basic a\x00\r\n\r\n", "a header is malformed", "leave out control characters"),
    (
        POST + b"Content-Length: -1\r\n\r\n",
        "Content-Length is not a number; sent 'Content-Length: -1'",
        "number of bytes",
    ),
    (POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}", "Content-Length was sent twice", "send it once"),
    (POST + b"Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n", "were sent together", "send one of them"),
    (POST + b"Transfer-Encoding: snappy\r\n\r\n{}", "the Transfer-Encoding is not known", "send chunked"),
    (
        POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n",
        "a chunk of the body is malformed; sent 'zz'",
        "in hexadecimal",
    ),
    (
        POST + b"Content-Encoding: br\r\nContent-Length: 2\r\n\r\n{}",
        "the body is packed in a way that is not known; sent 'Content-Encoding: br'",
        "pack it with gzip or deflate, or not at all",
    ),
]


async def test_invalid_http_is_refused_with_what_was_sent_and_what_would_be_right(connect: Connect) -> None:
    for raw, wrong, right in NO_HTTP:
        async with connect() as connection:
            answer = await connection.answer(raw)
        assert answer.status == 400, raw
        own = answer.headers["Content-Type"] == "application/problem+json"
        said = answer.json["detail"] + "; " + answer.json["hint"] if own else answer.json["error_message"]
        assert said.startswith("not a readable HTTP request: "), raw
        assert wrong in said, raw
        assert right in said, raw
        assert "Basic" not in said, raw


async def test_the_target_of_options_is_refused_for_other_methods(connect: Connect) -> None:
    async with connect() as connection:
        answer = await connection.answer(b"GET * HTTP/1.1\r\nHost: a\r\n\r\n")
    if answer.status == 401:  # some versions of aiohttp read it as a path, and no credentials were sent
        return
    assert answer.status == 400
    assert "the target * is for OPTIONS only; sent 'GET * HTTP/1.1'" in answer.json["error_message"]
    assert REQUEST_LINE in answer.json["error_message"]


@pytest.mark.parametrize(
    ("path", "media", "member"),
    [
        ("/_mock/health", "application/problem+json", "detail"),
        ("http://a.test/_mock/health?x=/", "application/problem+json", "detail"),
        ("/instantshopping/sdk/load", "application/problem+json", "detail"),
        ("/instantshopping/v1/buttons", "application/json", "error_message"),
        ("/ordermanagement/v1/orders/x", "application/json", "error_messages"),
        ("/elsewhere", "application/json", "error_message"),
    ],
)
async def test_invalid_http_is_refused_in_the_format_of_the_api(
    connect: Connect, path: str, media: str, member: str
) -> None:
    async with connect() as connection:
        answer = await connection.answer(f"GET {path} HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n".encode())
    assert (answer.status, answer.headers["Content-Type"]) == (400, media)
    assert "not a readable HTTP request: a header is malformed" in str(answer.json[member])


async def test_the_api_is_known_if_the_headers_arrive_in_parts(connect: Connect) -> None:
    async with connect() as connection, connect() as other:
        assert (await connection.ask("GET", "/instantshopping/v1/buttons/x")).status == 404
        for part in (b"GET /_mock/health", b" HTTP/1.1\r\n", b"Host: a\r\n"):
            connection.writer.write(part)
            await connection.writer.drain()
            await other.ask("GET", "/_mock/health")  # until the part has arrived
        answer = await connection.answer(b"no colon\r\n\r\n")
    assert answer.headers["Content-Type"] == "application/problem+json"


MALFORMED_BODIES = [
    (b"", "empty", "the body is empty"),
    (b" \r\n\t ", "empty", "holds only blanks"),
    (b'{"merchant_urls":', "json", "the body is cut off"),
    (b"{'merchant_urls': {}}", "json", "JSON"),
    (b'{"a": NaN}', "json", "JSON"),
    (b'{"a": Infinity}', "json", "JSON"),
    (b'{"a": 1,}', "json", "JSON"),
    (b"{} {}", "json", "one JSON document"),
    (b'{"a": "\xff"}', "utf8", "UTF-8"),
    (b"\xef\xbb\xbf{}", "utf8", "byte order mark"),
    (b'{"a": "\\ud800"}', "utf8", "escapes"),
    (BUTTON.decode().encode("utf-16"), "utf8", "UTF-8"),
    (b"[" * 65 + b"]" * 65, "depth", "at most 64 levels"),
    (b'{"a":' * 100000 + b"1" + b"}" * 100000, "depth", "at most 64 levels"),
    (b"[" * 300000, "depth", "at most 64 levels"),
    (b"[" * 1000000, "size", "at most 300000 values"),
    (b'{"a": 1e999}', "number", "64 bits"),
    (b'"text"', "type", "an object"),
    (b"7", "type", "an object"),
    (b"[1]", "type", "an object"),
    (b"null", "required", "merchant_urls"),
    (b"key=value&other=1", "json", "JSON"),
    (b"<order/>", "json", "JSON"),
]


async def test_a_malformed_body_is_refused_with_the_reason(connect: Connect, klarna: MockKlarnaAsync) -> None:
    for body, rule, text in MALFORMED_BODIES:
        async with connect() as connection:
            answer = await connection.ask("POST", BUTTONS, body, **JSON)
            assert_refused(answer, 400, "bad_value:")
            assert (await connection.ask("GET", "/_mock/health")).status == 200, body[:50]
        problem = (await klarna.journal(kind="exchange"))[-1]["problems"][0]
        assert (problem["rule"], text in problem["expected"] + problem["path"]) == (rule, True), body[:50]


@pytest.mark.parametrize(
    "number", ["1e400", "9" * 5000, "-" + "9" * 100, "1.7e308", "1e30", "0.1", "18446744073709551616"]
)
async def test_a_number_that_is_too_large_is_refused(
    connect: Connect, purchase: Any, guide: Callable[[str], Any], number: str
) -> None:
    body = json.dumps(guide("se-order")).replace("124000", number).encode()
    path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
    async with connect() as connection:
        assert_refused(await connection.ask("POST", path, body, **JSON), 400, "bad_value:")


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", b"not gzip at all"),
        ("gzip", gzip.compress(BUTTON, mtime=0)[:-12]),
        ("deflate", b"\xff\xff\xff\xff"),
        ("br", b"\xff"),
    ],
)
async def test_a_body_with_a_wrong_content_encoding_is_refused(connect: Connect, encoding: str, body: bytes) -> None:
    async with connect() as connection:
        answer = await connection.ask("POST", BUTTONS, body, Content_Encoding=encoding, **JSON)
        assert 400 <= answer.status < 500
        assert answer.json["error_code"]


async def test_a_compressed_body_is_read(connect: Connect) -> None:
    async with connect() as connection:
        answer = await connection.ask("POST", BUTTONS, gzip.compress(BUTTON), Content_Encoding="gzip", **JSON)
        assert answer.status == 201


@pytest.mark.parametrize(
    "chunks", [b"zz\r\n{}\r\n0\r\n\r\n", b"-1\r\n\r\n", b"3\r\n{}\r\n0\r\n\r\n", b"fffffffffffffffff\r\n"]
)
async def test_invalid_chunks_are_refused(connect: Connect, chunks: bytes) -> None:
    async with connect() as connection:
        head = connection.head(f"POST {BUTTONS}", Transfer_Encoding="chunked", **JSON)
        answer = await connection.answer(head + chunks)
        assert 400 <= answer.status < 500
        assert answer.json["error_code"]


async def test_a_chunked_body_is_read(connect: Connect) -> None:
    async with connect() as connection:
        head = connection.head(f"POST {BUTTONS}", Transfer_Encoding="chunked", **JSON)
        assert (await connection.answer(head + b"%x\r\n%s\r\n0\r\n\r\n" % (len(BUTTON), BUTTON))).status == 201


async def test_a_disconnect_in_the_middle_of_a_body_has_no_effect(connect: Connect, klarna: MockKlarnaAsync) -> None:
    for _ in range(20):
        async with connect() as connection:
            connection.writer.write(connection.head(f"POST {BUTTONS}", Content_Length=1000, **JSON) + b'{"merchant')
            await connection.writer.drain()
    assert (await klarna.send("GET", "/_mock/health")).body["buttons"] == 0


class TestBodyTimeout:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, body_timeout=0.1)

    async def test_a_slow_body_times_out(self, connect: Connect) -> None:
        async with connect() as connection:
            head = connection.head(f"POST {BUTTONS}", Content_Length=1000, **JSON)
            assert_refused(await connection.answer(head + b"{"), 408, "within 0.1 seconds")


class TestMaxBody:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, max_body=1024)

    @pytest.mark.parametrize("size", [1023, 1024, 1025, 4096])
    async def test_the_size_of_a_body_has_a_limit(self, connect: Connect, size: int) -> None:
        body = BUTTON.ljust(size)
        async with connect() as connection:
            declared = await connection.ask("POST", BUTTONS, body, **JSON)
        async with connect() as connection:
            head = connection.head(f"POST {BUTTONS}", Transfer_Encoding="chunked", **JSON)
            chunked = await connection.answer(head + b"%x\r\n%s\r\n0\r\n\r\n" % (size, body))
        if size <= 1024:
            assert (declared.status, chunked.status) == (201, 201)
        else:
            assert_refused(declared, 413, "1024 bytes")
            assert_refused(chunked, 413, "1024 bytes")

    async def test_the_limit_applies_to_the_decompressed_body(self, connect: Connect) -> None:
        bomb = gzip.compress(b" " * 1_000_000)
        assert len(bomb) < 1024
        async with connect() as connection:
            answer = await connection.ask("POST", BUTTONS, bomb, Content_Encoding="gzip", **JSON)
            assert_refused(answer, 413, "1024 bytes")


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[tuple[str, int]]:
    """A server in a process of its own: URL and process id."""
    ready = tmp_path / "ready.json"
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    command = [sys.executable, "-m", "mock_klarna", "serve", "--port", "0", "--ready-file", str(ready)]
    with subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
    ) as process:
        assert process.stdout is not None
        assert "ready" in process.stdout.readline()
        yield json.loads(ready.read_bytes())["url"], process.pid
        process.terminate()


def memory_of(pid: int) -> int:
    """Return the resident memory of a process in MB."""
    match = re.search(r"VmRSS:\s+(\d+) kB", Path(f"/proc/{pid}/status").read_text())
    assert match
    return int(match[1]) // 1024


AUTHORIZATION = "Basic c2hvcDpzZWNyZXQ="
HUGE = 100 << 20


@pytest.mark.process
async def test_a_hundred_megabytes_are_refused_early_without_using_memory(apart: tuple[str, int]) -> None:
    url, pid = apart
    before = memory_of(pid)
    async with Connection(url, AUTHORIZATION) as connection:
        head = connection.head(f"POST {BUTTONS}", Content_Length=HUGE, **JSON)
        assert_refused(await connection.answer(head), 413, str(HUGE))
    async with Connection(url, AUTHORIZATION) as connection:
        connection.writer.write(connection.head(f"POST {BUTTONS}", Transfer_Encoding="chunked", **JSON))
        sent, answer = 0, asyncio.create_task(connection.next())
        while sent < HUGE and not answer.done() and not connection.writer.is_closing():
            connection.writer.write(b"100000\r\n" + b" " * (1 << 20) + b"\r\n")
            sent += 1 << 20
            await asyncio.wait((answer, asyncio.create_task(_drained(connection))), return_when="FIRST_COMPLETED")
        assert_refused(await answer, 413, "reads at most")
        assert sent < HUGE // 2
    assert memory_of(pid) - before < 40


async def _drained(connection: Connection) -> None:
    try:
        await connection.writer.drain()
    except OSError:
        await asyncio.sleep(0)


async def _refusals(url: str, path: str, bodies: list[bytes]) -> list[tuple[bytes, RawAnswer]]:
    """Post bodies one after the other over one connection."""
    async with Connection(url, AUTHORIZATION) as connection:
        return [(body, await connection.ask("POST", path, body, **JSON)) for body in bodies]


async def _orders_of_a_purchase(url: str, cart: Any) -> str:
    """Let a shopper buy, and return the path at which the order is to be placed."""
    async with Connection(url, AUTHORIZATION) as connection:
        await connection.ask("POST", BUTTONS, BUTTON, **JSON)
        purchase = json.dumps({"page": cart, "wait": 0, "merchant_timeout": 3000}).encode()
        token = (await connection.ask("POST", "/_mock/purchases", purchase, **JSON)).json["authorization_token"]
    return f"/instantshopping/v1/authorizations/{token}/orders"


MALFORMED = extent(usual=1000, thorough=10_000)


@pytest.mark.process
async def test_thousands_of_malformed_bodies_are_refused(apart: tuple[str, int]) -> None:
    url, pid = apart
    body = (resources.fixtures() / "guide" / "se-order.json").read_bytes()
    cart = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    path = await _orders_of_a_purchase(url, cart)
    bodies = list(malformed("ten thousand", body, MALFORMED))
    early = [*await _refusals(url, path, bodies[: MALFORMED // 5])]
    before = memory_of(pid)
    groups = await asyncio.gather(*(_refusals(url, path, bodies[MALFORMED // 5 + part :: 8]) for part in range(8)))
    answers = [*early, *(answer for group in groups for answer in group)]
    # a mutation that happens to leave the order right is placed, and every order after it is one too many
    odd = [(body[:300], answer) for body, answer in answers if not 400 <= answer.status < 500 and not _is_json(body)]
    assert odd == []
    unfounded = [body for body, answer in answers if answer.status in (403, 404) and not _is_json(body)]
    assert unfounded == []
    assert not any(answer.status >= 500 for _, answer in answers)
    refusals = [answer.json for _, answer in answers if answer.status == 400]
    assert len(refusals) > 0.95 * MALFORMED
    assert all(refusal["error_message"].startswith("bad_value:") for refusal in refusals)
    assert all("Mock-Klarna-Explanation" in answer.headers for _, answer in answers if answer.status >= 400)
    assert memory_of(pid) - before < 30


def _is_json(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except ValueError:
        return False
