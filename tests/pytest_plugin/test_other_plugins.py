"""The fixtures beside tools that replace the time, the files or the loop of a test."""

from collections.abc import Callable

import pytest

pytestmark = pytest.mark.process

Run = Callable[..., pytest.RunResult]
SHOP = """
import asyncio
import time
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [
    {"name": "Lamp", "quantity": 1, "unit_price": 100, "tax_rate": 2500, "total_amount": 100, "total_tax_amount": 20}]}


class Silent(BaseHTTPRequestHandler):
    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_): ...


@pytest.fixture(scope="session")
def urls():
    with HTTPServer(("127.0.0.1", 0), Silent) as shop:
        Thread(target=shop.serve_forever, args=(0.01,), daemon=True).start()
        yield {"place_order": f"http://127.0.0.1:{shop.server_port}/place", "terms": "https://shop.example/terms"}
        shop.shutdown()


def buys(klarna, urls):
    klarna.create_button(merchant_urls=urls)
    bought = klarna.purchase(page=PAGE, shopper="se-approved", wait=0.05)
    assert bought["state"] == "authorized"
    with pytest.raises(AssertionError, match="the journal has no push yet"):
        klarna.wait_for("push", within=0.05)
    return bought


async def buys_async(klarna, urls):
    await klarna.create_button(merchant_urls=urls)
    bought = await klarna.purchase(page=PAGE, shopper="se-approved", wait=0.05)
    assert bought["state"] == "authorized"
    with pytest.raises(AssertionError, match="the journal has no push yet"):
        await klarna.wait_for("push", within=0.05)
"""
FROZEN = """
import time_machine
from freezegun import freeze_time

TIMES = [lambda: freeze_time("2012-01-14"), lambda: freeze_time("2052-01-14", tick=True),
         lambda: time_machine.travel("2012-01-14", tick=False), lambda: time_machine.travel("2052-01-14")]
inside = pytest.mark.parametrize("at_time", TIMES)


@pytest.fixture(params=TIMES)
def frozen(request):
    with request.param():
        yield


def year(klarna):
    return klarna.clock()["now"][:4]


@inside
def test_a_freeze_begins_and_ends_while_the_server_runs(mock_klarna, urls, at_time):
    before = year(mock_klarna)
    with at_time():
        bought = buys(mock_klarna, urls)
        assert year(mock_klarna) == time.strftime("%Y") in ("2012", "2052")
        mock_klarna.advance_clock("2m")
        assert mock_klarna.find_purchase(bought["purchase_id"])["state"] == "timed_out"
    assert year(mock_klarna) == before


def test_the_server_starts_in_a_freeze(frozen, mock_klarna, urls):
    buys(mock_klarna, urls)
    assert year(mock_klarna) in ("2012", "2052")


@inside
async def test_a_coroutine_freezes_its_time(mock_klarna_async, urls, at_time):
    with at_time():
        await buys_async(mock_klarna_async, urls)
    await buys_async(mock_klarna_async, urls)


async def test_a_coroutine_runs_in_a_freeze(frozen, mock_klarna_async, urls):
    await buys_async(mock_klarna_async, urls)


@freeze_time("2030-01-01")
async def test_a_coroutine_is_decorated(mock_klarna_async, urls):
    await buys_async(mock_klarna_async, urls)
"""


def test_waits_end_in_real_time_and_the_clock_is_the_frozen_one(suite_in_a_process: Run) -> None:
    suite_in_a_process(SHOP + FROZEN).assert_outcomes(passed=17)


FILES = """
def uses_all(klarna, urls):
    buys(klarna, urls)
    klarna.purchase(page={**PAGE, "locale": "sv-SE"}, wait=0)
    with pytest.raises(Exception, match="expected an absolute https URL"):
        klarna.create_button(merchant_urls={"place_order": "nowhere"})
    klarna.load_snapshot(klarna.snapshot())
    assert len(klarna.shoppers()) > 26
    for path in ("/_mock/openapi.json", "/_mock/health"):
        assert klarna.send("GET", path).status == 200


def test_the_files_are_replaced_before_the_server_starts(fs, mock_klarna, urls):
    uses_all(mock_klarna, urls)


def test_the_files_are_replaced_after_the_server_has_started(mock_klarna, urls, fs):
    uses_all(mock_klarna, urls)


async def test_the_files_of_a_coroutine_are_replaced(fs, mock_klarna_async, urls):
    await buys_async(mock_klarna_async, urls)


def test_the_files_are_real_again(mock_klarna, urls):
    uses_all(mock_klarna, urls)
    assert mock_klarna.send("GET", "/_mock/scenarios").body["scenarios"]
    assert mock_klarna.send("GET", "/instantshopping/lib/v1/lib.js").status == 200
"""


def test_a_test_with_other_files_and_those_after_it_find_all_that_the_server_reads(suite_in_a_process: Run) -> None:
    suite_in_a_process(SHOP + FILES, "pyfakefs.pytest_plugin").assert_outcomes(passed=4)


LOOPS = """
scopes = pytest.mark.parametrize("time", [1, 2])
loops = {}


@pytest.mark.asyncio(loop_scope="SCOPE")
class TestScope:
    @scopes
    async def test_every_test_has_the_same_loop_and_a_server_of_its_own(self, mock_klarna_async, urls, time):
        loops.setdefault(asyncio.get_running_loop(), []).append(mock_klarna_async.url)
        await buys_async(mock_klarna_async, urls)

    async def test_a_request_that_is_cancelled_ends(self, mock_klarna_async):
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(mock_klarna_async.wait_for("push", within=60), 0.05)
        answers = await asyncio.gather(*(mock_klarna_async.clock() for _ in range(20)))
        assert len(answers) == 20


def test_there_was_one_loop():
    ((_, servers),) = loops.items()
    assert len(set(servers)) == 2
"""


@pytest.mark.parametrize("scope", ["session", "module", "class"])
def test_the_loop_of_a_test_may_be_shared_with_others(suite: Run, scope: str) -> None:
    suite(SHOP + LOOPS.replace("SCOPE", scope)).assert_outcomes(passed=4)
