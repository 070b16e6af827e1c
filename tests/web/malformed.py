"""Bodies that no merchant should send: seeded changes to the bytes of a right one, and worse."""

import re
from collections.abc import Callable, Iterator
from random import Random

Change = Callable[[Random, bytes], bytes]
_NUMBER = re.compile(rb"(?<=: )-?\d+")
_WORD = re.compile(rb'(?<=: )"[^"]*"')
_STRUCTURE = b'{}[],:"'
_NUMBERS = (
    b"NaN",
    b"Infinity",
    b"-Infinity",
    b"1e999",
    b"9" * 400,
    b"-" + b"9" * 40,
    b"1.5",
    b"0x10",
    b"01",
    b"1e",
    b"--1",
)
_VALUES = (b"{}", b"[]", b"true", b'"1"', b"-1", b"[[[]]]", b'{"a": 1}', b"1e300", b"9223372036854775808")
_NOT_UTF8 = (b"\xff", b"\xc3\x28", b"\xed\xa0\x80", b"\xf8\x88\x80\x80\x80", b"\x80")


def _cut_off(rng: Random, body: bytes) -> bytes:
    return body[: rng.randrange(len(body) - 2)]


def _without_a_mark(rng: Random, body: bytes) -> bytes:
    places = [place for place, byte in enumerate(body) if byte in _STRUCTURE]
    place = rng.choice(places)
    return body[:place] + body[place + 1 :]


def _with_a_mark(rng: Random, body: bytes) -> bytes:
    place = rng.randrange(len(body))
    return body[:place] + bytes([rng.choice(_STRUCTURE)]) * rng.randint(1, 3) + body[place:]


def _not_text(rng: Random, body: bytes) -> bytes:
    place = rng.randrange(len(body))
    return body[:place] + rng.choice(_NOT_UTF8) + body[place:]


def _control(rng: Random, body: bytes) -> bytes:
    match = rng.choice(list(_WORD.finditer(body)))
    return body[: match.start() + 1] + bytes([rng.randrange(32)]) + body[match.start() + 1 :]


def _no_number(rng: Random, body: bytes) -> bytes:
    match = rng.choice(list(_NUMBER.finditer(body)))
    return body[: match.start()] + rng.choice(_NUMBERS) + body[match.end() :]


def _other_value(rng: Random, body: bytes) -> bytes:
    match = rng.choice(list(_NUMBER.finditer(body)))
    return body[: match.start()] + rng.choice(_VALUES) + body[match.end() :]


def _too_deep(rng: Random, body: bytes) -> bytes:
    depth = rng.choice((65, 200, 1000, 5000))
    opened, closed = rng.choice(((b"[", b"]"), (b'{"a":', b"}")))
    return b'{"order_lines": ' + opened * depth + b"1" + closed * depth + b"}"


def _twice(_rng: Random, body: bytes) -> bytes:
    return body + body


def _noise(rng: Random, _body: bytes) -> bytes:
    return rng.randbytes(rng.randint(1, 400))


def _other_encoding(rng: Random, body: bytes) -> bytes:
    return body.decode().encode(rng.choice(("utf-16", "utf-32", "utf-8-sig")))


CHANGES: tuple[Change, ...] = (
    _cut_off, _without_a_mark, _with_a_mark, _not_text, _control, _no_number, _too_deep, _twice, _noise, _other_encoding,
)  # fmt: skip
RARE = 20
"""One in so many bodies is JSON with wrong values, which takes long to explain."""


def malformed(seed: str, body: bytes, count: int) -> Iterator[bytes]:
    """Yield `count` malformed copies of an indented JSON body."""
    rng = Random(seed)
    for number in range(count):
        change = _other_value if number % RARE == 0 else rng.choice(CHANGES)
        yield change(rng, body)
