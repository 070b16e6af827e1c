"""Snapshots: the state of merchants out and in, and snapshots that the store keeps under names."""

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from typing import Any

from mock_klarna.domain.time import moment
from mock_klarna.errors import BadValue, Forbidden
from mock_klarna.store.snapshot import SavedSnapshot
from mock_klarna.store.snapshot_stream import Portion, read_snapshot, write_snapshot
from mock_klarna.validation import MalformedBody
from mock_klarna.web.request import JSON, ApiRequest, ApiResponse, Services, json_response

Json = dict[str, Any]


async def get_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the state of a merchant or of all: everything but the journal. It is sent while it is read."""
    state = services.emulator.store.dump([request.merchant] if request.merchant else None)
    pieces = write_snapshot(state)
    return await _streamed(pieces)


async def _streamed(pieces: AsyncGenerator[bytes]) -> ApiResponse:
    first = await anext(pieces)
    return ApiResponse(200, headers={"Content-Type": JSON}, stream=_preceded(first, pieces))


async def _preceded(first: bytes, others: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    """Yield a piece that was read before the response began, so that a failure of the store had a status, then the others."""
    async with aclosing(others):
        yield first
        async for piece in others:
            yield piece


async def put_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Replace the state of the merchants in a snapshot, all or nothing; with credentials only that of their merchant.

    The body is read and checked while it arrives.
    """
    try:
        return await _load(services, _own_portions(request.merchant, read_snapshot(request.stream)))
    except MalformedBody as malformed:
        raise BadValue([malformed.problem]) from None


async def _load(services: Services, portions: AsyncIterator[Portion]) -> ApiResponse:
    await services.emulator.store.load(portions)
    for merchant in await services.emulator.merchants.names():
        services.scheduler.wake(merchant)
    return ApiResponse(204)


async def _own_portions(merchant: str, portions: AsyncIterator[Portion]) -> AsyncGenerator[Portion]:
    """Yield portions; raises `Forbidden` if a request acts for one merchant and a portion belongs to another one."""
    async for portion in portions:
        if merchant and portion.merchant != merchant:
            detail = f"this call acts for {merchant!r}, and the snapshot contains {portion.merchant!r}"
            hint = "send it without credentials and without ?merchant= to replace any merchant's state"
            raise Forbidden(detail, where=f"merchants.{portion.merchant}", hint=hint)
        yield portion


# Under names


async def list_saved_snapshots(services: Services, request: ApiRequest) -> ApiResponse:
    """List the snapshots that are kept under names: those with the state of a merchant, or all."""
    saved = await services.emulator.snapshots.all(request.scope)
    return json_response({"snapshots": [_saved(about) for about in saved]})


async def save_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Save the state of a merchant or of all under a name, in place of an earlier snapshot of this name.

    The store keeps it: in memory until the server ends, in SQLite and PostgreSQL as long as the state. A reset does not delete it.
    """
    return json_response(_saved(await services.emulator.snapshots.save(request.path("snapshot_name"), request.scope)))


async def get_saved_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a snapshot that is kept under a name, as `GET /_mock/snapshot` returned the state then."""
    return await _streamed(await services.emulator.snapshots.content(request.path("snapshot_name")))


async def delete_saved_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Delete a snapshot that is kept under a name."""
    await services.emulator.snapshots.delete(request.path("snapshot_name"))
    return ApiResponse(204)


async def load_saved_snapshot(services: Services, request: ApiRequest) -> ApiResponse:
    """Replace the state of the merchants in a snapshot, or load the state of one of them as that of another merchant.

    All or nothing. Merchants that the snapshot does not have keep their state.
    """
    snapshots, name, target = (
        services.emulator.snapshots,
        request.path("snapshot_name"),
        request.body.get("as_merchant"),
    )
    if target is not None:
        return await _load(services, await snapshots.forked(name, request.scope, target))
    return await _load(services, _own_portions(request.merchant, await snapshots.portions(name)))


def _saved(about: SavedSnapshot) -> Json:
    return {
        "name": about.name,
        "created_at": moment(about.created_at),
        "merchants": list(about.merchants),
        "bytes": about.json_bytes,
    }
