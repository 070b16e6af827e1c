"""The rules of HTTP."""

import pytest

from tests.certify.results import outcome_of, outcomes
from tests.certify.samples import (
    ORDER,
    Journal,
)


@pytest.mark.parametrize(
    ("path", "outcome"),
    [
        (f"{ORDER}?x=1a1b1c1d-1111-4222-8333-a4152346356b", "passed"),
        (f"{ORDER}?id=19710101-1234", "passed"),
        (f"{ORDER}?id=710101-1234", "failed"),
        (f"{ORDER}?id=7101011234", "failed"),
        (f"{ORDER}?mail=sara@example.com", "failed"),
    ],
)
def test_ids_are_not_taken_for_personal_data(path: str, outcome: str) -> None:
    assert outcome_of("T3", Journal().sent("get_managed_order", path, method="GET")) == outcome


@pytest.mark.parametrize(("header", "outcome"), [("AUTHORIZATION", "failed"), ("Content-Type", "passed")])
def test_answers_to_callbacks_have_no_credentials(header: str, outcome: str) -> None:
    journal = Journal().called("push", None, answer_headers=[[header, "Basic dTpw"]])
    assert outcomes(journal)["T3"] == outcome
