"""What can be done with the sandbox in the dashboard: clock, snapshots, changed callbacks, refusals, settings, merchants."""

import asyncio
import json
import re
from collections.abc import Iterator

import pytest
from playwright.async_api import Page, Route, expect

from mock_klarna import MockKlarna
from tests.browser import axe
from tests.browser.dashboard.conftest import Buy, Open, with_wrong_tax
from tests.browser.shop import Shop

IN_MINUTES = re.compile(r"\(in [1-5](\.\d)? min\)")
"""A time that is at most 5.9 minutes away: while a test runs, the clock goes on."""
LINES = """(cell) => {
  const text = document.createRange();
  text.selectNodeContents(cell);
  return text.getClientRects().length;
}"""
"""How many lines the text of an element has."""
pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.fixture
def names(mock_klarna: MockKlarna) -> Iterator[None]:
    """Deletes the snapshots with the state of the merchant."""
    yield
    for about in mock_klarna.snapshots():
        mock_klarna.delete_snapshot(about["name"])


async def test_the_clock_shows_what_is_due_and_moves_to_the_next_job(
    tab: Page, open_dashboard: Open, buy: Buy, shop: Shop, mock_klarna: MockKlarna
) -> None:
    bought = buy()
    await open_dashboard()
    await tab.locator("#clock").click()
    due = tab.locator("dialog .due li")
    await expect(due).to_have_count(1)
    await expect(due).to_contain_text("push, attempt 1")
    await expect(due).to_contain_text(IN_MINUTES)
    assert await axe.problems(tab) == []
    await tab.get_by_role("button", name="Next due job").click()
    await expect(due).to_contain_text("push, attempt 2")
    await expect(due).not_to_contain_text(IN_MINUTES)
    assert [one["kind"] for one in mock_klarna.callbacks()] == ["push", "place_order"]
    assert 0 < mock_klarna.clock()["ahead_seconds"] < 301
    await tab.keyboard.press("2")
    await expect(due).to_contain_text(IN_MINUTES)
    await tab.keyboard.press("Escape")
    mock_klarna.advance_clock("60d")
    await tab.keyboard.press("t")
    await expect(tab.locator("dialog .due")).to_contain_text("Nothing waits for this clock")
    await tab.keyboard.press("Escape")
    mock_klarna.order(cart="se-battery-pack", outcome={"fraud_status": "PENDING", "then": "ACCEPTED", "after": "2h"})
    await tab.keyboard.press("t")
    await due.get_by_role("button", name="the fraud review ends").click()
    await expect(tab.locator("dialog")).to_have_count(0)
    await expect(tab.locator(".facts")).to_be_visible()
    assert bought["purchase_id"] not in tab.url


@pytest.mark.usefixtures("names")
async def test_a_state_is_saved_loaded_copied_to_another_merchant_and_deleted(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy()
    merchant = mock_klarna.merchant
    await open_dashboard()
    await expect(tab.locator(".row")).to_have_count(1)
    await tab.locator("#snapshots").click()
    await tab.get_by_label(f"Save the state of {merchant} as").fill("not possible")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.locator("dialog .error").first).to_contain_text("1 to 64 letters")
    console_errors.clear()
    await tab.get_by_label(f"Save the state of {merchant} as").fill("after-payment")
    await tab.get_by_role("button", name="Save").click()
    saved = tab.locator("dialog .kept li", has_text="after-payment")
    await expect(saved).to_have_count(1)
    assert await axe.problems(tab) == []
    mock_klarna.reset(seed=1)
    await saved.get_by_role("button", name="Load").click()
    await expect(saved).to_contain_text(f"What happened to {merchant} since then is deleted.")
    assert await axe.problems(tab) == []
    await saved.get_by_role("button", name="Load after-payment", exact=True).click()
    await expect(tab.locator("dialog")).to_have_count(0)
    await expect(tab.locator(".row")).to_contain_text("placed")
    assert [one["purchase_id"] for one in mock_klarna.purchases()] == [bought["purchase_id"]]
    await tab.locator("#snapshots").click()
    await saved.get_by_role("button", name="Fork").click()
    await saved.get_by_role("textbox").fill(f"{merchant}-fork")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#merchant")).to_have_value(f"{merchant}-fork")
    await expect(tab.locator(".row")).to_have_count(1)
    await tab.locator(".row").click()
    await expect(tab.locator("#purchase-title")).to_contain_text("placed")
    assert bought["purchase_id"] not in tab.url
    await tab.locator("#snapshots").click()
    await saved.get_by_role("button", name="Delete").click()
    await saved.get_by_role("button", name="Delete after-payment", exact=True).click()
    await expect(saved).to_have_count(0)
    assert mock_klarna.snapshots() == []
    mock_klarna.as_merchant(f"{merchant}-fork").reset()


@pytest.mark.usefixtures("names")
async def test_one_merchant_of_a_snapshot_of_several_is_chosen_to_be_copied(
    tab: Page, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    ordered = other.order(cart="gb-surcharge")
    await tab.goto(mock_klarna.url)
    await tab.locator("#snapshots").click()
    await tab.get_by_label("Save the state of all merchants as").fill("everything")
    await tab.get_by_role("button", name="Save").click()
    saved = tab.locator("dialog .kept li", has_text="everything")
    await saved.get_by_role("button", name="Fork").click()
    await saved.get_by_label("Of the snapshot, the state of").select_option(other.merchant)
    await saved.get_by_role("textbox").fill(f"{other.merchant}-fork")
    await tab.keyboard.press("Enter")
    await expect(tab.locator("#merchant")).to_have_value(f"{other.merchant}-fork")
    await expect(tab.locator(".row")).to_have_count(1)
    await expect(tab.locator(".row")).to_contain_text("GBP")
    assert ordered["purchase_id"] not in await tab.locator("#list").inner_html()
    for merchant in (other, mock_klarna.as_merchant(f"{other.merchant}-fork")):
        merchant.reset()


@pytest.mark.usefixtures("names")
async def test_a_name_that_exists_is_replaced_only_after_a_box_was_ticked(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    mock_klarna.save_snapshot("after-payment")
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    kept = other.order(cart="se-battery-pack")["purchase_id"]
    await open_dashboard()
    await tab.locator("#snapshots").click()
    saved = tab.locator("dialog .kept li", has_text="after-payment")
    await saved.get_by_role("button", name="Fork").click()
    target, box = saved.get_by_role("textbox"), saved.get_by_role("checkbox")
    await expect(box).to_have_count(0)
    await target.fill(other.merchant)
    await target.press("Enter")
    await expect(saved.get_by_label(f"Replace the state of {other.merchant}: 1 purchase and")).to_be_focused()
    await expect(saved.get_by_role("alert")).to_contain_text("This name exists.")
    assert await axe.problems(tab) == []
    await tab.keyboard.press("Enter")  # the browser asks for the tick
    await target.fill(f"{other.merchant}-2")
    await expect(box).to_have_count(0)
    await target.fill(other.merchant)
    await target.press("Enter")
    await expect(box).not_to_be_checked()
    assert [one["purchase_id"] for one in other.purchases()] == [kept]
    await box.check()
    await box.press("Enter")
    await expect(tab.locator("#merchant")).to_have_value(other.merchant)
    await expect(tab.locator(".row")).to_have_count(1)
    (copied,) = other.purchases()
    assert copied["purchase_id"] != kept
    await tab.locator("#merchant").select_option(mock_klarna.merchant)
    buy()
    await tab.locator("#snapshots").click()
    name, replace = tab.locator("dialog [name=name]"), tab.get_by_label("Replace after-payment, 20")
    before = mock_klarna.snapshots()
    await name.fill("after-payment")
    await tab.get_by_role("button", name="Save").press("Enter")
    await expect(replace).to_be_focused()
    assert mock_klarna.snapshots() == before
    await replace.check()
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.locator("#status")).to_contain_text("The state was saved as after-payment")
    assert mock_klarna.snapshots()[0]["bytes"] > before[0]["bytes"]
    await expect(replace).to_be_hidden()
    other.reset()


async def test_a_dialog_closes_by_a_press_beside_it_and_not_by_one_inside(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.get_by_role("button", name="klarna to shop: place order").click()
    await tab.get_by_role("button", name="Send changed…").click()
    dialog, body = tab.locator("dialog"), tab.get_by_label("Body in JSON")
    await expect(body).to_be_focused()
    await body.fill('{"mine": 1}')
    inside, beside = await body.bounding_box(), (5, 300)
    assert inside
    await tab.mouse.move(inside["x"] + 50, inside["y"] + 15)
    await tab.mouse.down()
    await tab.mouse.move(*beside)  # a selection of text that ends outside
    await tab.mouse.up()
    edge = await dialog.bounding_box()
    assert edge
    await tab.mouse.click(edge["x"] + 4, edge["y"] + edge["height"] / 2)
    await expect(body).to_have_value('{"mine": 1}')
    send = tab.get_by_role("button", name="Send", exact=True)
    await body.fill("{")
    await send.press("Enter")
    await expect(tab.locator("dialog .error")).to_contain_text("This is not JSON")
    await expect(send).to_be_focused()
    await tab.mouse.click(*beside)
    await expect(dialog).to_have_count(0)


async def test_a_callback_is_sent_with_a_changed_body(
    tab: Page, open_dashboard: Open, buy: Buy, shop: Shop, mock_klarna: MockKlarna
) -> None:
    bought = buy(decides=False)
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.get_by_role("button", name="klarna to shop: place order").click()
    await tab.get_by_role("button", name="Send changed…").click()
    body = tab.get_by_label("Body in JSON")
    sent = json.loads(await body.input_value())
    assert sent["authorization_token"] == bought["authorization_token"]
    assert await axe.problems(tab) == []
    await body.fill('{"authorization_token": ')
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.locator("dialog .error")).to_contain_text("This is not JSON")
    await body.fill(json.dumps({**sent, "order": None}))
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.locator("#status")).to_contain_text("place order was sent with the changed body: 200")
    await expect(tab.get_by_role("button", name="place order, attempt 2, changed")).to_be_visible()
    assert shop.callbacks[-1] == {**sent, "order": None}
    await tab.get_by_role("button", name="Send changed…").click()
    await body.fill('{"order_id": 12345678901234567890}')
    await tab.get_by_role("button", name="Send", exact=True).click()
    await expect(tab.get_by_role("button", name="place order, attempt 3, changed")).to_be_visible()
    assert shop.callbacks[-1] == {"order_id": 12345678901234567890}


async def test_refusals_lead_to_the_purchase_of_the_last_example(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    for _ in range(2):
        refused = buy(with_wrong_tax)
        mock_klarna.wait_for("create_order", purchase_id=refused["purchase_id"])
    mock_klarna.send("GET", "/instantshopping/v1/buttons/unknown")
    await open_dashboard()
    await tab.locator("#refusals").click()
    rows = tab.locator("dialog tbody tr")
    await expect(rows.first).to_contain_text("order_lines[].total_tax_amount")
    await expect(rows.first.locator("td").first).to_contain_text("2")
    await expect(rows.first.get_by_role("rowheader")).to_contain_text("create order")
    await expect(rows.last).to_contain_text("answered 404")
    await expect(tab.locator("dialog p").first).to_have_text(f"3 requests of {mock_klarna.merchant} were refused.")
    assert await axe.problems(tab) == []
    await rows.first.get_by_role("button", name="Show the purchase").click()
    await expect(tab.locator(".facts")).to_contain_text(refused["purchase_id"])


async def test_merchants_settings_and_links_are_at_hand(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    for _ in range(2):
        other.order(cart="se-battery-pack")
    await open_dashboard()
    options = tab.locator("#merchant option")
    await expect(options.filter(has_text=other.merchant)).to_have_text(f"{other.merchant} (2 purchases)")
    await tab.locator("#merchant").select_option(other.merchant)
    await expect(tab.locator(".row")).to_have_count(2)
    await tab.locator("#settings").click()
    given = tab.locator("dialog tr.given").first
    await expect(given).to_contain_text("program that started the server")
    await expect(tab.locator("dialog tr", has_text="--token-lifetime")).to_contain_text("3600")
    assert await axe.problems(tab) == []
    await tab.keyboard.press("Escape")
    await tab.locator("#more").click()
    await expect(tab.get_by_role("link", name="OpenAPI document")).to_have_attribute(
        "href", "/_mock/openapi.json?merchant=" + other.merchant
    )
    await expect(tab.locator("dialog")).to_contain_text("the server runs without --tls")
    await tab.keyboard.press("Escape")
    other.reset()


async def test_a_shopper_buys_of_a_merchant_that_is_chosen_in_the_dialog_if_the_page_shows_all(
    tab: Page, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    await tab.goto(f"{mock_klarna.url}/")
    await tab.locator("#buy").click()
    await tab.locator("dialog select[name=merchant]").select_option(mock_klarna.merchant)
    await tab.locator("dialog").get_by_role("button", name="Buy").click()
    await expect(tab.locator(".facts")).to_contain_text(mock_klarna.merchant)
    assert len(mock_klarna.purchases()) == 2


async def test_what_is_said_while_a_dialog_is_open_is_in_the_dialog(tab: Page, open_dashboard: Open, buy: Buy) -> None:
    buy()
    await open_dashboard()
    await tab.locator("#clock").click()
    await tab.get_by_role("button", name="Next due job").click()
    await expect(tab.locator("dialog #status")).to_contain_text("The clock shows")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("body > #status")).to_be_attached()


async def test_a_fault_that_was_used_up_is_not_counted_any_more(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    await open_dashboard()
    mock_klarna.fault("callback", operation="place_order", twice=True)
    await expect(tab.locator("#faults")).to_have_text("Faults (1)")
    buy()
    await expect(tab.locator("#faults")).to_have_text("Faults")


async def test_a_list_that_a_filter_empties_does_not_say_that_there_are_no_purchases(
    tab: Page, open_dashboard: Open, buy: Buy
) -> None:
    await open_dashboard()
    await expect(tab.locator("#empty")).to_contain_text("No purchase yet")
    buy()
    await expect(tab.locator(".row")).to_have_count(1)
    await tab.locator("#search").fill("no shopper has this name")
    await expect(tab.locator("#empty")).to_have_text("No purchase matches.")
    await tab.locator("#search").fill("")
    await expect(tab.locator("#empty")).to_be_hidden()


@pytest.mark.usefixtures("names")
async def test_the_rows_of_purchases_and_snapshots_fit_a_narrow_phone(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    mock_klarna.set_clock("2030-05-01T10:00:00Z")
    buy()
    await tab.set_viewport_size({"width": 320, "height": 700})
    await open_dashboard()
    await expect(tab.locator(".row .when")).to_have_text("2030-05-01", use_inner_text=True)
    assert await tab.locator(".who").evaluate("(name) => name.scrollWidth <= name.clientWidth")
    await tab.locator("#snapshots").click()
    name = tab.locator("dialog input[name=name]")
    await name.fill("..")
    await tab.get_by_role("button", name="Save").click()
    await expect(tab.locator("dialog .error").first).to_have_text("A name begins with a letter or a digit")
    await name.fill("after-the-payment-of-the-order-" * 2)
    await tab.get_by_role("button", name="Save").click()
    await tab.get_by_role("button", name="Load").click()
    for shown in (".kept strong", ".kept form:visible p"):
        box = await tab.locator(f"dialog {shown}").first.bounding_box()
        assert box
        assert box["width"] > 200, shown


async def test_a_page_of_all_merchants_does_not_show_the_real_time_as_their_clock(
    tab: Page, buy: Buy, mock_klarna: MockKlarna
) -> None:
    buy()
    mock_klarna.advance_clock("1h")
    await tab.goto(f"{mock_klarna.url}/")
    await tab.locator("#clock").click()
    await expect(tab.locator("dialog")).to_contain_text("Moves the clocks of all merchants. The real time is 20")


async def test_a_reset_asks_with_the_number_of_purchases_and_resets_what_it_names(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    other = mock_klarna.as_merchant(f"{mock_klarna.merchant}-other")
    other.order(cart="se-battery-pack")
    for _ in range(2):
        buy()
    await open_dashboard()
    await expect(tab.locator(".row")).to_have_count(2)
    await tab.locator("#more").click()
    asking, deleting = tab.get_by_role("button", name="Reset…"), tab.get_by_role("button", name="Delete 2 purchases")
    await expect(asking).to_have_attribute("aria-expanded", "false")
    await expect(deleting).to_be_hidden()
    await asking.press("Enter")
    await expect(deleting).to_be_visible()
    await expect(tab.locator("dialog form")).to_contain_text(f"2 purchases of {mock_klarna.merchant} and their orders")
    assert await axe.problems(tab) == []
    await asking.press("Enter")
    await expect(deleting).to_be_hidden()
    await asking.dblclick()  # the button stays where it is, so that the second click deletes nothing
    await expect(deleting).to_be_hidden()
    await asking.click()
    assert len(mock_klarna.purchases()) == 2
    await deleting.click()
    await expect(tab.locator(".row")).to_have_count(0)
    await expect(tab.locator("dialog")).to_have_count(0)
    assert (mock_klarna.purchases(), len(other.purchases())) == ([], 1)
    await tab.locator("#more").click()
    await asking.click()
    await expect(tab.get_by_role("button", name="Delete", exact=True)).to_be_visible()
    await tab.keyboard.press("Escape")
    await tab.locator("#merchant").select_option("")
    await expect(tab.locator(f"#merchant option[value='{other.merchant}']")).to_have_count(1)
    await expect(tab.locator(f"#merchant option[value='{mock_klarna.merchant}']")).to_have_count(0)
    other.reset()


async def test_a_refused_request_of_order_management_says_what_was_sent_and_expected(
    tab: Page, open_dashboard: Open, buy: Buy, console_errors: list[str], mock_klarna: MockKlarna
) -> None:
    bought = buy()
    await open_dashboard(purchase_id=bought["purchase_id"])
    await tab.locator("#manage").click()
    amount, action, problem = (tab.locator(f"dialog {name}") for name in ("[name=amount]", "[name=action]", ".error"))
    send = tab.get_by_role("button", name="Send", exact=True)
    await expect(amount).to_have_value("124000")
    for name, member in (("capture", "captured_amount"), ("refund", "refunded_amount")):
        await action.select_option(name)
        await amount.fill("999999999999")
        await send.click()
        await expect(problem).to_contain_text(f"{member}: sent 999999999999, expected at most 200000000")
    await action.select_option("capture")
    await amount.fill("124001")
    await send.click()
    await expect(problem).to_contain_text("403: Capture not allowed. 124001 is not an amount from 1 to 124000.")
    await amount.fill("100")
    await send.click()
    await expect(tab.locator("dialog")).to_have_count(0)
    await tab.locator("#manage").click()
    await action.select_option("refund")
    await expect(amount).to_have_value("100")
    await action.select_option("cancel")
    await expect(amount).to_be_disabled()
    async with tab.expect_console_message(lambda message: message.type == "error"):
        await send.click()
    await expect(problem).to_contain_text("403: Order has previous captures. Cancel not possible")
    (order,) = mock_klarna.orders()
    assert mock_klarna.managed_order(order["order_id"])["captured_amount"] == 100
    console_errors.clear()


async def test_a_captured_order_is_refunded_and_another_one_cancelled(
    tab: Page, open_dashboard: Open, buy: Buy, mock_klarna: MockKlarna
) -> None:
    captured, other = (mock_klarna.find_purchase(buy()["purchase_id"], wait=20) for _ in range(2))
    mock_klarna.capture(captured["order_id"], 124000)
    send, action = tab.get_by_role("button", name="Send", exact=True), tab.locator("dialog [name=action]")
    await open_dashboard(purchase_id=captured["purchase_id"])
    await tab.locator("#manage").click()
    await expect(action).to_have_value("refund")
    await expect(tab.locator("dialog [name=amount]")).to_have_value("124000")
    await send.click()
    await expect(tab.locator("#status")).to_have_text("The order: refund was accepted")
    await open_dashboard(purchase_id=other["purchase_id"])
    await tab.locator("#manage").click()
    await action.select_option("cancel")
    await send.click()
    await expect(tab.locator("#status")).to_have_text("The order: cancel was accepted")
    ends = [mock_klarna.managed_order(each["order_id"]) for each in (captured, other)]
    assert [(end["status"], end["refunded_amount"]) for end in ends] == [("CAPTURED", 124000), ("CANCELLED", 0)]


async def test_the_clock_says_whose_it_is_and_its_field_follows_it(
    tab: Page, open_dashboard: Open, mock_klarna: MockKlarna
) -> None:
    mock_klarna.set_clock("2030-05-01T10:00:00Z")
    await open_dashboard()
    button, field = tab.locator("#clock"), tab.get_by_label("A time in UTC")
    await expect(button).to_have_attribute("title", f"The clock of {mock_klarna.merchant}. Key t")
    await button.click()
    await expect(field).to_have_value(re.compile("^2030-05-01T10:0"))
    await tab.get_by_role("button", name="+1 day").click()
    await expect(field).to_have_value(re.compile("^2030-05-02T10:0"))
    await tab.get_by_role("button", name="Real time").click()
    await expect(button).not_to_have_class("ahead")
    await expect(field).not_to_have_value(re.compile("^2030"))
    assert abs(mock_klarna.clock()["ahead_seconds"]) < 60
    await tab.keyboard.press("Escape")
    await tab.locator("#merchant").select_option("")
    await expect(button).to_have_attribute("title", re.compile("^The real time"))


async def test_a_second_click_on_a_slow_network_opens_no_second_dialog(tab: Page, open_dashboard: Open) -> None:
    waiting = asyncio.Queue[Route]()

    async def keep(route: Route) -> None:
        waiting.put_nowait(route)

    await open_dashboard()
    await tab.route("**/_mock/shoppers", keep)
    for _ in range(2):
        await tab.locator("#buy").click()
    first, second = await waiting.get(), await waiting.get()
    await tab.locator("#help").click()
    title, key = tab.locator("dialog h2"), tab.locator("dialog [name=button_key]")
    await expect(title).to_have_text("Keys")
    await first.continue_()
    await expect(title).to_have_text("Buy as a shopper")
    await expect(tab.locator("dialog :focus")).to_have_attribute("name", "shopper")
    await expect(tab.locator("dialog #status")).to_be_attached()
    await key.fill("a key")
    async with tab.expect_response("**/_mock/shoppers") as answered:
        await second.continue_()
    await (await answered.value).finished()
    await tab.evaluate("() => new Promise(requestAnimationFrame)")
    await expect(key).to_have_value("a key")
    await tab.keyboard.press("Escape")
    await expect(tab.locator("dialog")).to_have_count(0)
    await expect(tab.locator("body > #status")).to_be_attached()


async def test_every_action_can_be_reached_from_an_opened_purchase_on_a_phone(
    tab: Page, open_dashboard: Open, buy: Buy
) -> None:
    bought = buy()
    for width, height in ((390, 700), (320, 256)):  # the second is a screen of 1280x1024 at 400 %
        await tab.set_viewport_size({"width": width, "height": height})
        await open_dashboard()
        await tab.locator(".row").click()
        await expect(tab.locator(".facts")).to_contain_text(bought["purchase_id"])
        await expect(tab.locator("#list")).to_be_hidden()
        for query in ({"purchase_id": bought["purchase_id"]}, {"view": "findings"}):
            await open_dashboard(**query)
            await expect(tab.locator("#back, #leave-findings")).to_be_visible()
            for name in ("clock", "faults", "scenarios", "buy", "refusals", "snapshots", "settings", "more"):
                await tab.locator(f"#{name}").click()
                await expect(tab.locator("dialog")).to_have_count(1)
                await tab.keyboard.press("Escape")
                await expect(tab.locator("dialog")).to_have_count(0)
            assert await tab.evaluate("() => document.documentElement.scrollWidth") == width
    await tab.set_viewport_size({"width": 1280, "height": 700})
    await tab.locator("#settings").click()
    row = tab.locator("dialog tr", has=tab.get_by_role("rowheader", name="--host", exact=True))
    await expect(row.locator("td").first).to_have_text("127.0.0.1")
    assert await row.locator("td").first.evaluate(LINES) == 1
