"""`mock-klarna ca`: the certificate to trust, from a server or a folder, and a recipe for each kind of client."""

import socket
from datetime import UTC, datetime
from pathlib import Path
from threading import Thread

import pytest

from mock_klarna import Settings, serve_in_thread
from mock_klarna.cli.ca import RECIPES
from mock_klarna.cli.main import main
from tests.certificates import samples


@pytest.fixture(autouse=True)
def _own_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOCK_KLARNA_TLS_FOLDER", raising=False)


def test_the_authority_of_a_server_is_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    settings = Settings(port=0, tls=True, tls_port=0, tls_folder=str(tmp_path))
    with serve_in_thread(settings) as running:
        assert main(["ca", "--url", running.url]) == 0
    assert capsys.readouterr().out == (tmp_path / "ca.pem").read_text()


def test_the_server_of_this_machine_is_the_default(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with serve_in_thread(Settings(port=0, tls=True, tls_port=0)) as running:
        monkeypatch.setenv("MOCK_KLARNA_PORT", str(running.port))
        assert main(["ca"]) == 0
    assert capsys.readouterr().out.startswith("-----BEGIN CERTIFICATE-----\n")


@pytest.mark.parametrize("how", ["flag", "variable"])
def test_the_authority_of_a_folder_is_printed_without_a_server(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], how: str
) -> None:
    folder = samples.folder_with_authority_of(tmp_path / "tls", datetime.now(UTC))
    before = [(path.name, path.stat().st_mtime_ns) for path in folder.iterdir()]
    if how == "variable":
        monkeypatch.setenv("MOCK_KLARNA_TLS_FOLDER", str(folder))
    assert main(["ca", "--tls-folder", str(folder)] if how == "flag" else ["ca"]) == 0
    assert (folder / "authority.pem").read_text().startswith(capsys.readouterr().out)
    assert [(path.name, path.stat().st_mtime_ns) for path in folder.iterdir()] == before


def test_a_folder_without_an_authority_ends_with_2_and_is_not_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    folder = tmp_path / "a typo"
    assert main(["ca", "--tls-folder", str(folder)]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"mock-klarna: --tls-folder: {folder} contains no authority; use the folder that the server"
    )
    assert not folder.exists()


def test_a_folder_without_the_key_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "ca.pem").write_bytes(samples.authority_pair().certificates)
    assert main(["ca", "--tls-folder", str(tmp_path)]) == 2
    assert "but not authority.pem, which contains its key; restore it" in capsys.readouterr().err


def test_a_server_without_tls_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    with serve_in_thread() as running:
        assert main(["ca", "--url", running.url]) == 2
    error = capsys.readouterr().err
    assert error.startswith(
        f"mock-klarna: {running.url}/_mock/ca.pem answered 404: no authority; start the server with --tls"
    )


def test_another_server_ends_with_2(other_server: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "--url", other_server]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert f"--url: {other_server}/_mock/ca.pem answered without a certificate; give the address" in printed.err


def test_a_server_that_does_not_answer_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        assert main(["ca", "--url", url]) == 4
    assert capsys.readouterr().err.startswith(f"mock-klarna: no answer from {url}: ")


def test_a_server_that_answers_without_http_ends_with_4(capsys: pytest.CaptureFixture[str]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        thread = Thread(target=_answer_once, args=(server, b"220 mail.test ESMTP\r\n"))
        thread.start()
        assert main(["ca", "--url", url]) == 4
        thread.join()
    assert capsys.readouterr().err == f"mock-klarna: no answer from {url}: 220 mail.test ESMTP\n"


def _answer_once(server: socket.socket, answer: bytes) -> None:
    connection, _ = server.accept()
    with connection:
        connection.recv(65536)
        connection.sendall(answer)


def test_an_https_address_ends_with_2(capsys: pytest.CaptureFixture[str]) -> None:
    for url in ("https://localhost:8443", ""):
        assert main(["ca", "--url", url]) == 2
        assert capsys.readouterr().err.startswith(f"mock-klarna: --url: {url!r} is not an http:// address")


def test_an_expired_authority_ends_with_2(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = samples.folder_with_authority_of(tmp_path / "tls", samples.LONG_AGO)
    assert main(["ca", "--tls-folder", str(folder)]) == 2
    assert "expired on" in capsys.readouterr().err


def test_every_recipe_contains_the_path_of_the_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "--tls-folder", str(tmp_path / "my tls"), "--recipes"]) == 0
    printed = capsys.readouterr().out
    blocks = dict(block.split("\n", 1) for block in printed.removeprefix("# ").split("\n# "))
    assert list(blocks) == list(RECIPES)
    docker = blocks.pop("a Docker image")
    assert docker.startswith("COPY --chmod=644 ca.pem ")
    assert all(f"'{tmp_path}/my tls/ca.pem'" in recipe for recipe in blocks.values())
    assert not (tmp_path / "my tls").exists()


def test_recipes_without_a_folder_start_with_how_to_save_the_file(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["ca", "--recipes"]) == 0
    assert capsys.readouterr().out.startswith("# first\nmock-klarna ca > mock-klarna-ca.pem\n\n# curl\n")
