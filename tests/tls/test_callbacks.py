"""Callbacks to https: which certificates are trusted, and the record of an untrusted one."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from mock_klarna.callbacks.http import MerchantClient
from mock_klarna.certificates.authority import Pair, new_authority
from mock_klarna.client import Client
from mock_klarna.domain.callbacks import Attempt
from mock_klarna.server import serve
from mock_klarna.settings import Settings, SettingsError
from tests.certificates import samples

TRUST = "start with --callback-ca FILE, the certificate of its issuer in PEM, or with --callback-insecure"


@asynccontextmanager
async def shop(folder: Path, pair: Pair | None) -> AsyncIterator[int]:
    """A merchant that answers 200 to everything, over TLS with a pair's certificate or over plain HTTP; yields its port."""

    context = None
    if pair is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*samples.files(folder, pair))
    app = web.Application()
    app.router.add_post("/{path:.*}", _answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.05)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=context).start()
        yield runner.addresses[0][1]
    finally:
        await runner.cleanup()


async def _answer(_request: web.Request) -> web.Response:
    return web.Response()


async def attempt(url: str, settings: Settings) -> Attempt:
    """Post a callback once."""
    client = MerchantClient(settings)
    try:
        return await client.post(url, b"{}", 0)
    finally:
        await client.close()


UNTRUSTED = [
    (samples.bare_pair("localhost"), "self-signed certificate", TRUST),
    (samples.server_pair("localhost"), "self-signed certificate in certificate chain", TRUST),
]


@pytest.mark.parametrize(("pair", "message", "remedy"), UNTRUSTED, ids=["self-signed", "private authority"])
async def test_an_untrusted_certificate_is_recorded_with_a_remedy(
    tmp_path: Path, pair: Pair, message: str, remedy: str
) -> None:
    async with shop(tmp_path, pair) as port:
        tried = await attempt(f"https://localhost:{port}/place-order", Settings())
    assert (tried.outcome, tried.status, tried.remedy) == ("untrusted", None, remedy)
    assert tried.error == f"the site's certificate is not accepted: {message}"


KNOWN = new_authority(samples.LONG_AGO, None)
WRONG = [
    (KNOWN.sign(["localhost"], samples.LONG_AGO), "certificate has expired", "renew it, or "),
    (
        new_authority(samples.NOW, None).sign(["localhost"], samples.IN_A_YEAR),
        "certificate is not yet valid",
        "look at the clocks",
    ),
    (samples.server_pair("shop.test"), "certificate is not valid for 'localhost'", "call the site by a name that"),
]


@pytest.mark.parametrize(("pair", "message", "remedy"), WRONG, ids=["expired", "not yet valid", "another name"])
async def test_an_invalid_certificate_is_recorded_with_the_reason(
    tmp_path: Path, pair: Pair, message: str, remedy: str
) -> None:
    async with shop(tmp_path, pair) as port:
        trusted = Settings(callback_ca=(str(tmp_path / "certificate.pem"),))
        tried = await attempt(f"https://localhost:{port}/", trusted)
    assert tried.outcome == "untrusted"
    assert message in (tried.error or "")
    assert (tried.remedy or "").startswith(remedy)
    assert (tried.remedy or "").endswith("start with --callback-insecure")


@pytest.mark.parametrize("pair", [samples.bare_pair("localhost"), samples.server_pair("localhost")])
async def test_with_callback_ca_a_private_certificate_is_trusted(tmp_path: Path, pair: Pair) -> None:
    (tmp_path / "other.pem").write_bytes(samples.authority_pair().certificates)
    async with shop(tmp_path, pair) as port:
        files = str(tmp_path / "other.pem"), str(tmp_path / "certificate.pem")
        tried = await attempt(f"https://localhost:{port}/", Settings(callback_ca=files))
    assert (tried.outcome, tried.status) == ("answered", 200)


async def test_without_callback_ca_the_authorities_of_the_system_are_trusted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with shop(tmp_path, samples.server_pair("localhost")) as port:
        monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "certificate.pem"))
        tried = await attempt(f"https://localhost:{port}/", Settings())
    assert (tried.outcome, tried.status) == ("answered", 200)


async def test_with_callback_ca_other_certificates_are_still_untrusted(tmp_path: Path) -> None:
    (tmp_path / "other.pem").write_bytes(samples.authority_pair().certificates)
    async with shop(tmp_path, samples.server_pair("localhost")) as port:
        tried = await attempt(f"https://localhost:{port}/", Settings(callback_ca=(str(tmp_path / "other.pem"),)))
    assert tried.outcome == "untrusted"


@pytest.mark.parametrize("pair", [pair for pair, _, _ in UNTRUSTED + WRONG])
async def test_callback_insecure_accepts_any_certificate(tmp_path: Path, pair: Pair) -> None:
    async with shop(tmp_path, pair) as port:
        tried = await attempt(f"https://localhost:{port}/", Settings(callback_insecure=True))
    assert (tried.outcome, tried.status) == ("answered", 200)


async def test_the_certificate_of_a_rewritten_host_has_to_name_the_host_of_the_url(tmp_path: Path) -> None:
    async with shop(tmp_path, samples.server_pair("shop.test")) as port:
        settings = Settings(
            callback_ca=(str(tmp_path / "certificate.pem"),), callback_host_rewrite=("shop.test=127.0.0.1",)
        )
        tried = await attempt(f"https://shop.test:{port}/", settings)
    assert (tried.outcome, tried.status) == ("answered", 200)


async def test_plain_http_behind_an_https_url_has_a_message_of_its_own(tmp_path: Path) -> None:
    async with shop(tmp_path, None) as port:
        tried = await attempt(f"https://localhost:{port}/", Settings())
    assert tried.outcome == "broken"
    assert (tried.error or "").startswith("no TLS connection: ")
    assert tried.remedy == "plain HTTP seems to answer there: is it an http:// URL?"


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "No such file or directory"),
        (b"none\xff", "it contains no certificate in PEM (-----BEGIN CERTIFICATE-----)"),
    ],
)
def test_an_unusable_callback_ca_is_an_error_at_start(tmp_path: Path, content: bytes | None, why: str) -> None:
    file = tmp_path / "ca.pem"
    if content is not None:
        file.write_bytes(content)
    with pytest.raises(SettingsError) as refused:
        MerchantClient(Settings(callback_ca=(str(file),)))
    assert str(refused.value) == f"--callback-ca: {file} cannot be used: {why}"


async def test_an_untrusted_shop_is_in_the_journal_and_in_the_purchase_and_is_not_waited_for(tmp_path: Path) -> None:
    async with (
        asyncio.timeout(60),
        shop(tmp_path, samples.bare_pair("localhost")) as port,
        serve(Settings(port=0)) as running,
        Client(running.url) as client,
    ):
        place_order = f"https://localhost:{port}/place-order"
        button = await client.ask("POST", "/instantshopping/v1/buttons", _options(place_order))
        bought = await client.ask("POST", "/_mock/purchases", {"button_key": button["button_key"], "wait": 600})
        journal = await client.ask("GET", "/_mock/journal?kind=callback&wait=120")
        (callback,) = bought["callbacks"]
    assert (journal["entries"][0]["outcome"], journal["entries"][0]["remedy"]) == ("untrusted", TRUST)
    assert callback["attempts"][0]["outcome"] == "untrusted"
    assert bought["hint"] == (
        f"place_order to {place_order} failed "
        f"(untrusted: the site's certificate is not accepted: self-signed certificate): {TRUST}"
    )


def _options(place_order: str) -> dict[str, object]:
    line = {"name": "Battery", "quantity": 1, "unit_price": 1000, "tax_rate": 0, "total_amount": 1000}
    return {
        "purchase_country": "SE",
        "purchase_currency": "SEK",
        "locale": "sv-SE",
        "order_lines": [{**line, "total_tax_amount": 0}],
        "merchant_urls": {
            "place_order": place_order,
            "terms": "https://shop.test/terms",
            "confirmation": "https://shop.test/thanks",
        },
    }
