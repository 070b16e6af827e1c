"""What `serve` and `shop` say when they were not started as was meant."""

import pytest

from tests.cases import in_turn
from tests.commands import Command


@pytest.mark.parametrize("way", ["serve", "shop"])
@pytest.mark.parametrize("host", ["nonsense.invalid", "192.0.2.1", "a..b"])
def test_a_host_that_is_not_this_machine_is_answered_with_advice_about_the_host(
    command: Command, way: str, host: str
) -> None:
    ended = command(way, "--host", host, "--port", "0")
    assert ended.returncode == 3
    assert f"cannot listen on {host}:0" in ended.stderr
    assert "name an address of this machine with --host" in ended.stderr
    assert "--port" not in ended.stderr


@in_turn("wrong", ["foo", "http://", "ftp://127.0.0.1:21"])
def test_a_shop_needs_an_address_of_klarna(command: Command, wrong: str) -> None:
    ended = command("shop", "--klarna", wrong)
    assert ended.returncode == 2
    said = f"mock-klarna: --klarna: {wrong!r} is no URL of a server; give http://HOST:PORT"
    assert ended.stderr.startswith(said)


def test_a_variable_that_is_no_setting_is_told_with_the_name_that_was_meant(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PROT", "1")
    monkeypatch.setenv("MOCK_KLARNA_XYZXYZ", "1")
    said = command("serve", "--host", "192.0.2.1").stderr
    assert "mock-klarna: MOCK_KLARNA_PROT is no setting and is ignored; did you mean MOCK_KLARNA_PORT?\n" in said
    assert "mock-klarna: MOCK_KLARNA_XYZXYZ is no setting and is ignored\n" in said


def test_a_variable_that_is_a_setting_is_not_told(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "0")
    assert "no setting" not in command("serve", "--host", "192.0.2.1").stderr
