"""Values of settings and options: from text, and what an error says about them."""

import re

import pytest

from mock_klarna import allowed_values
from mock_klarna.allowed_values import Allowed, requests_per_second


def test_a_valid_text_is_read() -> None:
    for allowed, text, value in (
        (allowed_values.BOOLEAN, "On", True),
        (allowed_values.BOOLEAN, "no", False),
        (allowed_values.number(0, 5), "2.5", 2.5),
        (allowed_values.integer(0, 65535), "0", 0),
        (allowed_values.one_of("text", "json"), "json", "json"),
        (allowed_values.pairs(":", "USER:PASSWORD"), "a:b, c:d:e", ("a:b", "c:d:e")),
        (
            allowed_values.HOST_NAMES,
            "Shop.Test., *.shop.test,10.0.0.1,::1",
            ("shop.test", "*.shop.test", "10.0.0.1", "::1"),
        ),
        (allowed_values.HOST, "::1", "::1"),
        (allowed_values.HOST, "fe80::1%eth0", "fe80::1%eth0"),
        (allowed_values.HOST, "*", "*"),
        (allowed_values.HOST, "klarna_1.internal", "klarna_1.internal"),
        (allowed_values.STORE, "sqlite:C:\\shop.db", "sqlite:C:\\shop.db"),
        (allowed_values.STORE, "postgres://db/shop", "postgres://db/shop"),
        (allowed_values.PATHS, "a.pem, b.pem", ("a.pem", "b.pem")),
        (
            allowed_values.REWRITES,
            "a=b.test,A.test=::1,c=[::1]:80,::1=d:80",
            ("a=b.test", "A.test=::1", "c=[::1]:80", "::1=d:80"),
        ),
        (allowed_values.SEED, "café", "café"),
        (allowed_values.RATE, "20/s", "20/s"),
    ):
        assert allowed.parse(text) == value, (allowed, text)
        assert allowed.validate(value) == value, (allowed, text)


@pytest.mark.parametrize(
    ("allowed", "text", "expected"),
    [
        (allowed_values.BOOLEAN, "perhaps", "true or false"),
        (allowed_values.number(0.5, 5), "0.4", "a number from 0.5 to 5"),
        (allowed_values.number(0, 5), "nan", "a number from 0 to 5"),
        (allowed_values.integer(0, 65535), "65536", "an integer from 0 to 65535"),
        (allowed_values.integer(0, 65535), "8080x", "an integer from 0 to 65535"),
        (allowed_values.one_of("text", "json"), "xml", "one of text, json"),
        (allowed_values.pairs("=", "FROM=TO"), "a=b,c", "FROM=TO, several separated by commas"),
        (allowed_values.REWRITES, "localhost=http://shop:3000", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=http://shop", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=shop:99999", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=shop:port", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=shop:0", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=:80", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=[::1", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost=my shop", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost:3000=shop", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "*.test=shop", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.REWRITES, "localhost", "FROM=TO, two hosts without scheme and path"),
        (allowed_values.HOST_NAMES, "https://shop.test", "a host name such as shop.test"),
        (allowed_values.HOST_NAMES, "shop.test:443", "a host name such as shop.test"),
        (allowed_values.HOST_NAMES, "a.*.test", "a host name such as shop.test"),
        (allowed_values.TARGETS, "10.0.0.0/33", "a network such as 10.0.0.0/8"),
        (allowed_values.HOST, "127.0.0.1:8080", "a host name or an IP address"),
        (allowed_values.HOST, "[::1]", "a host name or an IP address"),
        (allowed_values.HOST, "*.test", "a host name or an IP address"),
        (allowed_values.HOST, "my host", "a host name or an IP address"),
        (allowed_values.STORE, "file:/tmp/x", "memory, sqlite:PATH or postgresql://"),
        (allowed_values.STORE, "postgresql:db", "memory, sqlite:PATH or postgresql://"),
        (allowed_values.SEED, "caf\udce9", "a text in UTF-8"),
        (allowed_values.RATE, "0/s", "production, playground or a number such as 20/s"),
    ],
)
def test_an_invalid_text_is_refused_with_the_allowed_values(allowed: Allowed, text: str, expected: str) -> None:
    with pytest.raises(ValueError, match="^" + re.escape(expected)):
        allowed.parse(text)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("10.0.0.1/8", "10.0.0.0/8"),
        ("10.0.0.1/255.0.0.0", "10.0.0.0/8"),
        ("[2001:db8::1/64]", "2001:db8::/64"),
        ("10.0.0.0/8,192.168.1.7/24", "192.168.1.0/24"),
    ],
)
def test_a_network_with_bits_of_a_host_is_refused_with_the_network(text: str, meant: str) -> None:
    with pytest.raises(ValueError, match=re.escape(f"; did you mean {meant}?") + "$"):
        allowed_values.TARGETS.parse(text)


@pytest.mark.parametrize(("text", "limits"), [("production", (40, 200)), ("playground", (5, 50)), ("20/s", (20, 20))])
def test_a_rate_limit_gives_the_requests_per_second(text: str, limits: tuple[int, int]) -> None:
    assert requests_per_second(text) == limits
