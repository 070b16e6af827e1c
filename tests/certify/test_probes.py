"""The probes of `certify --shop`, played against the demo shop, which runs in another process."""

import asyncio
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from mock_klarna import MockKlarna, Settings, resources, serve_in_thread
from mock_klarna.certify import RULES, judge
from mock_klarna.certify.probes import NO_ORDER, PROBES, Played, play_all, reasons
from mock_klarna.certify.probing import Cart, Probing, Waiting, find_cart, journal_end, page_of, traffic_after
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError
from tests.commands import command_process
from tests.extent import extent

pytestmark = pytest.mark.process
Json = dict[str, Any]
BY_NAME = {probe.name: probe for probe in PROBES}
CART = resources.cart("se-battery-pack")
SAMPLE = (
    "price",
    "country",
    "other-merchant",
    "wrong-secret",
    "twice",
    "expired",
    "lost-order",
    "pending-rejected",
    "push-again",
    "lost-refund",
)
PATIENT = Waiting(shop=60, retry=60)
"""A good shop ends each wait itself, however slow the machine is."""
OF_THE_MACHINE = {"C2", "M3"}
"""Rules that a slow machine may break: they have time limits."""


@dataclass(frozen=True)
class RunningShop:
    """A demo shop in another process."""

    klarna: MockKlarna
    url: str


@pytest.fixture(scope="module")
def shop() -> Iterator[RunningShop]:
    """The demo shop."""
    with (
        serve_in_thread(Settings(port=0, callback_timeout=60)) as klarna,
        command_process("shop", "--klarna", klarna.url) as process,
    ):
        assert process.stdout is not None
        line = process.stdout.readline()
        yield RunningShop(klarna, line.partition(" at ")[2].partition(" ")[0])


@pytest.fixture
async def client(shop: RunningShop) -> AsyncIterator[Client]:
    """Requests of the shop's merchant to the server."""
    async with Client(shop.klarna.url, "demo-shop") as client:
        yield client


async def probing_of(client: Client, shop: RunningShop, page: Json = CART, **members: Any) -> Probing:
    """Return probes that make the shop capture and refund by the buttons of its page."""
    cart = await find_cart(client, None, page)
    assert cart is not None

    async def press(url: str) -> str:
        async with Client(shop.url) as button:
            answer = await button.send("POST", url.removeprefix(shop.url), headers={"Authorization": ""})
        return f"answered {answer.status}"

    urls = {
        "capture_order": f"{shop.url}/orders/{{order_id}}/ship",
        "refund_order": f"{shop.url}/orders/{{order_id}}/refund",
    }
    given = {"client": client, "cart": cart, "waiting": PATIENT, "say": print, "act": press, "urls": urls}
    return Probing(**{**given, **members})


async def played(client: Client, probing: Probing, *names: str) -> tuple[dict[str, Played], dict[str, str]]:
    """Play probes; return their results by name, and the outcome of each rule."""
    start, shown = await journal_end(client), list[str]()
    results = (
        await play_all(
            probing, [BY_NAME[name] for name in names], lambda _number, _total, one: shown.append(one.probe.name)
        )
    ).results
    outcomes = {one.rule.id: one.outcome for one in judge(await traffic_after(client, "demo-shop", start))}
    assert shown == [one.probe.name for one in results if one.reason != NO_ORDER]
    return {one.probe.name: one for one in results}, outcomes


async def test_the_demo_shop_passes_every_probe(client: Client, shop: RunningShop) -> None:
    names = extent(usual=SAMPLE, thorough=tuple(BY_NAME))
    before = await client.ask("GET", "/_mock/clock")
    results, outcomes = await played(client, await probing_of(client, shop), *names)
    assert {name for name, one in results.items() if one.reason} == set()
    assert {rule for rule, outcome in outcomes.items() if outcome == "failed"} <= OF_THE_MACHINE
    decided = {rule for name in names for rule in BY_NAME[name].rules} - {"D4", "K1", "C10"}
    assert {rule for rule in decided if outcomes[rule] == "inconclusive"} == set()
    after = await client.ask("GET", "/_mock/clock")
    assert after["ahead_seconds"] == pytest.approx(before["ahead_seconds"], abs=60)
    assert (await client.ask("GET", "/_mock/faults"))["faults"] == []


async def test_a_shop_that_sells_at_any_price_is_found(client: Client, shop: RunningShop) -> None:
    url = f"{shop.url}/klarna/place-order?then=place_unchecked&merchant=trusting-shop"
    async with Client(client.url, "trusting-shop") as trusting:
        await trusting.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": {"place_order": url}})
        page = {**CART, "merchant_urls": {"terms": f"{shop.url}/terms"}}
        probing = await probing_of(trusting, shop, page)
        start = await journal_end(trusting)
        run = await play_all(probing, [BY_NAME[name] for name in ("price", "article", "forged")], lambda *_: None)
        assert [one.text for one in run.results] == ["placed", "placed", "placed", "answered 200"]
        found = judge(await traffic_after(trusting, "trusting-shop", start))
    assert {one.rule.id for one in found if one.outcome == "failed"} >= {"V1", "V5", "C4"}


async def test_after_an_ordinary_purchase_that_is_not_placed_nothing_else_is_played(
    client: Client, shop: RunningShop
) -> None:
    line = {**CART["order_lines"][0], "reference": "no-such-article"}
    probing = await probing_of(client, shop, {**CART, "order_lines": [line]})
    results, outcomes = await played(client, probing, "price", "push")
    assert results["purchase"].text.startswith("denied")
    assert results["price"].reason == results["push"].reason == NO_ORDER
    assert reasons(list(results.values())) == dict.fromkeys(("V1", "D1", "D2", "D3", "D4", "M1", "M2"), NO_ORDER)
    assert outcomes["V1"] == "inconclusive"


async def test_without_a_url_or_a_person_captures_are_not_judged(client: Client, shop: RunningShop) -> None:
    results, outcomes = await played(client, await probing_of(client, shop, urls={}), "lost-capture")
    assert "give --capture-url" in results["lost-capture"].reason
    assert outcomes["M5"] == "inconclusive"
    results, _ = await played(client, await probing_of(client, shop, urls={}), "late-capture")
    assert "give --capture-url" in results["late-capture"].reason
    urls = {"capture_order": f"{shop.url}/no-such-path/{{order_id}}"}
    results, _ = await played(client, await probing_of(client, shop, urls=urls), "lost-capture")
    assert re.fullmatch(
        r"the shop sent no capture: POST .*/no-such-path/.*: answered 404", results["lost-capture"].reason
    )


async def test_a_person_is_asked_to_capture_and_may_do_it(client: Client, shop: RunningShop) -> None:
    said: list[str] = []
    pressed: set[asyncio.Future[Any]] = set()
    button = Client(shop.url)

    def capture(text: str) -> None:
        """Press the button as the sentence says."""
        said.append(text)
        path = f"/orders/{text.split()[2]}/ship"
        pressed.add(asyncio.ensure_future(button.send("POST", path, headers={"Authorization": ""})))

    async with button:
        waiting = Waiting(shop=60, retry=60, person=60)
        probing = await probing_of(client, shop, urls={}, say=capture, waiting=waiting)
        results, outcomes = await played(client, probing, "lost-capture")
        await asyncio.gather(*pressed)
    assert said[0].startswith("capture order ")
    assert results["lost-capture"].text == "sent again"
    assert outcomes["M5"] == "passed"


async def test_the_cart_is_that_of_the_last_purchase(client: Client, shop: RunningShop) -> None:
    bought = await client.ask("POST", "/_mock/purchases", {"page": CART, "wait": 60})
    cart = await find_cart(client, None, None)
    assert cart == Cart(
        button_key=bought["button_key"],
        page=page_of(bought["order"]),
        options=cart.options if cart else {},
        is_whole=False,
    )
    assert cart.page["order_lines"] == CART["order_lines"]
    assert [option["id"] for option in cart.page["shipping_options"]] == ["express_priority"]
    assert cart.country == "SE"
    again = await client.ask("POST", "/_mock/purchases", {"page": cart.page, "shopper": "se-approved", "wait": 60})
    assert (again["state"], again["order_amount"]) == ("placed", bought["order_amount"])


async def test_a_cart_that_was_changed_is_not_taken_for_that_of_the_shop(client: Client, shop: RunningShop) -> None:
    await client.ask("POST", "/_mock/purchases", {"page": CART, "wait": 60})
    await client.ask("POST", "/_mock/purchases", {"page": CART, "cheat": "price", "wait": 60})
    cart = await find_cart(client, None, None)
    assert cart is not None
    assert cart.page["order_lines"] == CART["order_lines"]


async def test_where_nobody_has_bought_there_is_no_cart(client: Client) -> None:
    async with Client(client.url, "new-shop") as new:
        assert await find_cart(new, None, None) is None
        with pytest.raises(MockKlarnaError, match="--button-key: the merchant has no button key 'k-1'"):
            await find_cart(new, "k-1", None)


def test_every_rule_that_needs_a_probe_has_one() -> None:
    of_probes = {rule for probe in PROBES for rule in probe.rules}
    assert of_probes <= {rule.id for rule in RULES}
    assert {rule.id for rule in RULES} - of_probes == {"K10", "T2", "T4"}
    assert len(BY_NAME) == len(PROBES)


async def test_a_shop_that_ends_after_a_probe_is_named_with_this_probe(client: Client, shop: RunningShop) -> None:
    url = f"{shop.url}/klarna/place-order?merchant=ending-shop"
    async with Client(client.url, "ending-shop") as ending:
        urls = {"place_order": url, "terms": f"{shop.url}/terms"}
        key = (await ending.ask("POST", "/instantshopping/v1/buttons", {"merchant_urls": urls}))["button_key"]
        probing = await probing_of(ending, shop, {**CART, "merchant_urls": {"terms": f"{shop.url}/terms"}})

        async def why_gone() -> str:
            """Let the shop end after the ordinary purchase."""
            if probing.waiting is not PATIENT:
                return "Connection refused"
            probing.waiting = Waiting(shop=0)
            gone = {"merchant_urls": {**urls, "place_order": "http://127.0.0.1:1/"}}
            await ending.ask("PUT", f"/instantshopping/v1/buttons/{key}", gone)
            return ""

        probing.why_gone = why_gone
        run = await play_all(probing, [BY_NAME["price"]], lambda *_: None)
    reason = "the shop ended after the probe purchase: Connection refused; what it did since then is not judged"
    assert (run.stopped, [one.reason for one in run.results]) == (reason, ["", reason])
