"""What a row of the table of endpoints says."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from mock_klarna.validation.explain import without_sources
from mock_klarna.web.request import JSON, Call, Differences, Reply, Services

Handler = Callable[[Services, Call], Awaitable[Reply]]
Guard = Callable[[Services, Call], Awaitable[Differences | None]]
BROWSER_PATH = "/instantshopping/sdk"
PLURAL = ("/ordermanagement/", "/customer-token/", "/payments/")
"""Paths whose errors have `error_messages` and upper-case codes; Instant Shopping's have neither (protocol 1.6)."""


@dataclass(frozen=True, slots=True)
class Operation:
    """One endpoint: its name is also that of `schemas/requests/<name>.json` where it takes a body.

    `body` is "required", "optional", "raw" (JSON that the handler parses) or "" (whatever is sent is not read).
    `answers` maps a status to the component that
    describes its body, "" for any JSON object and None for no body; `errors` are the statuses that a caller should be
    ready for. `schema` names another operation that takes the same body. `is_idempotent`: a `Klarna-Idempotency-Key`
    has it executed once (protocol 9.4). `headers` are those of its answer beyond the usual ones, and `media` is its
    type. `guard` looks at the path before the body is judged: whose token it is comes before what is wrong with the
    order.
    """

    name: str
    method: str
    path: str
    handler: Handler
    body: str = ""
    answers: tuple[tuple[int, str | None], ...] = ((200, ""),)
    errors: tuple[int, ...] = ()
    parameters: tuple[str, ...] = ()
    most_body: int | None = None
    schema: str = ""
    is_idempotent: bool = False
    headers: tuple[str, ...] = ()
    guard: Guard | None = None
    media: str = JSON

    @property
    def query(self) -> tuple[str, ...]:
        """Its query parameters, by their keys in `parameters.PARAMETERS`: every call of the sandbox's own may name a merchant."""
        is_own = not (self.is_klarnas or self.is_browsers)
        return ("merchant", *self.parameters) if is_own else self.parameters

    @property
    def summary(self) -> str:
        """The first sentence of the handler's docstring."""
        return without_sources((self.handler.__doc__ or "").strip().splitlines()[0])

    @property
    def body_schema(self) -> str:
        """The name of the schema of its body."""
        return self.schema or self.name

    @property
    def is_klarnas(self) -> bool:
        """Whether merchants knew this endpoint as Klarna's."""
        return not self.path.startswith(("/_mock", BROWSER_PATH))

    @property
    def is_browsers(self) -> bool:
        """Whether shoppers' browsers call this endpoint, from pages of any origin and without credentials."""
        return self.path.startswith(BROWSER_PATH)

    @property
    def has_plural_errors(self) -> bool:
        """Whether a refusal is a list of messages under an upper-case code (protocol 1.6)."""
        return self.path.startswith(PLURAL)
