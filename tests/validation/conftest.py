import pytest

from mock_klarna.validation import Contract


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture(scope="session")
def strict() -> Contract:
    return Contract(strict=True)
