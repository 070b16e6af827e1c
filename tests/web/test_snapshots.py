"""The state out and in (`/_mock/snapshot`): atomic, versioned, of one merchant or of all."""

import asyncio
import copy
import json
import re
from collections.abc import AsyncGenerator, Callable
from io import BytesIO
from typing import Any

import aiohttp
import orjson
import pytest

from mock_klarna import MockKlarnaAsync
from tests.extent import extent

Json = dict[str, Any]


@pytest.fixture
async def state(klarna: MockKlarnaAsync, purchase: Json) -> Any:
    """A snapshot with a record of each kind in it: a key, a placed and a waiting purchase, callbacks, a fault, a clock."""
    order = await klarna.get_authorization(purchase["authorization_token"])
    await klarna.create_order(purchase["authorization_token"], order)
    outcome = {"fraud_status": "PENDING", "then": "ACCEPTED", "after": "2h"}
    waiting = await klarna.purchase(page=order, wait=0, outcome=outcome)
    for each in (purchase, waiting):  # a snapshot has a callback that is being sent as one that was interrupted
        await klarna.wait_for("place_order", within=120, purchase_id=each["purchase_id"])
    await klarna.advance_clock("1h")
    await klarna.fault("callback", drop=True)
    return await klarna.snapshot()


async def test_what_came_out_goes_in_and_comes_out_the_same(klarna: MockKlarnaAsync, state: Json) -> None:
    before = await klarna.purchases(), await klarna.callbacks(), await klarna.faults()
    await klarna.reset(seed=1)
    assert await klarna.purchases() == []
    await klarna.load_snapshot(state)
    assert (await klarna.purchases(), await klarna.callbacks(), await klarna.faults()) == before
    assert await klarna.snapshot() == state
    assert set(state["merchants"][klarna.merchant]["records"]) == {
        "button", "purchase", "order", "callback", "fault", "merchant"
    }  # fmt: skip


async def test_a_restored_purchase_lives_on(klarna: MockKlarnaAsync, purchase: Json) -> None:
    state = await klarna.snapshot()
    await klarna.advance_clock("2h")
    assert (await klarna.find_purchase(purchase["purchase_id"]))["state"] == "timed_out"
    await klarna.load_snapshot(state)
    assert await klarna.get_authorization(purchase["authorization_token"])
    await klarna.advance_clock("2h")
    assert (await klarna.find_purchase(purchase["purchase_id"]))["state"] == "timed_out"


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/instantshopping/v1/buttons", {"merchant_urls": {"place_order": "http://127.0.0.1:1/"}}),
        ("/_mock/orders", {"cart": "se-battery-pack"}),
        ("/_mock/purchases", {"cart": "se-battery-pack", "wait": 0}),
        ("/_mock/faults", {"on": "callback", "drop": True}),
    ],
)
async def test_after_a_snapshot_with_too_low_counters_new_records_still_get_new_ids(
    klarna: MockKlarnaAsync, button: Json, path: str, body: Json
) -> None:
    for _ in range(3):
        await klarna.send("POST", path, body)
    before = await klarna.snapshot()
    before["merchants"][klarna.merchant]["counters"] = {}
    await klarna.load_snapshot(before)
    assert (await klarna.send("POST", path, body)).status == 201
    after = await klarna.snapshot()
    old, new = (state["merchants"][klarna.merchant]["records"] for state in (before, after))
    kinds = old.keys() - {"callback"}  # these are being sent meanwhile
    assert {kind: new[kind][: len(old[kind])] for kind in kinds} == {kind: old[kind] for kind in kinds}
    assert sum(len(new[kind]) for kind in kinds) > sum(len(old[kind]) for kind in kinds)


async def test_after_a_snapshot_with_too_low_counters_tokens_and_what_has_one_stay_apart(
    klarna: MockKlarnaAsync, button: Json
) -> None:
    async def bought(number: int) -> list[str]:
        """Buy, place, capture and refund; return the ids of what that creates."""
        purchase = await klarna.purchase(cart="se-battery-pack", wait=0)
        token = purchase["authorization_token"]
        order = await klarna.create_order(token, purchase["order"])
        path = f"/ordermanagement/v1/orders/{order['order_id']}"
        captures = [await klarna.send("POST", f"{path}/captures", {"captured_amount": 9}) for _ in range(number)]
        refunds = [await klarna.send("POST", f"{path}/refunds", {"refunded_amount": 1}) for _ in range(number)]
        parts = [
            answer.headers[f"{name}-Id"] for name, of in (("Capture", captures), ("Refund", refunds)) for answer in of
        ]
        return [token, order["order_id"], path, *parts]

    first = await bought(2)
    state = await klarna.snapshot()
    state["merchants"][klarna.merchant]["counters"] = {}
    await klarna.load_snapshot(state)
    second = await bought(2)
    assert len({*first, *second}) == len([*first, *second])
    answer = await klarna.send("POST", f"{first[2]}/captures", {"captured_amount": 9})
    assert answer.headers["Capture-Id"] not in first
    assert (await klarna.find_purchase(first[0]))["authorization_token"] == first[0]
    await klarna.load_snapshot(await klarna.snapshot())  # it would be refused with one token of two purchases


async def test_a_snapshot_of_one_merchant_leaves_the_others_alone(klarna: MockKlarnaAsync, state: Json) -> None:
    await klarna.send("POST", "/_mock/clock?merchant=other", {"advance": 60})
    assert set((await klarna.snapshot())["merchants"]) == {klarna.merchant}
    answer = await klarna.send("GET", "/_mock/snapshot", headers={"Authorization": ""})
    assert set(answer.body["merchants"]) == {klarna.merchant, "other"}
    await klarna.load_snapshot(state)
    assert (await klarna.send("GET", "/_mock/clock?merchant=other")).body["ahead_seconds"] == pytest.approx(60, abs=1)


def _button(state: Json) -> Json:
    (merchant,) = state["merchants"].values()
    return merchant["records"]["button"][0]  # type: ignore[no-any-return]


def _of_nobody(state: Json) -> None:
    _button(state)["merchant"] = "somebody else"


def _too_much(state: Json) -> None:
    _button(state)["color"] = "red"


def _too_little(state: Json) -> None:
    del _button(state)["body"]


def _of_another_kind(state: Json) -> None:
    next(iter(state["merchants"].values()))["records"]["castle"] = [{}]


def _not_a_record(state: Json) -> None:
    next(iter(state["merchants"].values()))["records"]["button"] = [5]


def _newer(state: Json) -> None:
    state["version"] = 2


@pytest.mark.parametrize(
    ("damage", "named"),
    [
        (_of_nobody, "somebody else"),
        (_too_much, "color"),
        (_too_little, "body"),
        (_of_another_kind, "castle"),
        (_not_a_record, "button[0]"),
        (_newer, "version"),
    ],
)
async def test_a_damaged_snapshot_is_refused_and_changes_nothing(
    klarna: MockKlarnaAsync, state: Json, damage: Callable[[Json], None], named: str
) -> None:
    damaged = copy.deepcopy(state)
    damage(damaged)
    answer = await klarna.send("PUT", "/_mock/snapshot", damaged)
    assert answer.status == 400
    assert named in str(answer.body)
    assert await klarna.snapshot() == state


async def test_a_snapshot_cannot_take_what_belongs_to_a_merchant_who_stays(
    klarna: MockKlarnaAsync, state: Json
) -> None:
    stolen = copy.deepcopy(state)
    stolen["merchants"]["thief"] = stolen["merchants"].pop(klarna.merchant)
    for records in stolen["merchants"]["thief"]["records"].values():
        for record in records:
            record["merchant"] = "thief"
    for job in stolen["merchants"]["thief"]["jobs"]:
        job["merchant"] = "thief"
    answer = await klarna.send("PUT", "/_mock/snapshot", stolen, {"Authorization": ""})
    assert (answer.status, klarna.merchant in answer.body["detail"]) == (400, True)
    assert await klarna.snapshot() == state
    assert (await klarna.send("GET", "/_mock/purchases?merchant=thief")).body["total"] == 0


@pytest.fixture
def large(state: Json) -> Json:
    """A snapshot of some megabytes."""
    (held,) = state["merchants"].values()
    key = held["records"]["button"][0]
    held["records"]["button"] += [{**key, "button_key": f"key-{number}"} for number in range(8000)]
    return state


async def test_a_large_snapshot_goes_in_and_comes_out_the_same(klarna: MockKlarnaAsync, large: Json) -> None:
    assert len(json.dumps(large)) > 2 << 20
    await klarna.load_snapshot(large)
    assert await klarna.snapshot() == large


def _no_counters(state: Json) -> None:
    del next(iter(state["merchants"].values()))["counters"]


@pytest.mark.parametrize(
    ("damage", "named"),
    [(_of_nobody, "somebody else"), (_too_much, "color"), (_newer, "version"), (_no_counters, "counters")],
)
async def test_a_large_snapshot_that_is_damaged_is_refused_and_changes_nothing(
    klarna: MockKlarnaAsync, large: Json, damage: Callable[[Json], None], named: str
) -> None:
    before = await klarna.snapshot()
    damage(large)
    answer = await klarna.send("PUT", "/_mock/snapshot", large)
    assert (answer.status, named in str(answer.body)) == (400, True)
    assert await klarna.snapshot() == before


async def test_a_large_snapshot_that_is_cut_off_is_refused_with_the_place(klarna: MockKlarnaAsync, large: Json) -> None:
    headers = {"Content-Type": "application/json"}
    async with (
        aiohttp.ClientSession() as session,
        session.put(
            f"{klarna.url}/_mock/snapshot", data=BytesIO(json.dumps(large).encode()[:-2]), headers=headers
        ) as answer,
    ):
        problem = await answer.json()
    assert (answer.status, "line 1, column" in str(problem)) == (400, True)


@pytest.mark.parametrize("query", ["", "?merchant=thief"])
async def test_a_call_of_one_merchant_replaces_no_others_state(
    klarna: MockKlarnaAsync, state: Json, query: str
) -> None:
    anothers: Json = json.loads(json.dumps(state).replace(klarna.merchant, "victim"))
    own: Json = {"version": 1, "merchants": {**state["merchants"], **anothers["merchants"]}}
    for sent in (anothers, own):
        answer = await klarna.send("PUT", f"/_mock/snapshot{query}", sent)
        first = next(name for name in sent["merchants"] if query or name != klarna.merchant)
        assert (answer.status, repr(first) in answer.body["detail"]) == (403, True)
        assert "without credentials" in answer.body["hint"]
    assert await klarna.snapshot() == state
    assert (await klarna.send("GET", "/_mock/purchases?merchant=victim")).body["total"] == 0


async def test_a_snapshot_is_sent_in_chunks_and_head_sends_none(klarna: MockKlarnaAsync, large: Json) -> None:
    await klarna.load_snapshot(large)
    async with aiohttp.ClientSession() as session:
        async with session.get(f"{klarna.url}/_mock/snapshot") as answer:
            assert (answer.status, answer.content_type) == (200, "application/json")
            assert answer.headers["Transfer-Encoding"] == "chunked"
            assert await answer.json() == large
        async with session.head(f"{klarna.url}/_mock/snapshot") as answer:
            assert (answer.status, await answer.read()) == (200, b"")


async def test_others_are_answered_while_a_snapshot_arrives_and_while_nobody_reads_one(
    klarna: MockKlarnaAsync, large: Json
) -> None:
    await klarna.load_snapshot(large)
    before = await klarna.snapshot()
    raw, others_were_answered = json.dumps(large).encode(), asyncio.Event()

    async def slowly() -> AsyncGenerator[bytes]:
        yield raw[: len(raw) // 2]
        await others_were_answered.wait()
        yield raw[len(raw) // 2 :]

    headers = {"Content-Type": "application/json"}
    async with aiohttp.ClientSession() as session, session.get(f"{klarna.url}/_mock/snapshot") as unread:
        url = f"{klarna.url}/_mock/snapshot"
        sending = asyncio.create_task(session.request("PUT", url, data=slowly(), headers=headers).__aenter__())
        assert await klarna.snapshot() == before
        created = await klarna.send("POST", "/_mock/clock?merchant=other", {"advance": 60})
        assert created.status == 200
        others_were_answered.set()
        assert (await sending).status == 204
        assert await unread.json() == before
    assert await klarna.snapshot() == before


async def test_a_snapshot_whose_sender_leaves_changes_nothing(klarna: MockKlarnaAsync, large: Json) -> None:
    before = await klarna.snapshot()
    raw = json.dumps(large).encode()
    reader, writer = await asyncio.open_connection("127.0.0.1", int(klarna.url.rpartition(":")[2]))
    lines = ("PUT /_mock/snapshot HTTP/1.1", "Host: localhost", "Content-Type: application/json")
    head = "\r\n".join([*lines, f"Content-Length: {len(raw)}", "", ""]).encode()
    writer.write(head + raw[:-100])
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await reader.read() == b""
    assert await klarna.snapshot() == before


async def test_a_body_above_the_limit_is_refused_before_it_is_read(klarna: MockKlarnaAsync) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", int(klarna.url.rpartition(":")[2]))
    lines = ("PUT /_mock/snapshot HTTP/1.1", "Host: localhost", "Content-Type: application/json")
    writer.write("\r\n".join([*lines, f"Content-Length: {(1 << 30) + 1}", "", ""]).encode())
    assert b" 413 " in await reader.readline()
    writer.close()
    await writer.wait_closed()


PLACES: dict[str, list[Any]] = {
    "button[0].body": ["x", "", "[]", 5, '{"merchant_urls": 5}', {"base64": "!"}],
    "button[0].version": [0, "1", 1e300],
    "purchase[0].expires_at": [-1e308, 1e308, -1, "soon"],
    "purchase[0].state": ["bought", "", 5],
    "purchase[0].order": ["x", "{}", ""],
    "purchase[0].outcome.after": [-1, "2h"],
    "purchase[0].outcome.fraud_status": ["MAYBE"],
    "order[0].created_at": [1e300, -5, []],
    "order[0].body": ["x", "5", '{"purchase_currency": "SEK", "customer": 5}'],
    "order[0].order_amount": [1.5, 10**18, "100"],
    "order[0].fulfilment.changes": ["x", "[]"],
    "order[0].fulfilment.ended": ["NEVER"],
    "order[0].fulfilment.captures[0].captured_at": [-1e308],
    "order[0].fulfilment.captures[0].captured_amount": [-1, 10**16],
    "callback[0].created_at": [1e300, None],
    "callback[0].state": ["lost"],
    "callback[0].url": ["", "shop/place", "http://[::1/place", "http://127.0.0.1:99999/", "ftp://shop/", "http://a b/"],
    "order[0].push_url": ["", "http://127.0.0.1:port/"],
    "callback[0].attempts[0].at": [1e300],
    "callback[0].attempts[0].answer_headers": ["abc", [["a", 5]], [["a", "b\r\nc: d"]]],
    "fault[0].body": ["x", '{"on": "callback", "delay": "long"}'],
    "fault[0].times": [0, True],
    "merchant[0].clock_offset": [1e300, -1e308],
}


async def test_a_refusal_names_the_place_in_the_snapshot(klarna: MockKlarnaAsync, captured: Json) -> None:
    for place, value in [(place, value) for place, values in PLACES.items() for value in values]:
        damaged = copy.deepcopy(captured)
        whole = f"merchants.{klarna.merchant}.records.{place}"
        steps = [int(step) if step.isdigit() else step for step in re.findall(r"[^.\[\]]+", whole)]
        holder: Any = damaged
        for step in steps[:-1]:
            holder = holder[step]
        holder[steps[-1]] = value
        answer = await klarna.send("PUT", "/_mock/snapshot", damaged)
        where = re.sub(r"(?<=answer_headers)\[0]\[1]$", "", answer.body["where"])
        assert (answer.status, where) == (400, whole), value
        assert answer.body["hint"].startswith("expected "), (place, value)
        assert await klarna.snapshot() == captured, (place, value)


@pytest.mark.parametrize(
    ("body", "shown"), [(b"null", "null"), (b"true", "true"), (b"[]", "[]"), (b'"x"', "'x'"), (b"1", "1")]
)
async def test_a_body_that_is_no_object_is_named_in_the_words_of_json(
    klarna: MockKlarnaAsync, body: bytes, shown: str
) -> None:
    answer = await klarna.send("PUT", "/_mock/snapshot", orjson.Fragment(body))
    assert (answer.status, answer.body["detail"]) == (400, f"{shown} is not possible")
    assert answer.body["hint"] == "expected an object"


@pytest.fixture
async def captured(klarna: MockKlarnaAsync, state: Json) -> Any:
    """The same state with a capture and a refund in its order."""
    (order_id,) = [order["order_id"] for order in await klarna.orders()]
    await klarna.capture(order_id, 100)
    await klarna.refund(order_id, 50)
    return await klarna.snapshot()


VALUES: tuple[Any, ...] = (
    None,
    True,
    0,
    -1,
    1.5,
    1e308,
    -1e308,
    2**62,
    "",
    "x",
    "\u0000",
    [],
    [1],
    ["x"],
    {},
    {"x": 1},
    "{}",
    "[1]",
)


EVERY = extent(usual=11, thorough=1)
"""Of the wrong values each member gets every eleventh, beginning with another one each time, or in a thorough run all of them."""


def _members(part: Any, place: str = "") -> list[tuple[Any, Any, str]]:
    """Return every member of a JSON value: what holds it, under which name or number, and its path."""
    pairs = part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
    own = [(part, step, f"{place}.{step}") for step, _ in pairs]
    inner = [_members(part[step], path) for _, step, path in own]
    return own + [member for members in inner for member in members]


async def test_whatever_is_wrong_with_a_snapshot_is_refused_or_can_be_looked_at(
    klarna: MockKlarnaAsync, captured: Json
) -> None:
    shown = await _shown(klarna)
    refused = taken = 0
    tried = (..., *VALUES)
    for number, (holder, step, path) in enumerate(_members(captured)):
        before = holder[step]
        for value in tried[number % EVERY :: EVERY]:
            if value is ...:
                del holder[step]
            else:
                holder[step] = value
            answer = await klarna.send("PUT", "/_mock/snapshot", captured)
            if answer.status == 204:
                taken += 1
                for look, found in shown.items():
                    assert (await klarna.send("GET", look)).status in found, (path, value, look)
            else:
                refused += 1
                assert answer.status in (400, 403), (path, value)
                assert answer.body.get("where"), (path, value, answer.body)
            if isinstance(holder, list) and value is ...:
                holder.insert(step, before)
            else:
                holder[step] = before
    assert taken
    assert refused > taken


async def _shown(klarna: MockKlarnaAsync) -> dict[str, tuple[int, ...]]:
    """Return every look that there is at the state with its possible answers: the lists, and each thing by its id."""
    ids = {
        "purchases": [purchase["purchase_id"] for purchase in await klarna.purchases()],
        "orders": [order["order_id"] for order in await klarna.orders()],
        "callbacks": [callback["callback_id"] for callback in await klarna.callbacks()],
    }
    lists = {f"/_mock/{name}": (200,) for name in (*ids, "journal", "faults", "clock", "snapshot", "health")}
    return lists | {f"/_mock/{name}/{one}": (200, 404) for name, held in ids.items() for one in held}


# Under names


@pytest.fixture
async def names(klarna: MockKlarnaAsync) -> AsyncGenerator[None]:
    """Deletes the snapshots that a test kept: a reset does not."""
    yield
    for about in (await klarna.send("GET", "/_mock/snapshots", headers={"Authorization": ""})).body["snapshots"]:
        await klarna.delete_snapshot(about["name"])


@pytest.mark.usefixtures("names")
async def test_a_state_is_kept_under_a_name_and_loaded_after_a_reset(klarna: MockKlarnaAsync, state: Json) -> None:
    about = await klarna.save_snapshot("in-the-middle")
    assert (about["name"], about["merchants"]) == ("in-the-middle", [klarna.merchant])
    assert about["bytes"] == len(orjson.dumps(state))
    await klarna.reset(seed=1)
    assert await klarna.snapshots() == [about]
    await klarna.load_snapshot("in-the-middle")
    assert await klarna.snapshot() == state
    assert (await klarna.send("GET", "/_mock/snapshots/in-the-middle")).body == state
    await klarna.save_snapshot("in-the-middle")
    assert len(await klarna.snapshots()) == 1
    await klarna.delete_snapshot("in-the-middle")
    assert await klarna.snapshots() == []


@pytest.mark.usefixtures("names")
async def test_a_fork_is_a_merchant_of_its_own_with_other_ids(klarna: MockKlarnaAsync, state: Json) -> None:
    await klarna.save_snapshot("base")
    fork = klarna.as_merchant("fork")
    await klarna.fork_snapshot("base", "fork")
    copied = (await fork.snapshot())["merchants"]["fork"]
    original = state["merchants"][klarna.merchant]
    assert {kind: len(records) for kind, records in copied["records"].items()} == {
        kind: len(records) for kind, records in original["records"].items()
    }
    assert len(copied["jobs"]) == len(original["jobs"])
    ids = re.compile(r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
    assert not set(ids.findall(json.dumps(copied))) & set(ids.findall(json.dumps(original)))
    assert (await fork.clock())["ahead_seconds"] == (await klarna.clock())["ahead_seconds"]
    assert await klarna.snapshot() == state


@pytest.mark.usefixtures("names")
async def test_what_happens_in_a_fork_happens_nowhere_else(klarna: MockKlarnaAsync, purchase: Json) -> None:
    await klarna.wait_for("place_order", within=120)
    await klarna.save_snapshot("base")
    fork = klarna.as_merchant("fork")
    await fork.fork_snapshot("base")
    (copy_of_purchase,) = await fork.purchases()
    token = copy_of_purchase["authorization_token"]
    placed = await fork.create_order(token, await fork.get_authorization(token))
    assert (await fork.find_purchase(token))["order_id"] == placed["order_id"]
    assert (await klarna.find_purchase(purchase["purchase_id"]))["state"] == "authorized"
    assert [one["callback_id"] for one in copy_of_purchase["callbacks"]] != [
        one["callback_id"] for one in await klarna.callbacks()
    ]
    await fork.fork_snapshot("base")  # and the same ids come back
    assert [one["purchase_id"] for one in await fork.purchases()] == [copy_of_purchase["purchase_id"]]
    assert (await fork.find_purchase(token))["state"] == "authorized"
    second = klarna.as_merchant("second")
    await second.fork_snapshot("base")
    assert (await second.purchases())[0]["purchase_id"] != copy_of_purchase["purchase_id"]


@pytest.mark.usefixtures("names")
async def test_of_several_merchants_one_is_named_to_be_copied(klarna: MockKlarnaAsync, button: Json) -> None:
    await klarna.as_merchant("other").create_button(merchant_urls=button["merchant_urls"])
    saved = await klarna.send("PUT", "/_mock/snapshots/both", headers={"Authorization": ""})
    assert saved.body["merchants"] == sorted([klarna.merchant, "other"])
    load = "/_mock/snapshots/both/load"
    refused = await klarna.send("POST", load, {"as_merchant": "copy"}, {"Authorization": ""})
    assert (refused.status, refused.body["where"]) == (409, "as_merchant")
    done = await klarna.send("POST", f"{load}?merchant=other", {"as_merchant": "copy"}, {"Authorization": ""})
    assert done.status == 204
    (record,) = (await klarna.as_merchant("copy").snapshot())["merchants"]["copy"]["records"]["button"]
    assert record["button_key"] != button["button_key"]
    assert (await klarna.send("POST", load)).status == 403
    await klarna.reset()
    assert (await klarna.send("POST", load, headers={"Authorization": ""})).status == 204
    assert await klarna.get_button(button["button_key"]) == button


@pytest.mark.usefixtures("names")
async def test_idempotency_keys_and_the_region_of_a_merchant_are_not_copied(klarna: MockKlarnaAsync) -> None:
    order = await klarna.order(cart="se-battery-pack")
    path = f"/ordermanagement/v1/orders/{order['order_id']}/captures"
    await klarna.send("POST", path, {"captured_amount": 100}, {"Klarna-Idempotency-Key": "once"})
    await klarna.save_snapshot("captured")
    fork = klarna.as_merchant("fork")
    await fork.fork_snapshot("captured")
    copied = (await fork.snapshot())["merchants"]["fork"]
    assert "answer" in (await klarna.snapshot())["merchants"][klarna.merchant]["records"]
    assert "answer" not in copied["records"]
    assert "forget_answer" not in {job["kind"] for job in copied["jobs"]}
    (copy_of_order,) = await fork.orders()
    assert copy_of_order["order_management"]["captured_amount"] == 100


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "hint"),
    [
        ("PUT", "a%20b", None, 400, "1 to 64 letters"),
        ("PUT", ".hidden", None, 400, "beginning with a letter or digit"),
        ("PUT", "x" * 65, None, 400, "1 to 64 letters"),
        ("GET", "paid", None, 404, "GET /_mock/snapshots lists them"),
        ("DELETE", "paid", None, 404, "GET /_mock/snapshots lists them"),
        ("POST", "paid/load", None, 404, "GET /_mock/snapshots lists them"),
        ("POST", "paid/load", {"as_merchant": "x"}, 404, "GET /_mock/snapshots lists them"),
        ("POST", "paid/load", {"as_merchant": "a:b"}, 400, "without a colon"),
        ("POST", "paid/load", {"as": "a"}, 400, "as_merchant"),
    ],
)
async def test_a_name_that_is_impossible_or_unknown_is_refused(
    klarna: MockKlarnaAsync, method: str, path: str, body: Any, status: int, hint: str
) -> None:
    answer = await klarna.send(method, f"/_mock/snapshots/{path}", body)
    assert answer.status == status
    assert hint in answer.body["hint"]


@pytest.mark.usefixtures("names")
async def test_a_mistyped_name_is_suggested_and_the_number_and_size_of_snapshots_are_limited(
    klarna: MockKlarnaAsync, button: Json, monkeypatch: pytest.MonkeyPatch
) -> None:
    await klarna.save_snapshot("after-payment")
    assert "did you mean after-payment?" in (await klarna.send("GET", "/_mock/snapshots/after-paymnet")).body["hint"]
    monkeypatch.setattr("mock_klarna.emulator.saved_snapshots.MAX_SNAPSHOTS", 1)
    refused = await klarna.send("PUT", "/_mock/snapshots/one-more")
    assert (refused.status, refused.body["where"]) == (409, "snapshot_name")
    await klarna.save_snapshot("after-payment")
    monkeypatch.setattr("mock_klarna.emulator.saved_snapshots.MAX_BYTES", 10)
    assert (await klarna.send("PUT", "/_mock/snapshots/after-payment")).status == 409
    assert [about["name"] for about in await klarna.snapshots()] == ["after-payment"]
