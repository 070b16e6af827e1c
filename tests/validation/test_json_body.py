"""JSON bodies: what is refused and with which words."""

import json
import subprocess
import sys
from typing import Any

import pytest
from hypothesis import strategies as st

from mock_klarna.validation.json_body import MAX_VALUES, MalformedBody, is_compact, read_json, write_json

DEEP = 64


@pytest.mark.parametrize(
    ("raw", "rule", "expected"),
    [
        (b"", "empty", "a JSON object; the body is empty"),
        (b" \n", "empty", "a JSON object; the body holds only blanks"),
        (b'{"a": 1', "json", "JSON that is complete; the body is cut off (line 1, column 8)"),
        (b'{"a": [1,\n 2', "json", "JSON that is complete; the body is cut off (line 2, column 3)"),
        (b'{"a": NaN}', "json", "JSON; "),
        (b'{"a": Infinity}', "json", "JSON; "),
        (b'{"a": "\xff"}', "utf8", "text in UTF-8"),
        (b'\xef\xbb\xbf{"a": 1}', "utf8", "UTF-8 without a byte order mark"),
        (b'{"a": "\\ud800"}', "utf8", "escapes that make whole characters"),
        (b'{"a": 1} x', "json", "one JSON document and nothing after it (line 1, column 10)"),
        (b"a=1&b=2", "json", "JSON; "),
        (b"[" * 100_000, "depth", "JSON of at most 64 levels"),
        (b"[" * (DEEP + 1) + b"]" * (DEEP + 1), "depth", "JSON of at most 64 levels"),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_malformed_body_is_refused_with_rule_and_place(raw: bytes, rule: str, expected: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(raw)
    problem = caught.value.problem
    assert (problem.path, problem.rule) == ("", rule)
    assert problem.expected.startswith(expected)


DIGITS = b"9" * 5000


@pytest.mark.parametrize(
    ("raw", "path"),
    [
        (b'{"a": 1e999}', "a"),
        (b'{"a": -%b, "b": 1}' % DIGITS, "a"),
        (b'{"x": [[], {"y": "}]\\"{,"}], "lines": [{"n": 1}, {"m": {}, "rate": %b}]}' % DIGITS, "lines[1].rate"),
        (b'{"": [1, 2, %b]}' % DIGITS, '[""][2]'),
        (b"[[1], %b]" % DIGITS, "[1]"),
        (DIGITS, ""),
        (b'{"text": "%b", "a": %b}' % (b"x" * 100_000, DIGITS), ""),
    ],
    ids=lambda value: repr(value)[:30],
)
def test_a_number_that_is_too_large_is_refused_with_its_member(raw: bytes, path: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(raw)
    problem = caught.value.problem
    assert (problem.path, problem.rule) == (path, "number")
    assert problem.expected.startswith("numbers that fit 64 bits")


def test_a_problem_shows_the_bytes_around_it_and_no_more() -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(b'{"long": "' + b"x" * 10_000 + b'", oops}')
    assert "oops" in str(caught.value.problem.value)
    assert len(str(caught.value.problem.value)) < 100


@pytest.mark.parametrize(
    "raw",
    [b"{}", b"[]", b"null", b'"text"', b"[" * DEEP + b"]" * DEEP, b"[" + b"{}," * 999 + b"{}]"],
    ids=lambda value: repr(value)[:30],
)
def test_any_json_value_is_parsed(raw: bytes) -> None:
    assert read_json(raw) == json.loads(raw)


def many(value: bytes, count: int) -> bytes:
    return b"[" + b",".join([value] * count) + b"]"


@pytest.mark.parametrize("value", [b"1", b'"a"', b"[]", b"{}", b'{"a": 1}', b'{"a": [{}]}', b"oops"])
def test_a_body_with_too_many_values_is_refused_before_it_is_parsed(value: bytes) -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(many(value, MAX_VALUES + 1))
    assert (caught.value.problem.rule, caught.value.problem.expected) == ("size", "a body of at most 300000 values")


@pytest.mark.parametrize("text", [b"a, b, [c], {d}", b'\\", \\\\', b'\\\\\\",,', b"\xc3\xa5,,,"])
def test_commas_and_brackets_in_texts_are_not_values(text: bytes) -> None:
    assert len(read_json(many(b'"%b"' % text, MAX_VALUES // 2))) == MAX_VALUES // 2


def test_a_body_of_the_most_values_is_parsed() -> None:
    assert len(read_json(many(b"1", MAX_VALUES))) == MAX_VALUES
    assert len(read_json(many(b"1", MAX_VALUES + 1), is_bounded=False)) == MAX_VALUES + 1


VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)


MEASURE = """
import json, tracemalloc
from mock_klarna.validation.json_body import write_json
measured = []
for size in (10, 1_100, 5_000):
    value = {"name": "x" * size}
    tracemalloc.start()
    written = [write_json(value) for _ in range(100)]
    ours = tracemalloc.take_snapshot().filter_traces([tracemalloc.Filter(True, "*/json_body.py")])
    tracemalloc.stop()
    assert all(json.loads(raw) == value for raw in written)
    measured.append((len(written[0]), sum(trace.size for trace in ours.traces) / 100))
print(json.dumps(measured))
"""
"""Runs in a process of its own: `tracemalloc` counts what servers of other tests allocate in the same process."""


@pytest.mark.process
def test_written_json_takes_no_more_memory_than_its_bytes() -> None:
    done = subprocess.run([sys.executable, "-c", MEASURE], check=True, capture_output=True, text=True)
    measured = json.loads(done.stdout)
    assert len(measured) == 3
    for size, memory in measured:
        assert size < memory < size + 80, size


@pytest.mark.parametrize(
    ("raw", "compact"),
    [
        (b'{"name":"Sara, Lena: both","url":"http://a.example/"}', True),
        (b'{"name": "Sara"}', False),
        (b'{\n  "name": "Sara"\n}', False),
        (b'{"url":"http:\\/\\/a.example"}', False),
        (b'{"name":"Sv\\u00e4rd"}', False),
    ],
)
def test_json_with_blanks_after_names_or_with_escapes_is_not_compact(raw: bytes, compact: bool) -> None:
    assert is_compact(raw) is compact
    assert is_compact(write_json(json.loads(raw)))
