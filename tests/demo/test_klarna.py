"""The shop's client sends a request again when its answer was lost or temporary, as it was, and less and less often."""

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from mock_klarna.demo.klarna import Call, Klarna
from tests.demo.merchant import Merchant

Answers = Callable[..., Awaitable[tuple[list[Call], list[float], list[dict[str, str]]]]]


async def fault(merchant: Merchant, operation: str, **effect: Any) -> None:
    await merchant.klarna.ask("POST", "/_mock/faults", {"on": "request", "operation": operation, **effect})


async def requests(merchant: Merchant, operation: str) -> list[Any]:
    path = f"/_mock/journal?kind=exchange&name={operation}&limit=100"
    return list((await merchant.klarna.ask("GET", path))["entries"])


@pytest.mark.parametrize("effect", [{"drop": True}, {"drop": True, "times": 3}, {"garbage": True}])
async def test_an_order_whose_answer_was_lost_is_sent_again_unchanged(merchant: Merchant, effect: Any) -> None:
    await fault(merchant, "create_order", **effect)
    assert (await merchant.purchase())["state"] == "placed"
    (order,) = (await merchant.books())["orders"]
    sent = await requests(merchant, "create_order")
    assert len(sent) == effect.get("times", 1) + 1
    assert [entry["request_body"] for entry in sent] == [order["order"]] * len(sent)


@pytest.mark.parametrize("status", [500, 503])
async def test_a_capture_that_failed_is_sent_again_with_the_same_key(merchant: Merchant, status: int) -> None:
    order_id = (await merchant.purchase())["order_id"]
    await fault(merchant, "capture_order", status=status)
    await fault(merchant, "capture_order", drop=True)
    shipped = await merchant.shop.send("POST", f"/orders/{order_id}/ship")
    assert shipped.body == {"order_id": order_id, "captured": 124000}
    sent = await requests(merchant, "capture_order")
    assert len(sent) == 3
    bodies = [entry["request_body"] for entry in sent if entry["request_body"]]  # a fault with a status reads none
    assert len(bodies) == 2
    assert bodies[0] == bodies[1]
    managed = await merchant.klarna.ask("GET", f"/ordermanagement/v1/orders/{order_id}")
    assert len(managed["captures"]) == 1
    assert managed["captures"][0]["shipping_info"][0]["tracking_number"]


@pytest.fixture
async def answered() -> AsyncIterator[Answers]:
    """Calls a server that gives these answers, one after the other; returns calls, pauses and headers of the requests."""
    left: list[tuple[int, dict[str, str]]] = []
    received: list[dict[str, str]] = []

    async def answer(request: web.Request) -> web.Response:
        received.append(dict(request.headers))
        status, headers = left.pop(0)
        return web.Response(status=status, headers=headers, text="{}" if status == 200 else "")

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", answer)
    async with TestServer(app) as server:

        async def call(*answers: tuple[int, dict[str, str]]) -> tuple[list[Call], list[float], list[dict[str, str]]]:
            left[:] = answers
            pauses: list[float] = []

            async def sleep(seconds: float) -> None:
                pauses.append(seconds)

            async with Klarna(str(server.make_url("")), "secret", 0.5, sleep) as klarna:
                await klarna.capture("shop", "order", 1, {}, "key")
                return list(klarna.calls), pauses, received

        yield call


async def test_pauses_double_and_end_after_four_tries(answered: Answers) -> None:
    calls, pauses, received = await answered(*[(503, {})] * 9)
    assert [call.status for call in calls] == [503] * 4
    assert pauses == [0.5, 1, 2]
    assert {headers["Klarna-Idempotency-Key"] for headers in received} == {"key"}


@pytest.mark.parametrize(
    ("status", "headers"),
    [(503, {"Retry-After": "7"}), (429, {"Retry-After": "7"}), (429, {"X-Ratelimit-Reset": "7"})],
)
async def test_a_pause_is_as_long_as_klarna_wants(answered: Answers, status: int, headers: dict[str, str]) -> None:
    assert (await answered((status, headers), (200, {})))[1] == [7]


async def test_a_request_is_not_sent_again_if_klarna_wants_a_pause_that_a_shopper_does_not_wait(
    answered: Answers,
) -> None:
    calls, pauses, _ = await answered((503, {"Retry-After": "11"}))
    assert ([call.status for call in calls], pauses) == ([503], [])


async def test_the_correlation_id_of_each_answer_is_kept(merchant: Merchant) -> None:
    await merchant.purchase()
    sent = {
        entry["correlation_id"]
        for name in ("get_authorization", "create_order")
        for entry in await requests(merchant, name)
    }
    assert {call["correlation_id"] for call in (await merchant.books())["calls"]} == sent


@pytest.mark.parametrize("headers", [{}, {"Retry-After": "0"}, {"Retry-After": "Thu, 26 Nov 2026 17:00:00 GMT"}])
async def test_a_pause_is_not_shorter_than_the_shops_own(answered: Answers, headers: dict[str, str]) -> None:
    assert (await answered((503, headers), (200, {})))[1] == [0.5]


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 409])
async def test_an_answer_that_a_repetition_would_not_change_is_final(answered: Answers, status: int) -> None:
    calls, pauses, received = await answered((status, {"X-Ratelimit-Reset": "1"}))
    assert ([call.status for call in calls], pauses) == ([status], [])
    assert received[0]["User-Agent"].startswith("mock-klarna-demo-shop/")
