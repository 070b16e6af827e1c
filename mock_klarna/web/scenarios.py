"""Listing and running stored scenarios."""

import asyncio
from pathlib import Path

from mock_klarna.client import Client
from mock_klarna.errors import StateConflict
from mock_klarna.web.access import address
from mock_klarna.web.auth import parse_basic
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response


async def list_scenarios(services: Services, _request: ApiRequest) -> ApiResponse:
    """List the stored scenarios, and those of the server's own folder."""
    from mock_klarna.scenario.loader import describe_stored

    return json_response({"scenarios": await asyncio.to_thread(describe_stored, _folders(services))})


async def run_scenario(services: Services, request: ApiRequest) -> ApiResponse:
    """Run a stored scenario as a merchant for this scenario and caller only, and return the report."""
    from mock_klarna.scenario.loader import load_stored
    from mock_klarna.scenario.runner import RunOptions
    from mock_klarna.scenario.runner import run_scenario as run

    body = request.body
    variables, seed = body.get("vars") or {}, body.get("seed")
    scenario = await asyncio.to_thread(load_stored, request.path("name"), _folders(services), variables)
    own_address = address(request.http)
    if own_address is None:
        raise StateConflict("the client has left, so the scenario did not start", where="connection")
    host, _, port = own_address.rpartition(":")
    url = f"http://{host}:{services.http_port or port}"  # the request may have come by https
    options = RunOptions(
        url=url,
        connect=lambda merchant, password: Client(url, merchant, password),
        variables=lambda _: variables,
        seed=None if seed is None else str(seed),
        merchant=body.get("merchant") or _listed_credentials(services, request),
        prefix=request.merchant or "scenario",
    )
    return json_response((await run(scenario, options)).as_json())


def _listed_credentials(services: Services, request: ApiRequest) -> str | None:
    """Return the caller's `USER:PASSWORD` if only listed credentials are accepted."""
    if not services.settings.credentials:
        return None
    sent = parse_basic(request.http.headers.get("Authorization", ""))
    return None if sent.problem else f"{sent.user}:{sent.password}"


def _folders(services: Services) -> list[Path]:
    return [Path(services.settings.scenarios)] if services.settings.scenarios else []
