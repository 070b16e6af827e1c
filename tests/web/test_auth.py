"""Who is calling (klarna.md §1.3): every refusal challenges, and says in words what would work."""

import base64
import re
import sys
from collections.abc import Callable
from typing import Any

import aiohttp
import pytest

from mock_klarna import MockKlarnaAsync, Settings
from mock_klarna.web.auth import Credentials
from mock_klarna.web.operations import OPERATIONS

Guide = Callable[[str], Any]
BUTTON = "/instantshopping/v1/buttons/x"


def basic(pair: str | bytes) -> str:
    return "Basic " + base64.b64encode(pair.encode() if isinstance(pair, str) else pair).decode()


REFUSED = {
    "": "no credentials were sent",
    "Bearer abc": "the scheme 'Bearer' is not Basic",
    "Basic": "not base64 of username:password",
    "Basic !!!": "not base64 of username:password",
    "Basic a": "not base64 of username:password",
    basic("no colon"): "not base64 of username:password",
    basic(":only a password"): "the username is empty",
    basic("merchant:"): "the password is empty",
}


@pytest.mark.parametrize("sent", REFUSED)
async def test_a_401_has_a_challenge_and_says_which_credentials_work(klarna: MockKlarnaAsync, sent: str) -> None:
    answer = await klarna.send("GET", BUTTON, headers={"Authorization": sent})
    assert (answer.status, answer.body["error_code"]) == (401, "unauthorized")
    assert answer.headers["WWW-Authenticate"] == 'Basic realm="Klarna", charset="UTF-8"'
    assert REFUSED[sent] in answer.body["error_message"]
    assert "user PK00000_test with password test" in answer.body["error_message"]
    assert answer.body["correlation_id"] == answer.headers["Klarna-Correlation-Id"]


async def test_every_klarna_endpoint_requires_credentials(klarna: MockKlarnaAsync) -> None:
    for operation in (row for row in OPERATIONS if row.api.rules.emulates_klarna):
        path = re.sub(r"\{\w+\}", "x", operation.path)
        answer = await klarna.send(operation.method, path, headers={"Authorization": ""})
        assert answer.status == 401, operation.name


@pytest.mark.parametrize(
    "sent",
    [
        basic("merchant:secret"),
        basic("merchant:se:cret"),
        basic("handlare-åäö:hemlig"),
        basic("handlare-åäö:hemlig".encode("latin-1")),
        basic("m:s").replace("Basic", "bAsIc"),
        basic("m:s").replace("Basic ", "Basic   "),
        "Basic pwhcueUff0MmwLShJiBE9JHA==",
    ],
)
async def test_any_username_with_a_password_is_a_merchant(klarna: MockKlarnaAsync, sent: str) -> None:
    """The last one is in the guide."""
    urls = {"merchant_urls": {"place_order": "https://shop.example/place"}}
    answer = await klarna.send("POST", "/instantshopping/v1/buttons", urls, {"Authorization": sent})
    assert answer.status == 201


async def test_a_client_may_send_credentials_after_the_challenge(klarna: MockKlarnaAsync) -> None:
    async with aiohttp.ClientSession() as session:
        async with session.get(klarna.url + BUTTON) as first:
            scheme = first.headers["WWW-Authenticate"].split()[0]
            assert (first.status, scheme) == (401, "Basic")
        async with session.get(klarna.url + BUTTON, headers={"Authorization": klarna.authorization}) as second:
            assert second.status == 404


class TestListedCredentials:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, credentials=("one:first", "two:sec:ond"))

    @pytest.mark.parametrize("pair", ["one:first", "two:sec:ond"])
    async def test_listed_credentials_are_accepted(self, klarna: MockKlarnaAsync, pair: str) -> None:
        assert (await klarna.send("GET", BUTTON, headers={"Authorization": basic(pair)})).status == 404

    @pytest.mark.parametrize("pair", ["one:sec:ond", "one:", "three:", "three:first", "one:firs", "one:first "])
    async def test_other_credentials_are_refused_with_the_listed_users(
        self, klarna: MockKlarnaAsync, pair: str
    ) -> None:
        answer = await klarna.send("GET", BUTTON, headers={"Authorization": basic(pair)})
        assert answer.status == 401
        assert "accepts HTTP Basic for one, two" in answer.body["error_message"]
        assert "first" not in answer.body["error_message"].replace("one:first", "")

    async def test_a_401_of_a_known_merchant_is_in_its_journal(self, klarna: MockKlarnaAsync) -> None:
        await klarna.send("GET", BUTTON, headers={"Authorization": basic("one:first")})
        await klarna.send("GET", BUTTON, headers={"Authorization": basic("one:guess")})
        entries = (await klarna.send("GET", "/_mock/journal?merchant=one")).body["entries"]
        assert [entry["status"] for entry in entries] == [404, 401]

    async def test_the_credentials_of_the_guide_are_refused_if_others_are_listed(self, klarna: MockKlarnaAsync) -> None:
        answer = await klarna.send("GET", BUTTON, headers={"Authorization": "Basic pwhcueUff0MmwLShJiBE9JHA=="})
        assert answer.status == 401


class TestGatewayBody:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, unauthorized_body="gateway")

    async def test_the_body_of_a_401_can_be_that_of_klarnas_gateway(self, klarna: MockKlarnaAsync) -> None:
        answer = await klarna.send("GET", BUTTON, headers={"Authorization": ""})
        assert (answer.status, answer.body["http_status_code"]) == (401, 401)
        assert "error_code" not in answer.body

    async def test_the_journal_explains_a_401_of_the_gateway(self, klarna: MockKlarnaAsync) -> None:
        answer = await klarna.send("GET", BUTTON, headers={"Authorization": ""})
        path = answer.headers["Mock-Klarna-Explanation"].removeprefix(klarna.url)
        assert "no credentials were sent" in (await klarna.send("GET", path)).body["explanation"]


class TestUnknownUser:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, credentials=("one:first",))

    async def test_an_unknown_user_creates_no_merchant_and_is_recorded_without_one(
        self, klarna: MockKlarnaAsync
    ) -> None:
        refused = [basic(f"unknown{number}:guess") for number in range(5)] + ["", basic("one:guess")]
        for sent in refused:
            assert (await klarna.send("GET", BUTTON, headers={"Authorization": sent})).status == 401
        anonymous = {"Authorization": ""}
        assert (await klarna.send("GET", "/_mock/health", headers=anonymous)).body["merchants"] == 0
        assert (await klarna.send("GET", "/_mock/snapshot", headers=anonymous)).body["merchants"] == {}
        entries = (await klarna.send("GET", "/_mock/journal", headers=anonymous)).body["entries"]
        assert [(entry["merchant"], entry["status"]) for entry in entries] == [("", 401)] * len(refused)
        one = await klarna.send("GET", f"/_mock/journal/{entries[0]['seq']}", headers={"Authorization": refused[0]})
        assert one.body == entries[0]


def test_long_credentials_are_accepted_but_not_kept() -> None:
    credentials = Credentials(())
    header = basic("m" * 10_000 + ":secret")
    before = sys.getrefcount(header)
    assert credentials.merchant(header, "localhost") == credentials.claimed(header, "localhost") == "m" * 10_000
    assert sys.getrefcount(header) == before
