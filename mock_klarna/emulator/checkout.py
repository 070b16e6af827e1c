"""A shopper's purchase, one command for each thing that a shopper does. The dialog and the control API use the same ones."""

import logging
from collections.abc import Callable, Mapping
from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain import purchase as purchasing
from mock_klarna.domain import session
from mock_klarna.domain import session as spelling
from mock_klarna.domain.events import SessionInitiated, UpdateIgnored
from mock_klarna.domain.journal import Watch
from mock_klarna.domain.records import ButtonKey, Decision, Purchase
from mock_klarna.emulator import checkout_steps
from mock_klarna.emulator.checkout_steps import shopper_for
from mock_klarna.emulator.context import Context
from mock_klarna.errors import InvalidInput, StateConflict, UnknownName, in_words
from mock_klarna.shoppers import Shopper, risk

_log = logging.getLogger("mock_klarna.callbacks")
Json = dict[str, Any]


class Purchases:
    """Start a session, let the shopper choose, press the final button, and wait for the merchant."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def find(self, merchant: str | None, purchase_id: str) -> Purchase:
        """Return a purchase by its id or token; raises `UnknownName` when there is none, or none of this merchant."""
        purchase = await self._context.store.get(Purchase, purchase_id)
        if purchase is None or (merchant is not None and purchase.merchant != merchant):
            raise UnknownName(
                f"purchase {purchase_id!r} is not known", where="purchase_id", hint="GET /_mock/purchases lists them"
            )
        return purchase

    async def start(
        self, button: ButtonKey, page: Json, integrator_url: str | None, merchant_timeout: float | None
    ) -> Purchase:
        """Begin a session from a key and the options that its page gives (protocol 6.3).

        `merchant_timeout` is how many seconds this shopper waits for the merchant, None as long as the token lives. Raises
        `StateConflict` where the button is not offered, `InvalidInput` with everything that key and page lack.
        """
        begun = checkout_steps.opened(button.body, page, integrator_url, self._orderable)
        merchant = button.merchant
        now = await self._context.now(merchant)
        purchase = Purchase(
            merchant=merchant,
            purchase_id=await self._context.new_id(merchant, "purchase"),
            button_key=button.button_key,
            state="started",
            created_at=now,
            session=orjson.dumps(begun),
            merchant_timeout=merchant_timeout,
        )
        event = SessionInitiated(purchase_id=purchase.purchase_id, button_key=button.button_key)
        await self._context.commit(merchant, Decision(writes=(purchase,), events=(event,)), now)
        return purchase

    async def identify(self, purchase: Purchase, wish: str | Mapping[str, Any] | None) -> Purchase:
        """Tell who the shopper is: a named one, given members filled up by chance, or somebody of the purchase's country."""
        _begun(purchase)
        chance = "/".join(map(str, await self._context.chance(purchase.merchant, "shopper")))
        step = checkout_steps.identify(purchase.purchase_id, lambda current: shopper_for(wish, current, chance))
        return await self._take(purchase, step, "identification_updated")

    async def identify_as(self, purchase: Purchase, shopper: Shopper) -> Purchase:
        """Tell who the shopper is, to the letter: nothing is filled up."""
        step = checkout_steps.identify(purchase.purchase_id, lambda _current: shopper)
        return await self._take(purchase, step, "identification_updated")

    async def specify(self, purchase: Purchase, attributes: Mapping[str, str], quantity: int) -> Purchase:
        """Choose a variation by its attributes and how many of it."""
        step = checkout_steps.specify(purchase.purchase_id, attributes, quantity)
        return await self._take(purchase, step, "specifications_selected")

    async def choose_shipping(self, purchase: Purchase, option_id: str) -> Purchase:
        """Choose a shipping option by its id."""
        step = checkout_steps.choose_shipping(purchase.purchase_id, option_id)
        return await self._take(purchase, step, "session_updated")

    async def answer_checkboxes(self, purchase: Purchase, answers: Mapping[str, bool]) -> Purchase:
        """Tick the merchant's additional checkboxes; one that is not named stays unticked."""
        if not (answers or checkout_steps.has_checkboxes(_begun(purchase))):
            return purchase
        return await self._take(purchase, checkout_steps.answer_checkboxes(purchase.purchase_id, answers), None)

    async def update(self, purchase: Purchase, changes: Json) -> Purchase:
        """Take new options from the merchant's answer to an `update` callback (protocol 4.2)."""
        return await self._take(purchase, checkout_steps.update(purchase.purchase_id, changes), None)

    async def update_from_page(self, purchase: Purchase, changes: Json) -> Purchase:
        """Take new options from the page while the session is open (protocol 6.4); `InvalidInput` where it lacks something then."""
        return await self._take(purchase, checkout_steps.update_from_page(purchase.purchase_id, changes), None)

    async def _take(self, purchase: Purchase, step: checkout_steps.Step, context: str | None) -> Purchase:
        """Take a step, and ask the merchant about it where the key has an `update` URL (protocol 4.2)."""

        def command(current: Purchase, _now: float) -> Decision:
            changed, event = step(_begun(current))
            return purchasing.changed(current, orjson.dumps(self._orderable(changed)), event)

        taken = await self._decide(purchase, command)
        return await self._asked(taken, context) if context else taken

    async def _asked(self, purchase: Purchase, context: str) -> Purchase:
        begun = orjson.loads(purchase.session)
        url = (begun.get("merchant_urls") or {}).get("update")
        if not url:
            return purchase
        body = self._spelled(session.update_body(begun, context, purchase.button_key))
        changes, failure = await self._context.ask_update(purchase, url, body)
        if failure:
            await self._complain(purchase, failure)
        usable = session.usable(changes)
        return await self._answered(purchase, usable) if usable else await self.find(None, purchase.purchase_id)

    async def _answered(self, purchase: Purchase, changes: Json) -> Purchase:
        """Take what a merchant answered to `update`, or complain about what no order could hold."""
        try:
            return await self.update(purchase, changes)
        except InvalidInput as refused:
            await self._complain(purchase, f"{checkout_steps.UNUSABLE}: {in_words(refused.problems)}")
        return await self.find(None, purchase.purchase_id)

    async def _complain(self, purchase: Purchase, failure: str) -> None:
        """Take note of an `update` callback that failed; end the purchase if the setting `update_failure` says so."""
        _log.warning("update of %s, purchase %s: %s", purchase.merchant, purchase.purchase_id, failure)
        abort = self._context.settings.update_failure == "abort"
        ignored = Decision(events=(UpdateIgnored(purchase_id=purchase.purchase_id, reason=failure),))
        await self._context.decide(
            lambda: self.find(None, purchase.purchase_id),
            lambda current, _now: purchasing.fail(current, failure) if abort else ignored,
        )

    async def pay(self, purchase: Purchase, wanted: str | Json | None) -> Purchase:
        """Press the final button: Klarna's risk check, then a token and `place_order`, or a refusal (protocol 5).

        `wanted` is the outcome that was asked for; without one the shopper's e-mail address decides (protocol 8.1).
        """
        _require_identified(_begun(purchase))
        token = await self._context.new_id(purchase.merchant, "token")

        def command(current: Purchase, now: float) -> Decision:
            begun = _require_identified(_begun(current))
            checked = risk.check(begun, wanted, pending_everywhere=self._context.settings.pending_everywhere)
            if isinstance(checked, str):
                return purchasing.decline(current, checked)
            whole = self._spelled(session.order(self._orderable(begun)))
            ready = replace(current, outcome=checked)
            return purchasing.authorize(ready, token, whole, orjson.dumps(whole), now, self._context.rules)

        return await self._decide(purchase, command)

    async def _decide(self, purchase: Purchase, command: Callable[[Purchase, float], Decision]) -> Purchase:
        """Carry a command out on a purchase as it is now, and return what it became."""
        _, decision = await self._context.decide(lambda: self.find(None, purchase.purchase_id), command)
        (written,) = decision.writes
        assert isinstance(written, Purchase)
        return written

    def _orderable(self, begun: Json) -> Json:
        return checkout_steps.require(self._context.validator, begun)

    def _spelled(self, whole: Json) -> Json:
        return spelling.spelled(whole) if self._context.settings.shipping_method_case == "kebab" else whole

    async def settled(self, purchase_id: str, seconds: float) -> Purchase:
        """Return a purchase once it has ended, or as it is after so many real seconds."""
        store = self._context.store
        deadline = self._context.real_time() + seconds
        while True:
            position = await store.position()
            purchase = await self.find(None, purchase_id)
            left = deadline - self._context.real_time()
            if purchase.state not in ("started", "authorized") or left <= 0:
                return purchase
            await store.wait(Watch(merchant=purchase.merchant, purchase_id=purchase_id), position, left)


def _begun(purchase: Purchase) -> Json:
    """Return the session of a purchase that can still be changed; an ended one keeps none."""
    purchasing.require_started(purchase)
    begun: Json = orjson.loads(purchase.session)
    return begun


def _require_identified(begun: Json) -> Json:
    if not begun.get("identified"):
        raise StateConflict("the shopper is not identified", where="state", hint="identify the shopper first")
    return begun
