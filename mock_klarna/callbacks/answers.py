"""What a merchant's answer to `update` means (protocol 4.2)."""

from typing import Any

from mock_klarna.contract import Contract, MalformedBody, read_json
from mock_klarna.domain.deliveries import Attempt
from mock_klarna.domain.problems import in_words
from mock_klarna.emulator.steps import UNUSABLE


def read_update_answer(attempt: Attempt, contract: Contract) -> tuple[dict[str, Any], str | None]:
    """Return the changes that an answer makes and why it could not be used: 304 changes nothing, 200 brings JSON."""
    if attempt.status == 304:
        return {}, None
    if attempt.outcome != "answered" or attempt.status != 200:
        said = f"answered {attempt.status}" if attempt.outcome == "answered" else f"{attempt.outcome}: {attempt.error}"
        return {}, f"the update callback {said}; expected 200 with JSON, or 304"
    try:
        changes, problems = contract.check("update_answer", read_json(attempt.answer), nulls=True)
    except MalformedBody as malformed:
        return {}, f"the answer to update is not JSON: {malformed.problem.as_text()}"
    if problems:
        return {}, f"{UNUSABLE}: {in_words(problems)}"
    return changes, None
