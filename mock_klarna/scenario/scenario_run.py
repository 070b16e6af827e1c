"""One scenario while it runs: its connection, its variables, its journal and the purchases that it has made."""

import base64
from collections.abc import Awaitable, Callable, Iterable, Iterator
from dataclasses import dataclass, field
from time import monotonic
from typing import Any

from mock_klarna.domain.journal_text import value_text
from mock_klarna.domain.time import seconds
from mock_klarna.errors import Unreachable
from mock_klarna.scenario.matching import differences
from mock_klarna.scenario.model import Scenario, Step, StepError
from mock_klarna.sender import Answer, Sender

Json = dict[str, Any]
DEFAULT_WITHIN = 5.0
"""Seconds that an expectation waits when it has no `within`."""
_MAX_ENTRIES = 10_000
_CHECK_AGAIN_SECONDS = 0.5
_MAX_WAIT = 600.0


class ExpectationFailed(Exception):
    """An expectation was not met: what was expected, and what happened."""

    def __init__(self, expected: str, actual: str) -> None:
        super().__init__(f"expected {expected}; actual: {actual}")
        self.expected = expected
        self.actual = actual


@dataclass(frozen=True, slots=True)
class Mismatch:
    """How the current state differs from an expectation; `unreachable` if waiting longer cannot change that."""

    differences: tuple[str, ...] = ()
    unreachable: bool = False


class JournalReader:
    """The merchant's journal as far as it was read; `entries` grows with each `read_more`."""

    def __init__(self, client: Sender) -> None:
        self._client = client
        self.entries: list[Json] = []
        self._position = 0

    async def read_more(self, wait: float = 0.0) -> bool:
        """Read new entries, waiting up to `wait` seconds for the first; return whether there were any."""
        wait = min(max(wait, 0.0), _MAX_WAIT)
        path = f"/_mock/journal?after={self._position}&limit={_MAX_ENTRIES}&wait={wait:.3f}"
        answer = await self._client.send("GET", path)
        if answer.status != 200:
            raise StepError(f"cannot read the journal: GET {path} answered {answer.status}")
        page = answer.body
        self.entries += sorted(page["entries"], key=lambda entry: entry["seq"])  # the same in every run
        self._position = page["position"]
        return bool(page["entries"])

    async def skip_to_end(self) -> None:
        """Ignore everything that happened until now."""
        while await self.read_more():
            self.entries.clear()

    def of_purchases(self, purchase_ids: Iterable[str], *, with_unassigned: bool = True) -> Iterator[Json]:
        """Return the entries of some purchases and, `with_unassigned`, those that belong to no purchase."""
        wanted = {*purchase_ids, None} if with_unassigned else set(purchase_ids)
        return (entry for entry in self.entries if entry["purchase_id"] in wanted)


@dataclass(slots=True)
class ScenarioRun:
    """The state of one running scenario.

    `current_purchases` are the ids from the latest purchase step, `all_purchases` those from every step.
    `asked_since` says when a callback to the merchant was first seen to have ended without a decision, a reading of `monotonic`.
    `steps` are the executed steps, each with whether it passed. `borrowed_merchants` are the merchants other than the
    scenario's own whose credentials a step used.
    """

    client: Sender
    scenario: Scenario
    variables: Json
    journal: JournalReader
    button_key: str | None = None
    current_purchases: list[str] = field(default_factory=list)
    all_purchases: list[str] = field(default_factory=list)
    steps: list[tuple[Step, bool]] = field(default_factory=list)
    borrowed_merchants: set[str] = field(default_factory=set)
    asked_since: dict[tuple[str, int], float] = field(default_factory=dict)

    async def request(
        self,
        step: Step,
        method: str,
        path: str,
        body: Any = None,
        credentials: str | None = None,
        *,
        idempotency_key: str | None = None,
    ) -> Any:
        """Send a request and return the body of the answer; `credentials` (USER:PASSWORD) replace the merchant's own.

        Raises `ExpectationFailed` unless the answer is what the step expects: any status below 400 by default.
        """
        if credentials:
            self.borrowed_merchants.add(credentials.partition(":")[0])
        headers = _authorization(credentials)
        if idempotency_key:
            headers["Klarna-Idempotency-Key"] = idempotency_key
        try:
            answer = await self.client.send(method, path, body, headers=headers)
        except Unreachable as error:  # a fault can drop the connection
            raise ExpectationFailed(_expected_answer(step), error.message) from None
        if answer.status != step.expected_status if step.expected_status else answer.status >= 400:
            raise ExpectationFailed(_expected_answer(step), _answer_text(answer))
        self.compare_answer(step, answer.body)
        return answer.body

    def compare_answer(self, step: Step, body: Any) -> None:
        """Raise `ExpectationFailed` unless a body has everything of the step's `answer`."""
        if step.expected_answer is not None and (found := list(differences(step.expected_answer, body))):
            expected = f"{_expected_answer(step)} and {value_text(step.expected_answer)}"
            raise ExpectationFailed(expected, "; ".join(found))

    async def get(self, path: str) -> Any:
        """Return the body of a GET request; raises `StepError` with the text of an error answer."""
        answer = await self.client.send("GET", path)
        if answer.status >= 400:
            raise StepError(_answer_text(answer))
        return answer.body

    async def get_purchase(self, args: Any) -> Json:
        """Return the purchase that a step refers to, the first if there are several."""
        purchase: Json = await self.get(f"/_mock/purchases/{self.purchases_of(args)[0]}")
        return purchase

    async def get_authorization_token(self, args: Any) -> str:
        """Return the token of the purchase that a step refers to; raises `StepError` if Klarna has not authorized it."""
        purchase = await self.get_purchase(args)
        if purchase["authorization_token"] is None:
            hint = "only a purchase that Klarna has authorized has one"
            raise StepError(f"there is no authorization token: the purchase is {purchase['state']}", hint=hint)
        return str(purchase["authorization_token"])

    async def get_order_id(self, args: Any) -> str:
        """Return the id of the order of the purchase that a step refers to; raises `StepError` if it was not placed."""
        purchase = await self.get_purchase(args)
        if not purchase["order_id"]:
            hint = "place it before this step"
            raise StepError(f"no order was placed: the purchase is {purchase['state']}", hint=hint)
        return str(purchase["order_id"])

    def set_purchases(self, purchases: Iterable[Json]) -> None:
        """Make these the purchases that the next steps refer to."""
        self.current_purchases = [purchase["purchase_id"] for purchase in purchases]
        self.all_purchases += [each for each in self.current_purchases if each not in self.all_purchases]

    def purchases_of(self, args: Any) -> list[str]:
        """Return the ids of the purchases that a step refers to by `of`, else the latest; raises `StepError` if there are none."""
        variable = args.get("of") if isinstance(args, dict) else None
        purchases = (
            self.current_purchases if variable is None else _purchase_ids(self.variables.get(variable), variable)
        )
        if not purchases:
            raise StepError("there is no purchase yet", hint="add a purchase step before this one")
        return purchases

    async def wait_until(self, args: Any, check: Callable[[], Awaitable[Mismatch | None]]) -> Mismatch | None:
        """Call `check` after every change of the journal until it returns None or the time of `within` is over.

        It is called now and then in any case: the start of a callback is not in the journal. Returns the last mismatch, at once
        if it is `unreachable`.
        """
        deadline = monotonic() + within_seconds(args)
        while (mismatch := await check()) is not None:
            remaining = deadline - monotonic()
            if remaining <= 0 or mismatch.unreachable:
                return mismatch
            await self.journal.read_more(min(remaining, _CHECK_AGAIN_SECONDS))
        return None


def within_seconds(args: Any) -> float:
    """Return how many seconds an expectation waits: its `within`, or the default."""
    return seconds(args["within"]) if isinstance(args, dict) and "within" in args else DEFAULT_WITHIN


def _purchase_ids(value: Any, variable: str) -> list[str]:
    purchases = value if isinstance(value, list) else [value]
    if not all(isinstance(each, dict) and "purchase_id" in each for each in purchases):
        raise StepError(f"{variable!r} is not a purchase", where="of", hint="use the name in `as` of a purchase step")
    return [each["purchase_id"] for each in purchases]


def _authorization(credentials: str | None) -> dict[str, str]:
    """Return the header for other credentials than the merchant's own; an empty text sends none."""
    if credentials is None:
        return {}
    token = base64.b64encode(credentials.encode()).decode()
    return {"Authorization": f"Basic {token}" if credentials else ""}


def _expected_answer(step: Step) -> str:
    return f"{step.name} to be answered {step.expected_status or 'with success'}"


def _answer_text(answer: Answer) -> str:
    body = answer.body if isinstance(answer.body, dict) else {}
    members = ("error_message", "detail", "title")
    text = next(
        (str(body[member]) for member in members if body.get(member)), " ".join(body.get("error_messages") or ())
    )
    text = text or (value_text(answer.body) if answer.body else "no body")
    hint = f"; {body['hint']}" if body.get("hint") else ""
    return f"answered {answer.status}: {text}{hint}"
