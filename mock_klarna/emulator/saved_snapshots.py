"""Snapshots that are kept under names: saving the state of merchants, loading it again, and loading it as another merchant."""

import asyncio
import re
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Iterable
from contextlib import AbstractAsyncContextManager, aclosing
from typing import Any

import orjson

from mock_klarna.domain.journal import NO_MERCHANT
from mock_klarna.domain.records import FirstHost, Job, Merchant, Record, RecordJob, RememberedAnswer
from mock_klarna.emulator.context import Context, uuid_from
from mock_klarna.errors import InvalidInput, Problem, StateConflict, UnknownName, did_you_mean
from mock_klarna.store.snapshot import KINDS, SavedSnapshot, decode, encode
from mock_klarna.store.snapshot_stream import PIECE_BYTES, Portion, read_snapshot, write_snapshot

MAX_SNAPSHOTS = 100
MAX_BYTES = 64 << 20
"""Compressed bytes of all saved snapshots together."""
_DELETE_ONE = "DELETE /_mock/snapshots/{snapshot_name} deletes one"
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")
_NOT_COPIED = (RememberedAnswer, FirstHost)
"""Records that make no sense for another merchant: answers to its idempotency keys, and where its credentials were used."""


class Snapshots:
    """Snapshots by name. The names are those of the store: every merchant, and every server with the same store, sees the same."""

    def __init__(self, context: Context) -> None:
        self._store = context.store
        self._context = context

    async def all(self, merchant: str | None) -> list[SavedSnapshot]:
        """Return the snapshots by name: those with the state of a merchant, or all for None."""
        found = await self._store.saved_snapshots()
        return [about for about in found if merchant is None or merchant in about.merchants]

    async def save(self, name: str, merchant: str | None) -> SavedSnapshot:
        """Save the state of a merchant, or of all for None, in place of an earlier snapshot of this name.

        Raises `InvalidInput` for an impossible name, `StateConflict` if there are too many snapshots or they are too large.
        """
        if not _NAME.fullmatch(name):
            expected = "1 to 64 letters, digits, dots, hyphens and underscores, beginning with a letter or digit"
            raise InvalidInput([Problem("snapshot_name", "pattern", name, expected)], where="path")
        async with self._exclusive():
            others = [about for about in await self._store.saved_snapshots() if about.name != name]
            if len(others) >= MAX_SNAPSHOTS:
                message = f"there are {len(others)} snapshots, which is the most"
                raise StateConflict(message, where="snapshot_name", hint=_DELETE_ONE)
            left = MAX_BYTES - sum(about.stored_bytes for about in others)
            merchants: dict[str, None] = {}
            content, json_bytes = await _compressed(self._state(merchant, merchants), left)
            about = SavedSnapshot(
                name=name,
                created_at=self._context.real_time(),
                merchants=tuple(sorted(merchants)),
                json_bytes=json_bytes,
                stored_bytes=len(content),
            )
            await self._store.save_snapshot(about, content)
            return about

    async def _state(self, merchant: str | None, merchants: dict[str, None]) -> AsyncGenerator[Portion]:
        """Yield the state, and note whose it is."""
        async with aclosing(self._store.dump(None if merchant is None else [merchant])) as portions:
            async for portion in portions:
                if portion.merchant != NO_MERCHANT:
                    merchants[portion.merchant] = None
                yield portion

    async def content(self, name: str) -> AsyncGenerator[bytes]:
        """Return the pieces of a snapshot's JSON; raises `UnknownName`."""
        return _decompressed(await self._content(name))

    async def _content(self, name: str) -> bytes:
        content = await self._store.snapshot_content(name)
        if content is None:
            known = [about.name for about in await self._store.saved_snapshots()]
            hint = f"{did_you_mean(name, known)} GET /_mock/snapshots lists them".lstrip()
            raise UnknownName(f"no snapshot is named {name[:80]!r}", where="snapshot_name", hint=hint)
        return content

    async def delete(self, name: str) -> None:
        """Delete a snapshot; raises `UnknownName`."""
        await self._content(name)
        async with self._exclusive():
            await self._store.delete_snapshot(name)

    def _exclusive(self) -> AbstractAsyncContextManager[None]:
        """Let one caller save or delete at a time, on all servers."""
        return self._store.exclusive("snapshots")

    async def portions(self, name: str) -> AsyncGenerator[Portion]:
        """Return the portions of a snapshot, for `Store.load`; raises `UnknownName`."""
        return read_snapshot(await self.content(name))

    async def forked(self, name: str, merchant: str | None, target: str) -> AsyncGenerator[Portion]:
        """Return the state of one merchant of a snapshot as that of the merchant `target`, with ids of its own.

        It is the state of `merchant` if the snapshot has it, else of the only merchant that the snapshot has. The same snapshot
        and target give the same ids. Raises `UnknownName`, and `StateConflict` if the snapshot has several merchants.
        """
        content = await self._content(name)  # it may be replaced while it is read twice
        names: dict[str, set[str]] = {}
        async with aclosing(read_snapshot(_decompressed(content))) as portions:
            async for portion in portions:
                if portion.merchant != NO_MERCHANT:
                    of_merchant = names.setdefault(portion.merchant, set())
                    of_merchant.update(*map(_ids, _copied(portion.records)))
        merchants = list(names)
        if merchant not in names and len(merchants) != 1:
            message = f"the snapshot has the state of {len(merchants)} merchants"
            raise StateConflict(message, where="as_merchant", hint="name the one to copy with ?merchant=")
        source = merchant if merchant is not None and merchant in names else merchants[0]
        ids = {old: uuid_from(target, old) for old in names[source]}
        return _renamed(read_snapshot(_decompressed(content)), source, target, ids)


async def _compressed(portions: AsyncGenerator[Portion], most: int) -> tuple[bytes, int]:
    """Return a snapshot compressed, and the bytes of its JSON; raises `StateConflict` for more than `most` bytes."""
    compressor, content, json_bytes = zlib.compressobj(1), bytearray(), 0
    async with aclosing(write_snapshot(portions)) as pieces:
        async for piece in pieces:
            content += compressor.compress(piece)
            json_bytes += len(piece)
            _require_room(content, most)
    content += compressor.flush()
    _require_room(content, most)
    return bytes(content), json_bytes


def _require_room(content: bytearray, most: int) -> None:
    if len(content) > most:
        message = f"all snapshots together would have more than {MAX_BYTES} bytes, compressed"
        raise StateConflict(message, where="snapshot_name", hint=_DELETE_ONE)


async def _decompressed(content: bytes) -> AsyncGenerator[bytes]:
    decompressor, left = zlib.decompressobj(), content
    while left:
        yield decompressor.decompress(left, PIECE_BYTES)
        left = decompressor.unconsumed_tail
        await asyncio.sleep(0)
    if rest := decompressor.flush():
        yield rest


def _copied(records: Iterable[Record]) -> Iterable[Record]:
    return (record for record in records if not isinstance(record, _NOT_COPIED))


def _ids(record: Record) -> Iterable[str]:
    return filter(None, () if isinstance(record, Merchant) else (record.key, record.alias))


async def _renamed(
    portions: AsyncIterator[Portion], source: str, target: str, ids: dict[str, str]
) -> AsyncGenerator[Portion]:
    """Yield the portions of a merchant as those of another one, with other ids wherever they stand, also inside bodies and URLs."""

    def renamed(value: Record | Job) -> Any:
        data = orjson.loads(_UUID.sub(lambda found: ids.get(found[0], found[0]), orjson.dumps(encode(value)).decode()))
        return decode(KINDS[value.kind] if isinstance(value, Record) else Job, {**data, "merchant": target})

    async for portion in portions:
        if portion.merchant == source:
            records = list(map(renamed, _copied(portion.records)))
            jobs = [renamed(job) for job in portion.jobs if job.kind != RecordJob.FORGET_ANSWER]
            yield Portion(target, records, jobs, portion.counters)
