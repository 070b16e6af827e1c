"""A client on another machine, as far as it can tell: with a hosts file, a network and a trust store of its own."""

import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import NoReturn

import pytest

from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST

_SECONDS = 300


def run(module: str, folder: Path, *arguments: str, trusted: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    """Run a module of these tests where Klarna's names are loopback; `trusted` are environment variables that say whom to trust.

    `folder` is its home, and where the server that it starts keeps its authority.
    """
    hosts = folder / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", SCRIPT_HOST, *API_HOSTS)))
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **home, **trusted}
    command = [*_unshared(), "env", "-i", *(f"{name}={value}" for name, value in environment.items()), sys.executable]
    command += ["-m", "tests.tls.inside", str(hosts), f"tests.tls.{module}", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)


_UNSHARE = ("unshare", "--net", "--mount")
_WAYS = (_UNSHARE, (*_UNSHARE, "--user", "--map-root-user"), ("sudo", "-n", *_UNSHARE))
"""How root, a user and one who may become root give a program namespaces of its own."""


@cache
def _unshared() -> tuple[str, ...]:
    """Return the first way that works here."""
    said = []
    for way in _WAYS:
        tried = subprocess.run(["sh", "-c", f"{' '.join(way)} true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return way
        said.append(tried.stderr.strip())
    return missing(f"a client cannot have a network and a hosts file of its own here: {'; '.join(said)}")


def missing(reason: str) -> NoReturn:
    """Skip the test, or fail it where it must not be skipped: in continuous integration."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
