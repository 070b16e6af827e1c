"""Merchant URLs and API hosts."""

import sys
from collections.abc import Callable

import pytest

from mock_klarna.domain import urls
from mock_klarna.domain.urls import API_HOSTS, EUROPEAN_PLAYGROUND, SCRIPT_HOST, api_host, host_of, merchant_at

PUBLIC = [
    "http://www.example.com/x",
    "http://8.8.8.8/",
    "http://[2001:4860:4860::8888]/",
    "http://shop.example.com:8080",
]
PRIVATE = [
    "http://localhost:3000/x",
    "http://LOCALHOST/",
    "http://shop.localhost/",
    "http://shop:8000/klarna",
    "http://host.docker.internal/x",
    "http://shop.test/",
    "http://shop.local/",
    "http://nas.lan/",
    "http://box.home.arpa/",
    "http://127.0.0.1:1/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.2/x?y=1",
    "http://169.254.1.1/",
    "http://[::1]:8080/",
    "http://[fd00::1]/",
    "http://0.0.0.0:80/",
]
NO_URLS = [
    "",
    " ",
    "shop",
    "/klarna",
    "//shop/klarna",
    "http://",
    "https:///path",
    "http:shop",
    "javascript:alert(1)",
    "data:text/html,x",
    "ftp://shop/x",
    "file:///etc/passwd",
    "https://a b.com/",
    "https://a.com/\n",
    " https://a.com",
    "http://a:99999/",
    "http://a:0/",
    "http://[::1/",
    "< mandatory, URL >",
    "https://a.com/" + "x" * 2000,
]


def test_only_absolute_http_urls_are_accepted() -> None:
    for url in NO_URLS:
        assert not urls.is_absolute(url), url
        assert not urls.is_callable(url), url


def test_a_browser_may_be_shown_plain_http() -> None:
    for url in (*PUBLIC, *PRIVATE):
        assert urls.is_absolute(url), url


def test_plain_http_is_called_on_private_hosts_unless_strict() -> None:
    for url in PRIVATE:
        assert urls.is_callable(url), url
        assert not urls.is_callable(url, strict=True), url


def test_plain_http_is_not_called_on_public_hosts() -> None:
    for url in PUBLIC:
        assert not urls.is_callable(url), url


def test_https_is_called_everywhere() -> None:
    for url in (
        "https://www.example.com/x",
        "HTTPS://www.example.com",
        "https://localhost:8443/",
        "https://a.com/" + "x" * 1986,
    ):
        assert urls.is_callable(url, strict=True), url


@pytest.mark.parametrize(
    ("url", "filled"),
    [
        ("https://a.com/thanks?id={checkout.order.id}", "https://a.com/thanks?id=o-1"),
        ("https://a.com/{order.id}/{order.id}", "https://a.com/o-1/o-1"),
        ("https://a.com/{other}?a=%7B#f", "https://a.com/{other}?a=%7B#f"),
    ],
)
def test_the_order_id_takes_the_place_of_the_placeholders_and_nothing_else_changes(url: str, filled: str) -> None:
    assert urls.with_order_id(url, "o-1") == filled


@pytest.mark.parametrize(
    ("url", "longer"),
    [
        ("https://a.com/x", "https://a.com/x?order_id=o+1"),
        ("https://a.com/x?a=1#f", "https://a.com/x?a=1&order_id=o+1#f"),
        ("https://a.com/x?", "https://a.com/x?order_id=o+1"),
        ("https://a.com/x?order_id=mine", "https://a.com/x?order_id=mine"),
        ("https://a.com/x?order_id=", "https://a.com/x?order_id="),
    ],
)
def test_a_parameter_is_added_once(url: str, longer: str) -> None:
    assert urls.with_query(url, "order_id", "o 1") == longer


def test_klarnas_hosts_choose_themselves() -> None:
    for host in API_HOSTS:
        for written in ("{}", "{}:443", "{}."):
            assert api_host(written.format(host).upper()) == host, (host, written)


def test_other_hosts_choose_europes_playground() -> None:
    for host in ("localhost:8080", "127.0.0.1", "[::1]:8080", SCRIPT_HOST, "klarna.com", ""):
        assert api_host(host) == EUROPEAN_PLAYGROUND, host


def test_the_host_of_a_merchant_is_the_one_of_its_requests() -> None:
    for host in API_HOSTS:
        for username in ("PK00000_test", "shop@example.com", "@"):
            assert host_of(merchant_at(username, host)) == host, (host, username)


def test_the_hosts_of_klarna_checkouts_new_owner_are_among_them() -> None:
    """klarna.md §1.2."""
    assert {"api.kustom.co", "api.playground.kustom.co"} < set(API_HOSTS)


def test_a_username_is_a_different_merchant_at_every_host() -> None:
    assert len({merchant_at("PK00000_test", host) for host in API_HOSTS}) == len(API_HOSTS) == 8
    assert merchant_at("PK00000_test", EUROPEAN_PLAYGROUND) == "PK00000_test"


@pytest.mark.parametrize("check", [urls.is_absolute, urls.is_callable])
def test_a_url_that_is_too_long_is_not_kept(check: Callable[[str], bool]) -> None:
    url = "https://shop.example.com/" + "x" * 100_000
    before = sys.getrefcount(url)
    assert not check(url)
    assert sys.getrefcount(url) == before
