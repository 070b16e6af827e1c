"""A scenario while it is being played: who asks, what was said so far, and what has happened."""

import base64
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from time import monotonic
from typing import Any, Protocol

from mock_klarna.domain.time import seconds
from mock_klarna.scenario.matching import differences, shown
from mock_klarna.scenario.model import Impossible, Scenario, Step

Json = dict[str, Any]
PATIENCE = 5.0
"""Seconds that an expectation waits to come true when it does not say `within`."""
_MOST_ENTRIES = 10_000
_LONGEST_WAIT = 600.0


class Answer(Protocol):
    """An HTTP answer: its status, and its body as parsed JSON (None for none)."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> Any:
        """The parsed body."""


class Sender(Protocol):
    """Sends requests to an emulator as one merchant; `mock_klarna.client.Client` is one."""

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send one request and return whatever is answered."""


class Unmet(Exception):
    """An expectation that did not hold: what was expected, and what happened instead."""

    def __init__(self, expected: str, happened: str) -> None:
        super().__init__(f"expected {expected}; instead: {happened}")
        self.expected = expected
        self.happened = happened


class Journal:
    """The merchant's journal as far as it was read; reading on waits for what comes next."""

    def __init__(self, client: Sender) -> None:
        self._client = client
        self.entries: list[Json] = []
        self._position = 0

    async def more(self, wait: float = 0.0) -> bool:
        """Read on, waiting up to so many seconds for something new; tell whether there was any."""
        seconds = min(max(wait, 0.0), _LONGEST_WAIT)
        path = f"/_mock/journal?after={self._position}&limit={_MOST_ENTRIES}&wait={seconds:.3f}"
        answer = await self._client.send("GET", path)
        if answer.status != 200:
            raise Impossible(f"the journal cannot be read: GET {path} answers {answer.status}")
        page = answer.body
        self.entries += page["entries"]
        self._position = page["position"]
        return bool(page["entries"])

    async def skip(self) -> None:
        """Pass over all that happened until now."""
        while await self.more():
            self.entries.clear()

    def of(self, purchases: Iterable[str], *, strangers: bool = True) -> Iterator[Json]:
        """Return the entries of some purchases and, with `strangers`, those that belong to no purchase."""
        wanted = {*purchases, None} if strangers else set(purchases)
        return (entry for entry in self.entries if entry["purchase_id"] in wanted)


@dataclass(slots=True)
class Play:
    """One scenario under way.

    `purchases` are those that the latest `purchase` step made; `seen` are all of them; `posed` are the other merchants whose
    credentials a step used.
    """

    client: Sender
    scenario: Scenario
    variables: Json
    journal: Journal
    button_key: str | None = None
    purchases: list[str] = field(default_factory=list)
    seen: list[str] = field(default_factory=list)
    trail: list[tuple[Step, bool]] = field(default_factory=list)
    posed: set[str] = field(default_factory=set)

    async def ask(
        self,
        step: Step,
        method: str,
        path: str,
        body: Any = None,
        credentials: str | None = None,
        *,
        key: str | None = None,
    ) -> Any:
        """Send a request, under an idempotency `key` if there is one, and return the answer's body.

        Raises `Unmet` unless it is what the step expects: success, mostly.
        """
        self.posed.update([credentials.partition(":")[0]] if credentials else ())
        headers = {**_as(credentials), **({"Klarna-Idempotency-Key": key} if key else {})}
        answer = await self.client.send(method, path, body, headers=headers)
        if answer.status != step.status if step.status else answer.status >= 400:
            raise Unmet(_expected(step), _told(answer))
        self.compare(step, answer.body)
        return answer.body

    def compare(self, step: Step, body: Any) -> None:
        """Raise `Unmet` unless a body has what the step expects as its `answer`."""
        if step.answer is not None and (found := list(differences(step.answer, body))):
            raise Unmet(f"{_expected(step)} and {shown(step.answer)}", "; ".join(found))

    async def look(self, path: str) -> Any:
        """Return what the control API has at a path; raises `Impossible` with its refusal."""
        answer = await self.client.send("GET", path)
        if answer.status >= 400:
            raise Impossible(_told(answer))
        return answer.body

    def bought(self, purchases: Iterable[Json]) -> None:
        """Take purchases as those that the next steps are about."""
        self.purchases = [purchase["purchase_id"] for purchase in purchases]
        self.seen += [one for one in self.purchases if one not in self.seen]

    def about(self, wish: Any) -> list[str]:
        """Return the purchases that a step is about: those of `of`, else the latest; raises `Impossible` if none."""
        named = wish.get("of") if isinstance(wish, dict) else None
        purchases = self.purchases if named is None else _ids(self.variables.get(named), named)
        if not purchases:
            raise Impossible("there is no purchase yet", hint="a purchase step before this one")
        return purchases

    async def until(self, wish: Any, happened: Callable[[], Awaitable[Json | None]]) -> Json | None:
        """Look again at each news in the journal until nothing is `happened` otherwise, or the patience of `within` ends.

        `happened` returns None when all is as expected, else what is not; that is what this returns in the end, or at once
        where it is `hopeless`.
        """
        deadline = monotonic() + patience(wish)
        while (found := await happened()) is not None:
            left = deadline - monotonic()
            if left <= 0 or found.get("hopeless") or not await self.journal.more(left):
                return found
        return None


def _expected(step: Step) -> str:
    return f"{step.name} to be answered {step.status or 'with success'}"


def patience(wish: Any) -> float:
    """Return how many seconds an expectation waits: its `within`."""
    return seconds(wish["within"]) if isinstance(wish, dict) and "within" in wish else PATIENCE


def _ids(kept: Any, name: str) -> list[str]:
    purchases = kept if isinstance(kept, list) else [kept]
    if not all(isinstance(one, dict) and "purchase_id" in one for one in purchases):
        raise Impossible(f"{name} is no purchase", where="of", hint="a name that a purchase step has after `as`")
    return [one["purchase_id"] for one in purchases]


def _as(credentials: str | None) -> dict[str, str]:
    """Return the header of other credentials than the merchant's own; empty ones send none that count."""
    if credentials is None:
        return {}
    token = base64.b64encode(credentials.encode()).decode()
    return {"Authorization": f"Basic {token}" if credentials else ""}


def _told(answer: Answer) -> str:
    said = answer.body if isinstance(answer.body, dict) else {}
    messages = " ".join(said.get("error_messages") or ())
    text = (
        said.get("error_message") or messages or said.get("error") or (shown(answer.body) if answer.body else "no body")
    )
    hint = f"; {said['hint']}" if said.get("hint") else ""
    return f"answered {answer.status}: {text}{hint}"
