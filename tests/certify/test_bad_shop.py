"""Each fault of the bad shop is found by its own rule, and by no other."""

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mock_klarna import Settings, resources, serve_in_thread
from mock_klarna.certify import RULES
from mock_klarna.certify.probes import PROBES
from mock_klarna.certify.probing import Cart, Probing, Waiting
from mock_klarna.certify.rule import observe_nothing
from mock_klarna.client import Client
from tests.certify.bad_shop import FAULTS, REACTIONS, TRIES, Fault, rule_of, serve_bad_shop

Json = dict[str, Any]
Flow = Callable[[Probing, str], Awaitable[object]]
DECIDABLE = [rule.id for rule in RULES if rule.observe is not observe_nothing]
SEVERITIES = {rule.id: rule.severity.value for rule in RULES}
_PROBES = {probe.name: probe for probe in PROBES}
_PATIENT = Waiting(shop=60, retry=60, quiet=0.02)
_SECRET = "6f1ec1a9d2b84c7e93d1"


def probe(name: str) -> Flow:
    return lambda probing, _shop: _PROBES[name].play(probing)


async def clicked(probing: Probing, _shop: str) -> None:
    """Let a browser start a session on a page that gives `load()` no callback."""
    setup = {"instance_id": "button-1", "key": probing.cart.button_key, "environment": "playground", "region": "eu"}
    body = {"options": {"setup": setup, **probing.cart.page}, "load_callback": {"parameters": None}}
    await probing.ask("POST", "/instantshopping/sdk/sessions", body)


async def shown_without_terms(probing: Probing, _shop: str) -> None:
    """Let a page show the button without a terms URL."""
    setup = {"instance_id": "button-1", "key": probing.cart.button_key, "environment": "playground", "region": "eu"}
    body = {"options": {"setup": setup, **probing.cart.page}}
    await probing.client.send("POST", "/instantshopping/sdk/load", body, headers={"User-Agent": "Mozilla/5.0"})


async def undecided(probing: Probing, _shop: str) -> None:
    """Let a shopper buy, without waiting for a decision."""
    position = await probing.position()
    await probing.buy(wait=0)
    await probing.wait_for("place_order", position)


async def two_minutes(probing: Probing, _shop: str) -> None:
    await probing.advance("2m")


async def late(probing: Probing, shop: str) -> None:
    await probing.advance("3s")
    await probing.act(f"{shop}/late?merchant={probing.last['merchant']}")


async def cheated(probing: Probing, _shop: str) -> None:
    position = await probing.position()
    await probing.buy(cheat="price", wait=0)
    await probing.wait_for("place_order", position)


async def shipped(probing: Probing, _shop: str) -> None:
    bought = await probing.place()
    await probing.call_shop("capture_order", bought["order_id"])


async def often_busy(probing: Probing, _shop: str) -> None:
    """Let Klarna answer so often 503 that a slow machine cannot hide that the shop does not wait."""
    await probing.inject("request", "create_order", status=503, times=20)
    await probing.buy()


async def six_minutes(probing: Probing, _shop: str) -> None:
    await probing.advance("6m")


async def four_hours(probing: Probing, _shop: str) -> None:
    await probing.advance("4h")


OF_THE_MACHINE = {"C2", "O9"}
"""Rules that a slow machine breaks."""
ORDINARY = (probe("purchase"),)
FLOWS: Mapping[str, tuple[Flow, ...]] = {
    "K5": (shown_without_terms,),
    "K10": (clicked,),
    "C1": (undecided, two_minutes),
    "C2": (undecided, late),
    "C4": (*ORDINARY, probe("forged")),
    "C5": (probe("again"),),
    "C6": (*ORDINARY, probe("expired")),
    "C7": (probe("second"),),
    "C9": (*ORDINARY, six_minutes),
    "V1": (probe("price"), probe("discount")),
    "V2": (probe("quantity"),),
    "V3": (probe("country"),),
    "V4": (probe("shipping-price"), probe("shipping-option")),
    "V5": (probe("article"),),
    "D1": (probe("price"),),
    "D2": (probe("price"),),
    "D3": (probe("price"),),
    "D4": (cheated,),
    "O2": (undecided,),
    "O6": (probe("pending-accepted"),),
    "O7": (probe("rejected"),),
    "O8": (probe("lost-order"),),
    "O9": (often_busy,),
    "M2": (*ORDINARY, four_hours),
    "M3": (probe("push-again"),),
    "M4": (shipped,),
    "M5": (probe("lost-capture"),),
    "M6": (shipped,),
    "M7": (shipped,),
    "M8": (shipped,),
    "M9": (probe("late-capture"),),
    "T3": (*ORDINARY, six_minutes),
    "T4": (undecided,),
}
"""What is played for each rule; else an ordinary purchase."""
ALSO = {
    "C5": {"O11"},  # the other body is refused
    "O6": {"M7"},  # a capture of a PENDING order is refused
    "O7": {"M7"},  # a capture of a REJECTED order is refused
    "O8": {"O11"},  # the other body is refused
    "M5": {"M7"},  # with another key everything is captured again
}
"""Other findings that are no errors, and that the fault cannot be without."""


@dataclass(frozen=True)
class Servers:
    """An emulator and the bad shop."""

    klarna: str
    shop: str


@pytest.fixture(scope="session")
def servers() -> Iterator[Servers]:
    """An emulator in a thread of its own, and the bad shop in the same thread."""
    yield from served(Settings(port=0, callback_timeout=60))


def served(settings: Settings) -> Iterator[Servers]:
    with serve_in_thread(settings) as klarna:
        serving = serve_bad_shop(klarna.url)
        shop = asyncio.run_coroutine_threadsafe(serving.__aenter__(), klarna.loop).result()
        yield Servers(klarna.url, shop)
        asyncio.run_coroutine_threadsafe(serving.__aexit__(None, None, None), klarna.loop).result()


def merchant_urls(servers: Servers, merchant: str, fault: Fault) -> Json:
    """Return the merchant URLs of a button key of the bad shop."""
    own = "" if rule_of(merchant) == "C8" else f"&secret={_SECRET}"
    urls = {
        "place_order": f"{servers.shop}/klarna/place-order?merchant={merchant}{own}&then={fault.then}",
        "push": f"{servers.shop}/klarna/push?merchant={merchant}{own}&then={fault.push}&order_id={{checkout.order.id}}",
        "notification": f"{servers.shop}/klarna/notification?merchant={merchant}{own}",
        "confirmation": f"{servers.shop}/thanks",
        "terms": f"{servers.shop}/terms",
    }
    if fault.update:
        urls["update"] = f"{servers.shop}/klarna/update?merchant={merchant}&then={fault.update}"
    changed = {name: url and url.replace("{push}", urls["push"]) for name, url in fault.urls.items()}
    return {name: url for name, url in {**urls, **changed}.items() if url is not None}


def page(fault: Fault) -> Json:
    """Return what the page of the bad shop passes to `load()`."""
    cart: Json = json.loads((Path(resources.fixtures()) / "carts" / "se-battery-pack.json").read_bytes())
    del cart["merchant_urls"]
    line = {**cart["order_lines"][0], **fault.first_line}
    return {**cart, "order_lines": [line] * fault.lines, **fault.page}


async def probing_of(servers: Servers, stack: AsyncExitStack, merchant: str, rule: str) -> Probing:
    """Create the button keys of a merchant, and return what lets shoppers buy with the last one."""
    fault = FAULTS.get(rule, Fault())
    client = await stack.enter_async_context(Client(servers.klarna, merchant))
    shop = await stack.enter_async_context(Client(servers.shop))
    urls = [merchant_urls(servers, merchant, fault)] * fault.keys
    if rule == "K1":  # Klarna refuses the key, so the shop sells with one that is right
        urls = [*urls, merchant_urls(servers, merchant, Fault())]
    of_shop = {"User-Agent": "BadShop/1.0"}
    answers = [
        await client.send("POST", "/instantshopping/v1/buttons", {"merchant_urls": each}, headers=of_shop)
        for each in urls
    ]

    async def act(url: str) -> str:
        return f"answered {(await shop.send('POST', url.removeprefix(servers.shop))).status}"

    key = answers[-1].body["button_key"]
    return Probing(
        client=client,
        cart=Cart(button_key=key, page=page(fault), options={}, is_whole=True),
        waiting=_PATIENT,
        say=print,
        act=act,
        urls={
            "capture_order": f"{servers.shop}/orders/{{order_id}}/ship",
            "refund_order": f"{servers.shop}/orders/{{order_id}}/refund",
        },
    )


async def findings(probing: Probing) -> dict[str, str]:
    """Return the broken rules of a merchant with their severities."""
    found = (await probing.ask("GET", "/_mock/findings"))["findings"]
    return {finding["rule"]: finding["severity"] for finding in reversed(found)}


async def played(servers: Servers, merchant: str, rule: str) -> dict[str, str]:
    """Play what shows whether a merchant breaks a rule; return the findings, once the expected ones are among them."""
    async with AsyncExitStack() as stack:
        probing = await probing_of(servers, stack, merchant, rule)
        for flow in FLOWS.get(rule, ORDINARY):
            await flow(probing, servers.shop)
        position, found = await probing.position(), await findings(probing)
        while not {rule, *ALSO.get(rule, ())} <= found.keys() and await probing.entries(position, wait=120):
            position, found = await probing.position(), await findings(probing)
        return found


@pytest.fixture(scope="session")
def servers_of_regions() -> Iterator[Servers]:
    """An emulator whose credentials belong to one region, and the bad shop in the same thread."""
    yield from served(Settings(port=0, callback_timeout=60, separate_regions=True))


def test_credentials_of_another_region_are_found(servers_of_regions: Servers) -> None:
    assert asyncio.run(played(servers_of_regions, "bad-T4", "T4")) == {"T4": "warning"}


@pytest.mark.parametrize("rule", [rule for rule in DECIDABLE if rule != "T4"])
async def test_a_fault_is_found_by_its_rule_and_breaks_no_other(servers: Servers, rule: str) -> None:
    found = await played(servers, f"bad-{rule}", rule)
    assert found.pop(rule, "no finding") == SEVERITIES[rule]
    others = {name: severity for name, severity in found.items() if name not in OF_THE_MACHINE}
    assert set(others) == ALSO.get(rule, set())
    assert "error" not in others.values()


async def test_a_secret_that_is_not_checked_is_found(servers: Servers) -> None:
    async with AsyncExitStack() as stack:
        probing = await probing_of(servers, stack, "careless-shop", "")
        for name in ("purchase", "wrong-secret"):
            await probe(name)(probing, servers.shop)
        found = await findings(probing)
    assert {rule: severity for rule, severity in found.items() if rule not in OF_THE_MACHINE} == {"C8": "hint"}


def test_every_rule_that_traffic_can_decide_has_a_fault() -> None:
    assert len(DECIDABLE) == 52
    assert {*TRIES, *REACTIONS, *FAULTS, *FLOWS, "C8"} == set(DECIDABLE)
