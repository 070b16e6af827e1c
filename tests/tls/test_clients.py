"""Unchanged clients with Klarna's addresses: they work once Klarna's names resolve to the server and its authority is trusted."""

import json
import os
import shutil
from pathlib import Path

import pytest

from mock_klarna.certificates.folder import load_or_create
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from tests.certificates import samples
from tests.tls import isolation
from tests.tls.recipes import WORDPRESS

pytestmark = pytest.mark.process


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The home of a client, with the authority of the server and another authority that signs nothing."""
    for name in ("tls", "another"):
        load_or_create(tmp_path / name, samples.NOW, (*API_HOSTS, SCRIPT_HOST, "localhost", "127.0.0.0/8", "::1"))
    return tmp_path


def _trusting_nobody_but(authority: Path) -> dict[str, str]:
    return {"SSL_CERT_FILE": str(authority), "SSL_CERT_DIR": "/nowhere"}


def test_a_shop_with_klarnas_address_sells(folder: Path) -> None:
    ran = isolation.run("purchase", folder, trusted=_trusting_nobody_but(folder / "tls" / "ca.pem"))
    assert ran.returncode == 0, ran.stderr
    purchase = json.loads(ran.stdout)
    assert (purchase["state"], purchase["fraud_status"]) == ("placed", "ACCEPTED")
    assert "place_order" in [callback["kind"] for callback in purchase["callbacks"]]


def test_a_shop_without_the_authority_refuses_the_connection(folder: Path) -> None:
    ran = isolation.run("purchase", folder, trusted=_trusting_nobody_but(folder / "another" / "ca.pem"))
    assert ran.returncode == 1
    assert "no TLS connection: certificate verify failed" in ran.stderr


@pytest.fixture
def chromium() -> str:
    """The browser's program."""
    _require("certutil", "libnss3-tools")
    found = os.environ.get("PLAYWRIGHT_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    return found or isolation.missing(
        "there is no Chromium: Debian's package is chromium, PLAYWRIGHT_CHROMIUM names one"
    )


def test_a_page_with_the_librarys_address_shows_its_button(folder: Path, chromium: str) -> None:
    trusted = {"CHROMIUM": chromium, "TRUST_STORE": str(folder / ".pki" / "nssdb")}
    ran = isolation.run("page", folder, trusted=trusted)
    assert (ran.returncode, ran.stdout) == (0, '{"show_button":true}\n'), ran.stderr


def test_a_browser_without_the_authority_refuses_the_library(folder: Path, chromium: str) -> None:
    ran = isolation.run("page", folder, trusted={"CHROMIUM": chromium})
    assert (ran.returncode, ran.stdout) == (0, "refused\n"), ran.stderr


def _require(program: str, package: str) -> None:
    if shutil.which(program) is None:
        isolation.missing(f"there is no {program}: Debian's package is {package}")


CLIENTS = {
    "curl": ("curl", "curl"),
    "PHP": ("php", "php-cli, with php-curl"),
    "php-fpm on Debian and Ubuntu": ("cgi-fcgi", "libfcgi-bin, with php-fpm"),
    "WordPress, in the folder with wp-config.php": ("php", "php-cli, with php-curl"),
    "Node.js": ("node", "nodejs"),
    "Python, with ssl, urllib, aiohttp or httpx": ("python3", "python3"),
    "Debian and Ubuntu": ("update-ca-certificates", "ca-certificates"),
}


@pytest.mark.parametrize("client", CLIENTS)
def test_each_recipe_works_as_printed(folder: Path, client: str) -> None:
    _require(*CLIENTS[client])
    if client.startswith("WordPress") and not any(each.exists() for each in WORDPRESS):
        isolation.missing("there is no WordPress: Debian's package is wordpress")
    ran = isolation.run("recipes", folder, client, trusted={})
    assert ran.returncode == 0, ran.stderr
    assert json.loads(ran.stdout)["status"] == "ok"
    if client.startswith("WordPress"):
        untrusted, unsafe = (folder / "refused").read_text().splitlines()
        assert untrusted.startswith("cURL error 60")
        assert unsafe == "A valid URL was not provided."
