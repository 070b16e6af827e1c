"""`tail` follows the journal of a server, also of one that is started again."""

import json
import os
import signal
import subprocess
from contextlib import ExitStack
from typing import Any

import pytest

from mock_klarna import MockKlarna, Settings, serve_in_thread
from tests.commands import Command, command_process

pytestmark = pytest.mark.process

Json = dict[str, Any]
URLS = {"place_order": "http://127.0.0.1:1/place-order", "terms": "http://127.0.0.1:1/terms"}
HOST = f"127.{os.getpid() % 200 + 20}.0.1"
"""An address of this test process alone, so that nobody else gets the port while the server is stopped."""


def read_until(process: subprocess.Popen[str], part: str) -> None:
    """Read what a process prints up to a line with this part."""
    assert process.stdout is not None
    assert any(part in line for line in process.stdout), part


def buy(klarna: MockKlarna) -> Json:
    klarna.create_button(merchant_urls=URLS)
    bought = klarna.purchase(cart="se-battery-pack", wait=0)
    klarna.wait_for("place_order", purchase_id=bought["purchase_id"], within=60)
    return bought


def test_entries_are_printed_also_those_of_a_server_that_was_started_again() -> None:
    with ExitStack() as first, ExitStack() as stack:
        klarna = first.enter_context(serve_in_thread(Settings(host=HOST, port=0)))
        url, port = klarna.url, int(klarna.url.rpartition(":")[2])
        buy(klarna)
        process = stack.enter_context(command_process("tail", "--url", url))
        read_until(process, "shop → Klarna  POST /instantshopping/v1/buttons → 201")
        read_until(process, "place_order at http://127.0.0.1:1/place-order fails: refused")
        klarna.advance_clock(61)
        read_until(process, "gives up after 1 min, timed out: the shop never placed or denied it")
        first.close()
        assert process.stderr is not None
        assert process.stderr.readline() == f"mock-klarna: {url} does not answer any more; trying again\n"
        klarna = stack.enter_context(serve_in_thread(Settings(host=HOST, port=port)))
        assert process.stderr.readline() == f"mock-klarna: connected to {url} again\n"
        buy(klarna)
        read_until(process, "shop → Klarna  POST /instantshopping/v1/buttons → 201")
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=60) == 0
        assert process.stderr.read() == ""


def test_entries_can_be_selected_and_printed_as_json(mock_klarna: MockKlarna) -> None:
    buy(mock_klarna)
    bought = buy(mock_klarna)
    selected = ("--merchant", mock_klarna.merchant, "--purchase", bought["purchase_id"], "--kind", "callback")
    with command_process("tail", "--url", mock_klarna.url, "--json", *selected) as process:
        assert process.stdout is not None
        entry = json.loads(process.stdout.readline())
    assert (entry["kind"], entry["purchase_id"]) == ("callback", bought["purchase_id"])
    assert entry == mock_klarna.send("GET", f"/_mock/journal/{entry['seq']}").body


def test_the_beginning_of_an_id_as_it_is_printed_selects_a_purchase(mock_klarna: MockKlarna) -> None:
    buy(mock_klarna)
    wanted = buy(mock_klarna)["purchase_id"]
    credentials = ":".join(mock_klarna.credentials)
    selected = ("--merchant", credentials, "--purchase", f"{wanted[:8]}…")
    with command_process("tail", "--url", mock_klarna.url, *selected) as process:
        assert process.stdout is not None
        assert process.stdout.readline().split("  ")[1] == wanted[:8]


def test_a_line_says_where_the_journal_dropped_entries_before_they_were_read() -> None:
    with serve_in_thread(Settings(port=0, journal_bytes=65536)) as klarna:
        key = klarna.create_button(merchant_urls=URLS)["button_key"]
        for _ in range(200):
            klarna.get_button(key)
        dropped = klarna.send("GET", "/_mock/journal?limit=0").body["dropped"]
        with command_process("tail", "--url", klarna.url) as process:
            assert process.stderr is not None
            line = f"mock-klarna: entries are missing here; the journal has dropped {dropped} (see --journal-bytes)\n"
            assert process.stderr.readline() == line
            read_until(process, f"GET /instantshopping/v1/buttons/{key[:8]}")
            process.send_signal(signal.SIGINT)
            assert process.wait(timeout=60) == 0
            assert process.stderr.read() == ""


def test_it_ends_when_nobody_reads_its_output_any_more(mock_klarna: MockKlarna) -> None:
    buy(mock_klarna)
    with command_process("tail", "--url", mock_klarna.url, "--verbose") as process:
        read_until(process, "[purchase_authorized]")
        assert process.stdout is not None
        process.stdout.close()
        assert process.wait(timeout=60) == 0
        assert process.stderr is not None
        assert process.stderr.read() == ""


@pytest.mark.parametrize(
    ("url", "code", "error"),
    [
        ("http://127.0.0.1:1", 4, "no answer from http://127.0.0.1:1: Connection refused\n"),
        ("http://no-server.invalid", 4, "no answer from http://no-server.invalid: "),
        ("nonsense", 2, "is not the URL of a server"),
        ("", 2, "--url: '' is not the URL of a server"),
    ],
)
def test_an_address_without_a_server_is_an_error(command: Command, url: str, code: int, error: str) -> None:
    result = command("tail", "--url", url)
    assert result.returncode == code
    assert error in result.stderr


def test_the_address_of_another_server_is_an_error(command: Command, other_server: str) -> None:
    result = command("tail", "--url", other_server)
    assert (result.returncode, result.stdout) == (2, "")
    assert f"--url: {other_server} is not mock-klarna: it answered GET /_mock/health with 200; give " in result.stderr


def test_plain_http_at_an_https_address_is_named(command: Command, mock_klarna: MockKlarna) -> None:
    url = mock_klarna.url.replace("http:", "https:")
    result = command("tail", "--url", url)
    assert result.returncode == 4
    assert f"no answer from {url}: no TLS connection: " in result.stderr
