"""Starts Firefox and drives it with WebDriver BiDi over a websocket: Playwright cannot drive the Firefox of a distribution."""

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp

from tests.browser.chromium import missing

Json = dict[str, Any]
_PROGRAMS = ("firefox-esr", "firefox")
_LIMIT_SECONDS = 180.0
_LISTENING = re.compile(rb"WebDriver BiDi listening on (ws://\S+)")
_PREFERENCES = """
user_pref("app.update.disabledForTesting", true);
user_pref("dom.disable_open_during_load", false);
user_pref("intl.accept_languages", "en");
user_pref("network.captive-portal-service.enabled", false);
user_pref("network.connectivity-service.enabled", false);
"""


class Firefox:
    """A connection to Firefox: its first tab, and the events that it has sent."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self._socket = socket
        self._count = 0
        self.events: list[tuple[str, Json]] = []
        self.tab = ""

    async def start(self) -> None:
        """Start the session, listen to loaded pages and to consoles, and take the first tab."""
        await self.call("session.new", capabilities={})
        await self.call("session.subscribe", events=["browsingContext.load", "log.entryAdded"])
        self.tab = (await self.call("browsingContext.getTree"))["contexts"][0]["context"]

    async def call(self, method: str, **params: Any) -> Json:
        """Send a command and return its result; the events that arrive before it are kept."""
        self._count += 1
        number = self._count
        await self._socket.send_json({"id": number, "method": method, "params": params})
        while True:
            message = await self._receive()
            if message.get("id") == number:
                assert message["type"] == "success", (method, message)
                result: Json = message["result"]
                return result

    async def _receive(self) -> Json:
        message: Json = await self._socket.receive_json()
        if message["type"] == "event":
            self.events.append((message["method"], message["params"]))
        return message

    async def event(self, name: str, is_wanted: Callable[[Json], bool]) -> Json:
        """Return the first event that is wanted, of those kept or of those to come."""
        while True:
            for method, params in self.events:
                if method == name and is_wanted(params):
                    return params
            await self._receive()

    async def loaded(self, part: str) -> str:
        """Wait until a page or frame whose address contains a part is loaded; return its context."""
        event = await self.event("browsingContext.load", lambda params: part in params["url"])
        return str(event["context"])

    async def element(self, context: str, expression: str) -> Json:
        """Wait until an expression gives an element that is shown and enabled; return a reference to it."""
        look = f"""new Promise((resolve) => {{
          const look = () => {{
            const found = {expression};
            if (found && !found.disabled && found.checkVisibility()) resolve(found);
            else requestAnimationFrame(look);
          }};
          look();
        }})"""
        answer = await self.call("script.evaluate", expression=look, target={"context": context}, awaitPromise=True)
        assert answer["type"] == "success", answer
        return {"sharedId": answer["result"]["sharedId"]}

    async def click(self, context: str, expression: str) -> None:
        """Click an element with the mouse, as a person does."""
        element = await self.element(context, f"({expression})?.scrollIntoView({{block: 'center'}}) || {expression}")
        move = {"type": "pointerMove", "x": 0, "y": 0, "origin": {"type": "element", "element": element}}
        press = [{"type": kind, "button": 0} for kind in ("pointerDown", "pointerUp")]
        mouse = {"type": "pointer", "id": "mouse", "actions": [move, *press]}
        await self.call("input.performActions", context=context, actions=[mouse])

    def console_errors(self) -> list[str]:
        """Return the errors that the consoles of all pages have shown."""
        entries = [params for method, params in self.events if method == "log.entryAdded"]
        return [str(entry["text"]) for entry in entries if entry["level"] == "error"]


@asynccontextmanager
async def launched(folder: Path) -> AsyncIterator[Firefox]:
    """Start Firefox with a new profile in a folder; everything has to end within a limit, so that no test waits for ever."""
    program = next(filter(None, map(shutil.which, _PROGRAMS)), None)
    if program is None:
        missing(f"no Firefox: none of {', '.join(_PROGRAMS)} is installed")
    (folder / "user.js").write_text(_PREFERENCES, encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        *(program, "--headless", "--no-remote", "--profile", folder, "--remote-debugging-port", "0", "about:blank"),
        env={**os.environ, "HOME": str(folder), "MOZ_CRASHREPORTER_DISABLE": "1"},
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with (
            asyncio.timeout(_LIMIT_SECONDS),
            aiohttp.ClientSession() as session,
            session.ws_connect(f"{await _address(process)}/session", max_msg_size=0) as socket,
        ):
            firefox = Firefox(socket)
            await firefox.start()
            yield firefox
    finally:
        process.kill()
        await process.communicate()


async def _address(process: asyncio.subprocess.Process) -> str:
    """Return the address that Firefox listens on, which it writes when it is ready."""
    assert process.stderr is not None
    lines = b""
    while line := await process.stderr.readline():
        lines += line
        if found := _LISTENING.search(line):
            return found[1].decode()
    raise AssertionError(f"Firefox did not start: {lines.decode(errors='replace')}")
