"""`GET /_mock/refusals`: what an integration gets wrong, by operation and rule."""

from typing import Any

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Client
from mock_klarna.server import serve
from mock_klarna.settings import Settings

Json = dict[str, Any]
BUTTONS = "/instantshopping/v1/buttons"
URLS = {"place_order": "https://shop.example.com/place", "terms": "https://shop.example.com/terms"}


async def test_refusals_are_grouped_by_operation_and_rule_with_the_last_example(
    klarna: MockKlarnaAsync, purchase: Json, order: Json
) -> None:
    assert await klarna.refusals() == []
    lines = [{"name": 1}, {"name": "x" * 300, "quantity": "many"}]
    for body in ({"merchant_urls": URLS, "order_lines": lines}, {"merchant_urls": {**URLS, "terms": 5}}):
        assert (await klarna.send("POST", BUTTONS, body)).status == 400
    answer = await klarna.send(
        "POST", f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders", {**order, "locale": 1}
    )
    assert answer.status == 400
    assert (await klarna.send("GET", f"{BUTTONS}/unknown")).status == 404
    found = {(group["operation"], group["rule"]): group for group in await klarna.refusals()}
    of_type = found["create_button", "type"]
    assert of_type["count"] == 2
    assert {"path": "merchant_urls.terms", "count": 1} in of_type["paths"]
    assert {path["path"] for path in found["create_button", "required"]["paths"]} >= {"order_lines[].quantity"}
    assert found["create_order", "type"]["last"]["purchase_id"] == purchase["purchase_id"]
    (entry,) = await klarna.journal(name="create_order")
    assert found["create_order", "type"]["last"]["seq"] == entry["seq"]
    assert found["create_order", "type"]["last"]["problem"] in entry["problems"]
    unknown = found["get_button", None]
    assert (unknown["last"]["status"], unknown["last"]["problem"], unknown["paths"]) == (404, None, [])


async def test_the_most_frequent_refusals_come_first(klarna: MockKlarnaAsync) -> None:
    await klarna.send("GET", f"{BUTTONS}/unknown")
    for _ in range(3):
        await klarna.send("POST", BUTTONS, {})
    page = (await klarna.send("GET", "/_mock/refusals?limit=1")).body
    assert [(group["operation"], group["count"]) for group in page["refusals"]] == [("create_button", 3)]
    assert (page["total"], page["requests"], page["dropped"]) == (2, 4, 0)


async def test_a_status_that_a_fault_caused_is_no_refusal(klarna: MockKlarnaAsync, button: Json) -> None:
    await klarna.fault("request", status=404, times=2)
    for _ in range(2):
        assert (await klarna.send("GET", f"{BUTTONS}/{button['button_key']}")).status == 404
    assert await klarna.refusals() == []


async def test_the_refusals_of_another_merchant_are_not_counted(klarna: MockKlarnaAsync) -> None:
    await klarna.as_merchant("other").send("POST", BUTTONS, {})
    assert await klarna.refusals() == []
    everybody = (await klarna.send("GET", "/_mock/refusals", headers={"Authorization": ""})).body
    assert [group["last"]["merchant"] for group in everybody["refusals"]] == ["other"]


async def test_entries_that_the_journal_dropped_are_named() -> None:
    async with serve(Settings(port=0, journal_bytes=65536)) as server, Client(server.url, "shop") as client:
        for _ in range(90):
            await client.send("POST", BUTTONS, {"name": "x" * 1000})
        page = await client.ask("GET", "/_mock/refusals")
    assert page["dropped"] > 0
    assert page["requests"] + page["dropped"] == 90
