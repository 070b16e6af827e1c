"""`GET /_mock/findings` judges journals by the rules of `certify`."""

from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.certify import RULES
from mock_klarna.client import Client
from mock_klarna.demo import serve_shop


async def test_a_purchase_that_breaks_rules_has_no_error_and_evidence_that_can_be_read(klarna: MockKlarnaAsync) -> None:
    async with (
        serve_shop(klarna.url, merchant="findings-shop", has_secret=False) as shop,
        Client(klarna.url, shop.merchant) as client,
    ):
        urls = {"place_order": f"{shop.url}/klarna/place-order?then=place_unchecked"}
        body = {"cart": "se-battery-pack", "page": {"merchant_urls": urls}, "wait": 120}
        bought = await client.ask("POST", "/_mock/purchases", body)
        assert bought["state"] == "placed"
        await client.ask("GET", "/_mock/journal?kind=callback&wait=120")  # the attempt is recorded after its answer
        found = await client.ask("GET", "/_mock/findings")
        assert [finding["rule"] for finding in found["findings"]] == ["C3", "C8"]
        assert found["summary"]["errors"] == 0
        assert {result["merchant"] for result in found["rules"]} == {shop.merchant}
        for finding in found["findings"]:
            for path in finding["evidence"]:
                assert (await client.ask("GET", path))["merchant"] == shop.merchant


async def test_refused_sums_are_an_error_with_the_right_value(klarna: MockKlarnaAsync, purchase: Any) -> None:
    order = purchase["order"]
    lines = [{**order["order_lines"][0], "total_tax_amount": 1}, *order["order_lines"][1:]]
    async with Client(klarna.url, klarna.merchant) as client:
        path = f"/instantshopping/v1/authorizations/{purchase['authorization_token']}/orders"
        of_shop = {"User-Agent": "Shop/1.0"}
        assert (await client.send("POST", path, {**order, "order_lines": lines}, headers=of_shop)).status == 400
        found = await client.ask("GET", "/_mock/findings")
    (sums,) = (finding for finding in found["findings"] if finding["rule"] == "O2")
    assert sums["severity"] == "error"
    assert "23800" in sums["expected"]


async def test_without_a_merchant_all_are_judged_separately(klarna: MockKlarnaAsync) -> None:
    async with Client(klarna.url, "findings-one") as one, Client(klarna.url, "findings-two") as two:
        for client in (one, two):
            await client.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": {}})
        everybody = (await one.send("GET", "/_mock/findings", headers={"Authorization": ""})).body
        alone = await one.ask("GET", "/_mock/findings?merchant=findings-two")
    merchants = {result["merchant"] for result in everybody["rules"]}
    assert merchants >= {"findings-one", "findings-two"}
    assert everybody["summary"]["rules"] == len(RULES) * len(merchants)
    assert {result["merchant"] for result in alone["rules"]} == {"findings-two"}


async def test_tests_can_assert_that_there_are_no_findings(klarna: MockKlarnaAsync, button: Any) -> None:
    await klarna.assert_no_findings("hint")
    body = {"merchant_urls": {"place_order": "https://shop.example.com/p"}}
    await klarna.send("POST", "/instantshopping/v1/buttons", body, headers={"User-Agent": "python-requests/2"})
    (finding,) = [one for one in await klarna.findings() if one["rule"] == "T1"]
    assert finding["severity"] == "hint"
    with pytest.raises(
        AssertionError, match=r"hint +T1 +User-Agent names the shop\n +seen +User-Agent: python-requests/2"
    ):
        await klarna.assert_no_findings("hint")
    with pytest.raises(ValueError, match="one of error, warning, hint"):
        await klarna.assert_no_findings("fatal")
