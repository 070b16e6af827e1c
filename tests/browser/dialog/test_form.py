"""What the form asks for, and how it tells what is wrong (klarna.md §3.3, §3.10)."""

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from playwright.async_api import expect

from tests.browser.dialog.dialog import ALICE, Dialog

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
async def test_a_field_that_cannot_be_says_why_and_has_the_focus(opened: Open, name: str) -> None:
    value, said = WRONG[name]
    dialog = await opened(options={"date_of_birth_mandatory": True, "phone_mandatory": True})
    good = {**ALICE, "phone": "070 174 06 15", "date_of_birth": "1985-10-20"}
    await dialog.fill({**good, name: value})
    await dialog.at("#address-button").click()
    await expect(dialog.at(f"#{name}")).to_be_focused()
    await expect(dialog.at(f"#{name}")).to_have_accessible_description(re.compile(re.escape(said)))
    await expect(dialog.at("[aria-invalid=true]")).to_have_count(1)
    await dialog.fill({name: good[name]})
    await dialog.go_on()


FLAGS = ["phone", "date_of_birth", "national_identification_number", "title"]


@pytest.mark.parametrize("name", FLAGS)
async def test_what_the_merchant_demands_must_be_filled_in(opened: Open, name: str) -> None:
    dialog = await opened(options={f"{name}_mandatory": True})
    await dialog.fill(ALICE)
    await dialog.at("#address-button").click()
    await expect(dialog.at(f"#{name}")).to_be_focused()
    await expect(dialog.at(f"#{name}__fault")).to_have_text("Please fill this in.")


async def test_what_nobody_demands_may_stay_empty(opened: Open) -> None:
    dialog = await opened()
    await dialog.fill(ALICE)
    await dialog.go_on()


async def test_a_state_is_asked_for_where_addresses_have_one(opened: Open) -> None:
    dialog = await opened(shipping_countries=["SE", "US"])
    await expect(dialog.at("#region")).to_have_count(0)
    await dialog.at("#country").focus()
    await dialog.at("#country").select_option("US")
    await expect(dialog.at("#region")).to_be_visible()
    await expect(dialog.at("#country")).to_be_focused()


async def test_only_countries_that_the_merchant_serves_are_offered(opened: Open) -> None:
    dialog = await opened(shipping_countries=["SE", "NO"], billing_countries=["NO", "DK", "SE"])
    await expect(dialog.at("#country option")).to_have_text(["Norway", "Sweden"])


async def test_titles_are_those_of_the_country_in_lower_case(opened: Open) -> None:
    dialog = await opened(purchase_country="DE", purchase_currency="EUR", locale="en-DE")
    await dialog.at("#title").wait_for()
    values = await dialog.at("#title__root select#title option").evaluate_all("all => all.map((one) => one.value)")
    assert values == ["", "herr", "frau"]


async def test_a_test_shopper_brings_the_title_that_the_merchant_demands(opened: Open) -> None:
    dialog = await opened(options={"title_mandatory": True})
    await dialog.fill_in("se-approved")
    await expect(dialog.at("#title")).to_have_value("ms")
    await dialog.go_on()


async def test_what_was_typed_survives_another_country_and_the_way_back(opened: Open) -> None:
    dialog = await opened(shipping_countries=["SE", "NO"])
    await dialog.fill(ALICE)
    await dialog.at("#country").select_option("NO")
    await expect(dialog.at("#given_name")).to_have_value("Alice")
    await dialog.fill({"postal_code": "0194"})
    await dialog.go_on()
    await dialog.at("#edit-button").click()
    await expect(dialog.at("#postal_code")).to_have_value("0194")
    await expect(dialog.at("#country")).to_have_value("NO")
