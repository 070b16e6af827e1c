"""The examples of the integration guide over HTTP, as printed, and its known errors (klarna.md §11)."""

import copy
from collections.abc import Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync

Json = dict[str, Any]
Guide = Callable[[str], Any]
AS_PRINTED = {"Authorization": "Basic pwhcueUff0MmwLShJiBE9JHA=="}
BUTTONS = "/instantshopping/v1/buttons"
PLACE_ORDER = "http://127.0.0.1:1/placeOrder.php"


@pytest.fixture
def klarna(mock_klarna_async: MockKlarnaAsync) -> MockKlarnaAsync:
    """A server of the test's own: the merchant is the one of the guide, and the test counts what it has."""
    return mock_klarna_async


async def bought(klarna: MockKlarnaAsync, page: Json, **members: Any) -> Json:
    """Buy from the page as the merchant whose credentials are in the guide; `setup` are members of the page's `setup`."""
    urls = {"merchant_urls": {"place_order": PLACE_ORDER}}
    assert (await klarna.send("POST", BUTTONS, urls, AS_PRINTED)).status == 201
    answer = await klarna.send("POST", "/_mock/purchases", {"page": page, "wait": 0, **members}, AS_PRINTED)
    assert answer.status == 201, answer.body
    assert answer.body["state"] == "authorized"
    return answer.body  # type: ignore[no-any-return]


def authorization(purchase: Json) -> str:
    return f"/instantshopping/v1/authorizations/{purchase['authorization_token']}"


async def test_the_placeholder_text_of_the_guide_is_refused_as_a_url(klarna: MockKlarnaAsync, guide: Guide) -> None:
    answer = await klarna.send("POST", BUTTONS, guide("create-button"), AS_PRINTED)
    assert (answer.status, answer.body["error_message"]) == (400, "bad_value:merchant_urls.place_order")


async def test_a_button_key_has_the_form_of_the_guide(klarna: MockKlarnaAsync) -> None:
    urls = {"merchant_urls": {"place_order": "https://example.com/placeOrder.php"}}
    answer = await klarna.send("POST", BUTTONS, urls, AS_PRINTED)
    assert answer.status == 201
    assert answer.headers["Content-Type"] == "application/json"
    assert answer.headers["Location"] == f"{BUTTONS}/{answer.body['button_key']}"
    assert answer.body == {"button_key": answer.body["button_key"], **urls}


@pytest.mark.parametrize("country", ["se", "us"])
async def test_the_page_of_the_guide_leads_to_its_callback(klarna: MockKlarnaAsync, guide: Guide, country: str) -> None:
    printed = guide(f"{country}-callback")["order"]
    person = {name: printed[name] for name in ("billing_address", "shipping_address", "customer")}
    purchase = await bought(klarna, guide(f"{country}-page"), shopper=person, integrator_url=printed["integrator_url"])
    order = purchase["order"]
    for name in ("integrator_url", "locale", "customer", "order_amount", "merchant_reference1"):
        assert order[name] == printed[name]
    billing = printed["billing_address"]
    billing["phone"] = {"se": billing["phone"], "us": "+16303427187"}[country]  # national numbers become international
    assert {**order["billing_address"], **billing} == order["billing_address"]
    assert order["order_lines"][0] == printed["order_lines"][0]
    fee, printed_fee = order["order_lines"][1], printed["order_lines"][1]
    amounts = ("type", "quantity", "tax_rate", "total_tax_amount", "unit_price", "total_amount")
    assert [fee[name] for name in amounts] == [printed_fee[name] for name in amounts]


@pytest.mark.parametrize("country", ["se", "us"])
async def test_the_callback_corrects_the_known_errors_of_the_guide(
    klarna: MockKlarnaAsync, guide: Guide, country: str
) -> None:
    """klarna.md C-1, C-2, C-3."""
    page = guide(f"{country}-page")
    purchase = await bought(klarna, page)
    entry = (await klarna.send("GET", "/_mock/journal?name=place_order&wait=120", headers=AS_PRINTED)).body["entries"][
        0
    ]
    sent = entry["request_body"]
    assert sent.keys() == {"authorization_token", "button_key", "order"}
    (option,) = page["shipping_options"]
    chosen, fee = sent["order"]["selected_shipping_option"], sent["order"]["order_lines"][-1]
    assert [chosen[name] for name in ("price", "tax_amount", "tax_rate")] == [
        option["price"],
        option["tax_amount"],
        option["tax_rate"],
    ]
    assert (fee["reference"], fee["name"], fee["product_attributes"]) == (option["id"], option["name"], [])
    assert (await klarna.send("GET", authorization(purchase), headers=AS_PRINTED)).body == sent["order"]


@pytest.mark.parametrize("country", ["se", "us"])
async def test_the_order_of_the_guide_is_placed(klarna: MockKlarnaAsync, guide: Guide, country: str) -> None:
    """klarna.md C-4 and C-5: the second sample is sold in Sweden to an address in the United States; its VAT is fine too."""
    purchase = await bought(klarna, guide("se-page"))
    answer = await klarna.send("POST", authorization(purchase) + "/orders", guide(f"{country}-order"), AS_PRINTED)
    assert answer.status == 200
    assert answer.body.keys() == guide("created-order").keys()
    assert answer.body["fraud_status"] == guide("created-order")["fraud_status"]
    found = (await klarna.send("GET", f"/_mock/purchases/{purchase['purchase_id']}", headers=AS_PRINTED)).body
    assert (found["state"], found["redirect_url"]) == ("placed", guide("se-order")["merchant_urls"]["confirmation"])
    order = (await klarna.send("GET", f"/_mock/orders/{found['order_id']}", headers=AS_PRINTED)).body
    assert order["order"] == guide(f"{country}-order")
    assert order["push_url"] == guide("se-order")["merchant_urls"]["push"]


@pytest.mark.parametrize("country", ["se", "us"])
async def test_the_order_of_the_guides_callback_is_placed(klarna: MockKlarnaAsync, guide: Guide, country: str) -> None:
    """klarna.md C-1: the wrong selected_shipping_option is not looked at."""
    purchase = await bought(klarna, guide(f"{country}-page"))
    answer = await klarna.send(
        "POST", authorization(purchase) + "/orders", guide(f"{country}-callback")["order"], AS_PRINTED
    )
    assert answer.status == 200


@pytest.mark.parametrize(
    ("deny", "message"),
    [
        ("with-code", "Det är något fel med adressen. Inga pengar har dragits."),
        ("with-code-and-message", "We cannot ship at this address."),
        ("with-own-message", "Some other reason for rejecting the order"),
    ],
)
async def test_the_denials_of_the_guide_are_shown(
    klarna: MockKlarnaAsync, guide: Guide, deny: str, message: str
) -> None:
    purchase = await bought(klarna, guide("se-page"))
    body = guide(f"deny-{deny}")
    assert (await klarna.send("DELETE", authorization(purchase), body, AS_PRINTED)).status == 204
    found = (await klarna.send("GET", f"/_mock/purchases/{purchase['purchase_id']}", headers=AS_PRINTED)).body
    assert (found["state"], found["deny"], found["consumer_message"]) == ("denied", body, message)


async def test_the_error_of_the_guide_is_answered(klarna: MockKlarnaAsync, guide: Guide) -> None:
    """klarna.md C-9."""
    purchase = await bought(klarna, guide("se-page"))
    body = {**copy.deepcopy(guide("se-order")), "locale": "svenska"}
    answer = await klarna.send("POST", authorization(purchase) + "/orders", body, AS_PRINTED)
    correlation = answer.headers["Klarna-Correlation-Id"]
    assert (answer.status, answer.body) == (400, {**guide("error"), "correlation_id": correlation})


async def test_the_button_key_of_the_guide_is_not_trimmed(klarna: MockKlarnaAsync, guide: Guide) -> None:
    """klarna.md C-6."""
    key = guide("se-page")["setup"]["key"]
    answer = await klarna.send("POST", "/_mock/purchases", {"button_key": key, "page": guide("se-page")})
    assert (answer.status, answer.body["where"], key in answer.body["detail"]) == (404, "button_key", True)


@pytest.mark.parametrize(
    "number",
    ["klarna.md C-10", "klarna.md C-13", "klarna.md C-14", "klarna.md C-20", "klarna.md C-22", "klarna.md C-26"],
)
async def test_both_forms_of_contradicting_documents_are_accepted(
    klarna: MockKlarnaAsync, guide: Guide, number: str
) -> None:
    boxes = [{"id": "news", "text": "Send me news"}]
    page = guide("se-page")
    option = page["shipping_options"][0]
    changes: dict[str, Json] = {
        "klarna.md C-10": {},
        "klarna.md C-13": {"additional_checkboxes": boxes},
        "klarna.md C-14": {"shipping_options": [{**option, "shipping_method": "PRIME_DELIVERY"}]},
        "klarna.md C-20": {
            "merchant_urls": {"terms": "http://www.example.com/terms", "confirmation": "http://www.example.com/ok"}
        },
        "klarna.md C-22": {"locale": "en-se"},
        "klarna.md C-26": {"billing_countries": ["SE", "UK"]},
    }
    purchase = await bought(klarna, {**page, **changes[number]})
    reason = {"deny_code": "out_of_stock", "deny_message": "Sold out", "deny_redirect_url": "http://www.example.com"}
    assert (await klarna.send("DELETE", authorization(purchase), reason, AS_PRINTED)).status == 204
