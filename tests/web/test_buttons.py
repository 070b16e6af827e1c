"""The Button Keys API: created, seen, changed, never deleted (protocol 2 and 3.1)."""

import re
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from tests.cases import in_turn

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
URLS = {"place_order": "https://shop.example/place", "terms": "https://shop.example/terms"}


@pytest.mark.parametrize("slash", ["", "/", "?", "/?", "?a=b"])
async def test_a_key_is_created_and_located(klarna: MockKlarnaAsync, slash: str) -> None:
    answer = await klarna.send("POST", BUTTONS + slash, {"merchant_urls": URLS, "name": "Summer"})
    key = answer.body["button_key"]
    assert answer.status == 201
    assert answer.body == {"button_key": key, "merchant_urls": URLS, "name": "Summer"}
    assert re.fullmatch("[a-z0-9-]+", key)
    assert answer.headers["Location"] == f"{BUTTONS}/{key}"
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("slash", ["", "/", "?", "/?"])
async def test_a_key_is_seen_where_it_was_located(klarna: MockKlarnaAsync, button: Json, slash: str) -> None:
    answer = await klarna.send("GET", f"{BUTTONS}/{button['button_key']}{slash}")
    assert (answer.status, answer.body) == (200, button)
    assert "Location" not in answer.headers


@pytest.mark.parametrize(
    ("options", "kept"),
    [
        ({"merchant_urls": URLS, "name": "Autumn"}, {"merchant_urls": URLS, "name": "Autumn", "locale": "sv-SE"}),
        (
            {"merchant_urls": URLS, "options": {"phone_mandatory": True}},
            {"name": "Summer", "options": {"phone_mandatory": True}},
        ),
        (
            {"merchant_urls": {"place_order": "https://b.example"}},
            {"merchant_urls": {"place_order": "https://b.example"}},
        ),
        ({"merchant_urls": URLS, "name": None}, {"name": "Summer"}),
        ({"merchant_urls": URLS, "button_key": "mine"}, {"name": "Summer"}),
        ({"merchant_urls": URLS, "validFrom": "2019"}, {"validFrom": "2019"}),
    ],
)
@pytest.mark.parametrize("slash", ["", "/"])
async def test_given_members_replace_those_of_the_same_name_whole(
    klarna: MockKlarnaAsync, options: Json, kept: Json, slash: str
) -> None:
    before = {"name": "Summer", "locale": "sv-SE", "options": {"title_mandatory": True}}
    key = (await klarna.create_button(merchant_urls=URLS, **before))["button_key"]
    answer = await klarna.send("PUT", f"{BUTTONS}/{key}{slash}", options)
    assert answer.status == 200
    assert answer.body == await klarna.get_button(key)
    assert {name: answer.body[name] for name in kept} == kept
    assert answer.body["button_key"] == key


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_a_key_is_its_merchants_own(klarna: MockKlarnaAsync, button: Json, method: str) -> None:
    body = {"merchant_urls": URLS} if method == "PUT" else None
    path = f"{BUTTONS}/{button['button_key']}"
    assert (await klarna.send(method, path, body, {"Authorization": "Basic b3RoZXI6c2VjcmV0"})).status == 403
    unknown = await klarna.send(method, f"{BUTTONS}/123e4567-e89b-12d3-a456-426655440000", body)
    assert (unknown.status, unknown.body["error_code"]) == (404, "not_found")
    assert await klarna.get_button(button["button_key"]) == button


@in_turn(
    ("options", "path"),
    [
        ({"merchant_urls": {"place_order": ""}}, "merchant_urls.place_order"),
        ({"merchant_urls": {"place_order": "ftp://shop.example"}}, "merchant_urls.place_order"),
        ({"merchant_urls": {"place_order": "http://shop.example.com"}}, "merchant_urls.place_order"),
        ({"merchant_urls": URLS, "locale": "Swedish"}, "locale"),
        ({"merchant_urls": URLS, "purchase_country": "SWE"}, "purchase_country"),
        ({"merchant_urls": URLS, "name": 5}, "name"),
    ],
)
@in_turn("method", ["POST", "PUT"])
async def test_a_wrong_option_is_named_and_nothing_changes(
    klarna: MockKlarnaAsync, button: Json, method: str, options: Json, path: str
) -> None:
    target = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    answer = await klarna.send(method, target, options)
    assert (answer.status, answer.body["error_code"]) == (400, "bad_value")
    assert answer.body["error_message"] == f"bad_value:{path}"
    assert (await klarna.send("GET", "/_mock/health")).body["buttons"] == 1
    assert await klarna.get_button(button["button_key"]) == button


@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("PUT", 200)])
async def test_urls_are_needed_to_create_a_key_and_not_to_change_it(
    klarna: MockKlarnaAsync, button: Json, method: str, status: int
) -> None:
    target = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    assert (await klarna.send(method, target, {"name": "Winter"})).status == status
