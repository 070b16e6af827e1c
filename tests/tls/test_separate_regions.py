"""With --separate-regions each of Klarna's hosts has its own credentials, keys and tokens (klarna.md §1.2)."""

import base64
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from mock_klarna.client import Answer, Client
from mock_klarna.domain.urls import API_HOSTS, EUROPEAN_PLAYGROUND, SCRIPT_HOST
from mock_klarna.server import serve
from mock_klarna.settings import Settings

AMERICA = "api-na.klarna.com"
BUTTONS = "/instantshopping/v1/buttons"
NAMES = ("place_order", "terms", "confirmation")
OPTIONS = {"merchant_urls": {name: f"http://127.0.0.1:1/{name}" for name in NAMES}}
SEPARATE = Settings(port=0, separate_regions=True)


@asynccontextmanager
async def klarna(settings: Settings) -> AsyncIterator[Client]:
    async with serve(settings) as running, Client(running.url, "PK00000_test") as client:
        yield client


async def at(client: Client, host: str, method: str, path: str, body: Any = None, user: str = "PK00000_test") -> Answer:
    """Send a request to one of Klarna's hosts."""
    credentials = base64.b64encode(f"{user}:secret".encode()).decode()
    headers = {"Host": host, "Authorization": f"Basic {credentials}"}
    return await client.send(method, path, body, headers=headers)


async def a_key(client: Client, host: str, user: str = "PK00000_test") -> str:
    created = await at(client, host, "POST", BUTTONS, OPTIONS, user)
    assert created.status == 201
    return f"{BUTTONS}/{created.body['button_key']}"


async def a_token(client: Client, host: str, page: Any) -> str:
    key = (await a_key(client, host)).rpartition("/")[2]
    body = {"button_key": key, "page": page, "wait": 0}
    return str((await at(client, host, "POST", "/_mock/purchases", body)).body["authorization_token"])


@pytest.mark.parametrize("host", API_HOSTS)
async def test_by_default_all_hosts_share_credentials_and_keys(host: str) -> None:
    async with klarna(Settings(port=0)) as client:
        key = await a_key(client, EUROPEAN_PLAYGROUND)
        assert (await at(client, host, "GET", key)).status == 200


@pytest.mark.parametrize("home", API_HOSTS)
async def test_credentials_belong_to_the_host_where_they_were_used_first(home: str) -> None:
    async with klarna(SEPARATE) as client:
        key = await a_key(client, home)
        answers = {host: await at(client, host, "GET", key) for host in API_HOSTS}
    assert {host: answer.status for host, answer in answers.items()} == {
        host: 200 if host == home else 401 for host in API_HOSTS
    }
    assert f"belong to {home}, where they were used first" in str([answer.body for answer in answers.values()])


async def test_keys_of_another_host_are_unknown() -> None:
    async with klarna(SEPARATE) as client:
        key = await a_key(client, EUROPEAN_PLAYGROUND)
        assert (await at(client, AMERICA, "GET", key, user="NA00000_test")).status == 404
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", key, user="PK11111_test")).status == 403


async def test_tokens_and_orders_of_another_host_are_unknown(page: Any) -> None:
    async with klarna(SEPARATE) as client:
        token = await a_token(client, AMERICA, page("us-sales-tax"))
        path = f"/instantshopping/v1/authorizations/{token}"
        order = (await at(client, AMERICA, "GET", path)).body
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", path, user="PK11111_test")).status == 404
        placed = (await at(client, AMERICA, "POST", path + "/orders", order)).body
        managed = f"/ordermanagement/v1/orders/{placed['order_id']}"
        assert (await at(client, AMERICA, "GET", managed)).status == 200
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", managed, user="PK11111_test")).status == 404


@pytest.mark.parametrize("host", ["localhost:8080", SCRIPT_HOST, *API_HOSTS])
async def test_a_username_with_a_host_is_the_merchant_of_that_host_at_any_address(host: str) -> None:
    async with klarna(SEPARATE) as client:
        keys = {user: await a_key(client, home, user) for user, home in (("NA", AMERICA), ("EU", EUROPEAN_PLAYGROUND))}
        for user, home in (("NA", AMERICA), ("EU", EUROPEAN_PLAYGROUND)):
            assert (await at(client, host, "GET", keys[user], user=f"{user}@{home}")).status == 200
            elsewhere = await at(client, host, "GET", keys[user], user=f"{user}@api-oc.klarna.com")
            assert elsewhere.status == 401


async def test_by_default_a_username_with_a_host_is_another_merchant() -> None:
    async with klarna(Settings(port=0)) as client:
        key = await a_key(client, AMERICA)
        assert (await at(client, AMERICA, "GET", key, user=f"PK00000_test@{AMERICA}")).status in (403, 404)


@pytest.mark.parametrize("host", ["localhost:8080", SCRIPT_HOST, f"{EUROPEAN_PLAYGROUND}:8443"])
async def test_any_other_host_stands_for_europes_playground(host: str) -> None:
    async with klarna(SEPARATE) as client:
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", await a_key(client, host))).status == 200


async def test_credentials_of_the_settings_belong_to_the_host_after_the_at_sign() -> None:
    listed = ("PK00000_test:secret", f"NA00000_test:secret@{AMERICA}")
    async with klarna(Settings(port=0, separate_regions=True, credentials=listed)) as client:
        answers = [
            (await at(client, host, "GET", BUTTONS + "/x", user=user)).status
            for user in ("PK00000_test", "NA00000_test")
            for host in (EUROPEAN_PLAYGROUND, AMERICA)
        ]
        users = (f"NA00000_test@{AMERICA}", f"PK00000_test@{EUROPEAN_PLAYGROUND}", f"PK00000_test@{AMERICA}")
        named = [(await at(client, "localhost", "GET", BUTTONS + "/x", user=user)).status for user in users]
    assert answers == [404, 401, 401, 404]
    assert named == [404, 404, 401]


async def test_the_sandboxs_own_api_names_merchants_with_their_host(page: Any) -> None:
    async with klarna(SEPARATE) as client:
        await a_token(client, AMERICA, page("us-sales-tax"))
        by_host = (await at(client, AMERICA, "GET", "/_mock/purchases")).body["purchases"]
        by_name = (await client.send("GET", f"/_mock/purchases?merchant=PK00000_test@{AMERICA}")).body["purchases"]
        elsewhere = (await at(client, EUROPEAN_PLAYGROUND, "GET", "/_mock/purchases")).body["purchases"]
    assert by_host == by_name
    assert [purchase["merchant"] for purchase in by_host] == [f"PK00000_test@{AMERICA}"]
    assert elsewhere == []


@pytest.mark.parametrize("query", ["", f"?merchant=PK00000_test@{AMERICA}"])
async def test_after_a_reset_credentials_can_be_used_first_at_any_host(query: str) -> None:
    async with klarna(SEPARATE) as client:
        await a_key(client, AMERICA)
        await client.send("POST", f"/_mock/reset{query}", headers={"Authorization": ""})
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", BUTTONS + "/x")).status == 404


async def test_the_first_host_is_the_same_after_a_restart(tmp_path: Path) -> None:
    kept = Settings(port=0, separate_regions=True, store=f"sqlite:{tmp_path / 'state.db'}")
    async with klarna(kept) as client:
        key = await a_key(client, AMERICA)
    async with klarna(kept) as client:
        assert (await at(client, EUROPEAN_PLAYGROUND, "GET", key)).status == 401
        assert (await at(client, AMERICA, "GET", key)).status == 200


async def test_the_journal_contains_the_host_of_a_request() -> None:
    async with klarna(Settings(port=0)) as client:
        await a_key(client, AMERICA)
        (entry,) = (await client.send("GET", "/_mock/journal?kind=exchange")).body["entries"]
    assert ["Host", AMERICA] in entry["request_headers"]
