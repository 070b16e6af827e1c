"""What a callback sends and where, and what a merchant's answer to `update` means (klarna.md §4)."""

from typing import Any

import orjson
from msgspec import Struct
from msgspec.structs import replace

from mock_klarna.domain.callbacks import CALLBACKS, KINDS_OF_JOB, Attempt, CallbackKind
from mock_klarna.domain.records import Job, Order, Purchase
from mock_klarna.emulator.checkout_steps import UNUSABLE
from mock_klarna.errors import StateConflict, in_words
from mock_klarna.store.base import Store
from mock_klarna.validation import MalformedBody, Validator, read_json, write_json


class CallbackRequest(Struct, frozen=True, gc=False):
    """A callback to be sent: the name of its kind, its URL, its body, and the purchase or order that it is about."""

    callback: str
    url: str
    body: bytes
    purchase_id: str
    order_id: str | None = None


async def request_of(store: Store, job: Job) -> CallbackRequest | None:
    """Return the callback of a due job, or None where it is not wanted any more or has no URL."""
    kinds = KINDS_OF_JOB[job.kind]
    record = await store.get(kinds[0].record, job.subject)
    if record is None:
        return None
    wanted = [kind for kind in kinds if kind.is_wanted(record)]
    urls = _urls(record, wanted)
    kind = next((kind for kind in wanted if urls.get(kind.name)), None)
    if kind is None:
        return None
    body = kind.body(record)
    order_id = record.order_id if isinstance(record, Order) else None
    raw = body if isinstance(body, bytes) else write_json(body)
    return CallbackRequest(kind.name, urls[kind.name], raw, record.purchase_id, order_id)


def forged_place_order(purchase: Purchase, token: str) -> CallbackRequest:
    """Return the `place_order` callback of an authorized purchase with another token; raises `StateConflict` without one."""
    kind = CALLBACKS["place_order"]
    url = orjson.loads(purchase.order)["merchant_urls"].get(kind.name) if purchase.order else None
    if not url:
        hint = "a purchase that was authorized, of a button key with a place_order URL"
        raise StateConflict(
            f"purchase {purchase.purchase_id} has no place_order callback", where="purchase_id", hint=hint
        )
    body = kind.body(replace(purchase, authorization_token=token))
    return CallbackRequest(kind.name, url, body if isinstance(body, bytes) else write_json(body), purchase.purchase_id)


def _urls(record: Purchase | Order, kinds: list[CallbackKind]) -> dict[str, Any]:
    """Return the URLs of callbacks about a record: those of the record, or of its authorized order."""
    own = {kind.name: getattr(record, kind.url) for kind in kinds if kind.url}
    if isinstance(record, Order) or len(own) == len(kinds):
        return own
    return {**orjson.loads(record.order)["merchant_urls"], **own}


def read_update_answer(attempt: Attempt, validator: Validator) -> tuple[dict[str, Any], str | None]:
    """Return the changes in an answer to `update`, and why it cannot be used: 304 changes nothing, 200 has JSON."""
    if attempt.status == 304:
        return {}, None
    if attempt.outcome != "answered" or attempt.status != 200:
        what = f"answered {attempt.status}" if attempt.outcome == "answered" else f"{attempt.outcome}: {attempt.error}"
        return {}, f"the update callback {what}; expected 200 with JSON, or 304"
    try:
        changes, problems = validator.check("update_answer", read_json(attempt.answer), nulls=True)
    except MalformedBody as malformed:
        return {}, f"the answer to update is not JSON: {malformed.problem.as_text()}"
    if problems:
        return {}, f"{UNUSABLE}: {in_words(problems)}"
    return changes, None
