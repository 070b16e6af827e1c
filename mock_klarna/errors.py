"""The errors: those that Klarna would answer, and those of our own API and command line (invalid requests, usage errors)."""

import errno
import json
import re
from collections.abc import Iterable, Sequence
from typing import Any, ClassVar

from msgspec import Struct

_LONGEST_TEXT = 200
_LONGEST_NAME = 80
_SHORT_NAME = 3
_PLAIN_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_STEP = re.compile(r'\[\d+\]|\[""\]|[^.\[]+|.')


TYPE_BASE = "https://mock-klarna.example/problems/"
"""How `type` of our problem details (RFC 9457) begins; no other server has it."""


class Problem(Struct, frozen=True, gc=False):
    """One fault of one member of a body.

    path: where, in Klarna's form (`order_lines[0].total_tax_amount`); "" is the body itself.
    rule: the broken JSON Schema keyword (`required`, `type`, `maxLength`) or a rule of ours (`line_tax`, `url`).
    value: the value as sent; None for a missing member, which JSON null means too (klarna.md §13).
    expected: what would be right, in words and with the numbers.
    formula: for money, the arithmetic with the numbers in it.
    """

    path: str
    rule: str
    value: object
    expected: str
    formula: str = ""

    @property
    def json_path(self) -> str:
        """The same place as a JSONPath: `$.order_lines[0].total_tax_amount`."""
        return "$" + "".join(_json_path_step(step) for step in _STEP.findall(self.path) if step != ".")

    def as_json(self) -> dict[str, Any]:
        """Return the JSON-ready form for the journal; what was sent is cut to a size that a reader can take in."""
        return {
            "path": self.path,
            "json_path": self.json_path,
            "rule": self.rule,
            "value": bounded(self.value),
            "expected": self.expected,
            "formula": self.formula,
        }

    def shown(self) -> "Problem":
        """Return the problem with the part of the value that is shown, so that it does not keep the whole body in memory."""
        return Problem(self.path, self.rule, bounded(self.value), self.expected, self.formula)

    def as_text(self) -> str:
        """Return the one line that goes to the log."""
        place = f"{self.path or 'body'} [{self.rule}]: "
        if self.rule in UNKNOWN:
            return f"{place}unknown {UNKNOWN[self.rule]}; {self.expected}"
        if self.is_missing:
            return f"{place}missing, expected {self.expected}"
        value = "nothing" if self.value is None else json_text(self.value)
        return f"{place}sent {value}, expected {self.expected}" + (f" ({self.formula})" if self.formula else "")

    @property
    def is_missing(self) -> bool:
        """Whether a member is missing."""
        return self.rule == "required" and self.value is None

    @property
    def sentence(self) -> str:
        """What is wrong, without what would be right: `locale is missing`."""
        name = self.path or "body"
        if self.rule in UNKNOWN:
            return f"{name} is an unknown {UNKNOWN[self.rule]}"
        return f"{name} is missing" if self.is_missing else f"{name} is not valid ({self.rule})"

    @property
    def hint(self) -> str:
        """What would be right, as part of a sentence."""
        return self.expected if self.rule in UNKNOWN else f"expected {self.expected}"


UNKNOWN = {"additionalProperties": "member", "unevaluatedProperties": "member", "unknown_parameter": "parameter"}
"""Rules of members and parameters that do not exist, and what they are; `expected` of such a problem names others."""


def in_words(problems: Iterable[Problem]) -> str:
    """Return all problems in one line of text."""
    return "; ".join(problem.as_text() for problem in problems)


def _json_path_step(step: str) -> str:
    if step.startswith("["):
        return step.replace('""', "''")
    quoted = step.replace("\\", "\\\\").replace("'", "\\'")
    return f".{step}" if _PLAIN_NAME.fullmatch(step) else f"['{quoted}']"


def similar(name: str, known: Iterable[str], most: int = 1, cutoff: float = 0.6) -> list[str]:
    """Return up to `most` known names that are similar to a name, the most similar first; `cutoff` is from 0 to 1."""
    from difflib import get_close_matches  # most names are right

    return get_close_matches(name[:_LONGEST_NAME], list(known), most, cutoff)


def did_you_mean(name: str, known: Iterable[str], prefix: str = "") -> str:
    """Return `did you mean x?` for the known name that is most similar, after a prefix; "" if there is none.

    Of short names, such as codes of countries and currencies, most are similar to many others.
    """
    found = similar(name, known, cutoff=0.8 if len(name) <= _SHORT_NAME else 0.6)
    return f"did you mean {prefix}{found[0]}?" if found else ""


def json_text(value: object) -> str:
    """Return a value as a person reads it: text in quotes, everything else as JSON."""
    shown = bounded(value)
    return repr(shown) if isinstance(shown, str) else json.dumps(shown, ensure_ascii=False, default=repr)


def bounded(value: object) -> Any:
    """Return a JSON-ready value as it is when it is small, else its beginning or what kind of thing it is."""
    if isinstance(value, str):
        return value if len(value) <= _LONGEST_TEXT or _CUT.fullmatch(value) else _cut(value)
    if isinstance(value, dict | list) and _is_large(value):
        kind, part = ("an object", "members") if isinstance(value, dict) else ("a list", "entries")
        return f"{kind} with {len(value)} {part}, too large to show"
    return value


def xml_text(text: str) -> str:
    """Return text with the characters replaced that XML does not allow."""
    return _NOT_XML.sub("�", text)


_NOT_XML = re.compile("[^\t\n\r\x20-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def _cut(text: str) -> str:
    return f"{text[:_LONGEST_TEXT]}… ({len(text)} characters)"


_CUT = re.compile(rf".{{{_LONGEST_TEXT}}}… \(\d{{1,12}} characters\)", re.DOTALL)
"""A text that was cut already."""


def _is_large(value: dict[str, Any] | list[Any]) -> bool:
    left: list[object] = [value]
    weight = 0
    while left and weight <= _LONGEST_TEXT:
        part = left.pop()
        weight += len(part) if isinstance(part, str | dict | list) else 1
        if isinstance(part, dict | list) and weight <= _LONGEST_TEXT:
            left.extend([*part, *part.values()] if isinstance(part, dict) else part)
    return weight > _LONGEST_TEXT


class KlarnaError(Exception):
    """An error that Klarna itself would answer, in Klarna's format (klarna.md §1.6).

    `error_message` is Klarna's short text; `problems` are the details that the journal and the log add to it.
    """

    status: int = 400
    error_code: ClassVar[str] = "bad_value"

    def __init__(self, error_message: str, problems: Sequence[Problem] = ()) -> None:
        super().__init__(error_message)
        self.error_message = error_message
        self.problems = tuple(problems)


class BadValue(KlarnaError):
    """400: a field breaks a constraint; the message names the first field, the problems name all (guide, step 3)."""

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__(f"bad_value:{problems[0].path or 'body'}", problems)


class Unauthorized(KlarnaError):
    """401: no credentials, or credentials that this server does not accept (guide, step 3)."""

    status = 401
    error_code = "unauthorized"


class NotAllowed(KlarnaError):
    """403: the token was used already or belongs to another merchant (guide, step 3)."""

    status = 403
    error_code = "not_allowed"


class NotFound(KlarnaError):
    """404: no such key, or a token without an authorized order behind it (guide, step 3)."""

    status = 404
    error_code = "not_found"


class InvalidOrderId(KlarnaError):
    """400: the order id in the path is not a UUID (klarna.md §9.1)."""

    error_code = "invalid_order_id"


class NoSuchOrder(NotFound):
    """404: this merchant has no order with this id (klarna.md §9.1)."""

    error_code = "no_such_order"


class NoSuchCapture(NotFound):
    """404: the order has no such capture (klarna.md §9.1)."""

    error_code = "no_such_capture"


class CaptureNotAllowed(NotAllowed):
    """403: the order's status, its fraud status or its remaining amount does not allow the capture (klarna.md §9.1)."""

    error_code = "capture_not_allowed"


class RefundNotAllowed(NotAllowed):
    """403: the amount is more than what is captured and not refunded (klarna.md §9.1)."""

    error_code = "refund_not_allowed"


class CancelNotAllowed(NotAllowed):
    """403: the order has captures, or is cancelled, expired or closed (klarna.md §9.1)."""

    error_code = "cancel_not_allowed"


class TooManyRequests(KlarnaError):
    """429: the merchant sent more requests in this second than the rate limit allows (klarna.md §1.5)."""

    status = 429
    error_code = "too_many_requests"


class MethodNotAllowed(KlarnaError):
    """405: the path does not support the method; `allowed` becomes the `Allow` header."""

    status = 405
    error_code = "method_not_allowed"

    def __init__(self, error_message: str, allowed: Sequence[str]) -> None:
        super().__init__(error_message)
        self.allowed = tuple(allowed)


class RequestTimeout(KlarnaError):
    """408: the body did not arrive in time."""

    status = 408
    error_code = "request_timeout"


class BodyTooLarge(KlarnaError):
    """413: the body is longer than the setting `max_body`."""

    status = 413
    error_code = "request_too_large"


class UnsupportedMediaType(KlarnaError):
    """415: the Content-Type is not JSON in UTF-8 (klarna.md §1.3)."""

    status = 415
    error_code = "unsupported_media_type"


class ExpectationFailed(KlarnaError):
    """417: the `Expect` header has a value other than 100-continue."""

    status = 417
    error_code = "expectation_failed"


class StoreFailure(KlarnaError):
    """503: the database cannot be reached or cannot be used; nothing was changed, or it is not known whether it was."""

    status = 503
    error_code = "service_unavailable"


class NoFilesLeft(StoreFailure):
    """503: the process has no free file descriptors; nothing was changed."""

    def __init__(self) -> None:
        super().__init__("the server has no free file descriptors; see ulimit -n")


def without_files(error: BaseException | None) -> bool:
    """Return whether an error says that no file descriptors are free."""
    return isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE)


class StoreFull(StoreFailure):
    """507: the disk of the database is full; nothing was changed."""

    status = 507
    error_code = "insufficient_storage"


class InjectedFault(KlarnaError):
    """A fault was injected: the request is answered with its status, as if Klarna had failed."""

    error_code = "mock_fault"

    def __init__(self, status: int) -> None:
        super().__init__("a fault was ordered for this request")
        self.status = status


class MockKlarnaError(Exception):
    """An invalid request to our own API, or a usage error: what is wrong, where, and what would be right (`hint`).

    Under `/_mock` it is answered as JSON with `status`; on the command line it ends with exit code 2.
    """

    status: int = 400

    def __init__(self, message: str, *, where: str = "", hint: str = "", problems: Sequence[Problem] = ()) -> None:
        super().__init__(message)
        self.message = message
        self.where = where
        self.hint = hint
        self.problems = tuple(problems)

    def __str__(self) -> str:
        """Return one sentence for a terminal: place, message, hint."""
        place = f"{self.where}: " if self.where else ""
        hint = f"; {self.hint}" if self.hint else ""
        return f"{place}{self.message}{hint}"


class InvalidInput(MockKlarnaError):
    """A body, parameter or option of our own interface breaks a rule; `problems` lists every one."""

    def __init__(self, problems: Sequence[Problem], *, where: str = "") -> None:
        super().__init__(problems[0].sentence, where=where, hint=problems[0].hint, problems=problems)


class Forbidden(MockKlarnaError):
    """403: a request of one merchant would change the state of others, or a page of another origin uses the control API."""

    status = 403


class UnknownHost(MockKlarnaError):
    """421: the control API was called by a host name that is not one of this server."""

    status = 421


class UnknownName(MockKlarnaError):
    """404: no object has this name or id."""

    status = 404


class StateConflict(MockKlarnaError):
    """409: the state of the object does not allow the request."""

    status = 409


class Unreachable(MockKlarnaError):
    """No server answers at the sandbox's address; on the command line it ends with exit code 4."""


class CannotBind(OSError):
    """A server cannot listen at `address`; on the command line it ends with exit code 3.

    `strerror` says why, `flag` is the setting of the port, `remedy` says what to do.
    """

    def __init__(self, number: int | None, reason: str, *, address: str, flag: str, remedy: str) -> None:
        super().__init__(number, reason)
        self.address = address
        self.flag = flag
        self.remedy = remedy

    def __str__(self) -> str:
        """Return one sentence for a terminal."""
        return f"cannot listen on {self.address}: {self.strerror}; {self.remedy}"


class WriteConflict(Exception):
    """Another command committed first: load and decide again. Never leaves the emulator."""


class TooManyConflicts(StoreFailure, WriteConflict):
    """503: at every try another command committed first; nothing was changed."""
