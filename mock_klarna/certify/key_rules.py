"""The rules of button keys and of what the page gives `load()`."""

import json
from collections.abc import Iterator
from urllib.parse import urlsplit

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import (
    ANSWER_FAULTS,
    Entry,
    Json,
    Traffic,
    body_of,
    header,
    injected,
    is_of_test,
    lines,
    moment_of,
)
from mock_klarna.domain.callbacks import CALLBACKS
from mock_klarna.domain.countries import COUNTRIES
from mock_klarna.domain.urls import MAX_CHARACTERS, is_absolute, is_callable, is_private_host

_SAME_KEY_SECONDS = 60
_FEW_KEYS = 3
"""So many button keys are not suspicious, however few purchases there are."""
_PUSH_COUNTRIES = ("US", "GB")
"""The countries in which an order can be PENDING (klarna.md §4.5)."""
_TERMS = "merchant_urls.terms"
_WITHOUT_REFERENCE = ("shipping_fee", "sales_tax")
"""Types of lines that need no article number: Klarna adds the one (klarna.md C-3), and the other is a tax."""


def _urls_are_https(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges("create_button", "update_button", "create_order"):
        for name, url in _merchant_urls(body_of(entry)).items():
            if name not in CALLBACKS or not isinstance(url, str) or _is_of_test_machine(url):
                continue
            if len(url) > MAX_CHARACTERS:
                yield broken(
                    entry,
                    seen=f"{name} with {len(url)} characters",
                    expected=f"at most {MAX_CHARACTERS} characters",
                )
            elif is_callable(url, strict=True):
                yield obeyed(entry)
            else:
                yield broken(
                    entry,
                    seen=f"{name}: {url}",
                    expected=f"a URL that begins with https://, of at most {MAX_CHARACTERS} characters",
                )


def _is_of_test_machine(url: str) -> bool:
    """Return whether a URL has a host that is not on the public internet: http is usual there."""
    return is_absolute(url) and is_private_host(urlsplit(url).hostname or "")


def _keys_are_used_again(traffic: Traffic) -> Iterator[Observation]:
    created = [
        entry
        for entry in traffic.accepted("create_button")
        if not is_of_test(entry) and not injected(entry, *ANSWER_FAULTS)
    ]
    last: dict[str, Entry] = {}
    for entry in created:
        options = json.dumps(body_of(entry), sort_keys=True)
        before = last.get(options)
        if before is not None and 0 <= (pause := moment_of(entry) - moment_of(before)) < _SAME_KEY_SECONDS:
            yield broken(
                before,
                entry,
                seen=f"two keys with the same options within {pause:.0f} s",
                expected="one key that is created once and stored",
            )
        last[options] = entry
    sessions = len(traffic.events("session_initiated"))
    if created and sessions:
        if len(created) > max(_FEW_KEYS, 2 * sessions):
            yield broken(
                created[-1], seen=f"{len(created)} keys for {sessions} sessions", expected="one key for many sessions"
            )
        else:
            yield obeyed(created[-1])


def _push_and_notification_are_set(traffic: Traffic) -> Iterator[Observation]:
    for entries, urls, country in _placed(traffic):
        missing = [name for name in ("push", "notification") if not urls.get(name)]
        if missing:
            yield broken(
                *entries,
                seen=f"no {' and no '.join(missing)} URL",
                expected="both in merchant_urls of the key or of the order",
                severity=Severity.ERROR if country in _PUSH_COUNTRIES else None,
            )
        else:
            yield obeyed(*entries)


def _confirmation_is_set(traffic: Traffic) -> Iterator[Observation]:
    for entries, urls, _country in _placed(traffic):
        if urls.get("confirmation"):
            yield obeyed(*entries)
        else:
            yield broken(
                *entries,
                seen="no confirmation URL",
                expected="one in merchant_urls of the key, of the page or of the posted order",
            )


def _placed(traffic: Traffic) -> Iterator[tuple[tuple[Entry, Entry], Json, object]]:
    """Yield for each order of a known key the requests with the key and the order, their merchant URLs, and the country."""
    for authorization in traffic.authorizations:
        decision, button = authorization.decision, traffic.buttons.get(authorization.button_key)
        if decision is not None and decision["name"] == "create_order" and button is not None:
            urls = traffic.merchant_urls(authorization)
            yield (button, decision), urls, authorization.order.get("purchase_country")


def _terms_are_set(traffic: Traffic) -> Iterator[Observation]:
    keys = traffic.accepted("create_button", "update_button")
    with_terms = [entry for entry in keys if _merchant_urls(body_of(entry)).get("terms")]
    for entry in with_terms:
        yield obeyed(entry)
    for authorization in traffic.authorizations if len(with_terms) < len(keys) else ():
        button = traffic.buttons.get(authorization.button_key)
        if button is not None and _merchant_urls(authorization.order).get("terms"):
            yield obeyed(button, authorization.attempts[0])
    for entry in traffic.page_requests("sdk_load", "sdk_sessions"):
        if any(problem["path"] == _TERMS and problem["rule"] == "required" for problem in entry["problems"]):
            button = traffic.buttons.get(_key_of_page(entry))
            yield broken(
                *([button] if button is not None else ()),
                entry,
                seen=f"load() without {_TERMS}, of a button key without it",
                expected=f"{_TERMS} in the button key or in the options of load()",
            )


def _key_of_page(entry: Entry) -> str:
    """Return the button key of a request of a page, "" if it has none."""
    options = body_of(entry).get("options")
    setup = options.get("setup") if isinstance(options, dict) else None
    return str(setup.get("key", "")) if isinstance(setup, dict) else ""


def _lines_have_urls(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        for number, line in enumerate(lines(authorization.order)):
            if line.get("type", "physical") not in ("physical", "digital"):
                continue
            wrong = [name for name in ("product_url", "image_url") if not _is_absolute_https(line.get(name))]
            if wrong:
                name = wrong[0]
                yield broken(
                    authorization.attempts[0],
                    seen=f"order_lines[{number}].{name}: {line.get(name) or 'missing'}",
                    expected="an absolute URL that begins with https://",
                )
            else:
                yield obeyed(authorization.attempts[0])


def _is_absolute_https(url: object) -> bool:
    return isinstance(url, str) and is_absolute(url) and (urlsplit(url).scheme == "https" or _is_of_test_machine(url))


def _references_are_unique(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        used: set[str] = set()
        for number, line in enumerate(lines(authorization.order)):
            reference = str(line.get("reference") or "")
            entry = authorization.attempts[0]
            if not reference and line.get("type") in _WITHOUT_REFERENCE:
                continue
            if not reference:
                yield broken(
                    entry, seen=f"order_lines[{number}] has no reference", expected="the article number of the shop"
                )
            elif reference in used:
                yield broken(
                    entry,
                    seen=f"order_lines[{number}].reference {reference} again",
                    expected="another reference for each line",
                )
            else:
                yield obeyed(entry)
            used.add(reference)


def _country_currency_and_locale_match(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        yield from _regions_of(authorization.attempts[0], authorization.order)
    for authorization in traffic.authorizations:
        for entry in authorization.posted:
            yield from _regions_of(entry, body_of(entry))
    for entry in (
        *traffic.exchanges("create_button", "update_button"),
        *traffic.page_requests("sdk_load", "sdk_sessions", "sdk_update"),
    ):
        for problem in entry["problems"]:
            if problem["rule"] == "currency":
                yield broken(entry, seen=f"{problem['path']} {problem['value']}", expected=str(problem["expected"]))


def _regions_of(entry: Entry, order: Json) -> Iterator[Observation]:
    """Yield whether country, currency and locale of an order belong together; nothing for a country that is not served."""
    country = str(order.get("purchase_country", "")).upper()
    served = COUNTRIES.get(country)
    if served is None:
        return
    currency, locale = order.get("purchase_currency"), str(order.get("locale", ""))
    if str(currency).upper() != served.currency:
        yield broken(entry, seen=f"purchase_currency {currency} in {country}", expected=served.currency)
    elif locale[-2:].upper() != served.code:
        yield broken(
            entry,
            seen=f"locale {locale} with purchase_country {country}",
            expected=f"a locale of {country}, such as {served.locale}",
        )
    else:
        yield obeyed(entry)


def _browsers_have_no_credentials(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges():
        if entry["status"] == 401:
            continue
        origin = header(entry, "Origin") or header(entry, "Sec-Fetch-Site")
        if origin is None:
            yield obeyed(entry)
        else:
            yield broken(
                entry,
                seen=f"{entry['method']} {entry['path']} with credentials, from a page ({origin})",
                expected="requests with credentials come from the shop's server only",
            )


def _merchant_urls(body: Json) -> Json:
    urls = body.get("merchant_urls")
    return urls if isinstance(urls, dict) else {}


def _load_has_a_callback(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.events("session_initiated"):
        if entry.get("load_callback") == "none":
            yield broken(entry, seen="load() without a callback", expected="load(options, (result) => …)")
        elif entry.get("load_callback") == "with_parameters":
            yield obeyed(entry)


RULES = (
    Rule(
        id="K1",
        title="Every URL that Klarna calls is https",
        severity=Severity.ERROR,
        source="guide, step 1",
        remedy="Give https URLs of at most 2,000 characters in merchant_urls; Klarna refuses others.",
        observe=_urls_are_https,
        needs="a button key whose URLs are not those of a test machine",
    ),
    Rule(
        id="K2",
        title="A button key is used again",
        severity=Severity.WARNING,
        source="klarna.md §5",
        remedy="Create the key once, store it, and change it with PUT /instantshopping/v1/buttons/{button_key}.",
        observe=_keys_are_used_again,
        needs="a button key that the shop created, and a session",
        compares_purchases=True,
    ),
    Rule(
        id="K3",
        title="Push and notification URLs are set",
        severity=Severity.WARNING,
        source="guide, step 3",
        remedy="Set merchant_urls.push and merchant_urls.notification. Without them a PENDING order is never decided "
        "for the shop; in US and GB both are required.",
        observe=_push_and_notification_are_set,
        needs="a placed order of a button key in the journal",
    ),
    Rule(
        id="K4",
        title="A confirmation URL is set",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Set merchant_urls.confirmation in the button key, in the options of load() or in the posted order.",
        observe=_confirmation_is_set,
        needs="a placed order of a button key in the journal",
    ),
    Rule(
        id="K5",
        title="A terms URL is set",
        severity=Severity.ERROR,
        source="guide, step 2",
        remedy="Set merchant_urls.terms in POST /instantshopping/v1/buttons, or give it to load(); without it there is no button.",
        observe=_terms_are_set,
        needs="a button key with a terms URL, or a purchase or a refused load() with a known key",
    ),
    Rule(
        id="K6",
        title="Order lines have absolute product and image URLs",
        severity=Severity.HINT,
        source="klarna.md §3.4",
        remedy="Give product_url and image_url of each line as https URLs; Klarna's app shows them to the shopper.",
        observe=_lines_have_urls,
        needs="an authorized order with a product",
    ),
    Rule(
        id="K7",
        title="Every order line has a reference of its own",
        severity=Severity.WARNING,
        source="klarna.md §3.4",
        remedy="Give each entry of order_lines the article number of the shop as reference, each number once; "
        "shipping and refunds find the line by it.",
        observe=_references_are_unique,
        needs="an authorized order",
    ),
    Rule(
        id="K8",
        title="Country, currency and locale belong together",
        severity=Severity.ERROR,
        source="klarna.md §3.1",
        remedy="Sell in the currency of purchase_country, in a locale that ends with it: for SE "
        "purchase_currency is SEK, and locale sv-SE.",
        observe=_country_currency_and_locale_match,
        needs="an authorized or posted order",
    ),
    Rule(
        id="K9",
        title="Credentials stay on the shop's server",
        severity=Severity.ERROR,
        source="klarna.md §1.3",
        remedy="Send requests to /instantshopping/v1 and /ordermanagement/v1 from the shop's server only; a page "
        "needs the button key, not the password.",
        observe=_browsers_have_no_credentials,
        needs="a request to Klarna's API",
    ),
    Rule(
        id="K10",
        title="The page handles show_button false",
        severity=Severity.HINT,
        source="klarna.md §6.3",
        remedy="Give load() a callback, and hide the place of the button when show_button is false.",
        observe=_load_has_a_callback,
        needs="a click on the button of a page whose load() has no callback, or one with a parameter; what it does is not visible",
    ),
)
"""The rules of keys and pages."""
