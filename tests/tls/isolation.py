"""Runs a client in its own network and mount namespaces, with its own hosts file and trust store."""

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
    """Run a module of these tests where Klarna's names resolve to loopback; `trusted` are environment variables with trusted files.

    `folder` is its home, and the server that it starts stores its authority there.
    """
    hosts = folder / "hosts"
    hosts.write_text("".join(f"127.0.0.1 {name}\n" for name in ("localhost", SCRIPT_HOST, *API_HOSTS)))
    home = {name: str(folder) for name in ("HOME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")}
    path = os.pathsep.join([str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")])
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": path, **home, **trusted}
    command = [*_unshared(), "env", "-i", *(f"{name}={value}" for name, value in environment.items()), sys.executable]
    command += ["-m", "tests.tls.in_namespace", str(hosts), f"tests.tls.{module}", str(folder), *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=_SECONDS)


_UNSHARE = ("unshare", "--net", "--mount")
_COMMANDS = (_UNSHARE, (*_UNSHARE, "--user", "--map-root-user"), ("sudo", "-n", *_UNSHARE))
"""How root, a user, and a user with sudo start a program in namespaces of its own."""


@cache
def _unshared() -> tuple[str, ...]:
    """Return the first command that works here."""
    errors = []
    for command in _COMMANDS:
        tried = subprocess.run(["sh", "-c", f"{' '.join(command)} true"], capture_output=True, text=True, check=False)
        if tried.returncode == 0:
            return command
        errors.append(tried.stderr.strip())
    return missing(f"a client cannot have a network and a hosts file of its own here: {'; '.join(errors)}")


def missing(reason: str) -> NoReturn:
    """Skip the test; in continuous integration fail it."""
    if os.environ.get("CI", "").lower() == "true":
        pytest.fail(reason)
    pytest.skip(reason)
