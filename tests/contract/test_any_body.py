"""Whatever JSON comes: a verdict, never an exception, and what is accepted stays accepted."""

import orjson
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mock_klarna.contract import Contract, MalformedBody, read_json
from mock_klarna.domain.problems import Problem
from tests.contract.strategies import resembling

CONTRACTS = {"lenient": Contract(), "strict": Contract(strict=True)}
CATALOGUE = CONTRACTS["lenient"].catalogue


@pytest.mark.parametrize("mode", CONTRACTS)
@pytest.mark.parametrize("operation", CATALOGUE.operations)
@settings(max_examples=20, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_any_body_gets_a_verdict(mode: str, operation: str, data: st.DataObject) -> None:
    contract = CONTRACTS[mode]
    body = data.draw(resembling(CATALOGUE, CATALOGUE.whole(CATALOGUE.operations[operation])))
    accepted, problems = contract.check(operation, body)
    assert [problem for problem in problems if not problem.expected] == []
    assert all(problem.as_text() and problem.json_path for problem in problems)
    assert problems or contract.check(operation, accepted) == (accepted, [])


@given(raw=st.binary(max_size=40) | st.text('[]{}",:0123456789.eE-ntfu\\', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused_in_words(raw: bytes) -> None:
    problem, body = verdict(raw)
    if problem:
        assert problem.expected
        assert orjson.dumps(problem.as_json())
    else:
        assert orjson.loads(orjson.dumps(body)) == body


def verdict(raw: bytes) -> tuple[Problem | None, object]:
    try:
        return None, read_json(raw)
    except MalformedBody as refusal:
        return refusal.problem, None
