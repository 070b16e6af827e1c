"""Values of settings: from text, from Python, and what an error message says."""

import re
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings, serve, settings
from mock_klarna.settings import (
    SettingsError,
    from_environment,
    is_service_variable,
    setting_fields,
    without_secrets,
)

INVALID: dict[str, tuple[Any, str]] = {
    "port": (-1, "port: -1 is not an integer from 0 to 65535"),
    "tls_port": ("443", "tls_port: '443' is not an integer from 0 to 65535"),
    "max_callbacks": (True, "max_callbacks: True is not an integer from 10 to 10000000"),
    "host": ("http://127.0.0.1", "host: 'http://127.0.0.1' is not a host name or an IP address of this machine, or *"),
    "store": ("sqlite:", "store: 'sqlite:' is not memory, sqlite:PATH or postgresql://USER:PASSWORD@HOST/DATABASE"),
    "strict": ("yes", "strict: 'yes' is not true or false"),
    "callback_timeout": (0, "callback_timeout: 0 is not a number from 0.01 to 600"),
    "token_lifetime": ("1", "token_lifetime: '1' is not a number from 1 to 2592000"),
    "log_format": ("xml", "log_format: 'xml' is not one of text, json"),
    "environment": ("Playground", "environment: 'Playground' is not one of production, playground; did you mean playground?"),
    "seed": (7, "seed: 7 is not a text"),
    "credentials": ("K123:secret", "credentials: 'K123:secret' is not a tuple of texts, each USER:PASSWORD"),
    "callback_host_rewrite": (("a",), "callback_host_rewrite: ('a',) is not a tuple of texts, each FROM=TO"),
    "callback_ca": (["a.pem"], "callback_ca: ['a.pem'] is not a tuple of texts, each a path"),
    "tls_name": ((1,), "tls_name: (1,) is not a tuple of texts, each a host name such as shop.test or *.shop.test, or an"),
    "rate_limit": ("fast", "rate_limit: 'fast' is not production, playground or a number such as 20/s"),
}  # fmt: skip


@pytest.mark.parametrize("name", INVALID)
def test_settings_made_in_python_are_checked(name: str) -> None:
    value, message = INVALID[name]
    with pytest.raises(SettingsError, match="^" + re.escape(message)):
        Settings(**{name: value})


def test_every_setting_refuses_a_value_of_another_type() -> None:
    for setting in setting_fields():
        options: Any = {setting.name: object()}
        with pytest.raises(SettingsError, match=f"^{setting.name}: <object object at .*> is not "):
            Settings(**options)


def test_values_made_in_python_get_their_normal_form() -> None:
    made = Settings(callback_timeout=5, tls_name=("Shop.Test.",))
    assert (made.callback_timeout, made.tls_name) == (5.0, ("shop.test",))
    assert isinstance(made.callback_timeout, float)


def test_every_setting_describes_itself() -> None:
    for setting in setting_fields():
        assert setting.metadata["allowed"]
        assert setting.metadata["help"]
        assert setting.metadata["metavar"] or isinstance(setting.default, bool)
        assert setting.metadata["group"] in settings.GROUPS


def test_an_invalid_variable_is_named_with_its_value() -> None:
    with pytest.raises(SettingsError, match=r"^MOCK_KLARNA_PORT: 'http' is not an integer from 0 to 65535$"):
        from_environment({"MOCK_KLARNA_PORT": "http"})


def test_variables_of_services_are_no_settings() -> None:
    for name, value, is_of_a_service in (
        ("MOCK_KLARNA_PORT", "tcp://10.0.0.1:8080", True),
        ("MOCK_KLARNA_PORT", "udp://[fd00::1]:8080", True),
        ("MOCK_KLARNA_PORT", "http://10.0.0.1:8080", False),
        ("MOCK_KLARNA_SEED", "tcp://10.0.0.1:8080", False),
        ("MOCK_KLARNA_TLS_NAME", "/shop/klarna", False),
        ("MOCK_KLARNA_NAME", "/shop/klarna", True),
        ("MOCK_KLARNA_ENV_PYTHON_VERSION", "3.13", True),
        ("MOCK_KLARNA_PORT_8080_TCP", "tcp://10.0.0.1:8080", True),
        ("MOCK_KLARNA_SERVICE_PORT_HTTP", "8080", True),
        ("MOCK_KLARNA_PROT", "8080", False),
    ):
        assert is_service_variable(name, value) is is_of_a_service, (name, value)


def test_the_address_of_a_service_is_not_a_port() -> None:
    environ = {"MOCK_KLARNA_PORT": "tcp://10.0.0.1:8080", "MOCK_KLARNA_TLS_PORT": "TCP://10.0.0.1:443"}
    assert from_environment(environ) == Settings()
    assert from_environment({**environ, "PORT": "81"}).port == 81


def test_a_flag_comes_before_a_variable_that_is_not_valid() -> None:
    environ = {"MOCK_KLARNA_PORT": "http", "MOCK_KLARNA_SEED": "7"}
    assert from_environment(environ, {"port": 3}) == Settings(port=3, seed="7")


def test_flags_come_before_variables_and_variables_before_port() -> None:
    environ = {"PORT": "1", "MOCK_KLARNA_PORT": "2", "MOCK_KLARNA_STRICT": "yes", "MOCK_KLARNA_HOST": ""}
    assert from_environment({"PORT": "1"}).port == 1
    assert from_environment(environ) == Settings(port=2, strict=True)
    assert from_environment(environ, {"port": 3}).port == 3


@pytest.mark.parametrize(
    ("setting", "value", "message"),
    [
        ("scenarios", "{folder}/nowhere", "--scenarios: '{folder}/nowhere' is not a folder that exists"),
        ("scenarios", "{folder}/file", "--scenarios: '{folder}/file' is not a folder that exists"),
        ("tls_cert", "{folder}/file", "--tls-cert: '{folder}/file' is not used without --tls; give --tls too"),
        ("tls_folder", "{folder}", "--tls-folder: '{folder}' is not used without --tls; give --tls too"),
        ("tls_key", "{folder}/file", "--tls-key: '{folder}/file' is not used without --tls; give --tls too"),
        (
            "store",
            "sqlite:{folder}",
            "--store: {folder} is a folder; name a regular file, such as sqlite:mock-klarna.db",
        ),
        ("ready_file", "{folder}/no/x", "--ready-file: cannot write '{folder}/no/x': No such file or directory; name"),
        ("ready_file", "{folder}", "--ready-file: cannot write '{folder}': Is a directory; name a path in a folder"),
        ("ready_file", "/", "--ready-file: cannot write '/': "),
        ("scenarios", "{folder}/" + "n" * 300, "--scenarios: '{folder}/" + "n" * 300 + "' is not a folder that exists"),
        (
            "store",
            "sqlite:~no-such-user/x.db",
            "--store: cannot use ~no-such-user/x.db: Could not determine home directory.",
        ),
    ],
)
async def test_values_that_no_server_can_use_are_refused_and_nothing_is_written(
    setting: str, value: str, message: str, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "file").write_text("")
    options: Any = {setting: value.format(folder=folder)}
    with pytest.raises(SettingsError) as refusal:
        async with serve(Settings(port=0, **options)):
            pass
    assert str(refusal.value).startswith(message.format(folder=folder))
    assert _names(tmp_path) == ["file", "here"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))


@pytest.mark.parametrize(
    ("store", "shown"),
    [
        ("postgresql://shop:se:cr@t@db/x", "postgresql://shop:...@db/x"),
        ("postgresql://db/x?user=shop&password=secret&schema=y", "postgresql://db/x?user=shop&password=...&schema=y"),
        ("sqlite:state.db", "sqlite:state.db"),
    ],
)
def test_a_password_in_the_address_of_a_database_is_not_shown(store: str, shown: str) -> None:
    (setting,) = (setting for setting in setting_fields() if setting.name == "store")
    assert without_secrets(setting, store) == shown
