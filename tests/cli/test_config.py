"""A configuration file gives settings of the command line: a flag and a variable come before it, a default after it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.cli.config import settings_in_file
from mock_klarna.cli.main import parser
from mock_klarna.cli.options import setting_sources, settings_from
from mock_klarna.settings import Settings, SettingsError, setting_fields
from tests.commands import Command

Write = Callable[..., None]


@pytest.fixture
def write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Write:
    """Writes a configuration file into the current folder."""
    monkeypatch.chdir(tmp_path)

    def write(text: str, name: str = "mock-klarna.toml") -> None:
        (tmp_path / name).write_text(text, "utf-8")

    return write


def settings_of(*line: str) -> Settings:
    arguments = parser(["serve"]).parse_args(["serve", *line])
    return settings_from(arguments)


def test_values_have_the_types_of_toml_and_names_have_hyphens_or_underscores(write: Write) -> None:
    write(
        """port = 9000
strict = true
callback-timeout = 3
token_lifetime = 60.5
credentials = ["K123:secret", "K456:secret"]
callback-allow = "10.0.0.0/8, shop.test"
"""
    )
    assert settings_of() == Settings(
        port=9000,
        strict=True,
        callback_timeout=3,
        token_lifetime=60.5,
        credentials=("K123:secret", "K456:secret"),
        callback_allow=("10.0.0.0/8", "shop.test"),
    )


def test_a_flag_comes_before_a_variable_a_variable_before_the_file_and_the_file_before_the_default(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert settings_of("--port", "1").seed == ""
    write('port = 4\nseed = "file"\nregion = "eu"\n')
    monkeypatch.setenv("MOCK_KLARNA_SEED", "variable")
    monkeypatch.setenv("PORT", "3")
    assert settings_of() == Settings(port=3, seed="variable", region="eu")
    monkeypatch.setenv("MOCK_KLARNA_PORT", "2")
    assert settings_of("--port", "1", "--seed", "flag") == Settings(port=1, seed="flag", region="eu")
    assert settings_of().port == 2


def test_the_flag_for_silence_comes_before_a_file_or_a_variable_that_asks_for_more(
    write: Write, monkeypatch: pytest.MonkeyPatch
) -> None:
    write("verbose = true\n")
    assert (settings_of("-q").quiet, settings_of("-q").verbose) == (True, False)
    write("")
    monkeypatch.setenv("MOCK_KLARNA_QUIET", "true")
    assert (settings_of("-v").quiet, settings_of("-v").verbose) == (False, True)


def test_the_table_in_pyproject_is_read_unless_there_is_a_file_of_its_own(write: Write) -> None:
    write('[project]\nname = "shop"\n[tool.mock-klarna]\nport = 5\n', "pyproject.toml")
    assert settings_in_file() == {"port": 5}
    write("port = 6\n")
    assert settings_in_file() == {"port": 6}
    assert settings_in_file("pyproject.toml") == {"port": 5}


def test_a_file_of_a_windows_editor_is_read(write: Write) -> None:
    write("\ufeffport = 6\r\nstrict = true\r\n")
    assert settings_in_file() == {"port": 6, "strict": True}


@pytest.mark.parametrize("text", ["", "[tool.other]\nport = 1\n", "this is [not TOML"])
def test_a_pyproject_without_the_table_has_no_settings(write: Write, text: str, tmp_path: Path) -> None:
    write(text, "pyproject.toml")
    assert settings_in_file() == {}
    (tmp_path / "pyproject.toml").write_bytes(text.encode() + b"# caf\xe9\n")
    assert settings_in_file() == {}


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("prot = 1", "unknown setting prot; did you mean port?"),
        ("callback_timeot = 1", "unknown setting callback_timeot; did you mean callback-timeout?"),
        (
            "xyzxyz = 1",
            "unknown setting xyzxyz; the names are those of the flags that `mock-klarna serve --help` lists",
        ),
        ("[server]\nport = 1", "unknown setting server; the settings are at the top of the file, without a table"),
        ('port = "9000"', "port: '9000' is not an integer from 0 to 65535"),
        ("port = 70000", "port: 70000 is not an integer from 0 to 65535"),
        ("strict = 1", "strict: 1 is not true or false"),
        ('log-format = "jsno"', "log-format: 'jsno' is not one of text, json; did you mean json?"),
        ('credentials = ["K123"]', "credentials: ['K123'] is not a list of texts, each USER:PASSWORD"),
        ("credentials = [1]", "credentials: [1] is not a list of texts, each USER:PASSWORD"),
        ('credentials = "K123"', "credentials: 'K123' is not USER:PASSWORD, several separated by commas"),
        ("seed = [1]", "seed: [1] is not a text"),
        ("[port]\nnumber = 1", "port: {'number': 1} is not an integer from 0 to 65535"),
        ("[tool.mock-klarna]\nport = 1", "unknown setting tool; only pyproject.toml has the table [tool.mock-klarna]"),
        ("port = ", "not valid TOML: Invalid value (at "),
        ("port = 1\nport = 2", "not valid TOML: Cannot overwrite a value (at "),
    ],
)
def test_a_mistake_names_file_key_and_what_would_be_right(
    command: Command, write: Write, text: str, error: str
) -> None:
    write(text)
    result = command("serve")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith(f"mock-klarna: mock-klarna.toml: {error}")


def test_a_file_that_cannot_be_read_is_named(write: Write, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"^nowhere\.toml: cannot read the file: No such file or directory$"):
        settings_in_file("nowhere.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff")
    with pytest.raises(SettingsError, match=r"bytes\.toml: not UTF-8: invalid start byte; save the file as UTF-8$"):
        settings_in_file(str(tmp_path / "bytes.toml"))
    write(f"seed = {'[' * 5000}")
    with pytest.raises(SettingsError, match=r"^mock-klarna\.toml: not valid TOML: "):
        settings_in_file()
    (tmp_path / "mock-klarna.toml").unlink()
    write("tool.mock-klarna = 5", "pyproject.toml")
    with pytest.raises(SettingsError, match=r"^pyproject\.toml: tool\.mock-klarna is not a table"):
        settings_in_file()


def test_the_server_of_run_is_not_the_one_that_the_file_describes(
    command: Command, write: Write, taken_port: int
) -> None:
    write(f'port = {taken_port}\nready-file = "/nowhere/ready"\nstore = "sqlite:/nowhere/x.db"\nseed = "1"\n')
    write("name: x\nsteps: [{pause: 0}]\n", "x.yaml")
    assert command("run", "x.yaml").returncode == 0
    assert command("run", "x.yaml", "--store", "sqlite:/nowhere/x.db").returncode == 2
    assert command("serve").returncode == 2


EXAMPLES: dict[type, Any] = {bool: True, int: 2000, float: 2.5}


def test_every_setting_can_stand_in_the_file(write: Write) -> None:
    for setting in setting_fields():
        value = setting.default or EXAMPLES.get(type(setting.default))
        if value is None:
            value = [] if isinstance(setting.default, tuple) else ""
        shown = {True: "true", False: "false"}[value] if isinstance(value, bool) else repr(value)
        write(f"{setting.name.replace('_', '-')} = {shown}\n")
        assert settings_in_file() == {setting.name: tuple(value) if isinstance(value, list) else value}


def test_each_setting_says_where_its_value_comes_from(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("port = 9000\nstrict = true\ncallback-timeout = 3\n")
    monkeypatch.setenv("MOCK_KLARNA_STRICT", "false")
    monkeypatch.setenv("MOCK_KLARNA_SEED", "x")
    arguments = parser(["serve"]).parse_args(["serve", "--seed", "y", "--quiet"])
    assert setting_sources(arguments) == {
        "port": "file", "strict": "environment", "callback_timeout": "file", "seed": "flag", "quiet": "flag"
    }  # fmt: skip
