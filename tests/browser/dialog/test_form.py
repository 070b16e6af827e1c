"""The address form: its fields and its error messages (klarna.md §3.3, §3.10)."""

import re
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from tests.browser.dialog.dialog import ALICE, Dialog, held

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
Open = Callable[..., Awaitable[Dialog]]

WRONG = {
    "email": ("alice", "not an e-mail"),
    "postal_code": ("1134", "not a postal code in Sweden"),
    "phone": ("+46 12", "begins with +46"),
    "city": ("", "fill this in"),
    "date_of_birth": ("1985-02-30", "year-month-day"),
}


@pytest.mark.parametrize("name", WRONG)
async def test_an_invalid_field_shows_the_reason_and_has_the_focus(
    open_dialog: Open, console_errors: list[str], name: str
) -> None:
    value, text = WRONG[name]
    dialog = await open_dialog(options={"date_of_birth_mandatory": True, "phone_mandatory": True})
    good = {**ALICE, "phone": "070 174 06 15", "date_of_birth": "1985-10-20"}
    await dialog.fill({**good, name: value})
    await dialog.find("#address-button").click()
    await expect(dialog.find(f"#{name}")).to_be_focused()
    await expect(dialog.find(f"#{name}")).to_have_accessible_description(re.compile(re.escape(text)))
    await expect(dialog.find("[aria-invalid=true]")).to_have_count(1)
    await dialog.fill({name: good[name]})
    await dialog.continue_to_review()
    assert all("400" in error for error in console_errors)  # the server reads phone numbers and dates
    console_errors.clear()


TYPED = {
    "phone": ["30306900", "030 306900", "+49 (0)30 306900", "0049 30/306900"],
    "date_of_birth": ["01021980", "1.2.1980", "1980-02-01", "01/02/1980"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name in TYPED for text in TYPED[name]])
async def test_phones_and_dates_are_read_as_people_type_them(
    open_dialog: Open, order: Callable[[], Json], name: str, text: str
) -> None:
    dialog = await open_dialog(purchase_country="DE", purchase_currency="EUR", locale="de-DE")
    await dialog.fill({**ALICE, "postal_code": "10178", "city": "Berlin", name: text})
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    found = {**order()["billing_address"], **order().get("customer", {})}
    assert found[name] == {"phone": "+4930306900", "date_of_birth": "1980-02-01"}[name]


async def test_a_refusal_of_the_server_is_in_the_language_of_the_page(
    open_dialog: Open, console_errors: list[str]
) -> None:
    dialog = await open_dialog(locale="sv-SE", options={"date_of_birth_mandatory": True})
    await dialog.fill({**ALICE, "phone": "+46 12", "date_of_birth": "i går"})
    await dialog.find("#address-button").click()
    await expect(dialog.find("#phone__error")).to_have_text("Det är inget telefonnummer. I Sverige börjar det med +46.")
    await expect(dialog.find("#date_of_birth__error")).to_have_text("Skriv datumet som år-månad-dag.")
    await expect(dialog.find("#form-error")).to_contain_text("2")
    assert "Please" not in await dialog.find("#dialog").inner_text()
    assert all("400" in error for error in console_errors)
    console_errors.clear()


FLAGS = ["phone", "date_of_birth", "national_identification_number", "title"]


@pytest.mark.parametrize("name", FLAGS)
async def test_mandatory_fields_must_be_filled_in(open_dialog: Open, name: str) -> None:
    dialog = await open_dialog(options={f"{name}_mandatory": True})
    await dialog.fill(ALICE)
    await dialog.find("#address-button").click()
    await expect(dialog.find(f"#{name}")).to_be_focused()
    await expect(dialog.find(f"#{name}__error")).to_have_text("Please fill this in.")


async def test_optional_fields_may_stay_empty(open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.fill(ALICE)
    await dialog.continue_to_review()


async def test_a_field_that_the_country_does_not_have_does_not_block(
    open_dialog: Open, order: Callable[[], Json]
) -> None:
    german = {"purchase_country": "DE", "purchase_currency": "EUR", "locale": "en-DE"}
    dialog = await open_dialog(**german, shipping_countries=["DE", "SE", "US"])
    await dialog.find("#country").select_option("US")
    await dialog.fill({**ALICE, "region": "NY"})
    await dialog.find("#country").select_option("DE")
    await dialog.fill({"date_of_birth": "soon"})
    await dialog.find("#country").select_option("SE")
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert "region" not in order()["billing_address"]


async def test_a_double_click_sends_the_form_once(tab: "Page", open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.fill(ALICE)
    requests: list[str] = []
    tab.on("request", lambda request: requests.extend([request.url] if request.url.endswith("/identify") else []))
    async with held(tab, "**/identify") as arrived:
        await dialog.find("#address-button").dblclick()
        await arrived.wait()
    await dialog.find("#checkout-button").wait_for()
    await dialog.find("#edit-button").click()
    await dialog.continue_to_review()
    assert len(requests) == 2


async def test_a_region_is_asked_for_in_countries_that_have_regions(open_dialog: Open) -> None:
    dialog = await open_dialog(shipping_countries=["SE", "US"])
    await dialog.has_focus()
    await expect(dialog.find("#region")).to_have_count(0)
    await dialog.find("#country").focus()
    await dialog.find("#country").select_option("US")
    await expect(dialog.find("#region")).to_be_visible()
    await expect(dialog.find("#country")).to_be_focused()


async def test_only_countries_of_the_merchant_are_offered(open_dialog: Open) -> None:
    dialog = await open_dialog(shipping_countries=["SE", "NO"], billing_countries=["NO", "DK", "SE"])
    await expect(dialog.find("#country option")).to_have_text(["Norway", "Sweden"])


async def test_titles_are_those_of_the_country(open_dialog: Open) -> None:
    dialog = await open_dialog(purchase_country="DE", purchase_currency="EUR", locale="en-DE")
    await dialog.find("#title").wait_for()
    values = await dialog.find("#title__root select#title option").evaluate_all("all => all.map((one) => one.value)")
    assert values == ["", "herr", "frau"]


async def test_a_test_shopper_fills_in_a_mandatory_title(open_dialog: Open) -> None:
    dialog = await open_dialog(options={"title_mandatory": True})
    await dialog.fill_in("se-approved")
    await expect(dialog.find("#title")).to_have_value("ms")
    await dialog.continue_to_review()


async def test_the_fields_that_a_test_shopper_fills_in_are_not_marked_any_more(open_dialog: Open) -> None:
    dialog = await open_dialog()
    await dialog.find("#address-button").click()
    await expect(dialog.find("#form-error")).to_be_visible()
    await dialog.fill_in("se-approved")
    await expect(dialog.find("#email")).not_to_have_value("")
    await expect(dialog.find("[aria-invalid=true]")).to_have_count(0)
    await expect(dialog.find("#form-error")).to_be_hidden()


async def test_a_test_shopper_without_a_mandatory_number_is_asked_for_it(
    open_dialog: Open, order: Callable[[], Json]
) -> None:
    dialog = await open_dialog(options={"national_identification_number_mandatory": True})
    await dialog.fill_in("se-guide")
    await dialog.find("#address-button").click()
    await expect(dialog.find("#national_identification_number__error")).to_have_text("Please fill this in.")
    await dialog.find("#national_identification_number").fill("198001019999")
    await dialog.continue_to_review()
    await dialog.pay()
    await dialog.find("#confirmation__bottom").wait_for()
    assert order()["customer"]["national_identification_number"] == "198001019999"


async def test_typed_values_are_kept_when_the_country_changes(open_dialog: Open) -> None:
    dialog = await open_dialog(shipping_countries=["SE", "NO"])
    await dialog.fill(ALICE)
    await dialog.find("#country").select_option("NO")
    await expect(dialog.find("#given_name")).to_have_value("Alice")
    await dialog.fill({"postal_code": "0194"})
    await dialog.continue_to_review()
    await dialog.find("#edit-button").click()
    await expect(dialog.find("#postal_code")).to_have_value("0194")
    await expect(dialog.find("#country")).to_have_value("NO")
