"""Any JSON is accepted or refused without an exception, and accepted bodies stay accepted."""

from functools import cache

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_klarna.errors import Problem
from mock_klarna.validation import MalformedBody, Validator, read_json
from tests.extent import extent
from tests.validation.strategies import resembling

VALIDATORS = [Validator(), Validator(strict=True)]
CATALOGUE = VALIDATORS[0].catalogue
bodies = cache(lambda operation: resembling(CATALOGUE, CATALOGUE.parts(CATALOGUE.operations[operation])))


@pytest.mark.parametrize("operation", CATALOGUE.operations)
@settings(max_examples=extent(usual=3, thorough=40), deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_body_gets_a_verdict_in_both_modes(operation: str, data: st.DataObject) -> None:
    body = data.draw(bodies(operation))
    for validator in VALIDATORS:
        gives_a_verdict(validator, operation, body)


def gives_a_verdict(validator: Validator, operation: str, body: object) -> None:
    accepted, problems = validator.check(operation, body)
    assert [problem for problem in problems if not problem.expected] == []
    assert all(problem.as_text() and problem.json_path for problem in problems)
    assert problems or validator.check(operation, accepted) == (accepted, [])


@given(raw=st.binary(max_size=40) | st.text('[]{}",:0123456789.eE-ntfu\\', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    problem, body = check(raw)
    if problem:
        assert problem.expected
        assert orjson.dumps(problem.as_json())
    else:
        assert orjson.loads(orjson.dumps(body)) == body


def check(raw: bytes) -> tuple[Problem | None, object]:
    try:
        return None, read_json(raw)
    except MalformedBody as refusal:
        return refusal.problem, None
