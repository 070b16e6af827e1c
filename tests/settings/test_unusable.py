"""Settings whose text is right and which no server can be started with."""

from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings, serve
from mock_klarna.settings import SettingsError


@pytest.mark.parametrize(
    ("setting", "value", "said"),
    [
        ("scenarios", "{folder}/nowhere", "--scenarios: '{folder}/nowhere' is not a folder that exists"),
        ("scenarios", "{folder}/file", "--scenarios: '{folder}/file' is not a folder that exists"),
        ("tls_cert", "{folder}/file", "--tls-cert: '{folder}/file' is not used without --tls; give --tls too"),
        ("tls_key", "{folder}/file", "--tls-key: '{folder}/file' is not used without --tls; give --tls too"),
        ("store", "file:{folder}", "--store: {folder} is a folder; name a file, such as file:{folder}/mock-klarna"),
        ("ready_file", "{folder}/no/x", "--ready-file: cannot write '{folder}/no/x': No such file or directory; name"),
        ("ready_file", "{folder}", "--ready-file: cannot write '{folder}': Is a directory; name a path in a folder"),
    ],
)
async def test_what_no_server_can_use_is_refused_by_its_flag_with_what_would_be_right(
    setting: str, value: str, said: str, tmp_path: Path
) -> None:
    folder = tmp_path / "here"
    folder.mkdir()
    (folder / "file").write_text("")
    given: Any = {setting: value.format(folder=folder)}
    with pytest.raises(SettingsError) as refusal:
        async with serve(Settings(port=0, **given)):
            pass
    assert str(refusal.value).startswith(said.format(folder=folder))
    assert _names(tmp_path) == ["file", "here"]


def _names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*"))
