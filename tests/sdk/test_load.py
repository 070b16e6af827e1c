"""Whether a button is offered (protocol 6.3)."""

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from mock_klarna import MockKlarnaAsync
from mock_klarna.client import Answer
from mock_klarna.settings import Settings
from tests.cases import in_turn

Json = dict[str, Any]
Ask = Callable[..., Awaitable[Answer]]


async def loaded(ask: Ask, options: Json) -> Json:
    answer = await ask("/load", {"options": options, "page_url": "http://shop.example/"})
    assert answer.status == 200
    body: Json = answer.body
    return body


async def test_a_button_is_offered_with_its_words_in_the_language_of_the_page(ask: Ask, options: Json) -> None:
    answer = await loaded(ask, options)
    assert answer["show_button"] is True
    assert answer["instance_id"] == "button-1"
    assert "error" not in answer
    assert answer["button"]["label"] == "Expresskassa"


@in_turn(
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
async def test_the_label_speaks_the_language_of_the_locale_or_english(
    ask: Ask, options: Json, locale: str, label: str
) -> None:
    answer = await loaded(ask, options | {"locale": locale, "styling": {"theme": {"type": "buy"}}})
    assert answer["button"]["label"] == label


async def test_the_styling_of_the_page_goes_over_that_of_the_key(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    key = options["setup"]["key"]
    await klarna.update_button(key, styling={"theme": {"type": "donation", "variation": "dark"}})
    button = (await loaded(ask, options | {"styling": {"theme": {"variation": "light"}}}))["button"]
    assert (button["type"], button["theme"]) == ("donation", "light")


@in_turn(
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
async def test_what_a_page_can_mend_is_an_error_that_names_the_member(
    ask: Ask, options: Json, changes: Json, field: str
) -> None:
    answer = await loaded(ask, options | changes)
    assert answer["show_button"] is False
    assert answer["error"]["invalid_fields"][0].startswith(field)
    assert answer["error"]["code"] in ("bad_value", "unknown_key")
    assert answer["error"]["message"]


async def test_everything_that_is_wrong_is_told_at_once(ask: Ask, options: Json) -> None:
    options["order_lines"][0]["total_tax_amount"] = 5
    answer = await loaded(ask, options | {"locale": None})
    assert answer["error"]["invalid_fields"] == ["locale", "order_lines[0].total_tax_amount"]
    assert "23800" in answer["error"]["problems"][1]["expected"]


@pytest.mark.parametrize(("member", "value"), [("environment", "staging"), ("region", "asia"), ("region", 5)])
async def test_an_environment_or_region_that_klarna_never_had_is_refused(
    ask: Ask, options: Json, member: str, value: object
) -> None:
    options["setup"][member] = value
    assert (await loaded(ask, options))["error"]["invalid_fields"] == [f"setup.{member}"]


class TestOneRegion:
    @pytest.fixture
    def mock_klarna_settings(self) -> Settings:
        return Settings(port=0, environment="playground", region="na")

    async def test_a_server_of_one_region_and_environment_refuses_the_others(self, ask: Ask, options: Json) -> None:
        error = (await loaded(ask, options))["error"]
        assert error["code"] == "wrong_setup"
        assert error["invalid_fields"] == ["setup.environment", "setup.region"]

    async def test_a_page_of_the_right_region_gets_its_button(self, ask: Ask, options: Json) -> None:
        options["setup"] |= {"environment": "playground", "region": "na"}
        assert (await loaded(ask, options))["show_button"] is True


async def test_a_disabled_key_is_not_offered_without_an_error(ask: Ask, klarna: MockKlarnaAsync, options: Json) -> None:
    await klarna.update_button(options["setup"]["key"], disabled=True)
    assert await loaded(ask, options) == {"show_button": False, "instance_id": "button-1"}


async def test_a_country_that_is_not_served_is_not_offered_without_an_error(ask: Ask, options: Json) -> None:
    assert await loaded(ask, options | {"purchase_country": "JP"}) == {"show_button": False, "instance_id": "button-1"}


async def test_a_button_may_load_before_there_is_anything_to_buy_if_the_page_says_so(ask: Ask, options: Json) -> None:
    answer = await loaded(ask, options | {"order_lines": [], "allow_empty": {"order_lines": True}})
    assert answer["show_button"] is True


async def test_a_refused_load_is_in_the_journal_of_the_keys_merchant(
    ask: Ask, klarna: MockKlarnaAsync, options: Json
) -> None:
    await loaded(ask, options | {"locale": None})
    (entry,) = await klarna.journal(name="sdk_load")
    assert [problem["path"] for problem in entry["problems"]] == ["locale"]


@pytest.mark.parametrize("body", [[], {}, {"options": 5}, "text"])
async def test_a_body_without_options_is_a_plain_400(ask: Ask, body: object) -> None:
    answer = await ask("/load", body)
    assert answer.status == 400
    assert answer.body["detail"]
