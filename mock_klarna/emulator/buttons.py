"""Button keys: created once, reused on many pages, changed, never deleted (guide, step 1; klarna.md §2)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson

from mock_klarna.domain import button as buttons
from mock_klarna.domain import session
from mock_klarna.domain.button import Look, look
from mock_klarna.domain.events import ButtonCreated, ButtonUpdated
from mock_klarna.domain.records import ButtonKey, CommandResult, Decision
from mock_klarna.emulator import checkout_steps
from mock_klarna.emulator.context import Context
from mock_klarna.errors import BadValue, Problem, UnknownName
from mock_klarna.shoppers import COUNTRIES
from mock_klarna.validation import write_json

Json = dict[str, Any]


class Buttons:
    """The Button Keys API. Options are taken as checked; unknown members are kept, `button_key` is read-only."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def create(self, merchant: str, options: Json) -> ButtonKey:
        """Create a button key from its setup options."""
        return await self._context.create(lambda: self._create(merchant, options))

    async def _create(self, merchant: str, options: Json) -> ButtonKey:
        now, button_key = await self._context.new_id(merchant, "button")
        body = _with_key(button_key, options)
        button = ButtonKey(merchant=merchant, button_key=button_key, body=body, created_at=now)
        event = ButtonCreated(button_key=button_key)
        await self._context.commit(merchant, Decision(writes=(button,), events=(event,)), now)
        return button

    async def read(self, merchant: str, button_key: str) -> ButtonKey:
        """Return a merchant's key; raises `NotFound` or, for another merchant's key, `NotAllowed`."""
        return await self._context.load_own(ButtonKey, merchant, button_key, "button_key")

    async def update(self, merchant: str, button_key: str, options: Json) -> ButtonKey:
        """Replace the given members of a key's options; the others do not change (klarna.md §2, PUT).

        Raises `BadValue` if old and new members do not fit together.
        """

        def change(button: ButtonKey, _now: float) -> CommandResult[ButtonKey]:
            merged = {**orjson.loads(button.body), **options}
            if found := self._context.validator.member_problems("create_button", merged):
                raise BadValue(found)
            body = _with_key(button_key, merged)
            changed = ButtonKey(
                merchant=merchant,
                version=button.version + 1,
                button_key=button_key,
                body=body,
                created_at=button.created_at,
            )
            return CommandResult(value=changed, writes=(changed,), events=(ButtonUpdated(button_key=button_key),))

        return await self._context.decide(lambda: self.read(merchant, button_key), change)

    async def offered(self, merchant: str | None, button_key: str | None) -> ButtonKey:
        """Return the key that a page names, or the merchant's newest; raises `UnknownName` if there is none.

        A page does not name a merchant: a button key is public and belongs to one (klarna.md §3.1).
        """
        store = self._context.store
        found = await (store.get(ButtonKey, button_key) if button_key else store.newest(ButtonKey, merchant or ""))
        if found is None or (merchant is not None and found.merchant != merchant):
            raise _unknown(button_key, merchant, owner=found.merchant if found else None)
        return found


def _unknown(button_key: str | None, merchant: str | None, *, owner: str | None) -> UnknownName:
    """Return why a purchase has no button key; `owner` is the merchant of the key that was named."""
    create = "create one with POST /instantshopping/v1/buttons"
    if owner is not None:
        text = f"button key {button_key!r} belongs to merchant {owner!r}, and this request is for {merchant!r}"
        hint = "use the username of the shop"
    elif button_key:
        text, hint = f"button key {button_key!r} is not known", create
    elif merchant:
        text, hint = f"merchant {merchant!r} has no button key yet", f"{create}, with the same username"
    else:
        text = "no merchant and no button key is named"
        hint = "name the merchant with credentials or with ?merchant=, or name a button key"
    return UnknownName(text, where="button_key", hint=hint)


NO_SHOP = "https://no-shop.invalid/"
"""Stands for the URLs that a page has to have, where nobody calls them."""


def unregistered(merchant: str) -> ButtonKey:
    """Return the options of a page without a button key; they are stored nowhere."""
    body = orjson.dumps({"merchant_urls": {"terms": NO_SHOP, "place_order": NO_SHOP}})
    return ButtonKey(merchant=merchant, button_key="", body=body, created_at=0.0)


def _with_key(button_key: str, options: Json) -> bytes:
    """Return the JSON of a key; a `button_key` among the options is ignored (klarna.md §2)."""
    own = {name: value for name, value in options.items() if name != "button_key"}
    return write_json({"button_key": button_key, **own})


BAD_VALUE, UNKNOWN_KEY, WRONG_SETUP = "bad_value", "unknown_key", "wrong_setup"
_CHOICES = {"environment": ("production", "playground"), "region": ("eu", "na", "oc")}


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The answer to a page: a button with its appearance, or none; for an invalid page with an error `code` and `problems`."""

    button: ButtonKey | None = None
    look: Look | None = None
    code: str = ""
    problems: tuple[Problem, ...] = ()

    @property
    def show_button(self) -> bool:
        """Whether the button is offered."""
        return self.look is not None


class Offers:
    """Checks the options that pages give `load()`. Keys are public, so pages need no credentials (klarna.md §3.1)."""

    def __init__(self, context: Context) -> None:
        self._context = context

    async def check(self, page: Json, page_problems: Sequence[Problem]) -> Offer:
        """Return the answer to a page's options; `page_problems` are those of their schema and sums.

        Order of the checks: key known, key enabled, environment and region, missing and invalid members, country served
        (klarna.md §6.3).
        """
        setup = page.get("setup")
        key = setup.get("key") if isinstance(setup, dict) else None
        if not isinstance(key, str) or not key:
            return _refused(
                BAD_VALUE, [Problem("setup.key", "required", key, "the button key of the merchant"), *page_problems]
            )
        button = await self._context.store.get(ButtonKey, key)
        if button is None:
            expected = "a key that POST /instantshopping/v1/buttons of this server has answered"
            return _refused(UNKNOWN_KEY, [Problem("setup.key", "known", key, expected)])
        return self._checked(button, page, page_problems)

    def _checked(self, button: ButtonKey, page: Json, page_problems: Sequence[Problem]) -> Offer:
        options: Json = orjson.loads(button.body)
        if options.get("disabled"):
            return Offer(button=button)
        if wrong := self._wrong_setup(page["setup"]):
            return _refused(WRONG_SETUP, wrong, button)
        if found := [*_missing(options, page, page_problems), *page_problems] or self._order_problems(options, page):
            return _refused(BAD_VALUE, found, button)
        if page.get("disabled") or buttons.not_served(session.merge(options, page), COUNTRIES):
            return Offer(button=button)
        return Offer(button=button, look=look(options, page))

    def _order_problems(self, options: Json, page: Json) -> list[Problem]:
        """Return why a complete key and page do not make a valid order."""
        opened = session.opened(options, page, None)
        return checkout_steps.problems(self._context.validator, opened) if opened.get("order_lines") else []

    def _wrong_setup(self, setup: Json) -> list[Problem]:
        """Return the members of a page's `setup` that name another environment or region than this server's."""
        settings = self._context.settings
        found = []
        for name, choices in _CHOICES.items():
            only = getattr(settings, name)
            accepted, sent = (only,) if only else choices, setup.get(name)
            if sent is not None and sent not in accepted:
                found.append(Problem(f"setup.{name}", name, sent, " or ".join(accepted)))
        return found


def _refused(code: str, problems: Sequence[Problem], button: ButtonKey | None = None) -> Offer:
    return Offer(button=button, code=code, problems=tuple(problems))


def _missing(options: Json, page: Json, page_problems: Sequence[Problem]) -> list[Problem]:
    """Return what both key and page lack; nothing if members have a wrong type."""
    if any(problem.rule == "type" for problem in page_problems):
        return []
    merged = session.merge(options, page)
    lines = merged.get("order_lines") or merged.get("items")
    found = buttons.problems({**merged, "order_lines": lines})
    return [problem for problem in found if not (problem.path == "order_lines" and _may_be_empty(page))]


def _may_be_empty(page: Mapping[str, Any]) -> bool:
    """Return whether the page requests a button although there is nothing to buy yet (klarna.md §6.3, `AllowEmpty`)."""
    spelled = [options.get(name) for options in (page, page["setup"]) for name in ("AllowEmpty", "allow_empty")]
    return any(any(allowed.values()) if isinstance(allowed, dict) else allowed for allowed in spelled)
