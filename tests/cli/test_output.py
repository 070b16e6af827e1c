"""A command goes on without a reader of its output, and knows before its work which files cannot be written."""

import os
from pathlib import Path

import pytest

from mock_klarna.cli.output import append, print_text, require_writable, require_writable_folder, write
from mock_klarna.errors import MockKlarnaError


def test_a_file_that_can_be_written_is_not_changed_and_a_new_one_is_not_left_behind(tmp_path: Path) -> None:
    old, new = tmp_path / "old", tmp_path / "folder" / "new"
    old.write_text("old")
    require_writable(old)
    require_writable(str(new))
    assert (old.read_text(), new.exists(), new.parent.is_dir()) == ("old", False, True)


def test_a_pipe_is_not_opened_before_it_is_written(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    require_writable(tmp_path / "pipe")


@pytest.mark.parametrize(
    ("path", "reason"), [("", "Is a directory"), ("file/x", "File exists"), ("x" * 300, "File name too long")]
)
def test_a_path_that_cannot_be_written_is_refused_with_the_reason(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MockKlarnaError) as refused:
        require_writable(tmp_path / path)
    assert str(refused.value) == f"{tmp_path / path}: cannot write: {reason}; give a writable path"


def test_a_path_with_a_null_character_is_refused_with_the_reason() -> None:
    with pytest.raises(MockKlarnaError, match="cannot write: embedded null"):
        require_writable("a\0b")


def test_a_folder_in_which_files_can_be_made_is_made_and_stays_empty(tmp_path: Path) -> None:
    require_writable_folder(tmp_path / "a" / "b")
    assert list((tmp_path / "a" / "b").iterdir()) == []


@pytest.mark.parametrize(("path", "reason"), [("file", "File exists"), ("/proc/self/fdinfo", "")])
def test_a_folder_in_which_no_files_can_be_made_is_refused(tmp_path: Path, path: str, reason: str) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(MockKlarnaError, match=f"cannot write: {reason}"):
        require_writable_folder(tmp_path / path)


def test_text_is_added_to_a_file_that_write_has_replaced(tmp_path: Path) -> None:
    for text in ("old", "new"):
        write(tmp_path / "file", text.encode())
    append(tmp_path / "file", " and \udcff")
    assert (tmp_path / "file").read_text("utf-8") == "new and ?"


def test_text_for_a_reader_that_has_gone_is_discarded() -> None:
    read, written = os.pipe()
    os.close(read)
    with os.fdopen(written, "w") as stream:
        for text in ("one", "two"):
            print_text(text, stream)
