import pytest

from mock_klarna.validation import MalformedBody, read_json
from tests.cases import in_turn

DEEP = 64


@in_turn(
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
)
def test_a_malformed_body_names_its_fault(raw: bytes, rule: str, expected: str) -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(raw)
    problem = caught.value.problem
    assert (problem.path, problem.rule) == ("", rule)
    assert problem.expected.startswith(expected)


def test_a_fault_shows_the_bytes_around_it_and_no_more() -> None:
    with pytest.raises(MalformedBody) as caught:
        read_json(b'{"long": "' + b"x" * 10_000 + b'", oops}')
    assert "oops" in str(caught.value.problem.sent)
    assert len(str(caught.value.problem.sent)) < 100


@pytest.mark.parametrize(
    "raw", [b"{}", b"[]", b"null", b'"text"', b"[" * DEEP + b"]" * DEEP, b"[" + b"{}," * 999 + b"{}]"]
)
def test_json_is_read_whatever_it_is(raw: bytes) -> None:
    import json

    assert read_json(raw) == json.loads(raw)
