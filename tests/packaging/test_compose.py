"""The nginx of `compose.yaml`, as a real process with that configuration, in front of two servers on one database."""

import asyncio
import os
import shutil
import subprocess
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import aiohttp
import orjson
import pytest
import yaml

from mock_klarna.cli.health import check_health
from mock_klarna.client import Client
from mock_klarna.demo.shop import serve_shop
from mock_klarna.scenario.loader import load_scenarios, stored_files
from mock_klarna.scenario.runner import RunOptions, run_scenario
from mock_klarna.web import query
from tests.bench.processes import emulator, free_port, process
from tests.merchants.pages import urls
from tests.merchants.running import BUTTONS

pytestmark = pytest.mark.process

NOBODY = "http://127.0.0.1:1"
_MAIN = """
daemon off; master_process off; pid {folder}/pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  include {folder}/default.conf;
}}
"""


@pytest.fixture(scope="module")
def nginx() -> str:
    """The program; where it is not installed, the tests are skipped, and fail with `CI=true`."""
    found = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")
    if found is None:
        message = "nginx is not installed; on Debian: apt-get install nginx"
        if os.environ.get("CI", "").lower() == "true":
            pytest.fail(message)
        pytest.skip(message)
    return found


def configuration(root: Path, port: int, servers: list[int]) -> str:
    """Return the configuration of `compose.yaml` with ports of this machine in place of Docker's names."""
    text: str = yaml.safe_load((root / "compose.yaml").read_text())["configs"]["nginx"]["content"].replace("$$", "$")
    for docker, local in (
        ("resolver 127.0.0.11 valid=2s;", ""),
        ("server klarna:8080 resolve;", " ".join(f"server 127.0.0.1:{server};" for server in servers)),
        ("listen 8080;", f"listen 127.0.0.1:{port};"),
    ):
        assert text.count(docker) == 1, docker
        text = text.replace(docker, local)
    return text


@pytest.fixture(scope="module")
def balanced(
    nginx: str, root: Path, new_store: Callable[[str], str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The URL of nginx in front of two servers on one database."""
    folder, store, port = tmp_path_factory.mktemp("nginx"), new_store("postgres"), free_port()
    servers = [free_port() for _ in range(2)]
    (folder / "default.conf").write_text(configuration(root, port, servers))
    (folder / "nginx.conf").write_text(_MAIN.format(folder=folder))
    with ExitStack() as stack:
        for server in servers:
            stack.enter_context(process(*emulator(server, "uvloop", "--store", store)))
        command = [nginx, "-c", str(folder / "nginx.conf"), "-p", str(folder), "-e", str(folder / "error.log")]
        running = stack.enter_context(subprocess.Popen(command))
        stack.callback(running.terminate)
        url = f"http://127.0.0.1:{port}"
        deadline = time.monotonic() + 120
        while (failure := check_health(url)[1]) and time.monotonic() < deadline:
            time.sleep(0.02)
        assert not failure, (folder / "error.log").read_text()
        yield url


@pytest.fixture
async def client(balanced: str, request: pytest.FixtureRequest) -> AsyncIterator[Client]:
    """A client of nginx, for a merchant of this test's own."""
    async with Client(balanced, request.node.name) as client:
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
        yield client


async def test_scenarios_pass_behind_nginx_and_both_servers_answer(balanced: str, client: Client) -> None:
    async with serve_shop(balanced) as shop:
        options = RunOptions(
            url=balanced,
            connect=lambda merchant, password: Client(balanced, merchant, password),
            variables=lambda scenario: {"shop": shop.url} if "shop" in scenario.variables else {},
        )
        names = ("accepted", "denied-then-placed", "klarna-fails")
        for scenario in load_scenarios([stored_files()[name] for name in names], {}, require_values=False):
            report = await run_scenario(scenario, options)
            assert report.passed, report.details()
    answers = [await client.send("GET", f"{BUTTONS}/x") for _ in range(10)]
    assert len({answer.headers["Klarna-Correlation-Id"][:20] for answer in answers}) == 2


async def test_a_stream_passes_nginx_without_delay(client: Client) -> None:
    headers = {"Authorization": client.authorization}
    async with (
        asyncio.timeout(120),
        aiohttp.ClientSession() as session,
        session.get(f"{client.url}/_mock/events?merchant={client.merchant}&kind=event", headers=headers) as stream,
    ):
        await _next_event(stream)
        await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
        assert await _next_event(stream) == "button_created"


async def _next_event(stream: aiohttp.ClientResponse) -> str:
    async for line in stream.content:
        if line.startswith(b"data: "):
            return str(orjson.loads(line.removeprefix(b"data: "))["name"])
    raise AssertionError("the stream ended")


async def test_a_request_that_waits_passes_nginx(client: Client) -> None:
    position = (await client.ask("GET", "/_mock/journal?limit=10000"))["position"]
    waiting = asyncio.create_task(client.ask("GET", f"/_mock/journal?after={position}&kind=event&wait=60"))
    await client.ask("POST", BUTTONS, {"merchant_urls": urls(NOBODY)})
    assert [entry["name"] for entry in (await asyncio.wait_for(waiting, 120))["entries"]] == ["button_created"]


def test_nginx_waits_longer_than_any_request_may(root: Path) -> None:
    longest = max(parameter.schema["maximum"] for parameter in (query.WAIT, query.SECONDS))
    assert f"proxy_read_timeout {longest + 20}s;" in configuration(root, 1, [])


async def test_a_snapshot_of_many_megabytes_passes_nginx(client: Client) -> None:
    state = await client.ask("GET", "/_mock/snapshot")
    buttons = state["merchants"][client.merchant]["records"]["button"]
    body = orjson.dumps({**orjson.loads(buttons[0]["body"]), "name": "x" * 5000}).decode()
    buttons += [{**buttons[0], "body": body, "button_key": f"many-{number}"} for number in range(2000)]
    assert (await client.send("PUT", "/_mock/snapshot", state)).status == 204
    found = await client.ask("GET", "/_mock/snapshot")
    assert found["merchants"][client.merchant]["records"]["button"] == buttons
