"""Button keys: created once, reused on many pages, changed, never deleted (seed, step 1; protocol 2)."""

from typing import Any

import orjson

from mock_klarna.domain.errors import UnknownName
from mock_klarna.domain.events import ButtonCreated, ButtonUpdated
from mock_klarna.domain.records import ButtonKey, Decision
from mock_klarna.emulator.context import Context

Json = dict[str, Any]


class Buttons:
    """The Button Keys API. Options are taken as checked; unknown members are kept, `button_key` is read-only."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, merchant: str, options: Json) -> ButtonKey:
        """Create a button key from its setup options."""
        button_key = await self._context.new_id(merchant, "button")
        now = await self._context.now(merchant)
        body = _with_key(button_key, options)
        button = ButtonKey(merchant=merchant, button_key=button_key, body=body, created_at=now)
        event = ButtonCreated(button_key=button_key)
        await self._context.commit(merchant, Decision(writes=(button,), events=(event,)), now)
        return button

    async def read(self, merchant: str, button_key: str) -> ButtonKey:
        """Return a merchant's key; raises `NotFound` or, for another merchant's key, `NotAllowed`."""
        return await self._context.own(ButtonKey, merchant, button_key, "button_key")

    async def update(self, merchant: str, button_key: str, options: Json) -> ButtonKey:
        """Put new options over a key's: members that are given replace those of the same name whole (protocol 2, PUT)."""

        def change(button: ButtonKey, _now: float) -> Decision:
            body = _with_key(button_key, {**orjson.loads(button.body), **options})
            changed = ButtonKey(
                merchant=merchant,
                version=button.version + 1,
                button_key=button_key,
                body=body,
                created_at=button.created_at,
            )
            return Decision(writes=(changed,), events=(ButtonUpdated(button_key=button_key),))

        _, decision = await self._context.decide(lambda: self.read(merchant, button_key), change)
        (changed,) = decision.writes
        assert isinstance(changed, ButtonKey)
        return changed

    async def offered(self, merchant: str | None, button_key: str | None) -> ButtonKey:
        """Return the key that a page names, or the merchant's newest; raises `UnknownName` when there is none.

        A page names no merchant: a button key is no secret and carries its merchant with it (protocol 3.1).
        """
        store = self._context.store
        found = await (store.get(ButtonKey, button_key) if button_key else store.newest(ButtonKey, merchant or ""))
        if found is None or (merchant is not None and found.merchant != merchant):
            named = f"button key {button_key!r} is not known" if button_key else "the merchant has no button key yet"
            raise UnknownName(named, where="button_key", right="create one with POST /instantshopping/v1/buttons")
        return found


def _with_key(button_key: str, options: Json) -> bytes:
    """Return the JSON of a key; a `button_key` among the options is not the merchant's to choose (protocol 2)."""
    own = {name: value for name, value in options.items() if name != "button_key"}
    return orjson.dumps({"button_key": button_key, **own})
