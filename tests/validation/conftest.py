import pytest

from mock_klarna.validation import Validator


@pytest.fixture(scope="session")
def validator() -> Validator:
    return Validator()


@pytest.fixture(scope="session")
def strict() -> Validator:
    return Validator(strict=True)
