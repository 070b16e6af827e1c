"""A shopper's session over the wire that the dialog speaks: the same commands as `POST /_mock/purchases`."""

from collections.abc import Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Answer
from mock_klarna.settings import Settings

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Answer]]

ANNA = {
    "given_name": "Anna",
    "family_name": "Svensson",
    "email": "anna@example.com",
    "street_address": "Storgatan 1",
    "postal_code": "111 22",
    "city": "Stockholm",
    "phone": "070-174 06 15",
    "country": "se",
}


async def test_a_session_tells_what_is_bought_and_what_it_costs(ask: Ask, session: str) -> None:
    view = (await ask(session, method="GET")).body
    assert view["state"] == "started"
    assert view["identified"] is False
    assert view["totals"] == {"order_amount": 124000, "order_tax_amount": 24800}
    assert view["selected_shipping_option"]["id"] == "express_priority"
    assert view["countries"]["shipping"] == ["SE"]
    assert "se-approved" in [shopper["name"] for shopper in view["shoppers"]]


async def test_a_test_shopper_buys_and_the_merchant_gets_the_address_of_the_page(
    ask: Ask, klarna: MockKlarnaAsync, session: str
) -> None:
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    paid = (await ask(f"{session}/pay", {})).body
    assert paid["state"] == "authorized"
    purchase = await klarna.find_purchase(paid["session_id"])
    assert purchase["order"]["integrator_url"] == "http://shop.example/product"


async def test_what_was_typed_reaches_the_order_and_nothing_is_made_up(
    ask: Ask, klarna: MockKlarnaAsync, session: str
) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA})
    assert answer.body["billing_address"] == ANNA | {"country": "SE"}
    await ask(f"{session}/pay", {})
    order = (await klarna.find_purchase(answer.body["session_id"]))["order"]
    assert order["shipping_address"] == ANNA | {"country": "SE"}
    assert "customer" not in order


async def test_members_that_nobody_knows_are_ignored_whatever_they_are(ask: Ask, session: str) -> None:
    strange = {"loyalty": {"points": 7}, "tags": [], "age": 30}
    typed = {"billing_address": ANNA | strange, "customer": strange}
    answer = await ask(f"{session}/identify", typed)
    assert (answer.status, answer.body["billing_address"]) == (200, ANNA | {"country": "SE"})


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"given_name": " "}, "given_name"),
        ({"email": "anna"}, "email"),
        ({"postal_code": "1112"}, "postal_code"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "+4612"}, "phone"),
        ({"country": "JP"}, "country"),
        ({"country": "US", "postal_code": "10024"}, "region"),
    ],
)
async def test_a_field_that_cannot_be_in_its_country_is_named(ask: Ask, session: str, changes: Json, path: str) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA | changes})
    assert answer.status == 400
    assert [problem["path"] for problem in answer.body["errors"]] == [f"billing_address.{path}"]
    assert answer.body["errors"][0]["expected"]


@pytest.mark.parametrize("born", ["1985-02-30", "2999-01-01", "1700-01-01"])
async def test_a_birthday_that_nobody_has_is_refused(ask: Ask, session: str, born: str) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA, "customer": {"date_of_birth": born}})
    assert [problem["path"] for problem in answer.body["errors"]] == ["customer.date_of_birth"]


async def test_what_the_merchant_demands_has_to_be_given(ask: Ask, options: Json) -> None:
    demanded = ("phone", "title", "date_of_birth", "national_identification_number")
    options["options"] = {f"{name}_mandatory": True for name in demanded}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    billing = {name: value for name, value in ANNA.items() if name != "phone"}
    answer = await ask(f"/sessions/{session}/identify", {"billing_address": billing})
    assert {problem["path"].partition(".")[2] for problem in answer.body["errors"]} == set(demanded)


async def test_a_title_is_spelled_as_its_country_does_and_tells_the_gender(ask: Ask, options: Json) -> None:
    options |= {"purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE"}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    billing = ANNA | {"country": "DE", "postal_code": "10115", "title": "frau", "phone": "030 123456"}
    view = (await ask(f"/sessions/{session}/identify", {"billing_address": billing})).body
    assert view["billing_address"]["title"] == "Frau"
    assert view["customer"] == {"title": "Frau", "gender": "female"}


async def test_nobody_pays_before_telling_who_they_are_even_if_the_page_prefills(ask: Ask, options: Json) -> None:
    options |= {"billing_address": ANNA, "identified": True}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    assert (await ask(f"/sessions/{session}/pay", {})).status == 409


async def test_a_shopper_chooses_a_variation_a_quantity_and_shipping(
    ask: Ask, options: Json, page: Callable[[str], Any]
) -> None:
    options = {"setup": options["setup"], **page("se-variations")}
    view = (await ask("/sessions", {"options": options})).body
    session = f"/sessions/{view['session_id']}"
    wanted = {part["identifier"]: part["value"] for part in view["items"][-1]["product_attributes"]}
    view = (await ask(f"{session}/specify", {"product_attributes": wanted, "quantity": 3})).body
    assert (view["order_lines"][0]["reference"], view["order_lines"][0]["quantity"]) == (
        options["items"][-1]["reference"],
        3,
    )
    answer = await ask(f"{session}/shipping", {"id": "nowhere"})
    assert answer.status == 400


async def test_checkboxes_are_answered(ask: Ask, options: Json, page: Callable[[str], Any]) -> None:
    options = {"setup": options["setup"], **page("se-checkboxes")}
    view = (await ask("/sessions", {"options": options})).body
    first = view["additional_checkboxes"][0]["id"]
    view = (await ask(f"/sessions/{view['session_id']}/checkboxes", {"answers": {first: True}})).body
    assert view["merchant_requested"][first] is True


async def test_a_page_updates_an_open_session(ask: Ask, options: Json, session: str) -> None:
    line = options["order_lines"][0] | {"reference": "19-402-W", "name": "White"}
    view = (await ask(f"{session}/update", {"options": {"order_lines": [line]}})).body
    assert view["order_lines"][0]["name"] == "White"
    answer = await ask(f"{session}/update", {"options": {"order_lines": [line | {"total_tax_amount": 1}]}})
    assert answer.body["errors"][0]["path"] == "order_lines[0].total_tax_amount"
    assert (await ask(f"{session}/update", {"options": {"order_lines": []}})).status == 400


async def test_a_page_that_changes_its_items_keeps_what_the_shopper_chose(
    ask: Ask, options: Json, page: Callable[[str], Any]
) -> None:
    options = {"setup": options["setup"], **page("se-variations")}
    session = f"/sessions/{(await ask('/sessions', {'options': options})).body['session_id']}"
    last = options["items"][-1]
    wanted = {part["identifier"]: part["value"] for part in last["product_attributes"]}
    await ask(f"{session}/specify", {"product_attributes": wanted, "quantity": 2})
    dearer = [item | {"name": f"{item['name']} (new)"} for item in options["items"]]
    line = (await ask(f"{session}/update", {"options": {"items": dearer}})).body["order_lines"][0]
    assert (line["name"], line["quantity"]) == (f"{last['name']} (new)", 2)
    gone = dearer[:-1]
    line = (await ask(f"{session}/update", {"options": {"items": gone}})).body["order_lines"][0]
    assert line["name"] == gone[0]["name"]


@pytest.mark.parametrize(
    ("outcome", "status"), [("ACCEPTED", "ACCEPTED"), ("PENDING", "PENDING"), ("REJECTED", "REJECTED")]
)
async def test_a_developer_forces_an_outcome(
    ask: Ask, klarna: MockKlarnaAsync, session: str, outcome: str, status: str
) -> None:
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    paid = (await ask(f"{session}/pay", {"outcome": outcome})).body
    purchase = await klarna.find_purchase(paid["session_id"])
    await klarna.create_order(purchase["authorization_token"], purchase["order"])
    ended = (await ask(f"{session}/wait?seconds=5", method="GET")).body
    assert (ended["state"], ended["outcome"]["fraud_status"]) == ("placed", status)


async def test_a_shopper_whom_klarna_refuses_reads_so(ask: Ask, session: str) -> None:
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    view = (await ask(f"{session}/pay", {})).body
    assert view["state"] == "declined"
    assert view["outcome"]["consumer_message"]


async def test_a_session_that_has_ended_cannot_be_changed(ask: Ask, session: str) -> None:
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    await ask(f"{session}/pay", {})
    bodies = {
        "identify": {"shopper": "se-approved"},
        "pay": {},
        "shipping": {"id": "a"},
        "specify": {},
    }
    for name, body in bodies.items():
        assert (await ask(f"{session}/{name}", body)).status == 409, name


async def test_a_page_that_updates_too_late_changes_nothing(ask: Ask, session: str) -> None:
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    await ask(f"{session}/pay", {})
    answer = await ask(f"{session}/update", {"options": {"merchant_reference1": "too late"}})
    assert (answer.status, answer.body["state"]) == (200, "authorized")
    assert answer.body["merchant_reference1"] != "too late"


async def test_a_session_that_was_left_goes_on_until_it_has_ended(ask: Ask, options: Json, session: str) -> None:
    left = session.rpartition("/")[2]
    again = await ask("/sessions", {"options": options, "session_id": left})
    assert (again.status, again.body["session_id"]) == (200, left)
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    await ask(f"{session}/pay", {})
    fresh = await ask("/sessions", {"options": options, "session_id": left})
    assert fresh.status == 201
    assert fresh.body["session_id"] != left


async def test_the_timeline_tells_what_happened_in_a_session_and_no_other(
    ask: Ask, options: Json, session: str
) -> None:
    await ask("/sessions", {"options": options})
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    told = (await ask(f"{session}/timeline", method="GET")).body
    assert [entry["name"] for entry in told["entries"]] == ["session_initiated", "identification_updated"]
    later = (await ask(f"{session}/timeline?after={told['position']}", method="GET")).body
    assert later == {"entries": [], "position": told["position"]}


@pytest.mark.parametrize("name", ["", "/wait", "/timeline"])
async def test_a_session_that_nobody_began_is_not_found(ask: Ask, name: str) -> None:
    assert (await ask(f"/sessions/00000000-0000-4000-8000-000000000000{name}", method="GET")).status == 404


async def test_a_token_does_not_open_a_session(ask: Ask, purchase: Json) -> None:
    assert (await ask(f"/sessions/{purchase['authorization_token']}", method="GET")).status == 404


async def test_a_session_cannot_begin_where_the_button_is_not_offered(ask: Ask, options: Json) -> None:
    unoffered: tuple[Json, ...] = (
        {"purchase_country": "JP"},
        {"locale": None},
        {"setup": {"key": "unknown"}},
        {"setup": {}},
    )
    statuses = [(await ask("/sessions", {"options": options | changes})).status for changes in unoffered]
    assert statuses == [409, 400, 404, 400]


async def test_a_page_without_an_address_of_its_own_begins_a_session_too(ask: Ask, options: Json) -> None:
    answer = await ask("/sessions", {"options": options, "page_url": "about:srcdoc"})
    assert answer.status == 201


class TestAbort:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, update_failure="abort")

    @pytest.fixture
    def refusing(self, options: Json) -> Json:
        return options | {"merchant_urls": {**options["merchant_urls"], "update": "http://127.0.0.1:1/update"}}

    async def test_a_failed_update_callback_ends_the_session_with_a_word(self, ask: Ask, refusing: Json) -> None:
        session = (await ask("/sessions", {"options": refusing})).body["session_id"]
        view = (await ask(f"/sessions/{session}/identify", {"shopper": "se-approved"})).body
        assert view["state"] == "failed"
        assert view["outcome"]["consumer_message"]

    async def test_a_shopper_without_a_browser_stops_there_too(self, klarna: MockKlarnaAsync, refusing: Json) -> None:
        key = refusing["setup"]["key"]
        chosen = {"shipping_option": "express_priority", "checkboxes": {"news": True}}
        assert (await klarna.purchase(button_key=key, page=refusing, select=chosen))["state"] == "failed"


async def test_pages_of_every_origin_may_ask_without_credentials(klarna: MockKlarnaAsync) -> None:
    url = f"{klarna.url}/instantshopping/sdk/load"
    asked = {"Origin": "http://shop.example", "Access-Control-Request-Method": "POST"}
    async with aiohttp.ClientSession() as browser:
        async with browser.options(url, headers=asked) as preflight:
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == "*"
            assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
            assert "Access-Control-Allow-Credentials" not in preflight.headers
        async with browser.post(url, json={}, headers=asked) as refused:
            assert refused.status == 400
            assert refused.headers["Access-Control-Allow-Origin"] == "*"
