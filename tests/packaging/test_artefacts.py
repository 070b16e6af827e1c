from email import message_from_string
from email.message import Message
from pathlib import Path

import pytest

import mock_klarna

pytestmark = pytest.mark.process


@pytest.fixture(params=["wheel", "wheel_of_checkout"])
def any_wheel(request: pytest.FixtureRequest) -> Path:
    folder = request.getfixturevalue(request.param)
    assert isinstance(folder, Path)
    return folder


@pytest.fixture
def metadata(wheel: Path) -> Message:
    return message_from_string(next(wheel.glob("*.dist-info/METADATA")).read_text())


@pytest.mark.parametrize("folder", ["schemas", "fixtures"])
def test_a_wheel_contains_every_data_file(any_wheel: Path, root: Path, folder: str) -> None:
    carried = _contents(any_wheel / "mock_klarna" / "_bundle" / folder)
    assert carried
    assert carried == _contents(root / folder)


@pytest.mark.parametrize("folder", ["mock_klarna", "schemas", "fixtures", "tests", "docs"])
def test_the_source_archive_contains_code_data_and_tests(sdist: Path, root: Path, folder: str) -> None:
    assert _contents(sdist / folder) == _contents(root / folder)


def test_a_wheel_is_the_same_from_the_checkout_and_from_the_source_archive(
    wheel: Path, wheel_of_checkout: Path
) -> None:
    assert _contents(wheel) == _contents(wheel_of_checkout)


def test_a_wheel_contains_only_the_package_and_its_metadata(wheel: Path) -> None:
    assert {path.name.partition("-")[0] for path in wheel.iterdir()} == {"mock_klarna"}


def test_a_wheel_is_marked_as_typed(wheel: Path) -> None:
    assert (wheel / "mock_klarna" / "py.typed").is_file()


def test_a_wheel_names_its_licence_and_contains_the_text(wheel: Path, metadata: Message, root: Path) -> None:
    assert metadata["License-Expression"] == "MIT"
    licence = next(wheel.glob("*.dist-info/licenses/LICENSE"))
    assert licence.read_text() == (root / "LICENSE").read_text()


def test_the_version_is_that_of_the_package(metadata: Message) -> None:
    assert metadata["Version"] == mock_klarna.__version__


@pytest.mark.parametrize(
    "entry", ["mock-klarna = mock_klarna.__main__:main", "mock_klarna = mock_klarna.pytest_plugin"]
)
def test_a_wheel_registers_the_command_and_the_plugin(wheel: Path, entry: str) -> None:
    assert entry in next(wheel.glob("*.dist-info/entry_points.txt")).read_text().splitlines()


def test_a_wheel_has_every_extra(metadata: Message) -> None:
    assert metadata.get_all("Provides-Extra") == ["dev", "fast", "fuzz", "postgres", "pytest", "test"]
    requirements = metadata.get_all("Requires-Dist", [])
    assert any(line.startswith("uvloop") and "extra == 'fast'" in line for line in requirements)


def _contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
