"""What `serve` and `shop` say when they were not started as was meant."""

import os
import subprocess
import sys

import pytest


def ended(*words: str, **environment: str) -> tuple[int, str]:
    """Run a command to its end; return its exit code and what it said on stderr."""
    line = [sys.executable, "-m", "mock_klarna", *words]
    done = subprocess.run(
        line, capture_output=True, text=True, timeout=60, check=False, env={**os.environ, **environment}
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["serve", "shop"])
@pytest.mark.parametrize("host", ["nonsense.invalid", "192.0.2.1", "a..b"])
def test_a_host_that_is_not_this_machine_is_answered_with_advice_about_the_host(command: str, host: str) -> None:
    code, said = ended(command, "--host", host, "--port", "0")
    assert code == 3
    assert f"cannot listen on {host}:0" in said
    assert "name an address of this machine with --host" in said
    assert "--port" not in said


@pytest.mark.parametrize("wrong", ["foo", "http://", "ftp://127.0.0.1:21"])
def test_a_shop_needs_an_address_of_klarna(wrong: str) -> None:
    code, said = ended("shop", "--klarna", wrong)
    assert code == 2
    assert said.startswith(f"mock-klarna: --klarna: {wrong!r} is no URL of a server; give http://HOST:PORT")


def test_a_variable_that_is_no_setting_is_told_with_the_name_that_was_meant() -> None:
    _, said = ended("serve", "--host", "192.0.2.1", MOCK_KLARNA_PROT="1", MOCK_KLARNA_XYZXYZ="1")
    assert "mock-klarna: MOCK_KLARNA_PROT is no setting and is ignored; did you mean MOCK_KLARNA_PORT?\n" in said
    assert "mock-klarna: MOCK_KLARNA_XYZXYZ is no setting and is ignored\n" in said


def test_a_variable_that_is_a_setting_is_not_told() -> None:
    assert "no setting" not in ended("serve", "--host", "192.0.2.1", MOCK_KLARNA_PORT="0")[1]
