"""The rest of `/_mock`: clock, faults, callbacks, reviews, reset, shoppers, health."""

import json
import re
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync, Settings, __version__, resources
from mock_klarna.client import Client
from mock_klarna.errors import Unreachable
from mock_klarna.server import serve
from mock_klarna.settings import setting_fields
from mock_klarna.web.operation import Operation
from mock_klarna.web.operations import OPERATIONS, SANDBOX
from mock_klarna.web.query import in_query
from mock_klarna.web.request import EVENT_STREAM

Json = dict[str, Any]
Page = Callable[[str], Any]
OTHER = "?merchant=other"
KLARNA = {row.name: row.method for row in OPERATIONS if row.api.rules.emulates_klarna}
SHOWN = ("clock", "purchases", "orders", "callbacks", "journal", "faults", "snapshot", "health")


@pytest.mark.parametrize("operation", [row for row in SANDBOX if "{" not in row.path], ids=lambda row: row.name)
async def test_every_endpoint_is_served_with_and_without_a_slash(
    klarna: MockKlarnaAsync, button: Json, page: Page, operation: Operation
) -> None:
    bodies: dict[str, Json] = {
        "create_purchase": {"page": page("se-battery-pack"), "wait": 0},
        "add_order": {"page": page("se-battery-pack")},
        "set_clock": {"advance": 1},
        "create_fault": {"on": "request", "status": 500, "operation": "get_button"},
        "put_snapshot": {"version": 1, "merchants": {}},
        "forge_callback": {"purchase_id": "x"},
    }
    method = "HEAD" if operation.media == EVENT_STREAM else operation.method  # a stream has no end
    for ending in ("", "/", "?", "/?"):
        answer = await klarna.send(method, operation.path + ending, bodies.get(operation.name))
        assert answer.status in {operation.answers[0][0], *operation.errors} - {400}, ending
        assert "no route for" not in str(answer.body)


@pytest.mark.parametrize(
    "operation", [row for row in SANDBOX if row.body in ("required", "optional")], ids=lambda row: row.name
)
async def test_a_body_that_is_not_an_object_is_refused_with_a_hint(
    klarna: MockKlarnaAsync, operation: Operation
) -> None:
    for body in ([], 5, [1], "text", *([] if operation.body == "optional" else [None])):
        answer = await klarna.send(operation.method, re.sub(r"\{\w+\}", "x", operation.path), body)
        assert (answer.status, answer.body["where"]) == (400, "body"), body
        assert answer.body["hint"].startswith("expected "), body


@pytest.mark.parametrize("effect", [{"status": 503}, {"delay": 0.001, "status": 500}])
async def test_a_fault_applies_as_many_times_as_requested(klarna: MockKlarnaAsync, button: Json, effect: Json) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    await klarna.fault("request", operation="get_button", times=2, **effect)
    assert [(await klarna.send("GET", path)).status for _ in range(3)] == [effect["status"]] * 2 + [200]
    assert await klarna.faults() == []


async def test_faults_are_counted_down_and_deleted(klarna: MockKlarnaAsync, button: Json) -> None:
    made = await klarna.fault("request", operation="get_button", times=3, status=500)
    await klarna.send("GET", f"/instantshopping/v1/buttons/{button['button_key']}")
    assert await klarna.faults() == [{**made, "times": 2}]
    await klarna.clear_faults()
    assert await klarna.faults() == []


async def test_a_fault_replaces_an_answer_by_garbage_or_drops_it(klarna: MockKlarnaAsync, button: Json) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    await klarna.fault("request", garbage=True)
    assert "garbage" in (await klarna.send("GET", path)).body
    await klarna.fault("request", drop=True)
    with pytest.raises(Unreachable):
        await klarna.send("POST", path, {})
    assert (await klarna.send("GET", path)).body == button


@pytest.mark.parametrize(
    ("on", "operation", "hint"),
    [
        ("request", "create_orde", "did you mean create_order?"),
        ("request", "push", "one of create_button, get_button"),
        ("request", "", "one of create_button, get_button"),
        ("callback", "pushy", "did you mean push?"),
        ("callback", "create_order", "one of place_order, create_customer_token, update, push, notification"),
    ],
)
async def test_a_fault_for_an_unknown_operation_is_refused(
    klarna: MockKlarnaAsync, on: str, operation: str, hint: str
) -> None:
    answer = await klarna.send("POST", "/_mock/faults", {"on": on, "operation": operation, "drop": True})
    assert answer.status == 400
    (problem,) = answer.body["errors"]
    assert (problem["path"], problem["value"], hint in problem["expected"]) == ("operation", operation, True)


def test_faults_can_be_requested_for_every_operation() -> None:
    schema = json.loads((resources.schemas() / "requests" / "create_fault.json").read_bytes())
    operations = schema["else"]["properties"]["operation"]["enum"]
    assert sorted(operations) == sorted(KLARNA)


ALL = {"Authorization": ""}


async def test_a_fault_of_another_merchant_is_not_listed(klarna: MockKlarnaAsync) -> None:
    assert (await klarna.send("POST", "/_mock/faults" + OTHER, {"on": "request", "status": 500})).status == 201
    assert await klarna.faults() == []


@pytest.mark.parametrize(
    ("body", "path", "hint"),
    [
        ({"on": "request", "out_of_order": True}, "out_of_order", "only callbacks can arrive out of order"),
        ({"on": "request", "out_of_order": True, "status": 500}, "out_of_order", "only callbacks"),
        ({"on": "request", "operation": "get_button", "twice": True}, "twice", "has no effect"),
        ({"on": "request", "status": 500, "twice": True}, "twice", "nothing is executed"),
        ({"on": "request", "drop": True, "garbage": True}, "garbage", "no answer arrives"),
        ({"on": "callback", "drop": True, "status": 500}, "status", "nothing is sent"),
        ({"on": "callback", "drop": True, "twice": True}, "twice", "nothing is sent"),
        ({"on": "callback", "status": 500, "garbage": True}, "garbage", "nothing is sent"),
        ({"on": "callback", "status": 500, "out_of_order": True}, "out_of_order", "nothing is sent"),
    ],
)
async def test_a_fault_without_an_effect_is_refused(klarna: MockKlarnaAsync, body: Json, path: str, hint: str) -> None:
    answer = await klarna.send("POST", "/_mock/faults", body)
    assert answer.status == 400
    assert [(p["path"], hint in p["expected"]) for p in answer.body["errors"]] == [(path, True)]


def test_executing_twice_is_refused_for_read_operations() -> None:
    schema = json.loads((resources.schemas() / "requests" / "create_fault.json").read_bytes())
    looking = schema["else"]["if"]["properties"]["operation"]["enum"]
    assert sorted(looking) == sorted(name for name, method in KLARNA.items() if method == "GET")


@pytest.mark.parametrize(("effect", "captures"), [({"drop": True}, 1), ({"drop": True, "status": 503}, 0)])
async def test_a_dropped_answer_was_executed_and_a_dropped_request_was_not(
    klarna: MockKlarnaAsync, purchase: Json, order: Json, effect: Json, captures: int
) -> None:
    order_id = (await klarna.create_order(purchase["authorization_token"], order))["order_id"]
    await klarna.fault("request", operation="capture_order", **effect)
    with pytest.raises(Unreachable):
        await klarna.capture(order_id, 100)
    assert len((await klarna.managed_order(order_id))["captures"]) == captures


@pytest.mark.parametrize(("headers", "captures"), [({}, 2), ({"Klarna-Idempotency-Key": "k"}, 1)])
async def test_a_request_that_arrives_twice_is_executed_twice_without_an_idempotency_key(
    klarna: MockKlarnaAsync, purchase: Json, order: Json, headers: dict[str, str], captures: int
) -> None:
    order_id = (await klarna.create_order(purchase["authorization_token"], order))["order_id"]
    await klarna.fault("request", operation="capture_order", twice=True)
    path = f"/ordermanagement/v1/orders/{order_id}/captures"
    assert (await klarna.send("POST", path, {"captured_amount": 100}, headers)).status == 201
    assert len((await klarna.managed_order(order_id))["captures"]) == captures
    entry = (await klarna.journal(name="capture_order"))[-1]
    assert entry["request_body"] == {"captured_amount": 100}


async def test_a_requested_429_has_the_headers_of_a_rate_limit(klarna: MockKlarnaAsync) -> None:
    await klarna.fault("request", status=429, times=2)
    for path, limit in (("/instantshopping/v1/buttons/x", "50, 50;w=1"), ("/instantshopping/v1/buttons", "5, 5;w=1")):
        answer = await klarna.send("POST" if limit.startswith("5,") else "GET", path, {})
        limits = [answer.headers[f"X-Ratelimit-{name}"] for name in ("Limit", "Remaining", "Reset")]
        assert (answer.status, limits) == (429, [limit, "0", "1"])


async def test_a_callback_can_be_sent_again(klarna: MockKlarnaAsync, purchase: Json) -> None:
    await klarna.wait_for("place_order", within=60)
    (callback,) = await klarna.callbacks(purchase_id=purchase["purchase_id"])
    again = await klarna.resend(callback["callback_id"])
    assert len(again["attempts"]) == 2
    answer = await klarna.send("GET", f"/_mock/callbacks/{callback['callback_id']}")
    assert answer.body == again
    assert again["request_body"] == callback["request_body"]


@pytest.mark.parametrize("decision", ["ACCEPTED", "REJECTED", "STOPPED"])
async def test_a_fraud_review_ends_once(klarna: MockKlarnaAsync, button: Json, page: Page, decision: str) -> None:
    bought = await klarna.purchase(page=page("se-battery-pack"), outcome="PENDING", wait=0)
    order_id = (await klarna.create_order(bought["authorization_token"], bought["order"]))["order_id"]
    path = f"/_mock/orders/{order_id}/decision"
    assert (await klarna.send("POST", path + OTHER, {"fraud_status": decision})).status == 404
    assert (await klarna.decide(order_id, decision))["fraud_status"] == decision
    again = await klarna.send("POST", path, {"fraud_status": "REJECTED"})
    assert again.status == 409
    assert (await klarna.find_order(order_id))["fraud_status"] == decision


async def test_resetting_one_merchant_does_not_change_another(klarna: MockKlarnaAsync, purchase: Json) -> None:
    urls = {"merchant_urls": {"place_order": "https://shop.example"}}
    other = {"Authorization": "Basic b3RoZXI6c2VjcmV0"}
    theirs = (await klarna.send("POST", "/instantshopping/v1/buttons", urls, other)).headers["Location"]
    await klarna.wait_for(
        "place_order", within=120
    )  # the entry of a callback that is being sent would come after the reset
    await klarna.reset()
    assert (await klarna.purchases(), await klarna.journal(), await klarna.callbacks()) == ([], [], [])
    assert (await klarna.send("GET", theirs, headers=other)).status == 200
    await klarna.send("POST", "/_mock/reset", headers={"Authorization": ""})
    assert (await klarna.send("GET", theirs, headers=other)).status == 404


@pytest.mark.parametrize("country", ["SE", "se", "DE", "US"])
async def test_shoppers_are_listed_by_country(klarna: MockKlarnaAsync, country: str) -> None:
    listed = await klarna.shoppers(country)
    assert {one["billing_address"]["country"] for one in listed} == {country.upper()}
    assert all(one["name"] and one["description"] for one in listed)


async def test_an_unknown_country_of_shoppers_is_not_found(klarna: MockKlarnaAsync) -> None:
    answer = await klarna.send("GET", "/_mock/shoppers?country=XX")
    assert (answer.status, answer.body["where"]) == (404, "country")


class TestCredentials:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, credentials=("shop:secret",))

    async def test_the_control_api_requires_no_credentials(self, klarna: MockKlarnaAsync) -> None:
        assert (await klarna.send("GET", "/_mock/journal", headers={"Authorization": ""})).status == 200


async def test_an_unknown_parameter_is_refused_with_the_known_ones(klarna: MockKlarnaAsync) -> None:
    for operation in SANDBOX:
        path = re.sub(r"\{\w+\}", "x", operation.path)
        known = ", ".join(parameter.name for parameter in in_query(operation.all_parameters))
        answer = await klarna.send(operation.method, f"{path}?foo=1", {})
        assert (answer.status, answer.body["where"]) == (400, "query"), operation.name
        found = [(problem["path"], problem["expected"]) for problem in answer.body["errors"]]
        assert found == [("foo", f"known: {known}")], operation.name


async def test_an_invalid_filter_is_refused(klarna: MockKlarnaAsync) -> None:
    for query, name, hint in (
        ("callbacks?kind=nope", "kind", "one of place_order, update"),
        ("callbacks?state=lost", "state", "one of in_flight, delivered"),
        ("purchases?state=bought", "state", "one of started, authorized"),
        ("purchases?offset=1", "offset", "known: merchant, state, before, limit"),
        ("journal?kind=event&kind=callback", "kind", "one value"),
        ("journal?status=6xx", "status", "404, or 4xx"),
        ("journal?status=4x", "status", "404, or 4xx"),
        ("journal?status=", "status", "404, or 4xx"),
        ("events?foo=1", "foo", "known: merchant, kind, name, status, correlation_id"),
        ("orders?merchant=a&merchant=b", "merchant", "one value"),
    ):
        answer = await klarna.send("GET", f"/_mock/{query}")
        assert answer.status == 400, query
        (problem,) = answer.body["errors"]
        assert (problem["path"], hint in problem["expected"]) == (name, True), query


async def test_purchases_and_callbacks_are_filtered(klarna: MockKlarnaAsync, purchase: Json, order: Json) -> None:
    await klarna.wait_for("place_order", within=60)
    await klarna.create_order(purchase["authorization_token"], order)
    open_one = await klarna.purchase(page=order, wait=0)
    await klarna.wait_for("place_order", purchase_id=open_one["purchase_id"], within=60)
    assert [found["purchase_id"] for found in await klarna.purchases(state="authorized")] == [open_one["purchase_id"]]
    assert (await klarna.send("GET", "/_mock/purchases?state=placed&limit=0")).body == {"purchases": [], "total": 1}
    assert len(await klarna.callbacks(kind="place_order", state="failed")) == 2
    assert await klarna.callbacks(kind="push") == []
    assert await klarna.callbacks(state="delivered") == []


async def test_health_counts_what_there_is(klarna: MockKlarnaAsync, purchase: Json) -> None:
    health = (await klarna.send("GET", "/_mock/health", headers={"Authorization": ""})).body
    assert (health["status"], health["version"]) == ("ok", __version__)
    assert (health["merchants"], health["buttons"], health["purchases"], health["orders"]) == (1, 1, 1, 0)
    assert health["uptime"] >= 0
    assert health["seed"]


async def test_a_fault_without_a_merchant_applies_to_any_merchant(klarna: MockKlarnaAsync, button: Json) -> None:
    path = f"/instantshopping/v1/buttons/{button['button_key']}"
    other = {"Authorization": "Basic b3RoZXI6c2VjcmV0"}
    body = {"on": "request", "operation": "get_button", "times": 2, "status": 503}
    made = (await klarna.send("POST", "/_mock/faults", body, ALL)).body
    assert (made["merchant"], await klarna.faults()) == (None, [made])
    await klarna.fault("request", operation="get_button", status=500)
    answers = [await klarna.send("GET", path, headers=who) for who in ({}, other, {}, other, {})]
    assert [answer.status for answer in answers] == [500, 503, 503, 403, 200]
    assert (await klarna.send("GET", "/_mock/faults", headers=ALL)).body["faults"] == []
    assert (await klarna.send("GET", "/_mock/health", headers=ALL)).body["merchants"] == 2


async def test_a_fault_without_a_merchant_is_deleted_without_one_and_part_of_the_whole_snapshot(
    klarna: MockKlarnaAsync,
) -> None:
    made = (await klarna.send("POST", "/_mock/faults", {"on": "callback", "drop": True}, ALL)).body
    own = await klarna.fault("callback", drop=True)
    assert await klarna.faults() == [own, made]
    state = (await klarna.send("GET", "/_mock/snapshot", headers=ALL)).body
    await klarna.clear_faults()
    assert await klarna.faults() == [made]
    await klarna.send("DELETE", "/_mock/faults", headers=ALL)
    assert await klarna.faults() == []
    assert (await klarna.send("PUT", "/_mock/snapshot", state, ALL)).status == 204
    assert await klarna.faults() == [own, made]


async def test_merchants_are_listed_with_what_they_have_the_last_active_one_first(
    klarna: MockKlarnaAsync, purchase: Json
) -> None:
    await klarna.wait_for("place_order", within=120)
    await klarna.advance_clock("2h")
    await klarna.as_merchant("other").order(cart="se-battery-pack")
    listed = (await klarna.send("GET", "/_mock/merchants", headers={"Authorization": ""})).body
    other, own = listed["merchants"]
    assert (other["merchant"], own["merchant"], listed["total"]) == ("other", klarna.merchant, 2)
    assert (own["buttons"], own["purchases"], own["orders"]) == (1, 1, 0)
    assert (other["buttons"], other["purchases"], other["orders"]) == (0, 1, 1)
    assert (round(own["ahead_seconds"]), round(other["ahead_seconds"])) == (7200, 0)
    (entry,) = await klarna.journal(order="newest", limit=1)
    assert (own["last_seq"], own["last_activity"], own["api_host"]) == (entry["seq"], entry["at"], None)
    assert (await klarna.send("GET", "/_mock/merchants")).body["merchants"][0]["merchant"] == klarna.merchant
    page = (await klarna.send("GET", "/_mock/merchants?limit=1", headers={"Authorization": ""})).body
    assert ([one["merchant"] for one in page["merchants"]], page["total"]) == (["other"], 2)


async def test_purchases_and_the_journal_can_be_read_backwards_page_by_page(
    klarna: MockKlarnaAsync, button: Json, page: Page
) -> None:
    ids = [(await klarna.purchase(page=page("se-battery-pack"), wait=0))["purchase_id"] for _ in range(5)][::-1]
    assert [one["purchase_id"] for one in await klarna.purchases(limit=2, before=ids[1])] == ids[2:4]
    assert [one["purchase_id"] for one in await klarna.purchases(state="authorized", before=ids[3])] == ids[4:]
    assert await klarna.purchases(before=ids[4]) == []
    answer = await klarna.send("GET", f"/_mock/purchases?limit=1&before={ids[0]}")
    assert (len(answer.body["purchases"]), answer.body["total"]) == (1, 5)
    assert (await klarna.send("GET", "/_mock/purchases?before=unknown")).status == 400
    whole = [entry["seq"] for entry in await klarna.journal(kind="event", order="newest")]
    assert [entry["seq"] for entry in await klarna.journal(kind="event", before=whole[2], limit=3)] == whole[3:6]
    assert await klarna.journal(before=0) == []


async def test_settings_are_listed_with_their_source_and_without_passwords(klarna: MockKlarnaAsync) -> None:
    listed = {one["name"]: one for one in (await klarna.send("GET", "/_mock/settings")).body["settings"]}
    assert len(listed) == len(setting_fields())
    assert (listed["seed"]["value"], listed["seed"]["source"], listed["seed"]["flag"]) == ("tests", "program", "--seed")
    assert (listed["strict"]["value"], listed["strict"]["source"]) == (False, "default")


async def test_the_settings_of_a_server_have_the_sources_that_it_was_started_with() -> None:
    settings = Settings(port=0, credentials=("K1:hidden-1", "K2:hidden-2:3"), callback_timeout=3)
    sources = {"credentials": "environment", "callback_timeout": "file"}
    async with serve(settings, setting_sources=sources) as server, Client(server.url, "K1", "hidden-1") as client:
        answer = await client.ask("GET", "/_mock/settings")
    listed = {one["name"]: (one["value"], one["source"]) for one in answer["settings"]}
    assert listed["credentials"] == (["K1:...", "K2:..."], "environment")
    assert listed["callback_timeout"] == (3.0, "file")
    assert "hidden" not in str(answer)
