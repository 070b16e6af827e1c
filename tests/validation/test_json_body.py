"""JSON bodies: what is refused and with which words, and how a large one is split."""

import json
import tracemalloc
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.validation.json_body import MalformedBody, is_compact, read_json, split_json, write_json

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
        (b'{"a": 1e999}', "number", "numbers that fit 64 bits"),
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


VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)


def joined(part: Any) -> Any:
    """Return a split body with its entries parsed."""
    if isinstance(part, dict):
        return {name: joined(inner) for name, inner in part.items()}
    return (
        [read_json(entry) if isinstance(entry, bytes) else entry for entry in part] if isinstance(part, list) else part
    )


def split(raw: bytes, levels: int) -> Any:
    """Return what the parts of a body mean, or that it is malformed."""
    try:
        return joined(split_json(raw, levels))
    except MalformedBody:
        return MalformedBody


def parsed(raw: bytes) -> Any:
    """Return what a body means, or that it is malformed."""
    try:
        return read_json(raw)
    except MalformedBody:
        return MalformedBody


@given(VALUES, st.integers(0, 6), st.booleans(), st.sampled_from([None, 1]))
def test_a_split_body_means_what_the_whole_body_means(
    value: Any, levels: int, ascii_only: bool, indent: int | None
) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    assert split(raw, levels) == parsed(raw)


@given(
    VALUES, st.integers(0, 6), st.integers(0, 200), st.sampled_from([b"", b",", b"}", b"]", b'"', b"\xff", b":", b"x"])
)
def test_a_body_is_malformed_whether_it_is_split_or_not(value: Any, levels: int, place: int, inserted: bytes) -> None:
    whole = json.dumps(value).encode()
    raw = whole[:place] + inserted + (whole[place + 1 :] if inserted else b"")
    assert (split(raw, levels) is MalformedBody) is (parsed(raw) is MalformedBody)


@pytest.mark.parametrize(
    "raw",
    [
        b'{"a": [1, 2}',
        b'{"a": 1}\n x',
        b'{"a": [1, 2]',
        b'{"a" 1}',
        b"{'a': 1}",
        b'{"a": NaN}',
        b'{"\xff": 1}',
        b'{"a": "\xff"}',
        b'{"a": "\\ud800"}',
        b"[" * 100_000,
    ],
    ids=lambda value: repr(value)[:20],
)
def test_the_problem_of_a_split_body_is_that_of_the_whole_body(raw: bytes) -> None:
    with pytest.raises(MalformedBody) as whole:
        read_json(raw)
    with pytest.raises(MalformedBody) as parts:
        split_json(raw, 3)
    assert parts.value.problem.expected.split(" (line")[0] == whole.value.problem.expected.split(" (line")[0]


def test_the_entries_of_a_list_stay_unparsed() -> None:
    assert split_json(b'{"a": {"b": [{"c": 1}, 2 ]}}', 5) == {"a": {"b": [b'{"c": 1}', b"2"]}}


@pytest.mark.parametrize("size", [10, 1_100, 5_000])
def test_written_json_takes_no_more_memory_than_its_bytes(size: int) -> None:
    value = {"name": "x" * size}
    tracemalloc.start()
    try:
        written = [write_json(value) for _ in range(100)]
        assert tracemalloc.get_traced_memory()[0] < 100 * (len(written[0]) + 80)
    finally:
        tracemalloc.stop()
    assert all(json.loads(raw) == value for raw in written)


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
