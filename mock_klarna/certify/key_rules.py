"""The rules of button keys and of what the page gives `load()`."""

import json
from collections.abc import Iterator
from ipaddress import ip_address
from urllib.parse import urlsplit

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed
from mock_klarna.certify.traffic import Entry, Json, Traffic, body_of, header, is_of_test, lines, moment_of
from mock_klarna.domain.countries import COUNTRIES

_CALLED_BY_KLARNA = ("place_order", "update", "create_customer_token", "push", "notification")
_LONGEST_URL = 2000
_SAME_KEY_SECONDS = 60
_KEYS_FOR_FREE = 3
"""So many button keys are not suspicious, however few purchases there are."""
_PER_ORDER_COUNTRIES = ("US", "GB")


def _urls_are_https(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges("create_button", "update_button", "create_order"):
        for name, url in _merchant_urls(body_of(entry)).items():
            if name in _CALLED_BY_KLARNA and isinstance(url, str) and not is_local(url):
                if not url.startswith("https://"):
                    seen, expected = (
                        f"{name}: {url}",
                        f"a URL that begins with https://, of at most {_LONGEST_URL} characters",
                    )
                    yield broken(entry, seen=seen, expected=expected)
                elif len(url) > _LONGEST_URL:
                    yield broken(
                        entry,
                        seen=f"{name} with {len(url)} characters",
                        expected=f"at most {_LONGEST_URL} characters",
                    )
                else:
                    yield obeyed(entry)


def is_local(url: str) -> bool:
    """Return whether a URL can only be reached on this machine or network, as those of tests: http is usual there."""
    host = urlsplit(url).hostname or ""
    if "." not in host and ":" not in host:
        return True
    try:
        return not ip_address(host).is_global
    except ValueError:
        return host.endswith((".localhost", ".internal", ".local", ".test"))


def _keys_are_used_again(traffic: Traffic) -> Iterator[Observation]:
    created = [entry for entry in traffic.accepted("create_button") if not is_of_test(entry)]
    last: dict[str, Entry] = {}
    for entry in created:
        options = json.dumps(body_of(entry), sort_keys=True)
        before = last.get(options)
        if before is not None and (pause := moment_of(entry) - moment_of(before)) < _SAME_KEY_SECONDS:
            yield broken(
                before,
                entry,
                seen=f"two keys with the same options within {pause:.0f} s",
                expected="one key that is created once and stored",
            )
        last[options] = entry
    sessions = len(traffic.events("session_initiated"))
    if created and sessions:
        if len(created) > max(_KEYS_FOR_FREE, 2 * sessions):
            yield broken(
                created[-1], seen=f"{len(created)} keys for {sessions} sessions", expected="a key for many sessions"
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
                severity=Severity.ERROR if country in _PER_ORDER_COUNTRIES else None,
            )
        else:
            yield obeyed(*entries)


def _confirmation_is_set(traffic: Traffic) -> Iterator[Observation]:
    for entries, urls, _country in _placed(traffic):
        if urls.get("confirmation"):
            yield obeyed(*entries)
        else:
            yield broken(
                *entries, seen="no confirmation URL", expected="one in merchant_urls of the key or of the posted order"
            )


def _placed(traffic: Traffic) -> Iterator[tuple[tuple[Entry, Entry], Json, object]]:
    """Yield for each order of a known key the requests with the key and the order, their merchant URLs, and the country."""
    for authorization in traffic.authorizations:
        decision, button = authorization.decision, traffic.buttons.get(authorization.button_key)
        if decision is not None and decision["name"] == "create_order" and button is not None:
            urls = traffic.merchant_urls(authorization)
            yield (button, decision), urls, authorization.order.get("purchase_country")


def _terms_are_set(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.accepted("create_button"):
        if _merchant_urls(body_of(entry)).get("terms"):
            yield obeyed(entry)
        else:
            yield broken(entry, seen="no terms URL", expected="merchant_urls.terms in the button key")


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
                    seen=f"order_lines[{number}].{name}: {line.get(name, 'missing')}",
                    expected="an absolute URL that begins with https://",
                )
            else:
                yield obeyed(authorization.attempts[0])


def _is_absolute_https(url: object) -> bool:
    return isinstance(url, str) and (url.startswith("https://") or (url.startswith("http://") and is_local(url)))


def _references_are_unique(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        used: set[str] = set()
        for number, line in enumerate(lines(authorization.order)):
            reference = str(line.get("reference") or "")
            entry = authorization.attempts[0]
            if not reference:
                seen, expected = f"order_lines[{number}] has no reference", "the article number of the shop"
                yield broken(entry, seen=seen, expected=expected)
            elif reference in used:
                seen, expected = f"order_lines[{number}].reference {reference} again", "another reference for each line"
                yield broken(entry, seen=seen, expected=expected)
            else:
                yield obeyed(entry)
            used.add(reference)


def _country_currency_and_locale_match(traffic: Traffic) -> Iterator[Observation]:
    for authorization in traffic.authorizations:
        order, entry = authorization.order, authorization.attempts[0]
        country, currency = order.get("purchase_country"), order.get("purchase_currency")
        locale = str(order.get("locale", ""))
        served = COUNTRIES.get(str(country))
        if served is None:
            continue
        if currency != served.currency:
            seen, expected = f"purchase_currency {currency} in {country}", served.currency
            yield broken(entry, seen=seen, expected=expected)
        elif locale[-2:] != served.code:
            seen, expected = (
                f"locale {locale} with purchase_country {country}",
                f"a locale of {country}, such as {served.locale}",
            )
            yield broken(entry, seen=seen, expected=expected)
        else:
            yield obeyed(entry)


def _browsers_have_no_credentials(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges():
        if entry["name"].startswith("sdk_") or entry["status"] == 401:
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
        look=_urls_are_https,
        needs="a button key whose URLs are not those of a test machine",
    ),
    Rule(
        id="K2",
        title="A button key is used again",
        severity=Severity.WARNING,
        source="klarna.md §5",
        remedy="Create the key once, store it, and change it with PUT /instantshopping/v1/buttons/{button_key}.",
        look=_keys_are_used_again,
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
        look=_push_and_notification_are_set,
        needs="a placed order of a button key in the journal",
    ),
    Rule(
        id="K4",
        title="A confirmation URL is set",
        severity=Severity.ERROR,
        source="guide, step 3",
        remedy="Set merchant_urls.confirmation in the button key or in the posted order.",
        look=_confirmation_is_set,
        needs="a placed order of a button key in the journal",
    ),
    Rule(
        id="K5",
        title="A terms URL is set",
        severity=Severity.ERROR,
        source="guide, step 1",
        remedy="Set merchant_urls.terms in POST /instantshopping/v1/buttons.",
        look=_terms_are_set,
        needs="a button key",
    ),
    Rule(
        id="K6",
        title="Order lines have absolute product and image URLs",
        severity=Severity.HINT,
        source="klarna.md §3.4",
        remedy="Give product_url and image_url of each line as https URLs; Klarna's app shows them to the shopper.",
        look=_lines_have_urls,
        needs="an authorized order with a product",
    ),
    Rule(
        id="K7",
        title="Every order line has a reference of its own",
        severity=Severity.WARNING,
        source="klarna.md §3.4",
        remedy="Give each entry of order_lines the article number of the shop as reference, each number once; "
        "shipping and refunds find the line by it.",
        look=_references_are_unique,
        needs="an authorized order",
    ),
    Rule(
        id="K8",
        title="Country, currency and locale belong together",
        severity=Severity.ERROR,
        source="klarna.md §3.1",
        remedy="Sell in the currency of purchase_country, in a locale that ends with it: for SE "
        "purchase_currency is SEK, and locale sv-SE.",
        look=_country_currency_and_locale_match,
        needs="an authorized order",
    ),
    Rule(
        id="K9",
        title="Credentials stay on the shop's server",
        severity=Severity.ERROR,
        source="klarna.md §1.3",
        remedy="Send requests to /instantshopping/v1 and /ordermanagement/v1 from the shop's server only; a page "
        "needs the button key, not the password.",
        look=_browsers_have_no_credentials,
        needs="a request to Klarna's API",
    ),
    Rule(
        id="K10",
        title="The page handles show_button false",
        severity=Severity.HINT,
        source="klarna.md §6.3",
        remedy="Give load() a callback, and hide the place of the button when show_button is false.",
        look=_load_has_a_callback,
        needs="a click on the button of a page whose load() has no callback, or one with a parameter; what it does is not visible",
    ),
)
"""The rules of keys and pages."""
