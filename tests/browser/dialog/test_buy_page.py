"""The page that sells what a complete button key describes (klarna.md §7)."""

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest
from playwright.async_api import expect

from mock_klarna import MockKlarna
from tests.browser.dialog.dialog import held, placing
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Page, Route

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]


@pytest.fixture
def address(mock_klarna: MockKlarna, shop: Shop, page: Callable[[str], Any]) -> str:
    """The page of a key that holds everything."""
    cart = {**page("se-battery-pack"), "merchant_urls": shop.merchant_urls, "locale": "en-SE"}
    created: Json = mock_klarna.create_button(**cart)
    return f"{mock_klarna.url}/instantshopping/buy/{created['button_key']}"


async def review(tab: "Page") -> None:
    """Fill in a test shopper and wait for the button to pay."""
    await tab.locator("#fill-button").click()
    await expect(tab.locator("#email")).not_to_have_value("")
    await tab.locator("#address-button").click()
    await tab.locator("#checkout-button").wait_for()


async def test_the_buy_page_sells_without_a_page_of_a_shop(
    tab: "Page", address: str, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = placing(mock_klarna)
    await tab.goto(address)
    await review(tab)
    await tab.locator("#checkout-button").click()
    await tab.locator("#confirmation__bottom").click()
    await tab.wait_for_url("**/confirmation")
    assert shop.callbacks[0]["order"]["integrator_url"] == address


async def test_a_purchase_resumes_after_a_reload_and_after_closing(
    tab: "Page", address: str, mock_klarna: MockKlarna
) -> None:
    await tab.goto(address)
    await review(tab)
    await tab.reload()
    await tab.locator("#checkout-button").wait_for()
    await tab.locator("#close-button").click()
    await tab.locator("#resume-button").click()
    await tab.locator("#checkout-button").wait_for()
    assert len(mock_klarna.purchases()) == 1


async def test_a_paused_purchase_is_paid_as_it_was_shown(
    tab: "Page", address: str, shop: Shop, mock_klarna: MockKlarna
) -> None:
    shop.decide = placing(mock_klarna)
    await tab.goto(address)
    await review(tab)
    async with tab.expect_response("**/draft"):
        await tab.locator("#close-button").click()
    await tab.locator("#resume-button").click()
    await tab.locator("#checkout-button").click()
    await tab.locator("#confirmation__bottom").wait_for()


async def test_a_reload_returns_to_a_purchase_until_its_end_was_shown(
    tab: "Page", address: str, mock_klarna: MockKlarna, shop: Shop
) -> None:
    await tab.goto(address)
    await review(tab)
    await tab.locator("#checkout-button").click()
    heading = tab.locator("#step-heading")
    await expect(heading).to_have_text("One moment…")
    await tab.reload()
    await expect(heading).to_have_text("One moment…")
    await tab.goto(shop.url + "/terms")
    (purchase,) = mock_klarna.purchases()
    found = mock_klarna.find_purchase(purchase["purchase_id"])
    mock_klarna.create_order(found["authorization_token"], found["order"])
    await tab.goto(address)
    await expect(heading).to_have_text("Thank you, Alice!")
    await tab.reload()
    await expect(heading).to_have_text("Your details")
    assert len(mock_klarna.purchases()) == 2


async def test_a_purchase_is_not_paused_before_it_is_shown(tab: "Page", address: str) -> None:
    for late in ("**/sdk/sessions", "**/texts/*.json"):
        async with held(tab, late) as arrived:
            await tab.goto(address)
            await arrived.wait()
            assert await tab.locator("#close-button").is_hidden()
        await tab.locator("#close-button").click()
        await expect(tab.locator("#step-heading")).to_have_text("Your purchase waits for you")
        await tab.evaluate("() => sessionStorage.clear()")


async def test_a_purchase_that_is_paid_while_it_is_closed_does_not_say_that_nothing_was_bought(
    timed: "Page", address: str
) -> None:
    await timed.goto(address)
    await review(timed)
    async with held(timed, "**/draft") as draft:
        async with held(timed, "**/pay") as payment:
            await timed.locator("#checkout-button").click()
            await payment.wait()
            await timed.locator("#close-button").click()
        await draft.wait()
        await timed.clock.run_for(1000)  # the page does not wait longer for the draft to be kept
        await expect(timed.locator("#step-heading")).to_have_text("Your purchase waits for you")
        await expect(timed.locator("#step")).to_contain_text("The shop is confirming your order")


async def test_a_paused_purchase_stays_paused_until_the_shopper_goes_on(tab: "Page", address: str) -> None:
    await tab.goto(address)
    await tab.locator("#fill-button").click()
    await expect(tab.locator("#email")).not_to_have_value("")
    async with held(tab, "**/identify") as arrived:
        await tab.locator("#address-button").click()
        await arrived.wait()
        await tab.locator("#close-button").click()
        await expect(tab.locator("#resume-button")).to_be_visible()
    await expect(tab.locator("#step")).to_have_attribute("aria-busy", "false")
    await expect(tab.locator("#resume-button")).to_be_visible()
    await tab.locator("#resume-button").press("Enter")
    await expect(tab.locator("#checkout-button")).to_be_visible()
    await expect(tab.locator("#step-heading")).to_be_focused()


@pytest.mark.parametrize("goes_on", [True, False])
async def test_a_purchase_that_the_shop_decides_on_can_be_closed_and_returned_to(
    tab: "Page", address: str, mock_klarna: MockKlarna, goes_on: bool
) -> None:
    waits: list[str] = []
    tab.on("request", lambda request: waits.extend([request.url] if "/wait?" in request.url else []))
    heading = tab.locator("#step-heading")
    await tab.goto(address)
    await review(tab)
    await tab.locator("#checkout-button").click()
    await expect(heading).to_have_text("One moment…")
    await tab.locator("#close-button").click()
    await expect(heading).to_have_text("Your purchase waits for you")
    await expect(tab.locator("#step")).to_contain_text("The shop is confirming your order")
    await expect(tab.locator("#step")).not_to_contain_text("Nothing has been bought")
    if goes_on:
        await tab.locator("#resume-button").click()
        await expect(heading).to_have_text("One moment…")
        await expect(heading).to_be_focused()
    (purchase,) = mock_klarna.purchases()
    found = mock_klarna.find_purchase(purchase["purchase_id"])
    assert found["state"] == "authorized"
    mock_klarna.create_order(found["authorization_token"], found["order"])
    await expect(heading).to_have_text("Thank you, Alice!")
    assert len(waits) == 1, waits


@pytest.mark.parametrize("is_lost", [False, True])
async def test_a_purchase_that_is_closed_before_the_payment_is_answered_says_what_comes_of_it(
    tab: "Page", address: str, mock_klarna: MockKlarna, shop: Shop, console_errors: list[str], is_lost: bool
) -> None:
    requests: asyncio.Queue[Route] = asyncio.Queue()
    shop.decide = placing(mock_klarna)
    heading = tab.locator("#step-heading")
    await tab.goto(address)
    await review(tab)
    await tab.route("**/sessions/*/pay", requests.put_nowait)
    await tab.locator("#checkout-button").click()
    request = await requests.get()
    await tab.locator("#close-button").click()
    await expect(heading).to_have_text("Your purchase waits for you")
    await expect(tab.locator("#step")).to_contain_text("The shop is confirming your order")
    await (request.abort() if is_lost else request.continue_())
    await expect(heading).to_have_text("Review and pay" if is_lost else "Thank you, Alice!")
    if is_lost:
        await expect(tab.locator("#error-message")).to_have_text("There is no connection. Please try again.")
    console_errors.clear()


@pytest.mark.parametrize("file", ["main.js", "texts/en.json"])
async def test_a_page_that_cannot_start_says_so_and_sells_after_a_reload(
    tab: "Page", address: str, console_errors: list[str], file: str
) -> None:
    await tab.route(f"**/{file}", lambda route: route.abort())
    await tab.goto(address)
    await expect(tab.locator("#step").get_by_role("alert")).to_contain_text(f"{file} cannot be loaded")
    await tab.unroute(f"**/{file}")
    await tab.reload()
    await expect(tab.locator("#email")).to_be_visible()
    console_errors.clear()


async def test_the_qr_code_is_shown_with_a_name(tab: "Page", address: str) -> None:
    await tab.goto(f"{address}?locale=sv-SE")
    await tab.get_by_role("heading", name="Dina uppgifter").wait_for()
    code = tab.get_by_role("img", name="QR-kod")
    assert await code.evaluate("image => image.decode().then(() => image.naturalWidth)") > 100


async def test_an_incomplete_key_shows_what_is_missing(
    tab: "Page", mock_klarna: MockKlarna, key: str, console_errors: list[str]
) -> None:
    answer = await tab.goto(f"{mock_klarna.url}/instantshopping/buy/{key}")
    assert answer is not None
    assert answer.status == 409
    await tab.get_by_text("purchase_country: expected").wait_for()
    console_errors.clear()
