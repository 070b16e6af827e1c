"""The requests in an HTTP Archive (HAR) of a browser or proxy, as entries of a journal.

Requests to the paths of Klarna's APIs become exchanges, and those to the merchant URLs that are known from them callbacks. Events
are not in an archive.
"""

import re
from base64 import b64decode
from binascii import Error as InvalidBase64
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any
from urllib.parse import unquote, urlsplit

import orjson

from mock_klarna.certify.traffic import Entry, Gaps
from mock_klarna.domain.callbacks import CALLBACKS
from mock_klarna.domain.time import precise_moment
from mock_klarna.errors import MockKlarnaError
from mock_klarna.validation import shared_validator

Json = Mapping[str, Any]
Operations = Iterable[tuple[str, str, str]]
"""Klarna's endpoints: method, path with names in braces, and name."""
_SECRET_HEADERS = ("authorization", "cookie", "proxy-authorization")
_NO_EVENTS = "a HAR of a browser or proxy has no events; only the journal of the sandbox has them"
_NO_CALLBACKS = "the HAR has no callback to the shop; record the requests to the shop's server too"
_NO_REQUESTS = "the HAR has no request of the shop's server to Klarna's API; record the shop's server too"
_UNKNOWN_MERCHANT = "unknown merchant"


def entries(recorded: Sequence[Json], operations: Operations) -> tuple[Sequence[Entry], Gaps, tuple[str, ...]]:
    """Return the entries of an archive with what they do not show, and notes about them.

    Raises `MockKlarnaError` if none of the requests is to or from Klarna.
    """
    routes = [(method, _pattern(path), name) for method, path, name in operations]
    exchanges = {
        at: (name, entry) for at, entry in enumerate(recorded) if (name := _operation(entry["request"], routes))
    }
    urls = _merchant_urls(entry for _name, entry in exchanges.values())
    callbacks = {at: (name, entry) for at, entry in enumerate(recorded) if (name := _callback(entry["request"], urls))}
    if not exchanges and not callbacks:
        raise MockKlarnaError(
            f"none of the {len(recorded)} requests is to Klarna's API",
            hint="record the shop's server: its requests go to paths such as /instantshopping/v1/… "
            "and /ordermanagement/v1/…; a page's own requests do not show what the server does",
        )
    merchant = _merchant(entry["request"] for _name, entry in exchanges.values())
    found = [_exchange_entry(at, name, entry, merchant) for at, (name, entry) in exchanges.items()]
    found += [
        _callback_entry(at, name, entry, merchant) for at, (name, entry) in callbacks.items() if at not in exchanges
    ]
    found.sort(key=_end)
    _number(found)
    missing = {"event": _NO_EVENTS}
    if not callbacks:
        missing["callback"] = _NO_CALLBACKS
    if not any(not name.startswith("sdk_") for name, _entry in exchanges.values()):
        missing["exchange"] = _NO_REQUESTS
    note = (
        f"{len(exchanges)} requests to Klarna and {len(callbacks)} callbacks were found among {len(recorded)} requests "
        f"of the HAR. What was not recorded may cause a finding."
    )
    return found, Gaps(kinds=missing), (note, *(f"{reason}." for reason in missing.values()))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(path)))


def _operation(request: Json, routes: Iterable[tuple[str, re.Pattern[str], str]]) -> str:
    path = urlsplit(request["url"]).path
    return next(
        (name for method, pattern, name in routes if method == request["method"] and pattern.fullmatch(path)), ""
    )


def _merchant_urls(exchanges: Iterable[Json]) -> Mapping[str, str]:
    """Return the names of the callbacks by their URLs, without query and placeholders."""
    found = {}
    for entry in exchanges:
        for sent in (_request_body(entry["request"]), _answer_body(entry["response"])):
            urls = sent.get("merchant_urls") if isinstance(sent, dict) else None
            for name, url in urls.items() if isinstance(urls, dict) else ():
                if name in CALLBACKS and isinstance(url, str) and "{" not in url.partition("?")[0]:
                    found[_without_query(url)] = name
    return found


def _without_query(url: str) -> str:
    return url.partition("?")[0].rstrip("/")


def _callback(request: Json, urls: Mapping[str, str]) -> str:
    if request["method"] != "POST":
        return ""
    body = _request_body(request)
    if isinstance(body, dict) and isinstance(body.get("order"), dict) and "authorization_token" in body:
        return "place_order"
    return urls.get(_without_query(request["url"]), "")


def _merchant(requests: Iterable[Json]) -> str:
    """Return the username of the credentials that most requests have; the journal of one merchant is judged."""
    users = Counter(
        user for request in requests for value in _values(request, "authorization") if (user := _user(value))
    )
    return users.most_common(1)[0][0] if users else _UNKNOWN_MERCHANT


def _user(credentials: str) -> str:
    scheme, _, value = credentials.partition(" ")
    try:
        return b64decode(value, validate=True).decode().partition(":")[0] if scheme.lower() == "basic" else ""
    except (InvalidBase64, ValueError):
        return ""


def _values(request: Json, name: str) -> Iterator[str]:
    return (str(header["value"]) for header in request.get("headers", ()) if str(header["name"]).lower() == name)


def _entry(at: int, kind: str, name: str, entry: Json, merchant: str) -> dict[str, Any]:
    return {
        "seq": 0,
        "at": precise_moment(datetime.fromisoformat(entry["startedDateTime"]).timestamp()),
        "merchant": merchant,
        "kind": kind,
        "name": name,
        "purchase_id": None,
        "duration_ms": float(entry.get("time") or 0),
        "request_body": _request_body(entry["request"]),
        "status": max(0, int(entry["response"]["status"])) or None,
        "place": f"log.entries[{at}]",
    }


def _exchange_entry(at: int, name: str, entry: Json, merchant: str) -> dict[str, Any]:
    request = entry["request"]
    url = urlsplit(request["url"])
    common = _entry(at, "exchange", name, entry, merchant)
    return {
        **common,
        "method": request["method"],
        "path": unquote(url.path) + (f"?{url.query}" if url.query else ""),
        "request_headers": [
            [str(header["name"]), str(header["value"])]
            for header in request.get("headers", ())
            if str(header["name"]).lower() not in _SECRET_HEADERS
        ],
        "response_body": _answer_body(entry["response"]),
        "explanation": None,
        "problems": _problems(name, common["request_body"]),
    }


def _problems(operation: str, body: object) -> list[dict[str, Any]]:
    """Return what is wrong with the body of a request, as the sandbox would have found it."""
    validator = shared_validator(strict=False)
    if operation not in validator.operations or not isinstance(body, dict):
        return []
    return [problem.as_json() for problem in validator.check(operation, body)[1]]


def _callback_entry(at: int, name: str, entry: Json, merchant: str) -> dict[str, Any]:
    return {
        **_entry(at, "callback", name, entry, merchant),
        "url": entry["request"]["url"],
        "number": 1,
        "answer_body": _answer_body(entry["response"]),
    }


def _end(entry: Json) -> float:
    """Return when an entry ended: the journal has entries in this order."""
    return datetime.fromisoformat(entry["at"]).timestamp() + float(entry["duration_ms"]) / 1000


def _number(found: Iterable[dict[str, Any]]) -> None:
    for seq, entry in enumerate(found, 1):
        entry["seq"] = seq


def _request_body(request: Json) -> Any:
    return body((request.get("postData") or {}).get("text") or "")


def _answer_body(response: Json) -> Any:
    content = response.get("content") or {}
    text = content.get("text") or ""
    if content.get("encoding") == "base64":
        try:
            text = b64decode(text).decode("utf-8", "backslashreplace")
        except InvalidBase64:
            return text
    return body(text)


def body(text: object) -> Any:
    """Return the text of a body as JSON where it is JSON, None for no body."""
    if not isinstance(text, str) or not text:
        return None
    try:
        return orjson.loads(text)
    except ValueError:
        return text
