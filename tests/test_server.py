"""The server as a library: in a loop with `serve`, and in a thread with `serve_in_thread`."""

import subprocess
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import assert_type
from urllib.request import Request, urlopen

import orjson
import pytest

from mock_klarna import MockKlarna, MockKlarnaAsync, MockKlarnaError, Settings, serve, serve_in_thread

URLS = {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example/terms"}
SUITE = """
import unittest

from mock_klarna import Client, MockKlarnaError, Settings, serve_in_thread

URLS = {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example/terms"}
PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [
    {"name": "Lamp", "quantity": 1, "unit_price": 100, "tax_rate": 2500, "total_amount": 100, "total_tax_amount": 20}]}


class ShopTest(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.klarna = cls.enterClassContext(serve_in_thread(Settings(port=0), merchant="K123", password="secret"))

    def setUp(self):
        self.klarna.reset()
        self.klarna.create_button(merchant_urls=URLS)

    def test_a_shopper_buys(self):
        bought = self.klarna.purchase(page=PAGE, wait=0)
        order = self.klarna.get_authorization(bought["authorization_token"])
        self.klarna.create_order(bought["authorization_token"], order)
        self.assertEqual(self.klarna.find_purchase(bought["purchase_id"])["state"], "placed")

    def test_the_merchant_is_the_one_of_the_class(self):
        self.assertEqual(self.klarna.credentials, ("K123", "secret"))
        self.assertEqual([entry["name"] for entry in self.klarna.journal(kind="exchange")], ["create_button"])

    def test_a_refusal_is_an_exception(self):
        with self.assertRaisesRegex(MockKlarnaError, "bad_value:merchant_urls"):
            self.klarna.create_button(name="no urls")


class RunningSandboxTest(ShopTest):
    # a sandbox that another process would run

    @classmethod
    def setUpClass(cls):
        server = cls.enterClassContext(serve_in_thread(Settings(port=0)))
        cls.klarna = Client(server.url, "K123", "secret")
        cls.addClassCleanup(cls.klarna.close)


if __name__ == "__main__":
    unittest.main()
"""


@pytest.mark.process
def test_a_suite_of_unittest_uses_the_server_in_a_thread(tmp_path: Path, root: Path) -> None:
    (tmp_path / "test_shop.py").write_text(SUITE)
    command = [sys.executable, "-W", "error", str(tmp_path / "test_shop.py")]
    done = subprocess.run(command, capture_output=True, text=True, check=False, env={"PYTHONPATH": str(root)})
    assert done.returncode == 0, done.stderr
    assert "Ran 6 tests" in done.stderr


@pytest.fixture
def root() -> Path:
    """The top of the checkout."""
    return Path(__file__).parents[1]


async def test_serve_gives_the_address_and_the_commands_of_any_merchant() -> None:
    async with serve(Settings(port=0)) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"
        assert running.tls_url is None
        klarna = running.as_merchant()
        assert_type(klarna, MockKlarnaAsync)
        assert klarna.credentials == ("mock-merchant", "secret")
        await klarna.create_button(merchant_urls=URLS)
        other = running.as_merchant("K123", "password")
        assert (other.merchant, other.credentials) == ("K123", ("K123", "password"))
        assert len(await klarna.journal(kind="exchange")) == 1
        assert await other.journal() == []
        assert await klarna.as_merchant("K123").journal() == []


async def test_a_server_leaves_the_ready_file_of_the_one_that_replaced_it(tmp_path: Path) -> None:
    ready = tmp_path / "ready.json"
    settings = Settings(port=0, ready_file=str(ready))
    async with AsyncExitStack() as newer:
        async with serve(settings):
            replacement = await newer.enter_async_context(serve(settings))
        assert orjson.loads(ready.read_bytes())["port"] == replacement.port
    assert not ready.exists()


def test_serve_in_thread_gives_the_address_and_the_commands_of_any_merchant() -> None:
    with serve_in_thread() as klarna, urlopen(f"{klarna.url}/_mock/health") as answer:
        assert answer.status == 200
        assert_type(klarna, MockKlarna)
        assert klarna.url == f"http://127.0.0.1:{klarna.port}"
        assert klarna.tls_url is None
        klarna.create_button(merchant_urls=URLS)
        other = klarna.as_merchant("K123", "password")
        assert (other.url, other.credentials) == (klarna.url, ("K123", "password"))
        assert other.journal() == []
        assert [entry["name"] for entry in klarna.journal(kind="exchange")] == ["create_button"]


def test_the_default_merchant_is_the_first_that_the_settings_accept() -> None:
    settings = Settings(port=0, credentials=("K123:pass:word", "K456:secret"))
    with serve_in_thread(settings) as klarna:
        assert klarna.credentials == ("K123", "pass:word")
        assert klarna.journal() == []
        with pytest.raises(MockKlarnaError, match="the credentials of 'K456' are not accepted"):
            klarna.as_merchant("K456", "wrong").get_button("x")


def test_a_merchant_is_chosen_at_the_start() -> None:
    with serve_in_thread(Settings(port=0), merchant="K123", password="word") as klarna:
        request = Request(f"{klarna.url}/_mock/journal", headers={"Authorization": klarna.authorization})
        with urlopen(request) as answer:
            assert answer.status == 200
        assert klarna.credentials == ("K123", "word")


def test_the_address_of_https_is_given_with_tls() -> None:
    with serve_in_thread(Settings(port=0, tls=True, tls_port=0)) as klarna:
        assert klarna.tls_url is not None
        assert klarna.tls_url.startswith("https://127.0.0.1:")
        assert klarna.as_merchant("K123").tls_url == klarna.tls_url


def test_the_server_in_a_thread_stops_at_the_end() -> None:
    with serve_in_thread() as klarna:
        url = klarna.url
    with pytest.raises(OSError, match="refused"):
        urlopen(f"{url}/_mock/health")


def test_a_plain_with_raises_an_error_that_says_what_to_use() -> None:
    with pytest.raises(TypeError, match=r"`async with serve\(\)`, or without a loop `with serve_in_thread\(\)`"):  # noqa: SIM117
        with serve(Settings(port=0)):
            pass
