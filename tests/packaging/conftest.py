import subprocess
import sys
import tarfile
import venv
from pathlib import Path
from zipfile import ZipFile

import pytest
from build import ProjectBuilder

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="session")
def root() -> Path:
    """The checkout that the packages are built from."""
    return ROOT


@pytest.fixture(scope="session")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The source archive, unpacked."""
    folder = tmp_path_factory.mktemp("sdist")
    archive = ProjectBuilder(ROOT).build("sdist", folder)
    with tarfile.open(archive) as packed:
        packed.extractall(folder, filter="data")
    return folder / Path(archive).name.removesuffix(".tar.gz")


@pytest.fixture(scope="session")
def wheel_file(sdist: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `python -m build` makes it: from the source archive."""
    return Path(ProjectBuilder(sdist).build("wheel", tmp_path_factory.mktemp("dist")))


@pytest.fixture(scope="session")
def wheel(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel, unpacked."""
    return _unpacked(wheel_file, tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def wheel_of_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The wheel as `pip install .` makes it: from the checkout; unpacked."""
    made = ProjectBuilder(ROOT).build("wheel", tmp_path_factory.mktemp("dist"))
    return _unpacked(Path(made), tmp_path_factory.mktemp("wheel"))


@pytest.fixture(scope="session")
def installed(wheel_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The interpreter of a fresh environment with the wheel in it; dependencies are this environment's own."""
    home = tmp_path_factory.mktemp("installed")
    venv.create(home, symlinks=True)
    python = next(home.glob("*/python"))
    pip = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install", "--no-index", "--no-deps"]
    subprocess.run([*pip, str(wheel_file)], check=True)
    packages = next(home.glob("lib/*/site-packages"))
    (packages / "dependencies.pth").write_text("\n".join(path for path in sys.path if path.endswith("site-packages")))
    return python


def _unpacked(wheel: Path, folder: Path) -> Path:
    with ZipFile(wheel) as packed:
        packed.extractall(folder)
    return folder
