"""A large body is read value by value, and means the same as when it is read at once."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mock_klarna.validation.json_body import MalformedBody, read_json, read_portions

VALUES: Any = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=25,
)


def read(raw: bytes, levels: int) -> Any:
    """Return what portions make of a body, or that it is malformed."""
    try:
        return read_portions(raw, levels)
    except MalformedBody:
        return MalformedBody


@given(VALUES, st.integers(0, 6), st.booleans(), st.sampled_from([None, 1]))
def test_a_body_means_the_same_whatever_it_is_read_in(value: Any, levels: int, ascii_only: bool, indent: int) -> None:
    raw = json.dumps(value, ensure_ascii=ascii_only, indent=indent).encode("utf-8", "replace")
    assert read(raw, levels) == (read_json(raw) if is_json(raw) else MalformedBody)


@given(
    VALUES, st.integers(0, 6), st.integers(0, 200), st.sampled_from([b"", b",", b"}", b"]", b'"', b"\xff", b":", b"x"])
)
def test_a_body_that_is_malformed_is_so_whatever_it_is_read_in(
    value: Any, levels: int, place: int, put_in: bytes
) -> None:
    whole = json.dumps(value).encode()
    raw = whole[:place] + put_in + (whole[place + 1 :] if put_in else b"")
    assert (read(raw, levels) is MalformedBody) is not is_json(raw)


def is_json(raw: bytes) -> bool:
    """Tell what a reader of whole bodies thinks of one."""
    try:
        read_json(raw)
    except MalformedBody:
        return False
    return True


FAULTS = {
    b'{"a": [1, 2}': "line 1, column 12",
    b'{"a": 1}\n x': "line 2, column 2",
    b'{"a" 1}': "':' or the end",
    b"{'a': 1}": "a name in quotes",
    b'{"a": NaN}': "JSON",
    b'["\xff"]': "text in UTF-8",
    b'["\\ud800"]': "whole characters",
    b"[" * 100_000: "at most 64 levels",
    b"[[[" + b"[" * 70 + b"]" * 73: "at most 64 levels",
}


@pytest.mark.parametrize(("raw", "words"), FAULTS.items(), ids=[repr(raw[:12]) for raw in FAULTS])
def test_what_is_wrong_with_a_large_body_is_said(raw: bytes, words: str) -> None:
    with pytest.raises(MalformedBody, match=words):
        read_portions(raw, 3)
