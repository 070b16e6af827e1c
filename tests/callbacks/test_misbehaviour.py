"""Whatever a merchant does ends in a documented outcome, within bounds, and the purchase goes on."""

import orjson
import pytest

from mock_klarna.callbacks.http import MOST_OF_AN_ANSWER
from tests.merchants.running import Json, buy, callbacks, calls, emulator, place
from tests.merchants.shop import Shop

OUTCOMES = {
    "hang": ("timed_out", None, "failed"),
    "hang_in_body": ("timed_out", None, "failed"),
    "drip": ("timed_out", None, "failed"),
    "endless": ("too_long", 200, "delivered"),
    "endless_head": ("broken", None, "failed"),
    "long_header": ("broken", None, "failed"),
    "half": ("broken", 200, "failed"),
    "half_a_head": ("broken", None, "failed"),
    "garbage": ("broken", None, "failed"),
    "odd_header": ("answered", 200, "delivered"),
    "odd_body": ("answered", 200, "delivered"),
    "odd_encoding": ("answered", 200, "delivered"),
    "early_hints": ("answered", 200, "delivered"),
    "no_length": ("answered", 200, "delivered"),
    "close": ("broken", None, "failed"),
    "reset": ("broken", None, "failed"),
    "odd_location": ("redirected", 302, "failed"),
    **{f"redirect?{status}": ("redirected", status, "failed") for status in (301, 302, 303, 307, 308)},
    **{f"answer?{status}": ("answered", status, "failed") for status in (304, 400, 401, 404, 500, 503)},
    **{f"answer?{status}": ("answered", status, "delivered") for status in (200, 201, 204)},
}


@pytest.mark.parametrize("behaviour", OUTCOMES)
async def test_each_misbehaviour_has_its_outcome_and_the_token_stays_usable(bad: str, behaviour: str) -> None:
    outcome, status, state = OUTCOMES[behaviour]
    async with emulator(callback_timeout=0.2 if outcome == "timed_out" else 20.0) as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/{behaviour}"})
        (entry,) = await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        (attempt,) = callback["attempts"]
        assert (attempt["outcome"], callback["state"]) == (outcome, state)
        assert attempt["status"] == status or outcome == "timed_out"  # as much as arrived in time
        assert entry["outcome"] == outcome
        assert bool(attempt["error"]) == (outcome != "answered")
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"


async def test_a_redirect_is_not_followed_and_says_where_to(bad: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": f"{bad}/redirect?307"})
        (entry,) = await calls(client, "place_order")
        assert entry["error"] == "not followed: /echo"
        assert entry["answer_body"] is None


async def test_of_an_endless_answer_only_the_beginning_is_read_and_kept(bad: str) -> None:
    async with emulator() as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/endless"})
        await calls(client, "place_order")
        (callback,) = await callbacks(client, "place_order", bought)
        assert callback["attempts"][0]["answer_body"] == "x" * MOST_OF_AN_ANSWER


async def test_a_merchant_who_is_not_there_is_refused(nobody: str) -> None:
    async with emulator() as client:
        bought = await buy(client, nobody)
        (entry,) = await calls(client, "place_order")
        assert (entry["outcome"], entry["status"]) == ("refused", None)
        assert (await place(client, bought))["fraud_status"] == "ACCEPTED"


async def test_a_host_that_does_not_exist_is_unreachable() -> None:
    async with emulator() as client:
        await buy(client, "http://127.0.0.1:1", {"place_order": "https://shop.invalid/place-order"})
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] == "unreachable"


async def test_a_scheme_that_the_shop_does_not_speak_is_no_answer(shop: Shop) -> None:
    async with emulator() as client:
        await buy(client, shop.url.replace("http:", "https:"))
        (entry,) = await calls(client, "place_order")
        assert entry["outcome"] in ("broken", "unreachable")
        assert entry["error"]


@pytest.mark.parametrize(
    "path",
    ["/x/?secret=a%20b&c=%C3%A5", "/Place/ORDER/", "/a//b", "/x?a=1&a=2&", "/%7Eshop/%41", "/a+b?c=d+e", "/x;y=z"],
)
async def test_the_url_is_called_exactly_as_it_was_given(bad: str, path: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": bad + path})
        (entry,) = await calls(client, "place_order")
        assert entry["answer_body"].splitlines()[0] == f"POST {path} HTTP/1.1"
        assert entry["url"] == bad + path


async def test_a_callback_is_json_without_credentials_cookies_or_a_lie_about_who_calls(bad: str) -> None:
    async with emulator() as client:
        bought = await buy(client, bad, {"place_order": f"{bad}/echo"})
        (entry,) = await calls(client, "place_order")
    head, _, body = entry["answer_body"].partition("\r\n\r\n")
    headers = dict(line.lower().split(": ", 1) for line in head.splitlines()[1:])
    assert headers["content-type"] == "application/json"
    assert headers["user-agent"].startswith("mock-klarna/")
    assert headers["host"] == bad.removeprefix("http://")
    assert not {"authorization", "cookie", "accept-language"} & set(headers)
    assert orjson.loads(body) == entry["request_body"] == said(bought)


def said(bought: Json) -> Json:
    """Return what `place_order` has to say of a purchase (protocol 4.1)."""
    return {name: bought[name] for name in ("authorization_token", "button_key", "order")}


async def test_a_callback_for_a_rewritten_host_goes_there_and_names_the_old_one(bad: str) -> None:
    port = bad.rpartition(":")[2]
    async with emulator(callback_host_rewrite=("shop.test=127.0.0.1",)) as client:
        await buy(client, bad, {"place_order": f"http://shop.test:{port}/echo?a=%20b"})
        (entry,) = await calls(client, "place_order")
    assert entry["url"] == f"http://shop.test:{port}/echo?a=%20b"
    assert entry["answer_body"].startswith("POST /echo?a=%20b HTTP/1.1")
    assert f"Host: shop.test:{port}" in entry["answer_body"]


async def test_a_rewrite_may_name_another_port_too(bad: str) -> None:
    async with emulator(callback_host_rewrite=(f"shop.test={bad.removeprefix('http://')}",)) as client:
        await buy(client, bad, {"place_order": "http://SHOP.test:1/echo"})
        (entry,) = await calls(client, "place_order")
    assert "Host: shop.test:1" in entry["answer_body"]


@pytest.mark.parametrize("behaviour", ["odd_header", "odd_location", "odd_body", "garbage"])
async def test_what_is_no_text_can_be_read_in_the_journal_and_in_a_snapshot(bad: str, behaviour: str) -> None:
    async with emulator() as client:
        await buy(client, bad, {"place_order": f"{bad}/{behaviour}"})
        (entry,) = await calls(client, "place_order")
        assert "\\xf6" in str(entry) or behaviour in ("odd_body", "garbage")
        state = await client.ask("GET", "/_mock/snapshot")
        assert (await client.send("PUT", "/_mock/snapshot", state)).status == 204
        assert len(await callbacks(client, "place_order")) == 1
