"""What the table of endpoints is made of: the APIs, what differs between them, and a row for each endpoint."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import Enum
from typing import Final

from mock_klarna.validation.explain import without_sources
from mock_klarna.web.query import MERCHANT, Parameter
from mock_klarna.web.request import JSON, ApiRequest, ApiResponse, FindProblems, Services

Handler = Callable[[Services, ApiRequest], Awaitable[ApiResponse]]
Precondition = Callable[[Services, ApiRequest], Awaitable[FindProblems | None]]


ANY_OBJECT: Final = ""
"""In the answers of an operation: any JSON object, which no component describes."""
UNKNOWN_PATH, WRONG_METHOD = "unknown_path", "wrong_method"
"""The names of requests that reach no operation."""
NO_BODY: Final = None
"""In the answers of an operation: no body."""


class Authentication(Enum):
    """Who may call an API."""

    REQUIRED = "required"
    """HTTP Basic credentials; 401 without them."""
    OPTIONAL = "optional"
    """Anyone; credentials or `?merchant=` select a merchant, without them a request is about all merchants."""
    NONE = "none"
    """Anyone; credentials are ignored."""


class ErrorFormat(Enum):
    """How an API describes an error; the value is the component in `schemas/components` that describes the body."""

    KLARNA = "components/error.json"
    """One message (klarna.md §1.6)."""
    KLARNA_LIST = "components/plural_error.json"
    """A list of messages under an upper-case code (klarna.md §1.6, C-9)."""
    PROBLEM_DETAILS = "components/problem_details.json"
    """RFC 9457."""


class JournalPolicy(Enum):
    """Which requests of an API become entries of the journal."""

    ALL = "all"
    PROBLEMS = "problems"
    """Those with a problem, and calls of `load()` and `update()`."""
    NONE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiRules:
    """What differs between the APIs.

    `title` is the tag in the OpenAPI document; a path below one of `base_paths` belongs to the API even if no operation has it.
    `emulates_klarna`: responses have a correlation id, and errors that were requested with `/_mock/faults` apply.
    `is_protected`: only for the server's own host names, and not for pages of other origins.
    """

    title: str
    base_paths: tuple[str, ...]
    authentication: Authentication
    error_format: ErrorFormat
    journal: JournalPolicy
    emulates_klarna: bool = False
    is_rate_limited: bool = False
    is_cross_origin: bool = False
    is_protected: bool = False


def _klarna(title: str, error_format: ErrorFormat, *base_paths: str) -> ApiRules:
    return ApiRules(
        title=title,
        base_paths=base_paths,
        authentication=Authentication.REQUIRED,
        error_format=error_format,
        journal=JournalPolicy.ALL,
        emulates_klarna=True,
        is_rate_limited=True,
    )


class Api(Enum):
    """The APIs that the server offers, each with its rules."""

    INSTANT_SHOPPING = _klarna("Instant Shopping", ErrorFormat.KLARNA, "/instantshopping")
    ORDER_MANAGEMENT = _klarna("Order Management", ErrorFormat.KLARNA_LIST, "/ordermanagement")
    CUSTOMER_TOKENS = _klarna("Customer Token", ErrorFormat.KLARNA_LIST, "/customer-token", "/payments")
    SANDBOX = ApiRules(
        title="Sandbox",
        base_paths=("/_mock",),
        authentication=Authentication.OPTIONAL,
        error_format=ErrorFormat.PROBLEM_DETAILS,
        journal=JournalPolicy.NONE,
        is_protected=True,
    )
    BROWSER = ApiRules(
        title="Browser",
        base_paths=("/instantshopping/sdk",),
        authentication=Authentication.NONE,
        error_format=ErrorFormat.PROBLEM_DETAILS,
        journal=JournalPolicy.PROBLEMS,
        is_cross_origin=True,
    )

    @property
    def rules(self) -> ApiRules:
        """What differs from the other APIs."""
        rules: ApiRules = self.value
        return rules


def api_of_path(path: str) -> Api:
    """Return the API that a path without an operation belongs to: the one with the longest base path, else Instant Shopping."""
    matches = ((base, api) for api in Api for base in api.rules.base_paths if f"{path}/".startswith(f"{base}/"))
    return max(matches, key=lambda match: len(match[0]), default=("", Api.INSTANT_SHOPPING))[1]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One endpoint.

    name: its id in the OpenAPI document and in the journal, and the name of `schemas/requests/<name>.json` if it takes a body.
    body: "required", "optional", "stream" (JSON that the handler reads while it arrives) or "" (a body is not read).
    schema: the name of the body's schema where another operation has the same body.
    keeps_nulls: null is a value of its body; elsewhere it means that a member is missing (klarna.md §13).
    max_body: the largest body in bytes, if not that of the settings.
    precondition: runs before the problems of a body are reported, because an error about the resource in the path is more
        important. May return a function that finds more problems in the body.
    answers: the component that describes the body for each status, `ANY_OBJECT` or `NO_BODY`.
    errors: the statuses that a caller should expect beyond those of every operation of the API.
    headers: names of response headers beyond the usual ones.
    media: the content type of its answers. other_media: those that the header Accept can select instead.
    is_idempotent: a `Klarna-Idempotency-Key` makes it execute once (klarna.md §9.4).
    counters: the counters from which it takes a number for a new id, so that a store can load them with everything else.
    """

    api: Api
    name: str
    method: str
    path: str
    handler: Handler
    body: str = ""
    schema: str = ""
    keeps_nulls: bool = False
    max_body: int | None = None
    precondition: Precondition | None = None
    parameters: tuple[Parameter, ...] = ()
    answers: tuple[tuple[int, str | None], ...] = ((200, ANY_OBJECT),)
    errors: tuple[int, ...] = ()
    headers: tuple[str, ...] = ()
    media: str = JSON
    other_media: tuple[str, ...] = ()
    is_idempotent: bool = False
    counters: tuple[str, ...] = ()

    @property
    def all_parameters(self) -> tuple[Parameter, ...]:
        """Its query parameters and headers; where authentication is optional, every operation takes `merchant`."""
        has_merchant = self.api.rules.authentication is Authentication.OPTIONAL
        return (MERCHANT, *self.parameters) if has_merchant else self.parameters

    @property
    def methods(self) -> tuple[str, ...]:
        """Its HTTP methods; HEAD is included with GET."""
        return ("GET", "HEAD") if self.method == "GET" else (self.method,)

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        sentence = (
            self.handler.__doc__ or f"{self.name.replace('_', ' ').capitalize()}."
        )  # `python -OO` has no docstrings
        return without_sources(sentence.strip().splitlines()[0])

    @property
    def body_schema(self) -> str:
        """The name of the schema of its body."""
        return self.schema or self.name
