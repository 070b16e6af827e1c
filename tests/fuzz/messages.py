"""Requests of fuzz tests: each operation with ids that exist, and with changes to its target, headers, body and bytes."""

import base64
import gzip
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from random import Random
from typing import Any
from urllib.parse import quote

import orjson

from tests.fuzz.answers import Answer, Described, Document
from tests.fuzz.bodies import Bodies, Values

Json = Any
_HOST = b"127.0.0.1"
_WEIGHTS = {
    "create_purchase": 5, "add_order": 4, "create_order": 4, "create_button": 2, "sdk_sessions": 3, "put_snapshot": 4,
    "get_snapshot": 0.5, "set_clock": 0.3, "create_fault": 0.5, "list_shoppers": 0.1, "events": 0.05, "openapi": 0.02,
    "run_scenario": 0.1, "reset": 0.05,
}  # fmt: skip
"""How often an operation is called, compared with the others."""
_BEGINNING = (
    "create_button", "create_purchase", "create_purchase", "create_order", "add_order", "add_order", "capture_order",
    "capture_order", "refund_order", "create_token", "sdk_sessions", "sdk_identify", "sdk_pay", "order_from_token",
    "list_callbacks", "get_snapshot", "list_scenarios", "journal",
)  # fmt: skip
"""Operations that make objects, called again after some requests because requests use objects up."""
_ROUND = 150
_NO_WAIT = 0.99
"""How often a purchase says that its end is not waited for."""
_STORED_UNDER = {
    "customer_token": ("customer_token", "token_id"),
    "session_id": ("session_id", "session_id", "purchase_id"),
    "name": ("scenario",),
}
"""Names that answers have for a part of a path, where they differ from it."""
_LARGEST_LEARNED = 30_000
_SEGMENTS = (
    b"", b"%00", b"%2f", b"%2F..%2f", b"..", b".", b"%zz", b"%", b"%ff%fe", b"%ed%a0%80", b"\xc3\xa5", b"\xff",
    b"a%0d%0aB:%20c", b"x" * 300, b"x" * 9000, b"0", b"-1", b"9" * 400, b"%D9%A3", b"a b".replace(b" ", b"%20"),
    b"a;b=c", b"a,b", b"*", b"null", b"%F0%9F%98%80", b"a:b@c", b"(.*)", b"{x}",
)  # fmt: skip
_QUERIES = (
    b"", b"?", b"&", b"=", b"a=b", b"merchant=", b"merchant=%00", b"merchant=%FF", b"merchant=a&merchant=b",
    b"merchant=" + b"m" * 3000, b"limit=0", b"limit=-1", b"limit=1e3", b"limit=10000", b"limit=%D9%A3",
    b"limit=99999999999999999999", b"after=4611686018427387904", b"after=4611686018427387905", b"wait=0e9", b"wait=.0",
    b"wait=601", b"wait=-1", b"wait=1e999", b"wait=NaN", b"seconds=0.", b"seconds=Infinity", b"kind=exchange",
    b"kind=", b"state=placed", b"status=4xx", b"status=999", b"status=4XX%0A", b"name=%00",
    b"correlation_id=%ED%A0%80", b"purchase_id=%2F", b"country=SE", b"country=%C3%9F", b"country=ZZ", b"%00=1",
    b"limit=1;merchant=a", b"a[]=1", b"a=%", b"a=%zz", b"+=+", b"x" * 5000,
    b"&".join(b"p%d=1" % number for number in range(300)),
)  # fmt: skip
_TYPES = (
    b"application/json", b"application/json; charset=utf-8", b"application/json;charset=latin-1",
    b"application/problem+json", b"text/plain", b"", b"application/xml", b"APPLICATION/JSON",
    b"application/json; charset=\xff", b"multipart/form-data; boundary=x", b"application/json;;;", b"json", b"*/*",
    b"a/b" * 100, b"application/json; charset=" + b"u" * 500, b"application/x-www-form-urlencoded",
    b'application/json; charset="utf-8', b"application/vnd.a+json",
)  # fmt: skip
_ACCOUNTS = (
    b"",
    b":",
    b"a:",
    b":b",
    b"a",
    b"a:b:c",
    b"\xc3\xa5:x",
    b"\xff:x",
    b"a\x00b:x",
    b"%2f:x",
    b"m" * 5000 + b":x",
    b"a\r\nb:x",
)
_OTHER_AUTHORIZATION = (
    b"",
    b"Basic",
    b"Basic ",
    b"Basic !!!",
    b"Bearer abc",
    b"basic YTpi",
    b"Basic YTpi=",
    b"Basic YTpi\t",
    b"Basic \xff",
    b"Digest a=b",
)
_HEADERS = (
    (b"Expect", b"100-continue"), (b"Expect", b"200-ok"), (b"Expect", b""), (b"Origin", b"http://evil.example"),
    (b"Origin", b"null"), (b"Origin", b"\xff"), (b"Sec-Fetch-Site", b"cross-site"), (b"Sec-Fetch-Site", b"none"),
    (b"Referer", b"http://["), (b"Accept", b"*/*;q=x"), (b"Accept-Encoding", b"br;q=9"), (b"Range", b"bytes=0-1"),
    (b"If-None-Match", b"*"), (b"If-Modified-Since", b"yesterday"), (b"Cookie", b"a=" + b"b" * 9000),
    (b"Cookie", b"\xe9;;=;"), (b"X-Forwarded-For", b"::1, \xff"), (b"X-Forwarded-Proto", b"gopher"),
    (b"Forwarded", b"for=_x"), (b"X-HTTP-Method-Override", b"DELETE"), (b"Last-Event-ID", b"-1"),
    (b"Last-Event-ID", b"9" * 300), (b"Connection", b"close"), (b"Connection", b"keep-alive, x"), (b"Upgrade", b"h2c"),
    (b"TE", b"trailers"), (b"Klarna-Idempotency-Key", b""), (b"Klarna-Idempotency-Key", b"again"),
    (b"Klarna-Idempotency-Key", b"\xff\xc3"), (b"Klarna-Idempotency-Key", b"k" * 4000), (b"Content-Language", b""),
    (b"Content-Encoding", b"identity"), (b"Content-Encoding", b""), (b"User-Agent", b"\xf0\x9f\x98\x80"),
    (b"User-Agent", b""), (b"X-A", b"h" * 60_000),
)  # fmt: skip
_HOSTS = (
    b"", b"localhost", b"evil.example", b"127.0.0.1:99999", b"[::1]", b"[::1", b"127.0.0.1:", b"api.klarna.com",
    b"api.playground.klarna.com:443", b"a" * 300, b"\xff", b"a/b", b"127.0.0.1, x", b"user@127.0.0.1", b"LOCALHOST",
    b"127.0.0.1.", b"::1", b"%00", b"x_y", b"a b",
)  # fmt: skip
_METHODS = (
    b"HEAD",
    b"OPTIONS",
    b"TRACE",
    b"PUT",
    b"PATCH",
    b"DELETE",
    b"POST",
    b"GET",
    b"PURGE",
    b"get",
    b"M-SEARCH",
    b"X" * 200,
)
_OTHER_TARGETS = (
    b"/", b"/_mock", b"/_mock/", b"/_mock/unknown", b"//", b"/..", b"/instantshopping", b"/instantshopping/v1",
    b"/ordermanagement/v1/orders", b"/payments", b"/favicon.ico", b"/instantshopping/dialog/%00",
    b"/instantshopping/dialog/x?parent=%22%3E", b"/instantshopping/buy/%2f", b"/instantshopping/buy/x?locale=%00",
    b"/instantshopping/buy/x/qr.svg?a=%ff", b"/instantshopping/lib/v1/lib.js",
    b"/instantshopping/static/dialog/main.js", b"/instantshopping/static/../../../etc/passwd",
    b"/instantshopping/static/%2e%2e/%2e%2e/x", b"/instantshopping/static/%00", b"/instantshopping/static/dialog",
    b"/customer-token/v1/tokens/", b"/robots.txt", b"/instantshopping/sdk", b"/x" * 4000,
)  # fmt: skip
_LENGTHS = (
    b"-1",
    b"+5",
    b"0x5",
    b"5, 5",
    b"1e1",
    b"",
    b" ",
    b"99999999999999999999999",
    b"2147483648",
    b"\xd9\xa3",
    b"5;",
    b"5 5",
)
_CHUNKED = (
    b"5\r\n{\"a\"\r\n", b"-1\r\nx\r\n0\r\n\r\n", b"zz\r\n\r\n", b"FFFFFFFFFFFFFFFFFF\r\nx\r\n",
    b"2;a=" + b"b" * 20_000 + b"\r\n{}\r\n0\r\n\r\n", b"2\n{}\n0\n\n", b"0x2\r\n{}\r\n0\r\n\r\n",
    b"2\r\n{}\r\n0\r\nA: b\r\n\r\n", b"2\r\n{}\r\n0\r\n" + b"A: b\r\n" * 500 + b"\r\n", b"2\r\n{}0\r\n\r\n",
    b" 2\r\n{}\r\n0\r\n\r\n", b"\r\n\r\n",
)  # fmt: skip
_NOT_HTTP = (
    b"\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", b"GET\r\n\r\n",
    b"GET /\r\n\r\n", b"GET / HTTP/9.9\r\n\r\n", b"GET / HTTP/1.1\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", b"GET  / HTTP/1.1\r\n\r\n", b"\x00" * 50,
    b"CONNECT a:1 HTTP/1.1\r\nHost: a\r\n\r\n", b"OPTIONS * HTTP/1.1\r\n\r\n", b"GET http://[ HTTP/1.1\r\n\r\n",
    b"GET http://a:99999999/_mock/health HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /_mock/health HTTP/1.1\r\nHost : 127.0.0.1\r\n\r\n", b"QUIT\r\n",
    b"GET /_mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\n A: folded\r\n\r\n",
    b"GET /_mock/health HTTP/1.1\nHost: 127.0.0.1\n\n", b"GET /_mock/health HTTP/1.1\r\n: x\r\n\r\n",
    b"GET /_mock/health HTTP/1.1\r\nHost: 127.0.0.1\r\nA\x00B: c\r\n\r\n",
    b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n\r\n", b"A" * 140_000, b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 12_000,
    b"GET ws://127.0.0.1/_mock/clock HTTP/1.1\r\nHost: a\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
)  # fmt: skip


@dataclass(slots=True)
class Message:
    """A request.

    operation: the operation that it reaches, or None.
    is_readable: whether it is certainly HTTP, so that only what the document describes may be answered.
    raw: the bytes of a request that is sent on a connection of its own, which is then closed for writing.
    """

    method: bytes
    target: bytes
    headers: list[tuple[bytes, bytes]] = field(default_factory=list)
    body: bytes | None = None
    operation: Described | None = None
    version: bytes = b"HTTP/1.1"
    is_readable: bool = True
    is_chunked: bool = False
    raw: bytes = b""

    def encoded(self) -> bytes:
        """Return the bytes of the request."""
        if self.raw:
            return self.raw
        lines = [b"%s %s %s" % (self.method, self.target, self.version)]
        lines += [b"%s: %s" % header for header in self.headers]
        if self.body is not None and not self.is_chunked:
            lines.append(b"Content-Length: %d" % len(self.body))
        return b"\r\n".join([*lines, b"", b""]) + (self.body or b"")

    def set(self, name: bytes, value: bytes) -> None:
        """Replace a header."""
        self.headers = [header for header in self.headers if header[0] != name]
        self.headers.append((name, value))


class Messages:
    """The requests of one client: depends only on the seed and on the answers that it gets."""

    def __init__(self, document: Document, merchant: str, rng: Random) -> None:
        self._document = document
        self._merchant = merchant.encode()
        self._rng = rng
        self._values = Values(rng)
        self._bodies = Bodies(document.content, self._values, rng)
        self._operations = {operation.name: operation for operation in document.operations}
        self._names = list(self._operations)
        self._weights = [_WEIGHTS.get(name, 1) for name in self._names]
        self._made = 0
        self._waiting: list[str] = []
        self._paths: deque[dict[str, str]] = deque(maxlen=_ROUND)
        """The variable parts of paths that exist."""
        self._snapshot: Json = {"version": 1, "merchants": {}}

    def next(self) -> Message:
        """Return the next request."""
        rng = self._rng
        if self._made % _ROUND == 0:
            self._waiting = [*_BEGINNING, *(["reset"] if rng.random() < 0.2 else [])][::-1]
        self._made += 1
        if self._waiting:
            name = self._waiting.pop()
            return self._addressed(self._message(self._operations[name], is_changed=False, merchant=True))
        draw = rng.random()
        if draw < 0.03:
            return self._addressed(Message(rng.choice(_METHODS[:8]), rng.choice(_OTHER_TARGETS), self._usual_headers()))
        name = rng.choices(self._names, self._weights)[0]
        message = self._message(self._operations[name], is_changed=rng.random() < 0.45, merchant=rng.random() < 0.7)
        if draw < 0.15:
            return self._raw(message)
        for change in rng.choices((self._other_target, self._other_headers, self._other_body, None, None, None), k=2):
            if change is not None:
                change(message)
        return self._addressed(message)

    def learn(self, message: Message, answer: Answer) -> None:
        """Remember the ids and values of an answer."""
        if answer.status >= 300 or message.operation is None or message.method == b"HEAD":
            return
        found = message.operation.pattern.match(message.target.decode("latin-1"))
        created = {f"{what}_id": answer.headers.get(f"{what}-id") for what in ("capture", "refund")}
        self._paths.append({**(found.groupdict() if found else {}), **{k: v for k, v in created.items() if v}})
        try:
            content = orjson.loads(answer.body)
        except orjson.JSONDecodeError:  # no body, or a fault that was requested
            return
        if message.operation.name == "get_snapshot":
            self._snapshot = content if len(answer.body) < 10 * _LARGEST_LEARNED else self._snapshot
        elif message.operation.name == "list_scenarios":
            self._values.remember("scenario", self._rng.choice(content["scenarios"])["name"])
        elif len(answer.body) < _LARGEST_LEARNED:
            self._values.learn(content)

    # A request for an operation

    def _usual_headers(self) -> list[tuple[bytes, bytes]]:
        account = base64.b64encode(self._merchant + b":secret")
        return [(b"Host", _HOST), (b"Authorization", b"Basic " + account)]

    def _message(self, operation: Described, *, is_changed: bool, merchant: bool) -> Message:
        message = Message(operation.method.encode(), b"", self._usual_headers(), operation=operation)
        token, body = None, None
        if operation.name == "create_order" and self._values.orders and self._rng.random() < 0.8:
            token, body = self._rng.choice(self._values.orders)
        elif operation.name == "put_snapshot":
            body = self._snapshot
        message.target = self._path(operation, token) + self._query(operation, merchant=merchant)
        if "requestBody" in operation.entry:
            schema = operation.entry["requestBody"]["content"]["application/json"]["schema"]
            body = self._bodies.valid(operation.name, schema) if body is None else body
            if is_changed:
                body = self._bodies.changed(body, self._rng.choice((1, 1, 2, 3)))
            if operation.name == "create_purchase" and isinstance(body, dict) and self._rng.random() < _NO_WAIT:
                body.setdefault("wait", 0)
            message.body = self._bodies.written(body)
            message.set(b"Content-Type", b"application/json")
        return message

    def _path(self, operation: Described, token: str | None) -> bytes:
        parts, names = [], set(operation.pattern.groupindex)
        known = [path for path in self._paths if names <= path.keys()] if len(names) > 1 else []
        path = self._rng.choice(known) if known and self._rng.random() < 0.8 else {}
        for part in operation.path.split("/"):
            if not part.startswith("{"):
                parts.append(part.encode())
                continue
            name = part.strip("{}")
            value = path.get(name) or self._values.get(*_STORED_UNDER.get(name, (name,)))
            value = token if token and name == "authorization_token" else value
            unknown = value is None or self._rng.random() < 0.06
            parts.append(self._rng.choice(_SEGMENTS[7:]) if unknown else quote(str(value), safe="").encode() or b"x")
        return b"/".join(parts)

    def _query(self, operation: Described, *, merchant: bool) -> bytes:
        names = [each["name"] for each in operation.entry["parameters"] if each["in"] == "query"]
        if "merchant" not in names:
            return b""
        chosen = [b"merchant=" + self._merchant] if merchant else []
        if self._rng.random() < 0.2 and len(names) > 1:
            allowed = [query for query in _QUERIES if query.partition(b"=")[0].decode("latin-1") in names[1:]]
            chosen.append(self._rng.choice(allowed or [b""]))
        return b"?" + b"&".join(filter(None, chosen)) if any(chosen) else b""

    # Changes

    def _addressed(self, message: Message) -> Message:
        """Set the operation that a changed target reaches."""
        message.is_readable = message.is_readable and message.target.isascii()
        method, target = message.method.decode("latin-1"), message.target.decode("latin-1")
        message.operation = self._document.find(method, target)
        return message

    def _other_target(self, message: Message) -> None:
        rng, (path, _, query) = self._rng, message.target.partition(b"?")
        draw = rng.randrange(6)
        if draw < 2:
            parts = path.split(b"/")
            parts[rng.randrange(1, len(parts))] = rng.choice(_SEGMENTS)
            path = b"/".join(parts)
        elif draw < 4:
            query = b"&".join(rng.sample((query, *rng.choices(_QUERIES, k=2)), 3))
        elif draw == 4:
            path = rng.choice(
                (path + b"/", path + b"//", b"/" + path, path + b"/.", path + b"#x", path.upper(), path + b"%20")
            )
        else:
            message.method = rng.choice(_METHODS)
        message.target = path + (b"?" + query if query else b"")

    def _other_headers(self, message: Message) -> None:
        rng, draw = self._rng, self._rng.randrange(6)
        if draw < 3:
            for name, value in rng.choices(_HEADERS, k=rng.choice((1, 1, 2))):
                message.headers.append((name, value))
        elif draw == 3:
            message.set(b"Content-Type", rng.choice(_TYPES))
        elif draw == 4:
            account = b"Basic " + base64.b64encode(rng.choice(_ACCOUNTS))
            message.set(b"Authorization", account if rng.random() < 0.6 else rng.choice(_OTHER_AUTHORIZATION))
        else:
            message.set(b"Host", rng.choice(_HOSTS))
        names = [name for name, _ in message.headers]
        if draw == 5 or len(set(names)) < len(names) or any(b"\xff" in value for _, value in message.headers):
            message.is_readable = False

    def _other_body(self, message: Message) -> None:
        """Send a body in another encoding, in chunks, none, or one where none is expected."""
        rng, body, draw = self._rng, message.body or b"{}", self._rng.randrange(5)
        if message.is_chunked or any(name == b"Content-Encoding" for name, _ in message.headers):
            return
        if draw == 0 and message.body is not None:
            message.body = rng.choice((b"", b" ", b"null", b"[]", b"{}", b'""', b"0", b"\xef\xbb\xbf{}", b"{}{}"))
        elif draw == 1:
            encoding, pack = rng.choice(_PACKED)
            message.body = pack(body)
            message.headers.append((b"Content-Encoding", encoding))
            message.is_readable = False
        elif draw == 2:
            message.body, message.is_chunked = _in_chunks(rng, body), True
            message.headers.append((b"Transfer-Encoding", b"chunked"))
        elif draw == 3:
            message.body = body
        else:
            message.version = b"HTTP/1.0"

    def _raw(self, message: Message) -> Message:
        """Return a message whose bytes may be no HTTP."""
        rng = self._rng
        message.raw = rng.choice(_RAW)(rng, message) or message.encoded()
        message.is_readable = False
        message.operation = None
        return message


def _in_chunks(rng: Random, body: bytes) -> bytes:
    parts, largest = [], (1, 7, 100, 5000)
    for _ in range(3):
        size = min(len(body), rng.choice(largest))
        parts.append(body[:size])
        body = body[size:]
    written = [b"%x%s\r\n%s\r\n" % (len(part), rng.choice((b"", b";a=b")), part) for part in (*parts, body) if part]
    return b"".join([*written, b"0\r\n\r\n"])


_PACKED: tuple[tuple[bytes, Callable[[bytes], bytes]], ...] = (
    (b"gzip", gzip.compress),
    (b"GZIP", gzip.compress),
    (b"deflate", zlib.compress),
    (b"gzip", lambda body: body),
    (b"gzip", lambda body: gzip.compress(body)[:-5]),
    (b"gzip", lambda body: gzip.compress(body) + b"more"),
    (b"gzip", lambda body: gzip.compress(body)[:10]),
    (b"gzip, gzip", lambda body: gzip.compress(gzip.compress(body))),
    (b"br", lambda body: body),
    (b"zstd", lambda body: body),
    (b"unknown", lambda body: body),
)


def _wrong_length(rng: Random, message: Message) -> bytes:
    body = message.body or b"{}"
    length = rng.choice((*_LENGTHS, b"%d" % (len(body) + rng.choice((-1, 1, 100))), b"0"))
    message.headers.append((b"Content-Length", length))
    if rng.random() < 0.3:
        message.headers.append((b"Content-Length", b"%d" % len(body)))
    message.is_chunked = True
    message.body = body
    return message.encoded()


def _wrong_chunks(rng: Random, message: Message) -> bytes:
    message.body, message.is_chunked = rng.choice(_CHUNKED), True
    message.headers.append(
        (
            b"Transfer-Encoding",
            rng.choice((b"chunked", b"chunked", b"Chunked", b"gzip, chunked", b"chunked, x", b"identity")),
        )
    )
    if rng.random() < 0.2:
        message.headers.append((b"Content-Length", b"5"))
    return message.encoded()


def _cut_off(rng: Random, message: Message) -> bytes:
    encoded = message.encoded()
    return encoded[: rng.randrange(1, len(encoded))]


def _flipped(rng: Random, message: Message) -> bytes:
    """Change bytes at some places, of which most are in the head."""
    encoded = bytearray(message.encoded())
    for _ in range(rng.choice((1, 1, 2, 5))):
        place = rng.randrange(min(len(encoded), 400))
        change = rng.randrange(3)
        if change == 0:
            encoded[place] = rng.randrange(256)
        elif change == 1:
            encoded[place:place] = rng.choice(
                (b"\x00", b"\r", b"\n", b"\r\n", b":", b" ", b"\xff", b"\t", b"%", b"A" * 100)
            )
        elif len(encoded) > 1:
            del encoded[place]
    return bytes(encoded)


def _several(rng: Random, message: Message) -> bytes:
    return message.encoded() * rng.choice((2, 3, 40)) + rng.choice((b"", b"x", b"\r\n", b"GET"))


_RAW: tuple[Callable[[Random, Message], bytes], ...] = (
    _wrong_length,
    _wrong_chunks,
    _cut_off,
    _flipped,
    _flipped,
    _flipped,
    _several,
    lambda rng, _message: rng.choice(_NOT_HTTP),
    lambda rng, _message: rng.randbytes(rng.randint(1, 300)),
)
