"""The API of lib.js and of the dialog: loading a button, and every step of a session."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import aiohttp
import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Answer, Client
from mock_klarna.settings import Settings
from tests.merchants import shop as shops

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Answer]]
SDK = "/instantshopping/sdk"


@pytest.fixture
async def ask(klarna: MockKlarnaAsync) -> AsyncIterator[Ask]:
    """Sends what a browser sends: a path below the browser's endpoints and a body, by default POST."""
    async with Client(klarna.url, "", "") as client:

        async def send(path: str, body: Any = None, method: str = "POST") -> Answer:
            return await client.send(method, SDK + path, body)

        yield send


@pytest.fixture
def options(button: Json, page: Callable[[str], Any]) -> Json:
    """What a page gives `load()`: the guide's Swedish cart with a key that is known."""
    setup = {"instance_id": "button-1", "key": button["button_key"], "environment": "production", "region": "eu"}
    return {"setup": setup, **page("se-battery-pack")}


@pytest.fixture
async def session(ask: Ask, options: Json) -> str:
    """The path of a new session."""
    answer = await ask("/sessions", {"options": options, "page_url": "http://shop.example/product"})
    assert answer.status == 201, answer.body
    return f"/sessions/{answer.body['session_id']}"


async def loaded(ask: Ask, options: Json) -> Json:
    answer = await ask("/load", {"options": options, "page_url": "http://shop.example/"})
    assert answer.status == 200
    body: Json = answer.body
    return body


async def test_load_returns_the_button_with_texts_in_the_language_of_the_page(ask: Ask, options: Json) -> None:
    answer = await loaded(ask, options)
    assert answer["show_button"] is True
    assert answer["instance_id"] == "button-1"
    assert "error" not in answer
    assert answer["button"]["label"] == "Expresskassa"


@pytest.mark.parametrize(
    ("locale", "label"),
    [
        ("en-GB", "Buy now"),
        ("sv-SE", "Köp nu"),
        ("de-AT", "Jetzt kaufen"),
        ("fi-FI", "Osta nyt"),
        ("nb-NO", "Kjøp nå"),
        ("no-NO", "Kjøp nå"),
        ("da-DK", "Køb nu"),
        ("nl-NL", "Nu kopen"),
        ("fr-FR", "Acheter"),
        ("pl-PL", "Buy now"),
    ],
)
async def test_the_label_is_in_the_language_of_the_locale_or_in_english(
    ask: Ask, options: Json, locale: str, label: str
) -> None:
    answer = await loaded(ask, options | {"locale": locale, "styling": {"theme": {"type": "buy"}}})
    assert answer["button"]["label"] == label


async def test_the_styling_of_the_page_overrides_that_of_the_key(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    key = options["setup"]["key"]
    await klarna.update_button(key, styling={"theme": {"type": "donation", "variation": "dark"}})
    button = (await loaded(ask, options | {"styling": {"theme": {"variation": "light"}}}))["button"]
    assert (button["type"], button["theme"]) == ("donation", "light")


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"setup": {"key": "123e4567-e89b-12d3-a456-426655440000 >"}}, "setup.key"),
        ({"setup": {}}, "setup.key"),
        ({"purchase_country": ""}, "purchase_country"),
        ({"purchase_currency": None}, "purchase_currency"),
        ({"locale": None}, "locale"),
        ({"merchant_urls": {"terms": "javascript:alert(1)"}}, "merchant_urls.terms"),
        ({"order_lines": []}, "order_lines"),
        ({"order_lines": "none"}, "order_lines"),
        ({"merchant_urls": 5}, "merchant_urls"),
        (
            {"shipping_options": [{"id": "x", "name": "X", "price": 100, "tax_amount": 50, "tax_rate": 2500}]},
            "shipping",
        ),
    ],
)
async def test_an_invalid_option_is_an_error_that_names_the_member(
    ask: Ask, options: Json, changes: Json, field: str
) -> None:
    answer = await loaded(ask, options | changes)
    assert answer["show_button"] is False
    assert answer["error"]["invalid_fields"][0].startswith(field)
    assert answer["error"]["code"] in ("bad_value", "unknown_key")
    assert answer["error"]["message"]


async def test_all_invalid_options_are_reported_at_once(ask: Ask, options: Json) -> None:
    options["order_lines"][0]["total_tax_amount"] = 5
    answer = await loaded(ask, options | {"locale": None})
    assert answer["error"]["invalid_fields"] == ["locale", "order_lines[0].total_tax_amount"]
    assert "23800" in answer["error"]["problems"][1]["expected"]


@pytest.mark.parametrize(("member", "value"), [("environment", "staging"), ("region", "asia"), ("region", 5)])
async def test_an_unknown_environment_or_region_is_refused(ask: Ask, options: Json, member: str, value: object) -> None:
    options["setup"][member] = value
    assert (await loaded(ask, options))["error"]["invalid_fields"] == [f"setup.{member}"]


class TestOneRegion:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, environment="playground", region="na")

    async def test_other_regions_and_environments_are_refused(self, ask: Ask, options: Json) -> None:
        error = (await loaded(ask, options))["error"]
        assert error["code"] == "wrong_setup"
        assert error["invalid_fields"] == ["setup.environment", "setup.region"]

    async def test_the_configured_region_gets_its_button(self, ask: Ask, options: Json) -> None:
        options["setup"] |= {"environment": "playground", "region": "na"}
        assert (await loaded(ask, options))["show_button"] is True


async def test_the_button_of_a_disabled_key_is_not_shown(ask: Ask, klarna: MockKlarnaAsync, options: Json) -> None:
    await klarna.update_button(options["setup"]["key"], disabled=True)
    assert await loaded(ask, options) == {"show_button": False, "instance_id": "button-1"}


async def test_the_button_is_not_shown_in_a_country_that_is_not_served(ask: Ask, options: Json) -> None:
    assert await loaded(ask, options | {"purchase_country": "JP"}) == {"show_button": False, "instance_id": "button-1"}


@pytest.mark.parametrize("name", ["AllowEmpty", "allow_empty"])
@pytest.mark.parametrize("allowed", [{"order_lines": True}, {"items": True}, True])
async def test_a_button_may_load_without_order_lines_if_the_page_says_so(
    ask: Ask, options: Json, name: str, allowed: object
) -> None:
    empty = options | {"order_lines": []}
    assert (await loaded(ask, empty | {name: allowed}))["show_button"] is True
    assert (await loaded(ask, empty | {"setup": options["setup"] | {name: allowed}}))["show_button"] is True
    assert (await loaded(ask, empty | {name: {"order_lines": False}}))["show_button"] is False


async def test_calls_of_the_page_are_in_the_journal_of_the_keys_merchant(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    await loaded(ask, options | {"locale": None})
    await loaded(ask, options)
    refused, accepted = await klarna.journal(name="sdk_load")
    assert [problem["path"] for problem in refused["problems"]] == ["locale"]
    assert (accepted["problems"], accepted["status"], accepted["request_body"]["options"]) == ([], 200, options)
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    lines = [{**options["order_lines"][0], "name": "Another name"}]
    for changes, status in (({"order_lines": lines}, 200), ({"order_lines": 5}, 400)):
        answer = await ask(f"/sessions/{session}/update", {"options": changes, "page_version": 7})
        assert answer.status == status
    calls = await klarna.journal(name="sdk_update", purchase_id=session)
    assert [(call["status"], call["request_body"]["options"]["order_lines"]) for call in calls] == [
        (200, lines),
        (400, 5),
    ]
    (updated,) = await klarna.journal(name="session_updated", purchase_id=session)
    assert updated["before"]["order_lines"] == options["order_lines"]
    assert updated["after"]["order_lines"] == lines
    assert {*updated["before"], *updated["after"]} <= {
        "order_lines",
        "shipping_options",
        "selected_shipping_option",
        "items",
    }


@pytest.mark.parametrize("body", [[], {}, {"options": 5}, "text"])
async def test_a_body_without_options_is_an_invalid_request(ask: Ask, body: object) -> None:
    answer = await ask("/load", body)
    assert answer.status == 400
    assert answer.body["detail"]


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
READ = {"country": "SE", "phone": "+46701740615"}


async def test_a_session_is_sent_compressed_to_a_browser(klarna: MockKlarnaAsync, session: str) -> None:
    async with aiohttp.ClientSession(klarna.url, auto_decompress=False) as browser:
        sizes = {}
        for accepted in ("gzip, deflate, br", "gzip;q=0, deflate"):
            async with browser.get(SDK + session, headers={"Accept-Encoding": accepted}) as answer:
                sizes[answer.headers.get("Content-Encoding", "")] = len(await answer.read())
    assert sizes.keys() == {"gzip", ""}
    assert sizes["gzip"] < sizes[""] / 2


async def test_a_session_shows_the_lines_and_the_totals(ask: Ask, session: str) -> None:
    view = (await ask(session, method="GET")).body
    assert view["state"] == "started"
    assert view["identified"] is False
    assert view["totals"] == {"order_amount": 124000, "order_tax_amount": 24800}
    assert view["selected_shipping_option"]["id"] == "express_priority"
    assert view["countries"]["shipping"] == ["SE"]
    assert "se-approved" in [shopper["name"] for shopper in view["shoppers"]]


async def test_a_named_shopper_buys_and_the_merchant_gets_the_page_url(
    ask: Ask, klarna: MockKlarnaAsync, session: str
) -> None:
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    paid = (await ask(f"{session}/pay", {})).body
    assert paid["state"] == "authorized"
    purchase = await klarna.find_purchase(paid["session_id"])
    assert purchase["order"]["integrator_url"] == "http://shop.example/product"


async def test_the_order_has_the_data_of_the_form_and_no_other(ask: Ask, klarna: MockKlarnaAsync, session: str) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA})
    assert answer.body["billing_address"] == ANNA | READ
    await ask(f"{session}/pay", {})
    order = (await klarna.find_purchase(answer.body["session_id"]))["order"]
    assert order["shipping_address"] == ANNA | READ
    assert "customer" not in order


async def test_unknown_members_are_ignored(ask: Ask, session: str) -> None:
    strange = {"loyalty": {"points": 7}, "tags": [], "age": 30}
    typed = {"billing_address": ANNA | strange, "customer": strange}
    answer = await ask(f"{session}/identify", typed)
    assert (answer.status, answer.body["billing_address"]) == (200, ANNA | READ)


@pytest.mark.parametrize(
    ("changes", "path"),
    [
        ({"given_name": " "}, "given_name"),
        ({"email": "anna"}, "email"),
        ({"postal_code": "1112"}, "postal_code"),
        ({"phone": "call me"}, "phone"),
        ({"phone": "+4612"}, "phone"),
        ({"country": "JP"}, "country"),
        ({"country": "US", "postal_code": "10024", "phone": "310-668-3312"}, "region"),
    ],
)
async def test_a_field_that_is_invalid_in_its_country_is_reported(
    ask: Ask, session: str, changes: Json, path: str
) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA | changes})
    assert answer.status == 400
    assert [problem["path"] for problem in answer.body["errors"]] == [f"billing_address.{path}"]
    assert answer.body["errors"][0]["expected"]


@pytest.mark.parametrize("born", ["1985-02-30", "2999-01-01", "1700-01-01"])
async def test_an_impossible_date_of_birth_is_refused(ask: Ask, session: str, born: str) -> None:
    answer = await ask(f"{session}/identify", {"billing_address": ANNA, "customer": {"date_of_birth": born}})
    assert [problem["path"] for problem in answer.body["errors"]] == ["customer.date_of_birth"]


BERLIN = {"country": "DE", "postal_code": "10115", "city": "Berlin", "street_address": "Invalidenstraße 1"}
AUSTIN = {"country": "US", "postal_code": "78701", "city": "Austin", "street_address": "1 Main Street", "region": "TX"}
GERMANY = {"purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE"}
STATES = {"purchase_country": "US", "purchase_currency": "USD", "locale": "en-US"}


@pytest.mark.parametrize(
    ("home", "typed", "customer", "read"),
    [
        (GERMANY, BERLIN | {"phone": "30306900"}, {}, {"phone": "+4930306900"}),
        (GERMANY, BERLIN | {"phone": "030 306900"}, {}, {"phone": "+4930306900"}),
        (GERMANY, BERLIN | {"phone": "+49 30 306900"}, {}, {"phone": "+4930306900"}),
        (GERMANY, BERLIN | {"phone": "0049 (0)30 / 30 69-00"}, {}, {"phone": "+4930306900"}),
        (GERMANY, BERLIN, {"date_of_birth": "01011980"}, {"date_of_birth": "1980-01-01"}),
        (GERMANY, BERLIN, {"date_of_birth": "1.1.1980"}, {"date_of_birth": "1980-01-01"}),
        (GERMANY, BERLIN, {"date_of_birth": "1980-01-01"}, {"date_of_birth": "1980-01-01"}),
        (GERMANY, BERLIN, {"date_of_birth": "03.02.1980"}, {"date_of_birth": "1980-02-03"}),
        (STATES, AUSTIN, {"date_of_birth": "03/02/1980"}, {"date_of_birth": "1980-03-02"}),
        (GERMANY, BERLIN | {"city": " Berlin "}, {}, {"city": "Berlin"}),
        (GERMANY, BERLIN | {"title": "FRAU"}, {}, {"title": "Frau"}),
        (GERMANY, BERLIN | {"phone": "12"}, {}, "billing_address.phone"),
        (GERMANY, BERLIN | {"email": "nobody"}, {}, "billing_address.email"),
        (GERMANY, BERLIN | {"postal_code": "1011"}, {}, "billing_address.postal_code"),
        (GERMANY, BERLIN | {"city": " "}, {}, "billing_address.city"),
        (GERMANY, BERLIN, {"date_of_birth": "31.02.1980"}, "customer.date_of_birth"),
        (STATES, AUSTIN, {"date_of_birth": "31/12/1980"}, "customer.date_of_birth"),
    ],
)
async def test_the_form_and_a_purchase_without_a_browser_read_and_refuse_the_same(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, home: Json, typed: Json, customer: Json, read: Json | str
) -> None:
    cart = {name: value for name, value in options.items() if name != "setup"} | home
    billing = {"given_name": "Anna", "family_name": "Test", "email": "anna@example.com"} | typed
    shopper = {"billing_address": billing, "customer": customer}
    session = (await ask("/sessions", {"options": options | home})).body["session_id"]
    form = await ask(f"/sessions/{session}/identify", shopper)
    purchase = await klarna.send("POST", "/_mock/purchases", {"page": cart, "wait": 0, "shopper": shopper})
    order = await klarna.send("POST", "/_mock/orders", {"page": cart, "shopper": shopper})
    if isinstance(read, str):
        assert [problem["path"] for problem in form.body["errors"]] == [read]
        for refused in (purchase, order):
            assert (refused.status, [one["path"] for one in refused.body["errors"]]) == (400, [f"shopper.{read}"])
        return
    for known in (form.body, purchase.body["order"], order.body["order"]):
        members = known["billing_address"] | known.get("customer", {})
        assert {name: members[name] for name in read} == read


async def test_fields_that_the_merchant_requires_are_required(ask: Ask, options: Json) -> None:
    demanded = ("phone", "title", "date_of_birth", "national_identification_number")
    options["options"] = {f"{name}_mandatory": True for name in demanded}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    billing = {name: value for name, value in ANNA.items() if name != "phone"}
    answer = await ask(f"/sessions/{session}/identify", {"billing_address": billing})
    assert {problem["path"].partition(".")[2] for problem in answer.body["errors"]} == set(demanded)


async def test_a_title_is_one_of_the_country_and_sets_the_gender(ask: Ask, options: Json) -> None:
    options |= {"purchase_country": "DE", "purchase_currency": "EUR", "locale": "de-DE"}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    billing = ANNA | {"country": "DE", "postal_code": "10115", "title": "frau", "phone": "030 123456"}
    view = (await ask(f"/sessions/{session}/identify", {"billing_address": billing})).body
    assert view["billing_address"]["title"] == "Frau"
    assert view["customer"] == {"title": "Frau", "gender": "female"}


async def test_paying_requires_an_identified_shopper_even_with_a_prefilled_address(ask: Ask, options: Json) -> None:
    options |= {"billing_address": ANNA, "identified": True}
    session = (await ask("/sessions", {"options": options})).body["session_id"]
    assert (await ask(f"/sessions/{session}/pay", {})).status == 409


async def test_a_shopper_selects_a_variation_a_quantity_and_shipping(
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


async def test_a_checkbox_that_the_shopper_does_not_touch_is_false_in_the_order(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, page: Callable[[str], Any]
) -> None:
    options = {"setup": options["setup"], **page("se-checkboxes")}
    for answers in ({}, {"newsletter": True}):
        view = (await ask("/sessions", {"options": options})).body
        session = f"/sessions/{view['session_id']}"
        await ask(f"{session}/identify", {"shopper": "se-approved"})
        if answers:
            await ask(f"{session}/checkboxes", {"answers": answers})
        assert (await ask(f"{session}/pay", {})).body["state"] == "authorized"
        order = (await klarna.find_purchase(view["session_id"]))["order"]
        assert order["merchant_requested"] == {"newsletter": False, "age_confirmed": False} | answers


@pytest.mark.parametrize("is_below_options", [False, True])
async def test_the_order_has_no_answers_to_checkboxes_that_the_page_has_removed(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, page: Callable[[str], Any], is_below_options: bool
) -> None:
    boxes: list[Json] = page("se-checkboxes")["additional_checkboxes"]
    for left in (boxes[:0], boxes[:1]):
        view = (await ask("/sessions", {"options": {"setup": options["setup"], **page("se-checkboxes")}})).body
        session = f"/sessions/{view['session_id']}"
        await ask(f"{session}/identify", {"shopper": "se-approved"})
        await ask(f"{session}/checkboxes", {"answers": {box["id"]: True for box in boxes}})
        changes: Json = {"additional_checkboxes": left}
        changes = {"options": changes} if is_below_options else changes
        answers = {box["id"]: True for box in left}
        assert ((await ask(f"{session}/update", {"options": changes})).body["merchant_requested"] or {}) == answers
        assert (await ask(f"{session}/pay", {})).body["state"] == "authorized"
        order = (await klarna.find_purchase(view["session_id"]))["order"]
        assert order.get("merchant_requested", {}) == answers


async def test_a_page_updates_an_open_session(ask: Ask, options: Json, session: str) -> None:
    line = options["order_lines"][0] | {"reference": "19-402-W", "name": "White"}
    view = (await ask(f"{session}/update", {"options": {"order_lines": [line]}})).body
    assert view["order_lines"][0]["name"] == "White"
    answer = await ask(f"{session}/update", {"options": {"order_lines": [line | {"total_tax_amount": 1}]}})
    assert answer.body["errors"][0]["path"] == "order_lines[0].total_tax_amount"
    assert (await ask(f"{session}/update", {"options": {"order_lines": []}})).status == 400


NORWAY = {"purchase_country": "NO", "purchase_currency": "NOK", "locale": "nb-NO"}
PLAIN = {name: value for name, value in ANNA.items() if name != "phone"}


@pytest.mark.parametrize(
    ("changes", "paths"),
    [
        ({"shipping_countries": ["NO", "SE"], "billing_countries": ["SE"]}, []),
        ({"shipping_countries": ["NO"]}, ["shipping_address.country"]),
        ({"billing_countries": ["NO"]}, ["billing_address.country"]),
        (
            {"billing_countries": ["NO"], "shipping_countries": ["NO"]},
            ["billing_address.country", "shipping_address.country"],
        ),
        (NORWAY, ["shipping_address.country"]),
        ({"options": {"phone_mandatory": True}}, ["billing_address.phone"]),
        ({"options": {"title_mandatory": True}}, ["billing_address.title"]),
        ({"options": {"date_of_birth_mandatory": True}}, ["customer.date_of_birth"]),
        (
            {"options": {"national_identification_number_mandatory": True}},
            ["customer.national_identification_number"],
        ),
    ],
    ids=str,
)
async def test_a_shopper_whom_the_page_does_not_accept_any_more_cannot_pay(
    ask: Ask, session: str, changes: Json, paths: list[str]
) -> None:
    await ask(f"{session}/identify", {"billing_address": PLAIN})
    await ask(f"{session}/update", {"options": changes})
    paid = await ask(f"{session}/pay", {})
    assert [problem["path"] for problem in paid.body.get("errors", [])] == paths
    view = (await ask(session, method="GET")).body
    assert (paid.status, view["state"]) == ((400, "started") if paths else (200, "authorized"))


async def test_a_shopper_pays_with_an_address_that_the_page_accepts_now(
    ask: Ask, klarna: MockKlarnaAsync, session: str
) -> None:
    await ask(f"{session}/identify", {"billing_address": ANNA})
    await ask(f"{session}/update", {"options": {"shipping_countries": ["NO"]}})
    assert (await ask(f"{session}/pay", {})).status == 400
    await ask(
        f"{session}/identify", {"billing_address": PLAIN | {"country": "NO", "postal_code": "0194", "city": "Oslo"}}
    )
    paid = (await ask(f"{session}/pay", {})).body
    assert (await klarna.find_purchase(paid["session_id"]))["order"]["shipping_address"]["country"] == "NO"


async def test_a_shopper_whom_the_merchant_does_not_accept_any_more_cannot_pay(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    """The dialog and a purchase without a browser agree."""
    async with shops.opened() as shop:
        shop.answers["/update"] = shops.always(200, {"shipping_countries": ["NO", "DK"]})
        options["merchant_urls"] = {**options["merchant_urls"], "update": f"{shop.url}/update"}
        session = f"/sessions/{(await ask('/sessions', {'options': options})).body['session_id']}"
        assert (await ask(f"{session}/identify", {"shopper": "se-approved"})).status == 200
        paid = await ask(f"{session}/pay", {})
        cart = {name: value for name, value in options.items() if name != "setup"}
        bought = await klarna.send("POST", "/_mock/purchases", {"page": cart, "shopper": "se-approved", "wait": 0})
    for refused in (paid, bought):
        (problem,) = refused.body["errors"]
        assert (refused.status, problem["path"], problem["value"]) == (400, "shipping_address.country", "SE")
        assert problem["expected"] == "one of NO, DK"
    assert sorted([purchase["state"] for purchase in await klarna.purchases()]) == ["failed", "started"]


async def test_every_test_shopper_has_what_the_merchant_requires(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    required = {
        f"{name}_mandatory": True for name in ("phone", "title", "date_of_birth", "national_identification_number")
    }
    for shopper in ("se-approved", "se-guide", None, {"given_name": "Anna"}):
        options["options"] = required
        cart = {name: value for name, value in options.items() if name != "setup"}
        body = {"page": cart, "wait": 0, **({"shopper": shopper} if shopper else {})}
        for path in ("/_mock/purchases", "/_mock/orders"):
            order = (await klarna.send("POST", path, body)).body["order"]
            assert order["billing_address"]["title"] in ("Mr", "Ms"), shopper
            assert len(order["customer"]["national_identification_number"]) == 12, shopper


@pytest.mark.parametrize(
    "attributes",
    [[{"color": "red"}], [{"identifier": "color"}], [{"identifier": ["color"], "value": {}}], [{"value": "red"}]],
)
async def test_lines_with_attributes_of_their_own_are_kept_when_the_page_adds_items(
    ask: Ask, options: Json, page: Callable[[str], Any], attributes: list[Json]
) -> None:
    """No document describes the attributes of a merchant's own lines (klarna.md §3.4)."""
    lines = [options["order_lines"][0] | {"product_attributes": attributes}]
    started = await ask("/sessions", {"options": {**options, "order_lines": lines}})
    items = page("se-variations")["items"]
    answer = await ask(f"/sessions/{started.body['session_id']}/update", {"options": {"items": items}})
    assert (answer.status, answer.body["order_lines"]) == (200, lines)


async def test_the_selection_of_the_shopper_is_kept_when_the_page_changes_its_items(
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
async def test_the_outcome_can_be_set_when_paying(
    ask: Ask, klarna: MockKlarnaAsync, session: str, outcome: str, status: str
) -> None:
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    paid = (await ask(f"{session}/pay", {"outcome": outcome})).body
    purchase = await klarna.find_purchase(paid["session_id"])
    await klarna.create_order(purchase["authorization_token"], purchase["order"])
    ended = (await ask(f"{session}/wait?seconds=5", method="GET")).body
    assert (ended["state"], ended["outcome"]["fraud_status"]) == ("placed", status)


async def test_a_declined_shopper_sees_a_message(ask: Ask, session: str) -> None:
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    view = (await ask(f"{session}/pay", {})).body
    assert view["state"] == "declined"
    assert view["outcome"]["consumer_message"]


@pytest.mark.parametrize(
    ("locale", "words"),
    [("sv-SE", "Inga pengar har dragits"), ("de-SE", "nichts abgebucht"), ("es-SE", "You have not been charged")],
)
async def test_what_a_shopper_reads_at_the_end_is_in_the_language_of_the_purchase(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, locale: str, words: str
) -> None:
    reason = {"deny_code": "address_error"}
    for shopper, ends in [("se-denied", "declined"), ("se-approved", "denied"), ("se-approved", "expired")]:
        session = (await ask("/sessions", {"options": options | {"locale": locale}})).body["session_id"]
        await ask(f"/sessions/{session}/identify", {"shopper": shopper})
        await ask(f"/sessions/{session}/pay", {})
        purchase = await klarna.find_purchase(session)
        if ends == "denied":
            await klarna.deny_authorization(purchase["authorization_token"], **reason)
        elif ends == "expired":
            await klarna.send("POST", "/_mock/clock", {"advance": "2h"})
        purchase = await klarna.find_purchase(session)
        assert (purchase["state"] in (ends, "timed_out"), words in purchase["consumer_message"]) == (True, True)


async def test_test_shoppers_are_described_in_the_language_of_the_page(ask: Ask, options: Json) -> None:
    shoppers = (await ask("/sessions", {"options": options | {"locale": "sv-SE"}})).body["shoppers"]
    assert {"name": "se-approved", "description": "Klarna godkänner köpet direkt."} in shoppers


async def test_an_ended_session_cannot_be_changed(ask: Ask, session: str) -> None:
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


async def test_an_update_after_payment_changes_nothing(ask: Ask, session: str) -> None:
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    await ask(f"{session}/pay", {})
    answer = await ask(f"{session}/update", {"options": {"merchant_reference1": "too late"}})
    assert (answer.status, answer.body["state"]) == (200, "authorized")
    assert answer.body["merchant_reference1"] != "too late"


async def test_a_session_can_be_continued_until_it_has_ended(ask: Ask, options: Json, session: str) -> None:
    left = session.rpartition("/")[2]
    again = await ask("/sessions", {"options": options, "session_id": left})
    assert (again.status, again.body["session_id"]) == (200, left)
    await ask(f"{session}/identify", {"shopper": "se-denied"})
    await ask(f"{session}/pay", {})
    fresh = await ask("/sessions", {"options": options, "session_id": left})
    assert fresh.status == 201
    assert fresh.body["session_id"] != left


@pytest.mark.parametrize(
    ("known", "shown"),
    [
        ({}, None),
        ({"load_callback": {"parameters": None}}, "none"),
        ({"load_callback": {}}, "none"),
        ({"load_callback": {"parameters": 0}}, "without_parameters"),
        ({"load_callback": {"parameters": 1}}, "with_parameters"),
    ],
    ids=str,
)
async def test_a_session_knows_the_callback_of_the_page(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, known: Json, shown: str | None
) -> None:
    answer = await ask("/sessions", {"options": options, **known})
    event = await klarna.wait_for("session_initiated", purchase_id=answer.body["session_id"], within=60)
    assert event.get("load_callback") == shown


async def test_the_timeline_has_the_entries_of_one_session(ask: Ask, options: Json, session: str) -> None:
    await ask("/sessions", {"options": options})
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    first = (await ask(f"{session}/timeline", method="GET")).body
    assert [entry["name"] for entry in first["entries"]] == ["session_initiated", "identification_updated"]
    later = (await ask(f"{session}/timeline?after={first['position']}", method="GET")).body
    assert later == {"entries": [], "position": first["position"]}


async def test_the_timeline_is_in_the_order_of_time(
    ask: Ask, klarna: MockKlarnaAsync, page: Callable[[str], Any]
) -> None:
    async with shops.opened() as shop:

        async def place(callback: shops.ReceivedRequest) -> tuple[int, bytes]:
            await klarna.create_order(callback.json["authorization_token"], callback.json["order"])
            return 200, b""

        shop.answers["/place-order"] = place
        button = await klarna.create_button(merchant_urls={"place_order": f"{shop.url}/place-order", "terms": shop.url})
        bought = await klarna.purchase(button_key=button["button_key"], page=page("se-battery-pack"))
        await klarna.wait_for("place_order", within=60)
    entries = (await ask(f"/sessions/{bought['purchase_id']}/timeline", method="GET")).body["entries"]
    times, names = [entry["at"] for entry in entries], [entry["name"] for entry in entries]
    assert times == sorted(times)
    # the callback is journaled when it is answered, but was sent before
    assert names.index("place_order") < names.index("create_order")


async def test_a_page_of_any_origin_can_read_the_test_shoppers(ask: Ask, klarna: MockKlarnaAsync) -> None:
    headers = {"Origin": "null", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"}
    answer = await klarna.send("GET", f"{SDK}/shoppers?country=SE", headers=headers)
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "se-approved" in [shopper["name"] for shopper in answer.body["shoppers"]]


async def test_the_timeline_says_each_entry_in_words_and_has_the_calls_of_the_page(
    ask: Ask, options: Json, session: str, klarna: MockKlarnaAsync
) -> None:
    other = (await klarna.create_button(merchant_urls={"place_order": "https://shop.example/place"}))["button_key"]
    bad = {**options, "order_lines": [{**options["order_lines"][0], "total_amount": 7}]}
    await loaded(ask, bad)
    await loaded(ask, bad | {"setup": {**options["setup"], "key": other}})
    await loaded(ask, options)
    for key in (options["setup"]["key"], other):
        await ask("/problems", {"message": "no container", "key": key})
    first, *more = (await ask(f"{session}/timeline", method="GET")).body["entries"]
    assert (first["actor"], first["text"], first["is_error"]) == (
        "shopper",
        "clicks the button, a session starts",
        False,
    )
    assert [(entry["name"], entry["is_error"]) for entry in more] == [
        ("sdk_load", True),
        ("sdk_load", False),
        ("sdk_problem", True),
    ]
    assert more[0]["problems"][0]["path"] == "order_lines[0].total_amount"
    position = (await ask(f"{session}/timeline", method="GET")).body["position"]
    assert (await ask(f"{session}/timeline?after={position}", method="GET")).body["entries"] == []


@pytest.mark.parametrize("name", ["", "/wait", "/timeline"])
async def test_an_unknown_session_is_not_found(ask: Ask, name: str) -> None:
    assert (await ask(f"/sessions/00000000-0000-4000-8000-000000000000{name}", method="GET")).status == 404


async def test_a_token_does_not_open_a_session(ask: Ask, purchase: Json) -> None:
    assert (await ask(f"/sessions/{purchase['authorization_token']}", method="GET")).status == 404


async def test_a_session_cannot_start_if_the_button_is_not_shown(ask: Ask, options: Json) -> None:
    unoffered: tuple[Json, ...] = (
        {"purchase_country": "JP"},
        {"locale": None},
        {"setup": {"key": "unknown"}},
        {"setup": {}},
    )
    statuses = [(await ask("/sessions", {"options": options | changes})).status for changes in unoffered]
    assert statuses == [409, 400, 404, 400]


async def test_a_page_without_a_url_can_start_a_session(ask: Ask, options: Json) -> None:
    answer = await ask("/sessions", {"options": options, "page_url": "about:srcdoc"})
    assert answer.status == 201


class TestUpdateFailureAborts:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, update_failure="abort")

    @pytest.fixture
    def refusing(self, options: Json) -> Json:
        return options | {"merchant_urls": {**options["merchant_urls"], "update": "http://127.0.0.1:1/update"}}

    async def test_a_failed_update_callback_ends_the_session_with_a_message(self, ask: Ask, refusing: Json) -> None:
        session = (await ask("/sessions", {"options": refusing})).body["session_id"]
        view = (await ask(f"/sessions/{session}/identify", {"shopper": "se-approved"})).body
        assert view["state"] == "failed"
        assert view["outcome"]["consumer_message"]

    async def test_a_failed_update_callback_ends_other_purchases_too(
        self, klarna: MockKlarnaAsync, refusing: Json
    ) -> None:
        key = refusing["setup"]["key"]
        chosen = {"shipping_option": "express_priority", "checkboxes": {"news": True}}
        assert (await klarna.purchase(button_key=key, page=refusing, select=chosen))["state"] == "failed"


async def test_pages_of_any_origin_can_send_requests_without_credentials(klarna: MockKlarnaAsync) -> None:
    url = f"{klarna.url}/instantshopping/sdk/load"
    headers = {"Origin": "http://shop.example", "Access-Control-Request-Method": "POST"}
    async with aiohttp.ClientSession() as browser:
        async with browser.options(url, headers=headers) as preflight:
            assert preflight.status == 204
            assert preflight.headers["Access-Control-Allow-Origin"] == "*"
            assert preflight.headers["Access-Control-Allow-Headers"] == "Content-Type"
            assert "Access-Control-Allow-Credentials" not in preflight.headers
        async with browser.post(url, json={}, headers=headers) as refused:
            assert refused.status == 400
            assert refused.headers["Access-Control-Allow-Origin"] == "*"


async def test_a_payment_of_another_amount_or_version_is_refused(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, session: str
) -> None:
    shown = (await ask(f"{session}/identify", {"shopper": "se-approved"})).body
    seen = {"amount": shown["totals"]["order_amount"], "version": shown["version"]}
    line = options["order_lines"][0] | {"unit_price": 10000, "total_amount": 10000, "total_tax_amount": 2000}
    await ask(f"{session}/update", {"options": {"order_lines": [line]}})
    for members, where in ((seen, "amount"), ({"version": seen["version"]}, "version")):
        refused = await ask(f"{session}/pay", members)
        assert (refused.status, refused.body["where"]) == (409, where)
    current = (await ask(session, method="GET")).body
    assert (current["state"], current["totals"]["order_amount"]) == ("started", 15000)
    paid = await ask(f"{session}/pay", {"amount": 15000, "version": current["version"]})
    assert paid.body["state"] == "authorized"
    assert (await klarna.find_purchase(paid.body["session_id"]))["order"]["order_amount"] == 15000


async def test_a_change_of_the_goods_at_the_same_price_is_a_new_version(ask: Ask, options: Json, session: str) -> None:
    shown = (await ask(f"{session}/identify", {"shopper": "se-approved"})).body
    await ask(f"{session}/update", {"options": {"order_lines": [options["order_lines"][0] | {"name": "White"}]}})
    seen = {"amount": shown["totals"]["order_amount"], "version": shown["version"]}
    assert (await ask(f"{session}/pay", seen)).body["where"] == "version"


@pytest.mark.parametrize("body", [{}, {"amount": None, "version": None}, {"amount": 124000}])
async def test_a_payment_need_not_say_what_the_shopper_has_seen(ask: Ask, session: str, body: Json) -> None:
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    assert (await ask(f"{session}/pay", body)).body["state"] == "authorized"


@pytest.mark.parametrize("body", [{"amount": "a lot"}, {"version": 1.5}])
async def test_amount_and_version_are_integers(ask: Ask, session: str, body: Json) -> None:
    answer = await ask(f"{session}/pay", body)
    assert [problem["path"] for problem in answer.body["errors"]] == list(body)


async def test_older_options_of_the_page_do_not_replace_newer_ones(ask: Ask, options: Json) -> None:
    view = (await ask("/sessions", {"options": options, "page_version": 3})).body
    session = f"/sessions/{view['session_id']}"

    async def named(name: str, **more: int) -> str:
        line = options["order_lines"][0] | {"name": name}
        view = (await ask(f"{session}/update", {"options": {"order_lines": [line]}, **more})).body
        shown: str = view["order_lines"][0]["name"]
        return shown

    assert await named("newer", page_version=5) == "newer"
    assert await named("older", page_version=4) == "newer"
    assert await named("sent twice", page_version=5) == "newer"
    assert await named("without a version") == "without a version"
    assert await named("newest", page_version=6) == "newest"


DRAFT = {"values": {"given_name": "Al", "phone": "07"}, "separate": False, "shopper": ""}


async def test_a_new_session_has_the_form_of_one_that_ended_without_an_order(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, session: str
) -> None:
    left = session.rpartition("/")[2]
    await ask(f"{session}/draft", DRAFT)
    continued = await ask("/sessions", {"options": options, "session_id": left})
    assert (continued.status, continued.body["draft"]) == (200, DRAFT)
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    await ask(f"{session}/pay", {})
    purchase = await klarna.find_purchase(left)
    assert "draft" not in purchase["order"]
    await klarna.deny_authorization(purchase["authorization_token"])
    begun = await ask("/sessions", {"options": options, "session_id": left})
    assert (begun.status, begun.body["draft"], begun.body["identified"]) == (201, DRAFT, False)


async def test_a_snapshot_keeps_what_was_typed_into_a_form(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, session: str
) -> None:
    await ask(f"{session}/draft", DRAFT)
    await klarna.load_snapshot(await klarna.snapshot())
    continued = await ask("/sessions", {"options": options, "session_id": session.rpartition("/")[2]})
    assert (continued.status, continued.body["draft"]) == (200, DRAFT)


async def test_a_session_does_not_continue_with_older_options_than_those_of_the_page(ask: Ask, options: Json) -> None:
    first = (await ask("/sessions", {"options": options, "page_version": 1})).body["session_id"]
    await ask(f"/sessions/{first}/draft", DRAFT)
    line = options["order_lines"][0] | {"name": "White"}
    newer = {"options": options | {"order_lines": [line]}, "session_id": first}
    assert (await ask("/sessions", newer | {"page_version": 1})).body["session_id"] == first
    begun = await ask("/sessions", newer | {"page_version": 2})
    assert (begun.status, begun.body["order_lines"][0]["name"], begun.body["draft"]) == (201, "White", DRAFT)


async def test_a_new_session_has_nothing_of_an_order_that_was_placed(
    ask: Ask, klarna: MockKlarnaAsync, options: Json, session: str
) -> None:
    left = session.rpartition("/")[2]
    await ask(f"{session}/draft", DRAFT)
    await ask(f"{session}/identify", {"shopper": "se-approved"})
    await ask(f"{session}/pay", {})
    purchase = await klarna.find_purchase(left)
    await klarna.create_order(purchase["authorization_token"], purchase["order"])
    begun = await ask("/sessions", {"options": options, "session_id": left})
    assert (begun.status, begun.body["draft"]) == (201, None)


@pytest.mark.parametrize(
    "body", [{}, {"values": [5]}, {"values": {"city": 5}}, DRAFT | {"more": 1}, {"values": {"city": "x" * 1001}}]
)
async def test_a_draft_is_a_form(ask: Ask, session: str, body: Json) -> None:
    assert (await ask(f"{session}/draft", body)).status == 400


async def test_a_problem_of_a_page_is_in_the_journal_of_the_keys_merchant(
    klarna: MockKlarnaAsync, ask: Ask, button: Json
) -> None:
    report = {"message": "no container", "key": button["button_key"], "page_url": "http://shop.example/" + "x" * 5000}
    assert (await ask("/problems", report)).status == 200
    (entry,) = (await klarna.send("GET", "/_mock/journal?name=sdk_problem")).body["entries"]
    assert entry["explanation"] == f"http://shop.example/{'x' * 280}: no container"
    assert (await ask("/problems", {"message": "no container", "key": "unknown"})).status == 200
    assert (await ask("/problems", {"message": ""})).status == 400
