"""The Instant Shopping API: button keys, and reading, placing and denying an authorized order."""

import asyncio
import copy
import re
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
URLS = {"place_order": "https://shop.example/place", "terms": "https://shop.example/terms"}


@pytest.mark.parametrize("slash", ["", "/", "?", "/?", "?a=b"])
async def test_a_created_key_has_a_location(klarna: MockKlarnaAsync, slash: str) -> None:
    answer = await klarna.send("POST", BUTTONS + slash, {"merchant_urls": URLS, "name": "Summer"})
    key = answer.body["button_key"]
    assert answer.status == 201
    assert answer.body == {"button_key": key, "merchant_urls": URLS, "name": "Summer"}
    assert re.fullmatch("[a-z0-9-]+", key)
    assert answer.headers["Location"] == f"{BUTTONS}/{key}"
    assert answer.headers["Content-Type"].startswith("application/json")


@pytest.mark.parametrize("slash", ["", "/", "?", "/?"])
async def test_a_key_is_read_at_its_location(klarna: MockKlarnaAsync, button: Json, slash: str) -> None:
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
async def test_an_update_replaces_whole_members(klarna: MockKlarnaAsync, options: Json, kept: Json, slash: str) -> None:
    before = {"name": "Summer", "locale": "sv-SE", "options": {"title_mandatory": True}}
    key = (await klarna.create_button(merchant_urls=URLS, **before))["button_key"]
    answer = await klarna.send("PUT", f"{BUTTONS}/{key}{slash}", options)
    assert answer.status == 200
    assert answer.body == await klarna.get_button(key)
    assert {name: answer.body[name] for name in kept} == kept
    assert answer.body["button_key"] == key


@pytest.mark.parametrize("method", ["GET", "PUT"])
async def test_another_merchants_key_is_not_allowed(klarna: MockKlarnaAsync, button: Json, method: str) -> None:
    body = {"merchant_urls": URLS} if method == "PUT" else None
    path = f"{BUTTONS}/{button['button_key']}"
    answer = await klarna.send(method, path, body, {"Authorization": "Basic b3RoZXI6c2VjcmV0"})
    expected = f"button_key belongs to merchant {klarna.merchant!r}, and this request is from 'other'"
    assert (answer.status, answer.body["error_message"]) == (403, expected)
    unknown = await klarna.send(method, f"{BUTTONS}/123e4567-e89b-12d3-a456-426655440000", body)
    assert (unknown.status, unknown.body["error_code"]) == (404, "not_found")
    assert await klarna.get_button(button["button_key"]) == button


@pytest.mark.parametrize(
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
@pytest.mark.parametrize("method", ["POST", "PUT"])
async def test_an_invalid_option_is_named_and_nothing_changes(
    klarna: MockKlarnaAsync, button: Json, method: str, options: Json, path: str
) -> None:
    target = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    answer = await klarna.send(method, target, options)
    assert (answer.status, answer.body["error_code"]) == (400, "bad_value")
    assert answer.body["error_message"] == f"bad_value:{path}"
    assert (await klarna.send("GET", "/_mock/health")).body["buttons"] == 1
    assert await klarna.get_button(button["button_key"]) == button


@pytest.mark.parametrize(("method", "status"), [("POST", 400), ("PUT", 200)])
async def test_merchant_urls_are_required_to_create_a_key_but_not_to_update_it(
    klarna: MockKlarnaAsync, button: Json, method: str, status: int
) -> None:
    target = BUTTONS if method == "POST" else f"{BUTTONS}/{button['button_key']}"
    assert (await klarna.send(method, target, {"name": "Winter"})).status == status


OTHER = {"Authorization": "Basic b3RoZXI6c2VjcmV0"}
ROOT = "/instantshopping/v1/authorizations/"
VERBS = [("GET", ""), ("DELETE", ""), ("POST", "/orders")]


async def bring_into(klarna: MockKlarnaAsync, token: str, order: Json, state: str) -> None:
    """Bring the purchase behind a token into a state."""
    if state == "placed":
        assert (await klarna.send("POST", token + "/orders", order)).status == 200
    elif state == "denied":
        assert (await klarna.send("DELETE", token)).status == 204
    else:
        await klarna.advance_clock({"timed_out": 61, "expired": 3601}[state])


@pytest.mark.parametrize("slash", ["", "/", "?", "/?"])
async def test_the_order_of_the_callback_is_read_posted_back_and_placed(
    klarna: MockKlarnaAsync, token: str, order: Json, slash: str
) -> None:
    read = await klarna.send("GET", token + slash)
    assert (read.status, read.body) == (200, order)
    placed = await klarna.send("POST", f"{token}/orders{slash}", read.body)
    assert (placed.status, placed.body["fraud_status"]) == (200, "ACCEPTED")
    assert placed.body.keys() == {"order_id", "fraud_status"}
    assert "Location" not in placed.headers


@pytest.mark.parametrize(
    "body", [None, {}, {"deny_code": "other", "deny_message": "no"}, {"deny_redirect_url": "http://a.example/x"}]
)
@pytest.mark.parametrize("slash", ["", "/", "?"])
async def test_a_denial_is_answered_with_204(
    klarna: MockKlarnaAsync, token: str, body: Json | None, slash: str
) -> None:
    answer = await klarna.send("DELETE", token + slash, body)
    assert (answer.status, answer.body) == (204, None)
    assert (await klarna.purchases())[0]["deny"] == (body or {})


@pytest.mark.parametrize("raw", [b"null", b"{}", b"", b"  \n"])
async def test_a_denial_needs_no_reason(connect: Any, klarna: MockKlarnaAsync, token: str, raw: bytes) -> None:
    async with connect() as connection:
        assert (await connection.ask("DELETE", token, raw, Content_Type="application/json")).status == 204
    (purchase,) = await klarna.purchases()
    assert (purchase["state"], purchase["redirect_url"]) == ("denied", None)
    assert "Butiken avböjde köpet" in purchase["consumer_message"]


@pytest.mark.parametrize("raw", [b"null", b'{"a":', b"x" * 2000])
async def test_the_body_of_a_get_is_ignored(connect: Any, order: Json, token: str, raw: bytes) -> None:
    async with connect() as connection:
        for _ in range(2):
            answer = await connection.ask("GET", token, raw, Content_Type="application/json")
            assert (answer.status, answer.json) == (200, order)


async def test_an_unknown_token_is_not_found(klarna: MockKlarnaAsync, guide: Callable[[str], Any]) -> None:
    for method, path in VERBS:
        for token in ("a2be5f86-e505-4c6b-8d2c-bebdda7f5956", "x", "%00", "%F0%9F%92%A9", "a" * 4000, ".."):
            answer = await klarna.send(method, ROOT + token + path, guide("se-order") if method == "POST" else None)
            assert (answer.status, answer.body["error_code"]) == (404, "not_found"), (method, path, token)


@pytest.mark.parametrize(("method", "path"), VERBS)
async def test_another_merchants_token_is_not_allowed(
    klarna: MockKlarnaAsync, token: str, order: Json, method: str, path: str
) -> None:
    body = order if method == "POST" else None
    answer = await klarna.send(method, token + path, body, OTHER)
    assert (answer.status, answer.body["error_code"]) == (403, "not_allowed")
    assert (await klarna.purchases())[0]["state"] == "authorized"
    assert (await klarna.send("GET", "/_mock/journal?merchant=other")).body["entries"][-1]["purchase_id"] is None


@pytest.mark.parametrize(
    ("state", "method", "status"),
    [
        ("placed", "GET", 404), ("placed", "DELETE", 403), ("placed", "POST", 200),
        ("denied", "GET", 404), ("denied", "DELETE", 403), ("denied", "POST", 403),
        ("timed_out", "GET", 404), ("timed_out", "DELETE", 404), ("timed_out", "POST", 404),
    ],
)  # fmt: skip
async def test_a_used_token_is_refused_according_to_its_state(
    klarna: MockKlarnaAsync, token: str, order: Json, state: str, method: str, status: int
) -> None:
    await bring_into(klarna, token, order, state)
    path, body = ("/orders", order) if method == "POST" else ("", None)
    assert (await klarna.send(method, token + path, body)).status == status
    assert (await klarna.purchases())[0]["state"] == state


@pytest.mark.parametrize(("method", "path"), VERBS)
async def test_a_token_expires_after_sixty_minutes(
    klarna: MockKlarnaAsync, button: Json, page: Callable[[str], Any], method: str, path: str
) -> None:
    options = {"page": page("se-battery-pack"), "wait": 0, "merchant_timeout": 86400}
    bought = await klarna.purchase(**options)
    token = ROOT + bought["authorization_token"]
    await klarna.advance_clock(3598)
    assert (await klarna.send("GET", token)).status == 200
    await klarna.advance_clock(3)
    assert (await klarna.send(method, token + path, bought["order"] if path else None)).status == 404
    assert (await klarna.find_purchase(bought["purchase_id"]))["state"] == "expired"


async def test_the_same_order_placed_again_gets_the_same_answer(
    klarna: MockKlarnaAsync, token: str, order: Json
) -> None:
    first, second = [(await klarna.send("POST", token + "/orders", order)).body for _ in range(2)]
    assert first == second
    changed = {**order, "merchant_reference1": "another"}
    answer = await klarna.send("POST", token + "/orders", changed)
    assert (answer.status, answer.body["error_code"]) == (403, "not_allowed")
    assert len(await klarna.journal(name="purchase_placed")) == 1


class TestRepeatedOrderRefused:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, repeated_order="refuse")

    async def test_an_order_placed_again_is_not_allowed(self, klarna: MockKlarnaAsync, token: str, order: Json) -> None:
        statuses = [(await klarna.send("POST", token + "/orders", order)).status for _ in range(2)]
        assert statuses == [200, 403]


async def test_one_of_thirty_simultaneous_placements_and_denials_succeeds(
    klarna: MockKlarnaAsync, token: str, order: Json
) -> None:
    places = [klarna.send("POST", token + "/orders", {**order, "merchant_reference2": str(n)}) for n in range(15)]
    denials = [klarna.send("DELETE", token) for _ in range(15)]
    answers = await asyncio.gather(*(call for pair in zip(places, denials, strict=True) for call in pair))
    assert sorted(answer.status for answer in answers)[0] in (200, 204)
    assert [answer.status for answer in answers].count(403) == 29


def _cheaper(order: Json) -> None:
    for name, less in (("unit_price", 1000), ("total_amount", 1000), ("total_tax_amount", 200)):
        order["order_lines"][0][name] -= less
    order["order_amount"] -= 1000
    order["order_tax_amount"] -= 200


def _dearer(order: Json) -> None:
    for name, more in (("unit_price", 1000), ("total_amount", 1000), ("total_tax_amount", 200)):
        order["order_lines"][0][name] += more
    order["order_amount"] += 1000
    order["order_tax_amount"] += 200


def _in_euro(order: Json) -> None:
    order["purchase_currency"] = "EUR"


def _in_aland(order: Json) -> None:
    order["purchase_country"] = "AX"


def _with_references(order: Json) -> None:
    order.update(merchant_reference1="45aa52f387871e3a210645d4", merchant_reference2="")


def _confirmed_elsewhere(order: Json) -> None:
    order["merchant_urls"] = {"confirmation": "https://shop.example/thanks/{order.id}"}


CHANGES: list[tuple[Callable[[Json], None], int | str, int | str]] = [
    (_cheaper, 200, "order_amount"),
    (_dearer, "order_amount", "order_amount"),
    (_in_euro, "purchase_currency", "purchase_currency"),
    (_in_aland, 200, "purchase_country"),
    (_with_references, 200, 200),
    (_confirmed_elsewhere, 200, 200),
]


def assert_verdict(answer: Any, verdict: int | str) -> None:
    if isinstance(verdict, int):
        assert answer.status == verdict
    else:
        assert (answer.status, answer.body["error_message"]) == (400, f"bad_value:{verdict}")


@pytest.mark.parametrize(("change", "verdict", "_strict"), CHANGES)
async def test_an_order_amount_may_be_less_than_authorized_but_not_more(
    klarna: MockKlarnaAsync,
    token: str,
    order: Json,
    change: Callable[[Json], None],
    verdict: int | str,
    _strict: object,
) -> None:
    changed = copy.deepcopy(order)
    change(changed)
    assert_verdict(await klarna.send("POST", token + "/orders", changed), verdict)


async def test_all_problems_of_an_order_are_reported_at_once(klarna: MockKlarnaAsync, token: str, order: Json) -> None:
    wrong = copy.deepcopy(order) | {"purchase_currency": "EUR", "locale": "sv_SE"}
    wrong["order_lines"][0] |= {"unit_price": "much", "total_tax_amount": 5000}
    answer = await klarna.send("POST", token + "/orders", wrong)
    (entry,) = await klarna.journal(name="create_order")
    assert answer.body["error_message"] == "bad_value:order_lines[0].unit_price"
    assert [problem["path"] for problem in entry["problems"]] == [
        "order_lines[0].unit_price",
        "purchase_currency",
        "locale",
        "order_lines[0].total_tax_amount",
    ]


@pytest.mark.parametrize("urls", ["none", ["none"], 5])
async def test_unusable_merchant_urls_are_reported(
    klarna: MockKlarnaAsync, token: str, order: Json, urls: object
) -> None:
    assert_verdict(await klarna.send("POST", token + "/orders", order | {"merchant_urls": urls}), "merchant_urls")


class TestStrict:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, strict=True)

    @pytest.fixture
    async def button(self, klarna: MockKlarnaAsync) -> Any:
        return await klarna.create_button(merchant_urls={"place_order": "https://shop.invalid/place"})

    @pytest.mark.parametrize(("change", "_lenient", "verdict"), CHANGES[:4])
    async def test_an_order_must_equal_the_authorized_one(
        self,
        klarna: MockKlarnaAsync,
        token: str,
        order: Json,
        change: Callable[[Json], None],
        verdict: int | str,
        _lenient: object,
    ) -> None:
        changed = {**copy.deepcopy(order), "merchant_urls": {"confirmation": "https://shop.example/thanks"}}
        change(changed)
        assert_verdict(await klarna.send("POST", token + "/orders", changed), verdict)

    async def test_a_confirmation_url_is_required(self, klarna: MockKlarnaAsync, token: str, order: Json) -> None:
        """klarna.md C-7."""
        assert_verdict(await klarna.send("POST", token + "/orders", order), "merchant_urls.confirmation")
        order["merchant_urls"]["confirmation"] = "http://shop.example/thanks"
        assert_verdict(await klarna.send("POST", token + "/orders", order), 200)

    @pytest.mark.parametrize(
        ("body", "verdict"),
        [
            ({"deny_code": "out_of_stock"}, "deny_code"),
            ({"deny_code": "no_mood"}, "deny_code"),
            ({"deny_redirect_url": "https://a.example", "deny_code": "address_error"}, "deny_code"),
            ({"deny_redirect_url": "https://a.example"}, 204),
            ({"deny_code": "address_error"}, 204),
            ({}, 204),
        ],
    )
    async def test_a_denial_must_have_a_documented_form(
        self, klarna: MockKlarnaAsync, token: str, body: Json, verdict: int | str
    ) -> None:
        answer = await klarna.send("DELETE", token, body)
        assert answer.status == (204 if verdict == 204 else 400)
        if answer.status == 400:
            assert str(verdict) in answer.body["error_message"]

    async def test_http_urls_are_refused(self, klarna: MockKlarnaAsync) -> None:
        urls = {"place_order": "http://localhost/place"}
        answer = await klarna.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls})
        assert_verdict(answer, "merchant_urls.place_order")


@pytest.mark.parametrize(
    ("body", "message", "redirect"),
    [
        ({"deny_code": "address_error"}, "adressen", None),
        ({"deny_code": "other", "deny_message": "Sold to the king"}, "Sold to the king", None),
        ({"deny_code": "out_of_stock", "deny_message": "", "deny_redirect_url": ""}, "Butiken avböjde köpet", None),
        ({"deny_code": "x", "deny_message": "y", "deny_redirect_url": "http://a.example"}, None, "http://a.example"),
    ],
)
async def test_the_shopper_sees_the_reason_of_a_denial(
    klarna: MockKlarnaAsync, purchase: Json, body: Json, message: str | None, redirect: str | None
) -> None:
    """klarna.md C-10."""
    await klarna.deny_authorization(purchase["authorization_token"], **body)
    ended = await klarna.find_purchase(purchase["purchase_id"])
    assert (ended["state"], ended["redirect_url"]) == ("denied", redirect)
    assert (message or "") in (ended["consumer_message"] or "")


async def test_a_refused_order_is_in_the_journal_of_its_purchase(
    klarna: MockKlarnaAsync, purchase: Json, token: str, order: Json
) -> None:
    await klarna.send("POST", token + "/orders", {**order, "locale": "Swedish"})
    entry = (await klarna.journal(purchase_id=purchase["purchase_id"], kind="exchange"))[-1]
    assert (entry["status"], {problem["path"] for problem in entry["problems"]}) == (400, {"locale"})
