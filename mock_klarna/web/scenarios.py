"""Stored scenarios: list them, and play one on this server, over its own address."""

import asyncio
from pathlib import Path

import orjson

from mock_klarna.client import Client
from mock_klarna.web.call import Call, Reply
from mock_klarna.web.credentials import decoded
from mock_klarna.web.desk import Desk


async def list_scenarios(desk: Desk, _call: Call) -> Reply:
    """List the stored scenarios, and those of the folder that the server was given."""
    from mock_klarna.scenario.offering import described

    return Reply(200, orjson.dumps({"scenarios": await asyncio.to_thread(described, _folders(desk))}))


async def run_scenario(desk: Desk, call: Call) -> Reply:
    """Play a stored scenario for its caller, as a merchant of that scenario and caller alone, and return the report."""
    from mock_klarna.scenario.offering import offered
    from mock_klarna.scenario.player import Ways, play

    scenario = await asyncio.to_thread(offered, call.path("name"), _folders(desk), call.body.get("vars") or {})
    url, seed = _own_url(call), call.body.get("seed")
    ways = Ways(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        variables=lambda _: call.body.get("vars") or {},
        seed=None if seed is None else str(seed),
        merchant=call.body.get("merchant") or _accepted(desk, call),
        prefix=call.merchant or "scenario",
    )
    return Reply(200, orjson.dumps((await play(scenario, ways)).as_json()))


def _accepted(desk: Desk, call: Call) -> str | None:
    """Return the caller's own `USER:PASSWORD` where a list of credentials leaves no other merchant to play as."""
    if not desk.settings.credentials:
        return None
    _, _, token = call.request.headers.get("Authorization", "").partition(" ")
    return "".join(decoded(token.strip())) or None


def _folders(desk: Desk) -> list[Path]:
    return [Path(desk.settings.scenarios)] if desk.settings.scenarios else []


def _own_url(call: Call) -> str:
    """Return this server's address as it is reached from here, whatever the caller calls it."""
    assert call.request.transport is not None
    host, port = call.request.transport.get_extra_info("sockname")[:2]
    return f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"
