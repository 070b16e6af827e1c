"""Pages that a developer may visit cannot use the control API: one of another origin, and one whose name leads to this machine."""

from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import pytest
import pytest_asyncio

from mock_klarna import MockKlarna
from tests.browser.chromium import launched
from tests.browser.conftest import TIMEOUT_MS
from tests.browser.shop import Shop

if TYPE_CHECKING:
    from playwright.async_api import Browser, BrowserContext

pytestmark = pytest.mark.asyncio(loop_scope="session")
Json = dict[str, Any]
FOREIGN = "evil.example"

TRIES = """
async base => {
  const seen = [];
  const read = async answer => seen.push(answer.status + " " + (await answer.text()));
  const tries = [
    () => fetch(base + "/_mock/snapshot"),
    () => fetch(base + "/_mock/journal", { mode: "no-cors" }),
    () => fetch(base + "/_mock/clock", { method: "POST", body: '{"advance": "300h"}' }),
    () => fetch(base + "/_mock/clock", { method: "POST", body: new Blob(['{"advance": "300h"}']) }),
    () => fetch(base + "/_mock/clock", { method: "POST", mode: "no-cors", body: new Blob(['{"advance": "300h"}']) }),
    () => fetch(base + "/_mock/clock", { method: "POST", headers: { "Content-Type": "application/json" }, body: "{}" }),
    () => fetch(base + "/_mock/faults", { method: "POST", mode: "no-cors", body: new Blob(['{"on": "request", "status": 500}']) }),
    () => fetch(base + "/_mock/faults", { method: "POST", mode: "no-cors", referrerPolicy: "no-referrer", body: new Blob(['{}']) }),
    () => fetch(base + "/_mock/faults", { method: "DELETE" }),
    () => fetch(base + "/_mock/reset", { method: "POST", mode: "no-cors" }),
    () => fetch(base + "/_mock/snapshot", { method: "PUT", body: "{}" }),
  ];
  for (const attempt of tries) await attempt().then(read, () => seen.push("refused"));
  navigator.sendBeacon(base + "/_mock/reset");
  navigator.sendBeacon(base + "/_mock/clock", new Blob(['{"advance": "300h"}']));
  for (const tag of ["img", "script", "iframe"]) {
    const element = document.createElement(tag);
    const loaded = new Promise(done => { element.onload = () => done("loaded"); element.onerror = () => done("refused"); });
    element.src = base + "/_mock/snapshot";
    document.body.append(element);
    const outcome = await loaded;
    seen.push(tag === "iframe" ? "frame " + (element.contentDocument?.body.innerText ?? "unreadable") : outcome);
  }
  const form = document.createElement("form");
  form.method = "POST"; form.action = base + "/_mock/reset"; form.target = "sink";
  const sink = document.createElement("iframe");
  sink.name = "sink";
  const sent = new Promise(done => { sink.onload = done; });
  document.body.append(sink, form);
  form.submit();
  await sent;
  return seen;
}
"""
"""Everything that a page can send without a user: each way to read and to change state."""


@pytest.fixture
def state(mock_klarna: MockKlarna, key: str) -> Json:
    """What the developer has: a button key and a fault, which a reset would delete."""
    mock_klarna.fault("request", operation="get_button", status=503)
    return {"button_key": key, "clock": mock_klarna.clock()["ahead_seconds"]}


def assert_unchanged(mock_klarna: MockKlarna, state: Json) -> None:
    """The clock, the fault and the button key are what they were."""
    assert mock_klarna.clock()["ahead_seconds"] == state["clock"]
    faults = mock_klarna.faults()
    assert [fault["status"] for fault in faults] == [503]
    assert mock_klarna.send("GET", f"/instantshopping/v1/buttons/{state['button_key']}").status == 503
    assert mock_klarna.send("GET", f"/instantshopping/v1/buttons/{state['button_key']}").status == 200


async def test_a_page_on_another_origin_can_neither_read_nor_change_anything(
    context: "BrowserContext", mock_klarna: MockKlarna, shop: Shop, state: Json
) -> None:
    page = await context.new_page()  # not `tab`, because the refusals are errors in the console
    await page.goto(shop.show("<!doctype html><title>Elsewhere</title><body></body>"))
    seen = await page.evaluate(TRIES, mock_klarna.url)
    await page.close()
    assert set(seen) <= {"refused", "0 ", "frame unreadable"}, seen
    assert_unchanged(mock_klarna, state)


@pytest_asyncio.fixture(loop_scope="session")
async def rebound(mock_klarna: MockKlarna) -> "AsyncIterator[Browser]":
    """Chromium on a network whose DNS gives the name of a foreign page an address of this machine."""
    async with launched(f"--host-resolver-rules=MAP {FOREIGN} 127.0.0.1") as browser:
        yield browser


async def test_a_page_with_a_foreign_host_name_can_neither_read_nor_change_anything(
    rebound: "Browser", mock_klarna: MockKlarna, shop: Shop, state: Json
) -> None:
    base = f"http://{FOREIGN}:{mock_klarna.url.rpartition(':')[2]}"
    page = await rebound.new_page()
    page.set_default_timeout(TIMEOUT_MS)
    # lib.js is served to every host, so that a page of this origin exists in the browser
    await page.goto(base + "/instantshopping/lib/v1/lib.js")
    seen = await page.evaluate(TRIES, base)
    assert not [text for text in seen if "merchant_urls" in text or text.startswith("2")], seen
    assert {text[:3] for text in seen} >= {"421"}
    assert_unchanged(mock_klarna, state)
