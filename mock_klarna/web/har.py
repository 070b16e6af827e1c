"""Journal entries as an HTTP Archive (HAR) 1.2, http://www.softwareishard.com/blog/har-12-spec/.

Each entry of the archive has the entry of the journal in `_mock_klarna`. The journal has a few headers of requests and none of our
own answers, so the archive has those, and of our answers the headers that are known without it.
"""

from base64 import b64encode
from collections.abc import Iterable, Sequence
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl, quote

from mock_klarna import __version__
from mock_klarna.domain.journal import Entry, Exchange, Sent, readable
from mock_klarna.domain.urls import API_HOSTS
from mock_klarna.web import views
from mock_klarna.web.operation import ErrorFormat, api_of_path
from mock_klarna.web.request import JSON, PROBLEM_JSON

Json = dict[str, Any]
Headers = Sequence[tuple[str, str]]
_VERSION = "HTTP/1.1"
_URL_MARKS = "!#$%&'()*+,/:;=?@[]~"
_MAX_TEXT = 64 << 10
"""Bytes of a body that the archive has; the journal's JSON is cut off there too."""


def archive(entries: Iterable[Entry], about: Json, url: str, comment: str) -> Json:
    """Return an archive of the exchanges and callbacks among some entries.

    about: goes into `log._mock_klarna`, with the other entries as `entries`. url: the address of the server.
    """
    sent: list[Json] = []
    others: list[Json] = []
    for entry in entries:
        if isinstance(entry.data, Sent):
            sent.append(_callback(entry, entry.data))
        elif isinstance(entry.data, Exchange):
            sent.append(_exchange(entry, entry.data, url))
        else:
            others.append(views.entry(entry))
    return {
        "log": {
            "version": "1.2",
            "creator": {"name": "mock-klarna", "version": __version__},
            "pages": [],
            "entries": sent,
            "comment": comment,
            "_mock_klarna": {**about, "entries": others},
        }
    }


def _exchange(entry: Entry, data: Exchange, url: str) -> Json:
    address = _origin(dict(data.request_headers).get("Host", ""), url) + data.path
    request = _request(data.method, address, data.request_headers, data.request_body)
    rules = api_of_path(data.path.partition("?")[0]).rules
    is_problem = data.status >= 400 and rules.error_format is ErrorFormat.PROBLEM_DETAILS
    headers = [("Content-Type", PROBLEM_JSON if is_problem else JSON)] if data.response_body else []
    headers += [("Klarna-Correlation-Id", data.correlation_id)] if rules.emulates_klarna else []
    response = _response(data.status, headers, data.response_body)
    return _entry(entry, request, response)


def _callback(entry: Entry, data: Sent) -> Json:
    attempt = data.attempt
    headers = (("Content-Type", JSON),) if data.request_body else ()
    response = _response(attempt.status or 0, attempt.answer_headers, attempt.answer)
    if attempt.error:
        response |= {"comment": attempt.error, "_error": attempt.error}
    return _entry(entry, _request("POST", data.url, headers, data.request_body), response)


def _entry(entry: Entry, request: Json, response: Json) -> Json:
    shown = views.entry(entry)
    duration = shown["duration_ms"]
    return {
        "startedDateTime": shown["at"],
        "time": duration,
        "request": request,
        "response": response,
        "cache": {},
        "timings": {"send": 0, "wait": duration, "receive": 0},
        "comment": entry.name,
        "_mock_klarna": shown,
    }


def _origin(host: str, url: str) -> str:
    """Return the origin of a request, whose scheme the journal does not have: that of `url`, and https for Klarna's own hosts."""
    if not host:
        return url
    scheme = "https" if host.partition(":")[0] in API_HOSTS else url.partition(":")[0]
    return f"{scheme}://{host}"


def _request(method: str, url: str, headers: Headers, body: bytes) -> Json:
    address = quote(url, safe=_URL_MARKS, errors="surrogateescape")
    query = parse_qsl(address.partition("?")[2].partition("#")[0], keep_blank_values=True)
    shown = {
        "method": method,
        "url": address,
        "httpVersion": _VERSION,
        "cookies": [],
        "headers": _pairs(headers),
        "queryString": _pairs(query),
        "headersSize": -1,
        "bodySize": len(body),
    }
    return {**shown, "postData": {"mimeType": _type(headers), **_text(body)}} if body else shown


def _response(status: int, headers: Headers, body: bytes) -> Json:
    """Return a response; the status is 0 for one that did not arrive."""
    content = {"size": len(body), "mimeType": _type(headers) if body else ""}
    return {
        "status": status,
        "statusText": _phrase(status),
        "httpVersion": _VERSION if status else "",
        "cookies": [],
        "headers": _pairs(headers),
        "content": {**content, **_content(body)} if body else content,
        "redirectURL": next((value for name, value in headers if name.lower() == "location"), ""),
        "headersSize": -1,
        "bodySize": len(body) if status else -1,
    }


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return ""


def _pairs(pairs: Headers) -> list[Json]:
    return [{"name": name, "value": readable(value)} for name, value in pairs]


def _type(headers: Headers) -> str:
    return next((value for name, value in headers if name.lower() == "content-type"), "")


def _content(body: bytes) -> Json:
    """Return the members of a response's body; one that is not UTF-8 is in Base64."""
    if len(body) <= _MAX_TEXT:
        try:
            return {"text": body.decode()}
        except UnicodeDecodeError:
            return {"text": b64encode(body).decode(), "encoding": "base64"}
    return _text(body)


def _text(body: bytes) -> Json:
    """Return the members of a body as text, with bytes that are not UTF-8 in hexadecimal."""
    text = {"text": body[:_MAX_TEXT].decode("utf-8", "backslashreplace")}
    return text if len(body) <= _MAX_TEXT else {**text, "comment": f"the first {_MAX_TEXT} of {len(body)} bytes"}
