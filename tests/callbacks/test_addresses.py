from pathlib import Path

import pytest

from mock_klarna.callbacks import http
from mock_klarna.callbacks.http import is_loopback, remedy, rewrites, rewritten
from tests.cases import in_turn

HOSTS = rewrites(
    [
        "localhost=host.docker.internal",
        "shop.test=10.0.0.7:8443",
        "LOUD=quiet",
        "six.test=::1",
        "bracketed.test=[fd00::7]",
        "ported.test=[fd00::7]:8443",
        "[fd00::8]=shop",
        "fd00::9=shop",
    ]
)


@in_turn(
    ("url", "target"),
    [
        ("http://localhost:3000/a?b=c#d", "http://host.docker.internal:3000/a?b=c#d"),
        ("http://localhost/", "http://host.docker.internal/"),
        ("http://LOCALHOST:1/A/", "http://host.docker.internal:1/A/"),
        ("https://shop.test/x", "https://10.0.0.7:8443/x"),
        ("https://shop.test:9/x", "https://10.0.0.7:8443/x"),
        ("http://user:pw@localhost:3000/", "http://user:pw@host.docker.internal:3000/"),
        ("http://loud/", "http://quiet/"),
        ("http://six.test:3000/", "http://[::1]:3000/"),
        ("http://six.test/", "http://[::1]/"),
        ("http://bracketed.test:3000/", "http://[fd00::7]:3000/"),
        ("http://ported.test:3000/", "http://[fd00::7]:8443/"),
        ("http://[fd00::8]:3000/", "http://shop:3000/"),
        ("http://[FD00::9]:3000/", "http://shop:3000/"),
        ("http://127.0.0.1:3000/", "http://127.0.0.1:3000/"),
        ("http://localhost.example.com/", "http://localhost.example.com/"),
        ("http://other/localhost", "http://other/localhost"),
    ],
)
def test_a_host_is_replaced_and_everything_else_kept(url: str, target: str) -> None:
    assert rewritten(url, HOSTS) == target


@pytest.mark.parametrize(
    ("url", "loopback"),
    [
        ("http://localhost:1/", True),
        ("http://shop.localhost/", True),
        ("http://127.0.0.1/", True),
        ("http://127.8.9.1/", True),
        ("http://[::1]:80/", True),
        ("http://10.0.0.1/", False),
        ("http://shop/", False),
        ("http://notlocalhost/", False),
    ],
)
def test_a_url_that_leads_to_this_machine_is_known(url: str, loopback: bool) -> None:
    assert is_loopback(url) is loopback


@pytest.mark.parametrize(
    ("url", "inside", "named"),
    [
        ("http://localhost:3000/", True, "localhost=host.docker.internal"),
        ("http://127.0.0.1/", True, "127.0.0.1=host.docker.internal"),
        ("http://localhost:3000/", False, None),
        ("http://shop/", True, None),
    ],
)
def test_inside_a_container_a_refused_localhost_comes_with_its_remedy(
    url: str, inside: bool, named: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark = tmp_path / ".containerenv"
    if inside:
        mark.touch()
    monkeypatch.setattr(http, "_CONTAINER_MARKS", (str(mark),))
    said = remedy(url)
    assert (said is None) is (named is None)
    assert named is None or f"--callback-host-rewrite {named}" in str(said)
