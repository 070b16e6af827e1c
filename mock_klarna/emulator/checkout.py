"""The commands of a purchase, from the click on the button to payment. The dialog and the control API use the same ones."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from math import inf
from typing import Any

import orjson
from msgspec.structs import replace

from mock_klarna.domain import purchase as purchases
from mock_klarna.domain import session, undecided
from mock_klarna.domain.callbacks import Delivery
from mock_klarna.domain.events import AuthorizationRefused, Event, SessionInitiated, UpdateIgnored
from mock_klarna.domain.journal import EVENT, EXCHANGE, LAST_POSITION, Entry, Exchange, JournalFilter
from mock_klarna.domain.records import ButtonKey, CommandResult, Decision, Order, Outcome, Purchase
from mock_klarna.emulator import checkout_steps
from mock_klarna.emulator.buttons import NO_SHOP
from mock_klarna.emulator.context import Context, UpdateSender
from mock_klarna.errors import InvalidInput, StateConflict, in_words
from mock_klarna.shoppers import Shopper, risk
from mock_klarna.validation import write_json

Json = dict[str, Any]
_REFUSED = "authorization_refused"
PURCHASE_HINT = "GET /_mock/purchases lists them"
"""Where the id of a purchase comes from."""


class Checkout:
    """Starts sessions, applies the shopper's steps, authorizes or declines, and waits for the merchant's decision."""

    def __init__(self, context: Context, updates: UpdateSender) -> None:
        self._context = context
        self._updates = updates

    async def find(self, merchant: str | None, purchase_id: str) -> Purchase:
        """Return a purchase by its id or token; raises `UnknownName` if this merchant has none."""
        return await self._context.find(Purchase, merchant, purchase_id, "purchase_id", PURCHASE_HINT)

    async def start(
        self,
        button: ButtonKey,
        page: Json,
        integrator_url: str | None,
        merchant_timeout: float | None,
        page_version: int = 0,
        draft: bytes = b"",
        load_callback: str | None = None,
    ) -> Purchase:
        """Start a session from a key and the options of its page (klarna.md §6.3); `load_callback` is that of the event.

        `merchant_timeout` is how many seconds the shopper waits for the merchant, None as long as the token is valid. Raises
        `StateConflict` if the button is not offered, `InvalidInput` with everything that key and page lack.
        """
        opened = checkout_steps.opened(self._context.validator, button.body, page, integrator_url)
        return await self._context.create(
            lambda: self._start(
                button,
                opened,
                merchant_timeout,
                page_version=page_version,
                draft=draft,
                load_callback=load_callback,
            )
        )

    async def _start(
        self,
        button: ButtonKey,
        opened: Json,
        merchant_timeout: float | None,
        *,
        page_version: int,
        draft: bytes,
        load_callback: str | None,
    ) -> Purchase:
        merchant = button.merchant
        now, purchase_id = await self._context.new_id(merchant, "purchase")
        purchase = Purchase(
            merchant=merchant,
            purchase_id=purchase_id,
            button_key=button.button_key,
            state="started",
            created_at=now,
            session=write_json(opened),
            merchant_timeout=merchant_timeout,
            page_version=page_version,
            draft=draft,
        )
        event = SessionInitiated(
            purchase_id=purchase.purchase_id, button_key=button.button_key, load_callback=load_callback
        )
        await self._context.commit(merchant, Decision(writes=(purchase,), events=(event,)), now)
        return purchase

    async def identify(self, purchase: Purchase, shopper: str | Mapping[str, Any] | None) -> Purchase:
        """Identify the shopper: a named one, given members completed at random, or a random person of the country."""
        purchases.require_started(purchase)
        now, draw = await self._context.draw(purchase.merchant, "shopper")
        seed = "/".join(map(str, draw))
        today = self._context.validator.today()
        step = checkout_steps.identify(
            purchase.purchase_id, lambda current: checkout_steps.shopper_for(shopper, current, seed, today)
        )
        return await self.take(purchase, step, "identification_updated", now)

    async def identify_as(self, purchase: Purchase, shopper: Shopper) -> Purchase:
        """Identify the shopper by exactly the given members."""
        step = checkout_steps.identify(purchase.purchase_id, lambda _current: shopper)
        return await self.take(purchase, step, "identification_updated")

    async def specify(self, purchase: Purchase, select: Json) -> Purchase:
        """Choose a variation by its product and attributes, and its quantity; `select` is the body of `sdk_specify`."""
        step = checkout_steps.specify(purchase.purchase_id, select)
        return await self.take(purchase, step, "specifications_selected")

    async def choose_shipping(self, purchase: Purchase, option_id: str) -> Purchase:
        """Choose a shipping option by its id."""
        step = checkout_steps.choose_shipping(purchase.purchase_id, option_id)
        return await self.take(purchase, step, "session_updated")

    async def answer_checkboxes(self, purchase: Purchase, answers: Mapping[str, bool]) -> Purchase:
        """Tick the merchant's additional checkboxes; those without an answer stay unticked."""
        purchases.require_started(purchase)
        if not answers and not checkout_steps.has_checkboxes(purchase.session):
            return purchase
        return await self.take(purchase, checkout_steps.answer_checkboxes(purchase.purchase_id, answers))

    async def keep_draft(self, purchase: Purchase, draft: Json) -> Purchase:
        """Keep what the shopper has typed into the form, in any state of the purchase; it has no effect on the order."""
        raw = write_json(draft)

        def command(current: Purchase, _now: float) -> CommandResult[Purchase]:
            kept = replace(current, version=current.version + 1, draft=raw)
            return CommandResult(value=kept, writes=(kept,))

        return await self._decide(purchase, command, None)

    async def update(self, purchase: Purchase, changes: Json) -> Purchase:
        """Apply the merchant's answer to an `update` callback (klarna.md §4.2)."""
        return await self.take(purchase, checkout_steps.update(purchase.purchase_id, changes))

    async def update_from_page(self, purchase: Purchase, changes: Json, page_version: int | None = None) -> Purchase:
        """Apply options that the page gives while the dialog is open (klarna.md §6.4).

        `page_version` is the page's number of these options. Options that are not newer than those of the session are ignored.
        """
        step = checkout_steps.update_from_page(purchase.purchase_id, changes)

        def command(current: Purchase, _now: float) -> CommandResult[Purchase]:
            if page_version is None:
                return self._changed(current, step)[0]
            purchases.require_started(current)
            if page_version <= current.page_version:
                return CommandResult(value=current)
            return self._changed(replace(current, page_version=page_version), step)[0]

        return await self._decide(purchase, command, None)

    async def take(
        self,
        purchase: Purchase,
        step: checkout_steps.Step,
        update_context: str | None = None,
        now: float | None = None,
    ) -> Purchase:
        """Execute a step, and send an `update` callback with the context if the key has a URL for it (klarna.md §4.2)."""
        changed: Json = {}

        def command(current: Purchase, _now: float) -> CommandResult[Purchase]:
            nonlocal changed
            result, changed = self._changed(current, step)
            return result

        taken = await self._decide(purchase, command, now)
        url = (changed.get("merchant_urls") or {}).get("update")
        return await self._send_update(taken, changed, update_context, url) if update_context and url else taken

    def _changed(self, purchase: Purchase, step: checkout_steps.Step) -> tuple[CommandResult[Purchase], Json]:
        """Return the result of a step and the changed session; raises `InvalidInput` if that is not a valid order."""
        changed, event = step(_session(purchase))
        checkout_steps.order_of(self._context.validator, changed)
        return purchases.change_session(purchase, write_json(changed), event), changed

    async def _send_update(self, purchase: Purchase, current: Json, update_context: str, url: str) -> Purchase:
        body = self._with_spelling(session.update_body(current, update_context, purchase.button_key))
        changes, failure = await self._updates.send_update(purchase, url, body)
        if failure:
            await self._record_failure(purchase, failure)
        usable = session.usable(changes)
        latest = await self.find(None, purchase.purchase_id)
        return await self._apply_answer(latest, usable) if usable else latest

    async def _apply_answer(self, purchase: Purchase, changes: Json) -> Purchase:
        """Apply the merchant's answer to `update`; an answer without a valid order as its result is recorded and ignored."""
        try:
            return await self.update(purchase, changes)
        except InvalidInput as refused:
            await self._record_failure(purchase, f"{checkout_steps.UNUSABLE}: {in_words(refused.problems)}")
        return await self.find(None, purchase.purchase_id)

    async def _record_failure(self, purchase: Purchase, failure: str) -> None:
        """Record an `update` callback that failed; end the purchase if the setting `update_failure` is `abort`."""
        if self._context.settings.update_failure == "abort":
            await self.fail(purchase, failure)
            return
        event = UpdateIgnored(purchase_id=purchase.purchase_id, reason=failure)
        await self._decide(purchase, lambda current, _now: CommandResult(value=current, events=(event,)), None)

    async def fail(self, purchase: Purchase, reason: str) -> None:
        """End a purchase that cannot go on, if it has not ended."""

        def command(current: Purchase, _now: float) -> CommandResult[Purchase]:
            locale = orjson.loads(current.session or b"{}").get("locale", "")
            return purchases.fail(current, reason, locale, self._context.rules)

        await self._decide(purchase, command, None)

    async def pay(
        self, purchase: Purchase, outcome: str | Json | None, amount: int | None = None, version: int | None = None
    ) -> Purchase:
        """Pay: the risk check, then a token and `place_order`, or a refusal (klarna.md §5).

        `outcome` replaces that of the risk check; without one the shopper's e-mail address decides (klarna.md §8.1). `amount` and
        `version` are the total and the version of the session that the shopper has seen; raises `StateConflict` if they differ, and
        `InvalidInput` if page or merchant have changed what they allow and require of the shopper since the identification.
        """
        opened = _require_identified(_session(purchase))
        now, token = await self._context.new_id(purchase.merchant, "token", purchase.purchase_id)

        def command(current: Purchase, now: float) -> CommandResult[Purchase]:
            paid = opened if current is purchase else _require_identified(_session(current))
            paid = session.answered(paid, paid.get("merchant_requested") or {})
            purchases.require_shown(current, session.order(paid)["order_amount"], amount, version)
            checkout_steps.require_allowed(paid)
            result = risk.check(paid, outcome, pending_everywhere=self._context.settings.pending_everywhere)
            if isinstance(result, str):
                return purchases.decline(current, result, paid["locale"], self._context.rules)
            order = self._with_spelling(checkout_steps.order_of(self._context.validator, paid))
            return purchases.authorize(current, result, token, order, write_json(order), now, self._context.rules)

        return await self._decide(purchase, command, now)

    async def _decide(
        self, purchase: Purchase, command: Callable[[Purchase, float], CommandResult[Purchase]], now: float | None
    ) -> Purchase:
        return await self._context.decide(lambda: self.find(None, purchase.purchase_id), command, purchase, now)

    def _with_spelling(self, body: Json) -> Json:
        return session.with_kebab_case(body) if self._context.settings.shipping_method_case == "kebab" else body

    def require_possible(self, button: ButtonKey, page: Json, body: Json) -> None:
        """Raise what prevents a shopper from buying as `body`, a checked `create_purchase` body, says; record nothing.

        After the first `update` callback the merchant can change the session, so later steps are left out if there is one.
        """
        opened = checkout_steps.opened(self._context.validator, button.body, page, body.get("integrator_url"))
        steps = _steps(self._example_shopper(opened, body), opened, body, "")
        if (opened.get("merchant_urls") or {}).get("update"):
            steps = steps[:1]
        elif "cheat" in body:
            steps.append(checkout_steps.cheat("", body["cheat"]))
        self._after(opened, steps)

    def _example_shopper(self, opened: Json, body: Json) -> Shopper:
        return checkout_steps.example_shopper(body.get("shopper"), opened, self._context.validator.today())

    def _after(self, current: Json, steps: Iterable[checkout_steps.Step]) -> tuple[Json, list[Event]]:
        """Return a session after some steps, which are not committed, and their events."""
        events = []
        for step in steps:
            current, event = step(current)
            checkout_steps.order_of(self._context.validator, current)
            events.append(event)
        return current, events

    async def order(self, button: ButtonKey, page: Json, body: Json) -> Order:
        """Decide all steps of a shopper and the placing of the order at once, so that no callback asks for it.

        `body` is a checked `create_purchase` body, and `page` its page with its cart. What happens to the order afterwards is as
        after any purchase. Raises `StateConflict` if the button is not offered or Klarna declines the shopper, and `InvalidInput`
        for an invalid order; then no id is used.
        """
        opened = checkout_steps.opened(self._context.validator, button.body, page, body.get("integrator_url"))
        self._accepted(opened, body, self._example_shopper(opened, body), "")
        return await self._context.create(lambda: self._order(button, opened, body))

    def _accepted(
        self, opened: Json, body: Json, shopper: Shopper, purchase_id: str
    ) -> tuple[Json, Outcome, list[Event]]:
        """Return the order of a shopper whom Klarna accepts, the outcome of the risk check, and the events of the steps."""
        current, events = self._after(opened, _steps(shopper, opened, body, purchase_id))
        outcome = risk.check(current, body.get("outcome"), pending_everywhere=self._context.settings.pending_everywhere)
        if isinstance(outcome, str):
            hint = "another shopper, or an outcome"
            raise StateConflict(f"Klarna declines this shopper: {outcome}", where="shopper", hint=hint)
        order = self._with_spelling(checkout_steps.order_of(self._context.validator, current))
        return _without_stand_ins(order), outcome, events

    async def _order(self, button: ButtonKey, opened: Json, body: Json) -> Order:
        merchant, rules = button.merchant, self._context.rules
        now, purchase_id = await self._context.new_id(merchant, "purchase")
        _, draw = await self._context.draw(merchant, "shopper")
        _, token = await self._context.new_id(merchant, "token", purchase_id)
        _, order_id = await self._context.new_id(merchant, "order", purchase_id)
        started = Purchase(
            merchant=merchant,
            purchase_id=purchase_id,
            button_key=button.button_key,
            state="started",
            created_at=now,
        )
        seed, today = "/".join(map(str, draw)), self._context.validator.today()
        shopper = checkout_steps.shopper_for(body.get("shopper"), opened, seed, today)
        order, outcome, steps = self._accepted(opened, body, shopper, purchase_id)
        raw = write_json(order)
        authorized = purchases.authorize(started, outcome, token, order, raw, now, rules)
        placed = purchases.place(authorized.value, order["merchant_urls"], order, raw, order_id, now, rules)
        writes = tuple(replace(record, version=1) for record in placed.writes)
        initiated = SessionInitiated(purchase_id=purchase_id, button_key=button.button_key)
        events = (initiated, *steps, *authorized.events, *placed.events)
        await self._context.commit(merchant, Decision(writes=writes, events=events, jobs=placed.jobs), now)
        return placed.value[1]

    async def wait_for_end(self, purchase: Purchase, seconds: float, *, gives_up: bool = False) -> Purchase:
        """Return a purchase when it has ended, or after this many real seconds.

        With `gives_up` it is returned earlier when its merchant was not reached, or answered the callback with an error and did
        not decide within `GRACE_SECONDS`.
        """
        if seconds <= 0 or purchase.state not in ("started", "authorized"):
            return purchase
        store = self._context.store
        clock = asyncio.get_running_loop().time  # a test can freeze or move `real_time`
        deadline, asked_at = clock() + seconds, None
        with store.watching(JournalFilter(purchase_id=purchase.purchase_id)) as watching:
            while True:
                await store.preload(purchase.merchant, purchase.purchase_id)
                purchase = await self.find(None, purchase.purchase_id)
                now, ends = clock(), deadline
                if gives_up and purchase.state == "authorized":
                    patience = await self._patience(purchase)
                    asked_at = None if patience == inf else asked_at or now
                    ends = min(deadline, (asked_at or now) + patience)
                if purchase.state not in ("started", "authorized") or ends <= now:
                    return purchase
                await watching.wait(ends - now)

    async def _patience(self, purchase: Purchase) -> float:
        """Return for how many real seconds a decision on an authorized purchase can still come; `inf` for no limit."""
        deliveries = await self._callbacks(purchase)
        is_asked = undecided.last_request(deliveries) is not None
        refused = await self._newest_entry(purchase, EVENT, _REFUSED) if is_asked else None
        return undecided.patience_of(deliveries, is_refused=refused is not None)

    async def _newest_entry(self, purchase: Purchase, kind: str, name: str | None = None) -> Entry | None:
        journal_filter = JournalFilter(purchase_id=purchase.purchase_id, kind=kind, name=name)
        found = await self._context.store.entries(journal_filter, 0, 1, before=LAST_POSITION)
        return found[0] if found else None

    async def _callbacks(self, purchase: Purchase) -> list[Delivery]:
        return await self._context.store.records(Delivery, purchase.merchant, subject=purchase.purchase_id)

    async def with_callbacks(self, purchase: Purchase) -> tuple[list[Delivery], str | None]:
        """Return the callbacks of a purchase, and why it is not decided: None if it is, or if its merchant was not asked yet."""
        deliveries = await self._callbacks(purchase)
        hint = undecided.hint(purchase, deliveries)
        if hint is None:
            return deliveries, None
        separator = " " if hint.endswith("?") else "; "
        return deliveries, separator.join(filter(None, (hint, "; ".join(await self._refusals(purchase)))))

    async def _refusals(self, purchase: Purchase) -> list[str]:
        """Return how the merchant's last request about a purchase was refused, and who used its token in the merchant's place."""
        found = []
        request = await self._newest_entry(purchase, EXCHANGE)
        if request is not None and isinstance(request.data, Exchange) and request.data.status >= 400:
            found.append(f"its {request.name} was answered {request.data.status} {request.data.explanation}".rstrip())
        refused = await self._newest_entry(purchase, EVENT, _REFUSED)
        if refused is not None and isinstance(refused.data, AuthorizationRefused):
            other = refused.data.refused_merchant
            found.append(f"{other} used the token and was answered 403: it belongs to {purchase.merchant}")
        return found


def _session(purchase: Purchase) -> Json:
    """Return the session of a purchase that can still be changed; raises an error for one that has ended."""
    purchases.require_started(purchase)
    current: Json = orjson.loads(purchase.session)
    return current


def _steps(shopper: Shopper, opened: Json, body: Json, purchase_id: str) -> list[checkout_steps.Step]:
    """Return the steps of a shopper between the click and payment, as a `create_purchase` body chooses them."""
    identify = checkout_steps.identify(purchase_id, lambda _current: shopper)
    choices = checkout_steps.choices(purchase_id, body.get("select") or {}, orjson.dumps(opened))
    return [identify, *(step for step, _ in choices)]


def _without_stand_ins(order: Json) -> Json:
    """Return an order without the URLs that stand for none."""
    urls = {name: url for name, url in order["merchant_urls"].items() if url != NO_SHOP}
    return {**order, "merchant_urls": urls}


def _require_identified(current: Json) -> Json:
    if not current.get("identified"):
        raise StateConflict("the shopper is not identified", where="state", hint="identify the shopper first")
    return current
