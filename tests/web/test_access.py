"""Who may use the control API: programs by a host name of the server, and no page of another origin."""

from unittest.mock import Mock
from urllib.parse import urlsplit

import pytest
from aiohttp.test_utils import make_mocked_request

from mock_klarna import MockKlarnaAsync, Settings, serve
from mock_klarna.domain.urls import API_HOSTS, SCRIPT_HOST
from mock_klarna.pytest_plugin.servers import Servers
from mock_klarna.web.access import address, control_url
from mock_klarna.web.operation import Api
from mock_klarna.web.operations import OPERATIONS
from tests.web.connection import Connection, RawAnswer

AUTHORIZATION = "Basic c2hvcDpzZWNyZXQ="
PROTECTED = [operation for operation in OPERATIONS if operation.api is Api.SANDBOX]


SETTINGS = Settings(port=0, allowed_host=("klarna.shop.example", "*.preview.example"), tls_name=("tls.example",))


@pytest.fixture
def url(mock_klarna_servers: Servers) -> str:
    """The address of a server with further host names."""
    return mock_klarna_servers.running(SETTINGS).url


async def ask(url: str, method: str, path: str, body: bytes = b"", **headers: str | int) -> RawAnswer:
    async with Connection(url, AUTHORIZATION) as connection:
        return await connection.ask(method, path, body, **headers)


OWN_HOSTS = [
    "localhost",
    "LOCALHOST:8080",
    "127.0.0.1:8080",
    "127.8.9.1",
    "[::1]:8080",
    "[::1]",
    "0.0.0.0:8080",
    "192.168.1.20:8080",
    "203.0.113.5",
    "[2001:db8::1]:8080",
    "klarna:8080",
    "mock-klarna",
    "host.docker.internal:8080",
    "klarna.sandbox.svc.cluster.local",
    "klarna.test",
    "klarna.localhost",
    "klarna.shop.example:8080",
    "Klarna.Shop.Example.",
    "pr-12.preview.example",
    "tls.example",
    SCRIPT_HOST,
    *API_HOSTS,
]
FOREIGN_HOSTS = [
    "evil.example",
    "evil.example:8080",
    "evil.example.",
    "127.0.0.1.evil.example",
    "localhost.evil.example",
    "api.klarna.com.evil.example",
    "shop.example",
    "evilklarna.shop.example",
    "preview.example",
    "evil.example:80:80",
    "evil.example/localhost",
]


async def test_a_host_name_of_the_server_is_accepted(url: str) -> None:
    for host in OWN_HOSTS:
        assert (await ask(url, "GET", "/_mock/health", Host=host)).status == 200, host
        assert (await ask(url, "POST", "/_mock/reset", Host=host)).status == 204, host


async def test_any_other_host_name_is_refused_and_the_answer_names_the_setting(url: str) -> None:
    for host in FOREIGN_HOSTS:
        for method, path in (("GET", "/_mock/snapshot"), ("POST", "/_mock/reset")):
            refused = await ask(url, method, path, Host=host)
            assert (refused.status, refused.json["type"].rpartition("/")[2]) == (421, "unknown-host"), host
            assert "--allowed-host" in refused.json["hint"], host


async def test_an_asterisk_accepts_every_host_name_but_no_other_origin() -> None:
    async with serve(Settings(port=0, allowed_host=("*",))) as running:
        assert (await ask(running.url, "GET", "/_mock/health", Host="evil.example")).status == 200
        crossing = await ask(running.url, "POST", "/_mock/reset", Host="evil.example", Origin="http://other.example")
        assert crossing.status == 403


PAGES = {
    "another site": {"Origin": "https://evil.example"},
    "another port of this machine": {"Origin": "http://127.0.0.1:1"},
    "a file or a sandboxed frame": {"Origin": "null"},
    "a request of another site without CORS": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"},
    "a request of another port": {"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"},
    "a frame": {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
    "a value of the future": {"Sec-Fetch-Site": "elsewhere"},
}


async def test_no_endpoint_can_be_used_by_a_page_of_another_origin(url: str) -> None:
    for operation in PROTECTED:
        path = operation.path.replace("{", "").replace("}", "")
        async with Connection(url, AUTHORIZATION) as connection:
            for page, headers in PAGES.items():
                for method in (*operation.methods, "OPTIONS"):
                    refused = await connection.ask(method, path, b"", **headers)
                    assert refused.status == 403, (operation.name, page, method)
                    assert "Access-Control-Allow-Origin" not in refused.headers, (operation.name, page, method)
                    assert method == "HEAD" or "pages of other origins" in refused.json["detail"], (
                        operation.name,
                        page,
                        method,
                    )


async def test_a_form_of_another_origin_cannot_navigate_to_an_endpoint_that_changes_state(url: str) -> None:
    form = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await ask(url, "POST", "/_mock/reset", b"", **form)).status == 403


@pytest.mark.parametrize("site", ["same-origin", "none", "cross-site", "same-site"])
async def test_a_link_to_a_page_of_ours_can_be_followed_from_anywhere(url: str, site: str) -> None:
    link = {"Sec-Fetch-Site": site, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert (await ask(url, "GET", "/_mock/clock", b"", **link)).status == 200


async def test_pages_of_the_server_itself_can_use_the_control_api(url: str) -> None:
    own = {"Host": "localhost:8080", "Origin": "http://localhost:8080"}
    assert (await ask(url, "POST", "/_mock/reset", b"", **own)).status == 204
    assert (await ask(url, "POST", "/_mock/reset", b"", **own, Sec_Fetch_Site="same-origin")).status == 204
    assert (await ask(url, "GET", "/_mock/shoppers", Sec_Fetch_Site="same-origin", Sec_Fetch_Mode="cors")).status == 200


@pytest.mark.parametrize("declared", ["text/plain", "application/x-www-form-urlencoded", "multipart/form-data"])
@pytest.mark.parametrize("path", ["/_mock/reset", "/_mock/orders/x/close", "/_mock/clock"])
async def test_a_body_of_a_form_is_refused_also_where_no_body_is_read(url: str, path: str, declared: str) -> None:
    assert (await ask(url, "POST", path, b"a=b", Content_Type=declared)).status == 415


@pytest.mark.parametrize(
    "headers", [{}, {"Content-Type": "application/x-www-form-urlencoded", "Content-Length": 0}, {"Host": ""}]
)
async def test_curl_without_a_body_is_accepted(url: str, headers: dict[str, str | int]) -> None:
    version = "1.1" if headers.get("Host", "x") else "1.0"
    async with Connection(url, AUTHORIZATION) as connection:
        head = connection.head("POST /_mock/reset", **headers).replace(b"HTTP/1.1", f"HTTP/{version}".encode())
        assert (await connection.answer(head)).status == 204


async def test_responses_tell_browsers_to_keep_them_from_other_origins(url: str) -> None:
    answer = await ask(url, "GET", "/_mock/snapshot")
    assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    assert answer.headers["X-Content-Type-Options"] == "nosniff"


async def test_the_endpoints_of_lib_js_and_of_klarna_accept_every_host_and_page(url: str) -> None:
    page = {"Host": "evil.example", "Origin": "https://shop.example", "Sec-Fetch-Site": "cross-site"}
    options = b'{"options": {"setup": {"key": "x"}}}'
    loaded = await ask(url, "POST", "/instantshopping/sdk/load", options, Content_Type="application/json", **page)
    assert (loaded.status, loaded.headers["Access-Control-Allow-Origin"]) == (200, "*")
    assert (await ask(url, "GET", "/instantshopping/lib/v1/lib.js", b"", **page)).status == 200
    assert (await ask(url, "GET", "/instantshopping/v1/buttons/x", b"", **page)).status == 404


@pytest.mark.parametrize("host", ["localhost:1234", "klarna.shop.example", "evil.example", "b\xfccher.example"])
async def test_an_explanation_can_be_read_where_its_link_leads(url: str, host: str) -> None:
    refused = await ask(url, "POST", "/instantshopping/v1/buttons", b"{}", Host=host)
    link = urlsplit(refused.headers["Mock-Klarna-Explanation"])
    is_known = host in ("localhost:1234", "klarna.shop.example")
    assert link.netloc == (host if is_known else urlsplit(url).netloc)
    assert (await ask(url, "GET", link.path, Host=link.netloc)).status == 200


@pytest.mark.parametrize(
    ("forwarded", "expected"),
    [
        ("https", "https"),
        ("HTTPS", "https"),
        ("https, http", "https"),
        ("http", "http"),
        ("javascript", "http"),
        ("", "http"),
    ],
)
async def test_urls_have_the_scheme_with_which_a_reverse_proxy_was_asked(
    klarna: MockKlarnaAsync, forwarded: str, expected: str
) -> None:
    placed = await klarna.order(cart="se-battery-pack")
    captures = f"/ordermanagement/v1/orders/{placed['order_id']}/captures"
    async with Connection(klarna.url, klarna.authorization) as connection:
        for body, header in (('{"captured_amount": 1}', "Location"), ("{}", "Mock-Klarna-Explanation")):
            answer = await connection.ask("POST", captures, body.encode(), X_Forwarded_Proto=forwarded)
            assert urlsplit(answer.headers[header]).scheme == expected


def test_a_client_that_has_left_has_no_address() -> None:
    protocol = Mock(ssl_context=None)
    http = make_mocked_request("GET", "/", headers={"Host": "evil.example"}, protocol=protocol)
    protocol.transport = None
    assert address(http) is None
    assert control_url(http, SETTINGS) == "http://evil.example"
