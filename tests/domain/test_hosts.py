"""Klarna's hosts, and the merchants that a username is at each."""

import pytest

from mock_klarna.domain.urls import API_HOSTS, EUROPES_PLAYGROUND, SCRIPT_HOST, api_host, host_of, merchant_at
from tests.cases import in_turn


@in_turn("host", API_HOSTS)
@in_turn("written", ["{}", "{}:443", "{}."])
def test_klarnas_hosts_choose_themselves(host: str, written: str) -> None:
    assert api_host(written.format(host).upper()) == host


@pytest.mark.parametrize("host", ["localhost:8080", "127.0.0.1", "[::1]:8080", SCRIPT_HOST, "klarna.com", ""])
def test_other_hosts_choose_europes_playground(host: str) -> None:
    assert api_host(host) == EUROPES_PLAYGROUND


@in_turn("host", API_HOSTS)
@in_turn("username", ["PK00000_test", "shop@example.com", "@"])
def test_a_merchant_tells_its_host(username: str, host: str) -> None:
    assert host_of(merchant_at(username, host)) == host


def test_a_username_is_another_merchant_at_every_host() -> None:
    assert len({merchant_at("PK00000_test", host) for host in API_HOSTS}) == 6
    assert merchant_at("PK00000_test", EUROPES_PLAYGROUND) == "PK00000_test"
