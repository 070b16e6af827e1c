"""The API of lib.js and of the dialog (klarna.md §6): the same commands as those of `POST /_mock/purchases`, step by step."""

from collections.abc import Mapping
from typing import Any

import orjson

from mock_klarna.domain import session
from mock_klarna.domain.button import Look
from mock_klarna.domain.journal import EXCHANGE, JournalFilter
from mock_klarna.domain.journal_text import describe
from mock_klarna.domain.records import ButtonKey, Purchase
from mock_klarna.domain.urls import is_absolute
from mock_klarna.emulator.buttons import UNKNOWN_KEY, Offer
from mock_klarna.errors import InvalidInput, Problem, StateConflict, UnknownName
from mock_klarna.shoppers import COUNTRIES, Shopper, shopper_from_form, shopper_names
from mock_klarna.texts import language, text
from mock_klarna.validation import LARGE_BODY
from mock_klarna.web import journal, views
from mock_klarna.web.request import ApiRequest, ApiResponse, Services, json_response


def button(look: Look) -> dict[str, str]:
    """Return a button as lib.js draws it: look, label, the note below it, and the texts for a failed and for a slow click."""
    return {
        "type": look.type,
        "theme": look.theme,
        "tagline": look.tagline,
        "locale": look.locale,
        "language": language(look.locale),
        "label": text(look.locale, f"button_{look.type}"),
        "note": text(look.locale, "button_note"),
        "not_now": text(look.locale, "not_now"),
        "close": text(look.locale, "close"),
    }


Json = dict[str, Any]
_SESSION_MEMBERS = (
    "locale",
    "purchase_country",
    "purchase_currency",
    "order_lines",
    "items",
    "shipping_options",
    "selected_shipping_option",
    "billing_address",
    "shipping_address",
    "customer",
    "merchant_requested",
    "merchant_reference1",
)
_LISTS = frozenset({"order_lines", "items", "shipping_options"})


def view(purchase: Purchase) -> Json:
    """Return a session as every operation answers it; an ended session shows the members of its order, if it has one."""
    state: Json = orjson.loads(purchase.session or purchase.order or b"{}")
    order = session.order(state) if purchase.session else state
    urls = state.get("merchant_urls") or {}
    options = dict(state.get("options") or {})
    checkboxes = options.pop("additional_checkboxes", None) or []
    return {
        "session_id": purchase.purchase_id,
        "button_key": purchase.button_key,
        "version": purchase.version,
        "state": purchase.state,
        "identified": purchase.state != "started" or bool(state.get("identified")),
        **{name: state.get(name, [] if name in _LISTS else None) for name in _SESSION_MEMBERS},
        "chosen_item": session.chosen_position(state),
        "chosen_line": session.chosen_line(state),
        "merchant_name": state.get("name"),
        "terms_url": urls.get("terms"),
        "options": options,
        "additional_checkboxes": checkboxes,
        "totals": {name: order.get(name, 0) for name in ("order_amount", "order_tax_amount")},
        "countries": _countries(state),
        "shoppers": _shoppers(state),
        "outcome": _outcome(purchase),
        "draft": orjson.loads(purchase.draft or b"null"),
    }


def _countries(state: Json) -> Json:
    home = state.get("purchase_country")
    billing = state.get("billing_countries") or list(COUNTRIES)
    shipping = state.get("shipping_countries") or ([home] if home else [])
    return {
        "billing": billing,
        "shipping": shipping,
        "rules": {code: _rules(code) for code in sorted({*billing, *shipping}) if code in COUNTRIES},
    }


def _rules(code: str) -> Json:
    country = COUNTRIES[code]
    titles = [title for titles in country.titles.values() for title in titles]
    return {
        "region_needed": country.region_needed,
        "dialling": country.dialling,
        "titles": titles,
        "currency": country.currency,
    }


def _shoppers(state: Mapping[str, Any]) -> list[Json]:
    home, locale = state.get("purchase_country"), state.get("locale") or ""
    names = shopper_names(home) if home in COUNTRIES else ()
    return [{"name": name, "description": text(locale, _shopper_text(name))} for name in names]


def _shopper_text(name: str) -> str:
    """Return the name of the text that describes a test shopper, such as `shopper_approved` for `se-approved`."""
    return "_".join(["shopper", *name.split("-")[1:]])


def _outcome(purchase: Purchase) -> Json:
    return {
        "redirect_url": purchase.redirect_url,
        "consumer_message": purchase.consumer_message,
        "deny_code": (purchase.deny or {}).get("deny_code"),
        "deny_message": (purchase.deny or {}).get("deny_message"),
        "fraud_status": purchase.fraud_status,
        "order_id": purchase.order_id,
    }


_MAX_ENTRIES = 500


async def load(services: Services, request: ApiRequest) -> ApiResponse:
    """Return whether the button is shown, how it looks, and which options of the page are invalid."""
    request.is_of_page = True
    page, offer = await _offer(services, request)
    setup = page.get("setup")
    answer: Json = {
        "show_button": offer.show_button,
        "instance_id": setup.get("instance_id") if isinstance(setup, dict) else None,
    }
    if offer.look:
        answer["button"] = button(offer.look)
    if offer.problems:
        answer["error"] = _error(offer)
    return json_response(answer)


async def _offer(services: Services, request: ApiRequest) -> tuple[Json, Offer]:
    """Evaluate the page's options; their problems go into the journal of the key's merchant."""
    page, problems = await _checked_page(services, request)
    offer = await services.emulator.offers.check(page, problems)
    request.merchant = offer.button.merchant if offer.button else ""
    request.problems = offer.problems
    return page, offer


async def _checked_page(services: Services, request: ApiRequest) -> tuple[Json, list[Problem]]:
    options = request.body["options"]
    if len(request.raw_body) < LARGE_BODY:
        return services.validator.check("page", options)
    return await services.validator.check_large("page", options, nulls=b"null" in request.raw_body)


def _error(offer: Offer) -> Json:
    first = offer.problems[0]
    return {
        "code": offer.code,
        "message": f"{first.path or 'options'}: {'missing, ' if first.is_missing else ''}{first.hint}",
        "invalid_fields": list(dict.fromkeys(problem.path for problem in offer.problems)),
        "problems": [problem.as_json() for problem in offer.problems],
    }


async def report_problem(services: Services, request: ApiRequest) -> ApiResponse:
    """Record what lib.js reports in the console of a browser, such as a container that the page does not have."""
    body = request.body
    button = await services.emulator.store.get(ButtonKey, body.get("key", ""))
    request.merchant = button.merchant if button else ""
    request.explanation = f"{body.get('page_url', 'a page')[:300]}: {body['message']}"
    return json_response({})


async def create_session(services: Services, request: ApiRequest) -> ApiResponse:
    """Start a session, or continue one that was left: the shopper clicked the button.

    A session does not continue if the page has newer options. A new session has what the shopper has typed in the one that was
    left, unless that one is an order.
    """
    page, offer = await _offer(services, request)
    if offer.code == UNKNOWN_KEY:
        raise UnknownName("the button key is not known", where="setup.key", hint=offer.problems[0].expected)
    if offer.problems:
        raise InvalidInput(offer.problems, where="options")
    if offer.button is None or not offer.show_button:
        raise StateConflict(
            "the button is not offered", where="setup.key", hint="check show_button in the result of load()"
        )
    left = await _left_session(services, request.body.get("session_id", ""), offer.button.button_key)
    version = request.body.get("page_version") or 0
    if left and left.state == "started" and version <= left.page_version:
        return _answer(request, left)
    draft = left.draft if left and left.state != "placed" else b""
    address = request.body.get("page_url", "")
    timeout = services.settings.merchant_timeout or None
    shown = address if is_absolute(address) else None
    callback = _load_callback(request.body)
    started = await services.emulator.checkout.start(offer.button, page, shown, timeout, version, draft, callback)
    return _answer(request, started, 201)


def _load_callback(body: Json) -> str | None:
    """Return what lib.js knows of the callback of the page's `load()`, as the event has it."""
    if "load_callback" not in body:
        return None
    parameters = body["load_callback"].get("parameters")
    return "none" if parameters is None else "with_parameters" if parameters else "without_parameters"


async def _left_session(services: Services, session_id: str, button_key: str) -> Purchase | None:
    """Return the session if it is of this button."""
    purchase = await services.emulator.store.get(Purchase, session_id) if session_id else None
    if purchase is None or purchase.purchase_id != session_id:
        return None
    return purchase if purchase.button_key == button_key else None


def _answer(request: ApiRequest, purchase: Purchase, status: int = 200) -> ApiResponse:
    request.purchase_id = purchase.purchase_id
    answer = json_response(view(purchase), status)
    answer.is_compressed = True  # the dialog waits for it when it opens
    return answer


async def _session(services: Services, request: ApiRequest) -> Purchase:
    """Return the session of the path; its id is the permission to use it."""
    session_id = request.path("session_id")
    purchase = await services.emulator.checkout.find(None, session_id)
    if purchase.purchase_id != session_id:
        raise UnknownName(f"session {session_id[:40]!r} is not known", where="session_id")
    request.merchant, request.purchase_id = purchase.merchant, purchase.purchase_id
    return purchase


async def get_session(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a session as it is."""
    return _answer(request, await _session(services, request))


async def identify(services: Services, request: ApiRequest) -> ApiResponse:
    """Identify the shopper: a named test shopper, or the fields of the form; every invalid field is reported."""
    purchase = await _session(services, request)
    name = request.body.get("shopper")
    if name is not None:
        return _answer(request, await services.emulator.checkout.identify(purchase, name))
    shopper = _shopper_of_form(services, request, purchase)
    return _answer(request, await services.emulator.checkout.identify_as(purchase, shopper))


def _shopper_of_form(services: Services, request: ApiRequest, purchase: Purchase) -> Shopper:
    state = orjson.loads(purchase.session or b"{}")
    options, locale = state.get("options") or {}, state.get("locale") or ""
    shopper, problems = shopper_from_form(request.body, options, services.validator.today(), locale, state)
    if problems:
        raise InvalidInput(problems, where="body")
    return shopper


async def keep_draft(services: Services, request: ApiRequest) -> ApiResponse:
    """Keep what the shopper has typed into the form, for the next dialog."""
    purchase = await _session(services, request)
    return _answer(request, await services.emulator.checkout.keep_draft(purchase, request.body))


async def specify(services: Services, request: ApiRequest) -> ApiResponse:
    """Choose a variation by its product and attributes, and how many of it."""
    return _answer(request, await services.emulator.checkout.specify(await _session(services, request), request.body))


async def choose_shipping(services: Services, request: ApiRequest) -> ApiResponse:
    """Choose a shipping option by its id."""
    return _answer(
        request,
        await services.emulator.checkout.choose_shipping(await _session(services, request), request.body["id"]),
    )


async def answer_checkboxes(services: Services, request: ApiRequest) -> ApiResponse:
    """Tick the merchant's additional checkboxes."""
    checkout = services.emulator.checkout
    return _answer(
        request, await checkout.answer_checkboxes(await _session(services, request), request.body["answers"])
    )


async def update(services: Services, request: ApiRequest) -> ApiResponse:
    """Take new options from the page while the dialog is open; they change nothing after the shopper has paid.

    With `page_version`, options that are not newer than those of the session change nothing either.
    """
    request.is_of_page = True
    purchase = await _session(services, request)
    changes, problems = await _checked_page(services, request)
    if problems:
        raise InvalidInput(problems, where="options")
    if purchase.state != "started":
        return _answer(request, purchase)
    version = request.body.get("page_version")
    return _answer(request, await services.emulator.checkout.update_from_page(purchase, changes, version))


async def pay(services: Services, request: ApiRequest) -> ApiResponse:
    """Press the final button; `outcome` replaces the outcome that the e-mail address selects.

    `amount` and `version` are what the shopper has seen. If the session has changed, nothing is paid.
    """
    outcome, amount, version = (request.body.get(name) for name in ("outcome", "amount", "version"))
    purchase = await _session(services, request)
    return _answer(request, await services.emulator.checkout.pay(purchase, outcome, amount, version))


async def wait(services: Services, request: ApiRequest) -> ApiResponse:
    """Return a session once it has ended, or as it is after so many seconds."""
    purchase = await _session(services, request)
    return _answer(request, await services.emulator.checkout.wait_for_end(purchase, request.query["seconds"]))


async def timeline(services: Services, request: ApiRequest) -> ApiResponse:
    """Return the journal entries of a session and the page's earlier calls and problems, by time, with their texts.

    A request and a callback are journaled when they end, after the events that they cause.
    """
    after = request.query["after"]
    purchase = await _session(services, request)
    of_session = JournalFilter(merchant=purchase.merchant, purchase_id=purchase.purchase_id)
    of_page = [JournalFilter(merchant=purchase.merchant, kind=EXCHANGE, name=name) for name in journal.PAGE_CALLS]
    found = [await journal.find_entries(services, one, after, _MAX_ENTRIES, 0) for one in (of_session, *of_page)]
    entries = sorted((entry for part in found for entry in part), key=lambda entry: entry.seq)[:_MAX_ENTRIES]
    position = entries[-1].seq if entries else after
    shown = [views.entry(entry) for entry in sorted(entries, key=lambda entry: entry.at)]
    own = [entry | _in_words(entry) for entry in shown if entry["purchase_id"] or journal.is_of_page(entry, purchase)]
    return json_response({"entries": own, "position": position})


def _in_words(entry: Json) -> Json:
    described = describe(entry)
    return {
        "actor": described.actor,
        "text": described.text,
        "is_error": described.is_error or bool(entry.get("problems")),
    }
