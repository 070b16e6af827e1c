"""`serve` and `shop` report addresses that they cannot bind, and wrong settings."""

import pytest

from tests.commands import Command

BOTH = pytest.mark.parametrize("name", ["serve", "shop"])


@BOTH
@pytest.mark.parametrize("host", ["nonsense.invalid", "192.0.2.1"])
def test_a_host_of_another_machine_exits_3_with_a_hint_about_the_host(command: Command, name: str, host: str) -> None:
    result = command(name, "--host", host, "--port", "0")
    assert result.returncode == 3
    assert f"cannot listen on {host}:0" in result.stderr
    assert "name an address of this machine with --host" in result.stderr
    assert "--port" not in result.stderr


def test_a_text_that_is_no_host_exits_2_for_the_server_and_3_for_the_shop(command: Command) -> None:
    error = "mock-klarna: --host: 'a..b' is not a host name or an IP address of this machine, or * for all addresses\n"
    assert (command("serve", "--host", "a..b").returncode, command("serve", "--host", "a..b").stderr) == (2, error)
    assert command("shop", "--host", "a..b").returncode == 3


@BOTH
def test_a_taken_port_exits_3_with_a_hint_about_the_port(command: Command, taken_port: int, name: str) -> None:
    result = command(name, "--port", taken_port)
    assert result.returncode == 3
    assert result.stderr.startswith(f"mock-klarna: cannot listen on 127.0.0.1:{taken_port}: ")
    assert result.stderr.endswith("; choose another with --port, 0 takes any free one\n")


@pytest.mark.parametrize("url", ["foo", "http://", "ftp://127.0.0.1:21"])
def test_an_invalid_address_of_klarna_is_a_usage_error(command: Command, url: str) -> None:
    result = command("shop", "--klarna", url)
    assert result.returncode == 2
    assert result.stderr.startswith(f"mock-klarna: --klarna: {url!r} is not the URL of a server; give http://HOST:PORT")


def test_a_username_of_the_shop_with_its_password_is_a_usage_error(command: Command) -> None:
    result = command("shop", "--merchant", "K123:secret")
    assert result.returncode == 2
    hint = "contains a colon, at which a username ends; give the password with --password"
    assert result.stderr == f"mock-klarna: --merchant: 'K123:secret' {hint}\n"


def test_a_shop_without_klarna_exits_4(command: Command) -> None:
    result = command("shop", "--klarna", "http://127.0.0.1:1")
    assert result.returncode == 4
    assert result.stderr == "mock-klarna: no answer from http://127.0.0.1:1: Connection refused\n"


def test_an_unknown_environment_variable_is_reported_with_a_suggestion(
    command: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PROT", "1")
    monkeypatch.setenv("MOCK_KLARNA_XYZXYZ", "1")
    errors = command("serve", "--host", "192.0.2.1").stderr
    assert "mock-klarna: unknown setting MOCK_KLARNA_PROT is ignored; did you mean MOCK_KLARNA_PORT?\n" in errors
    assert "mock-klarna: unknown setting MOCK_KLARNA_XYZXYZ is ignored\n" in errors


KUBERNETES = {
    "MOCK_KLARNA_SERVICE_HOST": "10.0.0.1",
    "MOCK_KLARNA_SERVICE_PORT": "8080",
    "MOCK_KLARNA_PORT": "tcp://10.0.0.1:8080",
    "MOCK_KLARNA_PORT_8080_TCP_ADDR": "10.0.0.1",
    "MOCK_KLARNA_TLS_PORT": "tcp://10.0.0.2:443",
}
"""What Kubernetes sets beside the services `mock-klarna` and `mock-klarna-tls`; links of Docker are alike."""


@pytest.mark.parametrize(
    "line",
    [("serve", "--host", "192.0.2.1"), ("demo", "--once", "--host", "192.0.2.1"), ("run", "--host", "192.0.2.1")],
)
def test_variables_of_a_service_are_ignored_with_one_line(
    command: Command, monkeypatch: pytest.MonkeyPatch, line: tuple[str, ...]
) -> None:
    for name, value in KUBERNETES.items():
        monkeypatch.setenv(name, value)
    ignored, cannot_bind = command(*line).stderr.splitlines()
    assert ignored.startswith("mock-klarna: MOCK_KLARNA_")
    assert ignored.endswith(" ignored: set by Kubernetes or Docker for a service, not a setting")
    assert all(name in ignored for name in KUBERNETES)
    assert "cannot listen on 192.0.2.1:" in cannot_bind


def test_a_known_environment_variable_is_not_reported(command: Command, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOCK_KLARNA_PORT", "0")
    assert "unknown setting" not in command("serve", "--host", "192.0.2.1").stderr
