"""The rules of HTTP: headers, URLs and hosts of any request or callback."""

import re
from collections.abc import Iterator
from urllib.parse import unquote, urlsplit

from mock_klarna.certify.rule import Observation, Rule, Severity, broken, obeyed, observe_nothing
from mock_klarna.certify.traffic import Entry, Traffic, header

_LIBRARY = re.compile(
    r"(?i)python(-\w+)?|aiohttp|httpx|urllib3?|php|guzzle(http)?|symfony|httpclient|curl|libcurl|wget|node(-fetch|\.js)?|undici|axios|"
    r"got|superagent|go-http-client|java(-http-client)?|okhttp|apache-httpclient|ruby|rest-client|faraday|typhoeus|libwww-perl|dart"
)
"""The names with which libraries and languages describe themselves in a User-Agent."""
_PRODUCT = re.compile(r"\([^)]*\)|([^\s/()]+)(?:/\S*)?")
"""A comment, or a product with its version (RFC 9110, section 10.1.5)."""
_VERSION = re.compile(r"(?i)v?\d[\d.]*(-\w+)?")
_MONTH, _DAY = r"(?:0[1-9]|1[0-2])", r"(?:0[1-9]|[12]\d|3[01])"
_PERSONAL = re.compile(
    r"[^/?&=\s]+@[^/?&=\s]+\.[a-z]{2,}"
    rf"|(?<![a-z\d])(?:\d\d{_MONTH}{_DAY}|{_DAY}{_MONTH}\d\d)-?\d{{4}}(?![a-z\d])",
    re.IGNORECASE,
)
"""An e-mail address, or a national identification number: a date of birth as YYMMDD or DDMMYY, and four digits."""


def _user_agent_names_the_shop(traffic: Traffic) -> Iterator[Observation]:
    seen: set[str] = set()
    for entry in traffic.exchanges():
        agent = header(entry, "User-Agent") or ""
        if agent in seen:
            continue
        seen.add(agent)
        products = [found[1] for found in _PRODUCT.finditer(agent) if found[1]]
        if any(not (_LIBRARY.fullmatch(name) or _VERSION.fullmatch(name)) for name in products):
            yield obeyed(entry)
        else:
            yield broken(
                entry, seen=f"User-Agent: {agent or 'missing'}", expected="the name and version of the shop or plugin"
            )


def _urls_have_no_personal_data(traffic: Traffic) -> Iterator[Observation]:
    for entry in (*traffic.exchanges(), *traffic.callbacks()):
        found = _PERSONAL.search(unquote(_path_and_query(entry)))
        if found:
            yield broken(
                entry,
                seen=f"{found[0]} in the URL of {entry['name']}",
                expected="ids such as order_id only; URLs are written to logs",
            )
        elif any(name.casefold() == "authorization" for name, _value in entry.get("answer_headers") or ()):
            yield broken(
                entry,
                seen=f"an Authorization header in the answer to {entry['name']}",
                expected="an answer without credentials; Klarna needs none",
            )
        else:
            yield obeyed(entry)


def _path_and_query(entry: Entry) -> str:
    """Return the path and the query of a request to Klarna, or of the URL of a callback."""
    if entry["kind"] == "exchange":
        return str(entry["path"])
    url = urlsplit(entry["url"])
    return f"{url.path}?{url.query}"


def _one_region_for_one_username(traffic: Traffic) -> Iterator[Observation]:
    for entry in traffic.exchanges():
        explanation = entry["explanation"] or ""
        if entry["status"] == 401 and "region" in explanation:
            yield broken(entry, seen=explanation, expected="credentials of the region of the host")


RULES = (
    Rule(
        id="T1",
        title="User-Agent names the shop",
        severity=Severity.HINT,
        source="klarna.md §1.4",
        remedy="Send a User-Agent with the name and the version of the shop or plugin, such as ExampleShop/2.4.",
        observe=_user_agent_names_the_shop,
        needs="a request",
    ),
    Rule(
        id="T2",
        title="Klarna-Correlation-Id is logged",
        severity=Severity.HINT,
        source="klarna.md §1.5",
        remedy="Write Klarna-Correlation-Id of each response to the log; Klarna's support asks for it.",
        observe=observe_nothing,
        needs="a look at the shop's log: what it keeps is not in the traffic",
    ),
    Rule(
        id="T3",
        title="URLs have no personal data, and answers no credentials",
        severity=Severity.WARNING,
        source="klarna.md §1.1",
        remedy="Put ids such as {order_id} into paths and merchant_urls, and no e-mail addresses and national "
        "ids: URLs are written to logs. Answer callbacks without Authorization.",
        observe=_urls_have_no_personal_data,
        needs="a request or a callback",
    ),
    Rule(
        id="T4",
        title="Credentials are used in one region",
        severity=Severity.WARNING,
        source="klarna.md §1.2",
        remedy="Use the host of the region of the credentials: api.klarna.com for Europe, api-na.klarna.com for "
        "North America, api-oc.klarna.com for Oceania.",
        observe=_one_region_for_one_username,
        needs="--separate-regions and requests to two regions",
    ),
)
"""The rules of HTTP, in the order of the reports."""
