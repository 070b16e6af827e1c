"""`mock-klarna tail`: follow what happens on a running server."""

import argparse
import asyncio
import os
import stat
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any
from urllib.parse import urlencode

import orjson

from mock_klarna.cli.health import url_of
from mock_klarna.cli.options import server_address, short_flag
from mock_klarna.domain.journal import KINDS
from mock_klarna.domain.journal_text import in_order
from mock_klarna.errors import Unreachable
from mock_klarna.process import run_in_loop

Json = Mapping[str, Any]
_WAIT_SECONDS = 20
_RETRY_SECONDS = 0.5
_PAGE = 1000
_ALL_MERCHANTS = {"Authorization": ""}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the address of the server, which entries to show, and how."""
    parser.add_argument("--url", help="address of the server (default: that of `serve` on this machine)")
    parser.add_argument("--merchant", metavar="NAME", help="only what happens to the merchant with this username")
    parser.add_argument(
        "--purchase", metavar="ID", help="only what happens to this purchase; the beginning of the id is enough"
    )
    parser.add_argument("--kind", choices=KINDS, help="only entries of this kind")
    parser.add_argument(
        "--json", action="store_true", help="print entries as `GET /_mock/journal` returns them, one a line"
    )
    parser.add_argument(
        *short_flag("verbose"), "--verbose", action="store_true", help="print every event, with ids in full"
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the journal and what is added to it, until a stop signal or until nobody reads the output; return 0.

    Raises `Unreachable` if the server does not answer at first, `SettingsError` for an invalid address, and
    `MockKlarnaError` for that of another server.
    """
    url = url_of(arguments.url)
    server_address("--url", url)
    with suppress(KeyboardInterrupt):
        run_in_loop(_follow(url, arguments))
    return 0


async def _follow(url: str, arguments: argparse.Namespace) -> None:
    from mock_klarna.client import Client

    merchant = None if arguments.merchant is None else arguments.merchant.partition(":")[0]  # as USER:PASSWORD too
    names = {"merchant": merchant, "kind": arguments.kind}
    wanted = {name: value for name, value in names.items() if value is not None}
    purchase = (arguments.purchase or "").rstrip("…")
    print_entry = _printer(arguments)
    _stop_without_reader()
    async with Client(url) as client:
        await client.require_sandbox()
        journal = _Journal(client, wanted)
        entries = await journal.more(wait=0)
        while True:
            for entry in entries:
                if not purchase or (entry["purchase_id"] or "").startswith(purchase):
                    print_entry(entry)
            sys.stdout.flush()
            try:
                entries = await journal.more(wait=_WAIT_SECONDS)
            except Unreachable:
                _say(f"{url} does not answer any more; trying again")
                await journal.reconnect()
                _say(f"connected to {url} again")
                entries = []


def _printer(arguments: argparse.Namespace) -> Callable[[Json], None]:
    if arguments.json:
        return lambda entry: print(orjson.dumps(entry).decode())
    from mock_klarna.logs import journal_lines_for

    lines = journal_lines_for(sys.stdout, verbose=arguments.verbose)

    def print_lines(entry: Json) -> None:
        for line in lines.lines(entry):
            print(line)

    return print_lines


class _Journal:
    """Reads the journal of a server from its beginning on, also of one that was started again."""

    def __init__(self, client: Any, wanted: dict[str, str]) -> None:
        self._client = client
        self._wanted = wanted
        self._last: Json = {"seq": 0, "at": ""}
        self._newest_dropped = 0

    async def more(self, wait: float) -> list[Json]:
        """Return the next entries; wait up to so many seconds for the first. Raises `Unreachable`."""
        parameters = {**self._wanted, "after": self._last["seq"], "limit": _PAGE, "wait": wait}
        page = await self._client.ask("GET", f"/_mock/journal?{urlencode(parameters)}", headers=_ALL_MERCHANTS)
        entries = in_order(page["entries"])
        newest_dropped = page.get("newest_dropped", 0)
        # of one kind, entries can be between two that are read, and be dropped, without being missed
        if "kind" not in self._wanted and newest_dropped > max(self._last["seq"], self._newest_dropped):
            _say(f"entries are missing here; the journal has dropped {page['dropped']} (see --journal-bytes)")
        self._newest_dropped = newest_dropped
        if entries:
            self._last = entries[-1]
        return entries

    async def reconnect(self) -> None:
        """Wait until the server answers; begin again if it is one with another journal."""
        while True:
            with suppress(Unreachable):
                answer = await self._client.send("GET", f"/_mock/journal/{self._last['seq']}", headers=_ALL_MERCHANTS)
                if answer.status != 200 or answer.body["at"] != self._last["at"]:
                    self._last = {"seq": 0, "at": ""}
                return
            await asyncio.sleep(_RETRY_SECONDS)


def _say(text: str) -> None:
    print(f"mock-klarna: {text}", file=sys.stderr, flush=True)


def _stop_without_reader() -> None:
    """End the running task when the reader of the output goes, such as `head`: nothing may be printed for a long time."""
    task, loop = asyncio.current_task(), asyncio.get_running_loop()
    with suppress(OSError, ValueError, NotImplementedError):
        output = sys.stdout.fileno()
        if task is not None and stat.S_ISFIFO(os.fstat(output).st_mode):
            loop.add_reader(output, task.cancel)
