"""The `expect_…` steps. They wait for changes of the journal, never for a fixed time."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from mock_klarna.domain import undecided
from mock_klarna.domain.callbacks import ORDER_CALLBACKS
from mock_klarna.domain.journal_text import value_text
from mock_klarna.domain.purchase import FRAUD_TRANSITIONS, PURCHASE_TRANSITIONS
from mock_klarna.scenario.matching import differences
from mock_klarna.scenario.model import Json, Step
from mock_klarna.scenario.scenario_run import ExpectationFailed, Mismatch, ScenarioRun, within_seconds

_SHORT_WAIT = 0.3
"""Seconds in which nearly every shop decides; the rest of the time follows the journal."""
_DEFAULT_WAIT = 10.0
_UNDECIDED = ("started", "authorized")
_MEMBERS_OF_DECISION = frozenset({"order_id", "customer_token", "fraud_status", "deny", "redirect_url"})
"""Members of a purchase that have a value only once its merchant has decided."""
_FROM_SHOP: Mapping[str, frozenset[str]] = {
    "exchange": frozenset({"get_authorization", "create_order", "deny_authorization", "create_token"}),
    "event": frozenset({"purchase_placed", "purchase_denied", "customer_token_created", "order_acknowledged"}),
    "callback": frozenset({*undecided.ASKING, *(kind.name for kind in ORDER_CALLBACKS)}),
}
"""Journal entries, by kind, that a purchase gets only from a merchant who was asked to decide, or when it is asked."""
_TRANSITIONS: Mapping[str, Mapping[str, frozenset[str]]] = {
    "state": PURCHASE_TRANSITIONS,
    "fraud_status": FRAUD_TRANSITIONS,
}
_SEVERITIES = ("error", "warning", "hint")
_MAX_SHOWN_ENTRIES = 5
_MAX_HINTS = 10
_ENTRY_OPTIONS = frozenset({"of", "within", "count", "kind", "operation", "name", "body", "answer"})
"""Members of `expect_callback`, `expect_request` and `expect_event` that are not compared as they are."""


async def expect_callback(run: ScenarioRun, step: Step) -> Any:
    """Expect a callback to the merchant with a certain result."""
    expected = _expected_members(step.args, body="request_body", answer="answer_body")
    return await _expect_entries(run, step, ("callback", step.args["kind"]), expected)


async def expect_request(run: ScenarioRun, step: Step) -> Any:
    """Expect a request of the merchant with a certain answer and certain problems."""
    expected = _expected_members(step.args, body="request_body", answer="response_body")
    return await _expect_entries(run, step, ("exchange", step.args["operation"]), expected)


async def expect_event(run: ScenarioRun, step: Step) -> Any:
    """Expect an event, such as `authorization_expired`."""
    return await _expect_entries(run, step, ("event", step.args["name"]), _expected_members(step.args))


async def expect_purchase(run: ScenarioRun, step: Step) -> Any:
    """Expect purchases to have a state, an amount, a message."""

    async def look_up(purchase_id: str) -> _Found:
        purchase = await run.get(f"/_mock/purchases/{purchase_id}")
        is_given_up_on = _needs_decision(step.args) and is_given_up(run, purchase)
        return purchase, is_given_up_on or is_unreachable(step.args, purchase)

    return await _expect_records(run, step, look_up)


async def expect_order(run: ScenarioRun, step: Step) -> Any:
    """Expect purchases to have an order with certain members."""

    async def look_up(purchase_id: str) -> _Found:
        purchase = await run.get(f"/_mock/purchases/{purchase_id}")
        if not purchase["order_id"]:
            return None, _is_order_unreachable(run, purchase)
        order = await run.get(f"/_mock/orders/{purchase['order_id']}")
        return order, is_unreachable(step.args, order)

    return await _expect_records(run, step, look_up)


async def expect_no_findings(run: ScenarioRun, step: Step) -> Any:
    """Expect that the shop broke no rule of `certify` that is as severe as `severity`; what the scenario sends does not count."""
    severity, skipped = step.args.get("severity", "error"), step.args.get("skip", ())
    found = await run.get("/_mock/findings")
    counted = _SEVERITIES[: _SEVERITIES.index(severity) + 1]
    broken = [one for one in found["findings"] if one["severity"] in counted and one["rule"] not in skipped]
    if broken:
        raise ExpectationFailed(f"no finding as severe as {severity}", _by_rule(broken, found["rules"]))


def _by_rule(findings: Iterable[Json], results: Iterable[Json]) -> str:
    """Return the first finding of each rule, and how many other cases there are; `results` are those of the rules."""
    first: dict[str, Json] = {}
    for one in findings:
        first.setdefault(one["rule"], one)
    cases = {result["rule"]: result["broken"] for result in results}
    texts = []
    for rule, one in list(first.items())[:_MAX_SHOWN_ENTRIES]:
        more = f" (and {cases[rule] - 1} more)" if cases[rule] > 1 else ""
        seen = f"{one['seen']}, expected {one['expected']}{more}, see {', '.join(one['evidence'])}"
        texts.append(f"{rule} {one['title']}: {seen}")
    rest = list(first)[_MAX_SHOWN_ENTRIES:]
    return "; ".join([*texts, *([f"also {', '.join(rest)}"] if rest else [])])


def with_short_wait(body: Json) -> tuple[Json, float]:
    """Return the body of a purchase with at most a short `wait`, and the remaining seconds to wait after it."""
    wait = body.get("wait", _DEFAULT_WAIT)
    if not isinstance(wait, int | float) or wait <= _SHORT_WAIT:
        return body, 0.0
    return {**body, "wait": _SHORT_WAIT}, wait - _SHORT_WAIT


async def wait_for_decision(run: ScenarioRun, purchase: Json, wait: float) -> Json:
    """Return a purchase once it is decided, once its shop cannot decide any more, or after so many seconds."""
    purchase_id, latest = purchase["purchase_id"], purchase

    async def check_decision() -> Mismatch | None:
        nonlocal latest
        if latest["state"] not in _UNDECIDED or is_given_up(run, latest):
            return None
        latest = await run.get(f"/_mock/purchases/{purchase_id}")
        return None if latest["state"] not in _UNDECIDED else Mismatch()

    await run.wait_until({"within": wait}, check_decision)
    return latest


def mismatched_merchants(run: ScenarioRun, purchase_ids: Iterable[str]) -> Iterator[str]:
    """Return the merchants who were answered 403 for the token of one of these purchases.

    Merchants whose credentials the scenario itself used are left out.
    """
    for entry in run.journal.of_purchases(purchase_ids, with_unassigned=False):
        if entry["name"] == "authorization_refused" and entry["refused_merchant"] not in run.borrowed_merchants:
            yield entry["refused_merchant"]


def credential_mismatch(run: ScenarioRun) -> str:
    """Return which merchants used a token of the scenario's merchant, and how to fix that; empty if none did."""
    merchants = sorted(set(mismatched_merchants(run, run.all_purchases)))
    if not merchants:
        return ""
    return (
        f"{' and '.join(merchants)} used the token and was answered 403, because the token belongs to "
        f"{run.variables['merchant']}, the merchant of this scenario; run it as the shop's merchant: "
        f"--merchant {merchants[0]}:PASSWORD, or `merchant: {merchants[0]}:PASSWORD` in the scenario"
    )


def is_given_up(run: ScenarioRun, purchase: Json) -> bool:
    """Return whether a purchase waits for a shop that will not decide: it was not reached, refused, or has wrong credentials."""
    is_mismatched = purchase["state"] == "authorized" and any(mismatched_merchants(run, [purchase["purchase_id"]]))
    return is_mismatched or _is_asked_in_vain(run, purchase)


def _is_asked_in_vain(run: ScenarioRun, purchase: Json) -> bool:
    """Return whether a callback that asks the shop to decide on a purchase has ended, and leads to no decision."""
    if purchase["state"] != "authorized":
        return False
    asking = [each for each in purchase["callbacks"] if each["kind"] in undecided.ASKING and each["attempts"]]
    if not asking or asking[-1]["state"] not in ("delivered", "failed"):
        return False
    callback_id, attempts = asking[-1]["callback_id"], asking[-1]["attempts"]
    made = asking[-1]["attempts_dropped"] + len(attempts)
    own = run.journal.of_purchases([purchase["purchase_id"]], with_unassigned=False)
    if sum(entry["kind"] == "callback" and entry["callback_id"] == callback_id for entry in own) < made:
        return False  # their entries are written after them
    since = run.asked_since.setdefault((callback_id, made), monotonic())
    return monotonic() >= since + undecided.patience(attempts[-1]["outcome"], attempts[-1]["status"])


async def hints(run: ScenarioRun) -> list[str]:
    """Return why the latest purchases of a scenario are not decided, each reason once; those that were deleted have none."""
    paths = [f"/_mock/purchases/{purchase_id}" for purchase_id in run.all_purchases[-_MAX_HINTS:]]
    answers = [await run.client.send("GET", path) for path in paths]
    found = dict.fromkeys(answer.body["hint"] for answer in answers if answer.status == 200)
    return [hint for hint in found if hint]


def is_unreachable(expected: Json, actual: Json) -> bool:
    """Return whether a purchase or an order has reached a final state other than the expected one."""
    return any(
        _is_state_unreachable(table, actual.get(name), expected.get(name)) for name, table in _TRANSITIONS.items()
    )


def _needs_decision(expected: Json) -> bool:
    """Return whether a purchase can be as expected only once its merchant has decided."""
    if "state" in expected:
        return expected["state"] in ("placed", "denied")
    return any(expected.get(name) is not None for name in _MEMBERS_OF_DECISION)


def _is_order_unreachable(run: ScenarioRun, purchase: Json) -> bool:
    """Return whether a purchase without an order can no longer get one."""
    return _is_state_unreachable(PURCHASE_TRANSITIONS, purchase["state"], "placed") or is_given_up(run, purchase)


def _is_state_unreachable(transitions: Mapping[str, frozenset[str]], state: Any, expected: Any) -> bool:
    """Return whether no transitions lead from a state to the expected one; matchers and unknown states are never unreachable."""
    if not isinstance(expected, str) or state not in transitions or expected == state:
        return False
    return expected not in _following_states(transitions, state)


def _following_states(transitions: Mapping[str, frozenset[str]], state: str) -> set[str]:
    following, to_visit = set[str](), [state]
    while to_visit:
        new = transitions[to_visit.pop()] - following
        following |= new
        to_visit += new
    return following


def _expected_members(args: Json, **journal_names: str) -> Json:
    """Return what an entry has to have: the step's members, bodies under the names that they have in the journal."""
    members = {name: value for name, value in args.items() if name not in _ENTRY_OPTIONS}
    return {**members, **{theirs: args[ours] for ours, theirs in journal_names.items() if ours in args}}


@dataclass(frozen=True, slots=True)
class _Entries:
    """The journal entries that an expectation is about: of a kind and a name, and of these purchases or of the whole journal."""

    run: ScenarioRun
    kind: str
    name: str
    purchase_ids: list[str]
    with_unassigned: bool
    expected: Json

    def candidates(self) -> list[Json]:
        """Return those of the kind and the name."""
        journal, ids = self.run.journal, self.purchase_ids
        found = journal.of_purchases(ids, with_unassigned=self.with_unassigned) if ids else iter(journal.entries)
        return [entry for entry in found if (entry["kind"], entry["name"]) == (self.kind, self.name)]

    def matching(self) -> list[Json]:
        """Return those of them that are as expected."""
        return [entry for entry in self.candidates() if not any(differences(self.expected, entry))]

    async def are_given_up(self) -> bool:
        """Return whether no further entry can come, because the shop will decide on none of the purchases."""
        if self.name not in _FROM_SHOP[self.kind]:
            return False
        is_over = _is_asked_in_vain if self.name in undecided.ASKING else is_given_up
        for purchase_id in self.purchase_ids:
            if not is_over(self.run, await self.run.get(f"/_mock/purchases/{purchase_id}")):
                return False
        return bool(self.purchase_ids)


async def _expect_entries(run: ScenarioRun, step: Step, kind_and_name: tuple[str, str], expected: Json) -> Any:
    """Wait for journal entries as expected: exactly `count` of them, or at least one; return the newest."""
    args = step.args
    purchase_ids = run.purchases_of(args) if "of" in args else run.current_purchases
    entries = _Entries(run, *kind_and_name, purchase_ids, "of" not in args, expected)

    async def check_enough() -> Mismatch | None:
        await run.journal.read_more()
        if len(entries.matching()) >= args.get("count", 1):
            return None
        return Mismatch(unreachable=await entries.are_given_up())

    async def check_any() -> Mismatch | None:
        await run.journal.read_more()
        return Mismatch() if not entries.matching() else None

    if args.get("count") == 0 and "within" in args:
        await run.wait_until(args, check_any)
    mismatch = await run.wait_until(args, check_enough)
    matching = entries.matching()
    if mismatch is not None or len(matching) > args.get("count", len(matching)):
        raise ExpectationFailed(
            _expected_entries_text(args, kind_and_name, expected),
            _actual_entries_text(entries.candidates(), entries.name, expected),
        )
    return next(reversed(matching), None)


_KIND_TEXT = {"callback": "callback", "exchange": "request", "event": "event"}


def _expected_entries_text(args: Json, kind_and_name: tuple[str, str], expected: Json) -> str:
    kind, name = kind_and_name
    count = f" exactly {args['count']} times" if "count" in args else ""
    details = f" with {value_text(expected)}" if expected else ""
    return f"{_KIND_TEXT[kind]} {name}{details}{count} within {within_seconds(args):g} s"


def _actual_entries_text(candidates: list[Json], name: str, expected: Json) -> str:
    if not candidates:
        return f"there was no {name}"
    latest = candidates[-_MAX_SHOWN_ENTRIES:]
    details = [" and ".join(differences(expected, entry)) or "one as expected" for entry in latest]
    return f"found {len(candidates)} {name}: " + "; ".join(details)


_Found = tuple[Json | None, bool]
"""The record or None, and whether the expectation has become unreachable."""


async def _expect_records(run: ScenarioRun, step: Step, look_up: Callable[[str], Awaitable[_Found]]) -> Any:
    """Look up the record of each purchase until it is as expected or no longer can be; return the last one.

    Raises `ExpectationFailed` with all differences.
    """
    expected = {name: value for name, value in step.args.items() if name not in ("of", "within")}
    record: Json | None = None
    for purchase_id in run.purchases_of(step.args):

        async def check_record(purchase_id: str = purchase_id) -> Mismatch | None:
            nonlocal record
            record, unreachable = await look_up(purchase_id)
            found = tuple(differences(expected, record)) if record is not None else ("no order was placed",)
            return Mismatch(found, unreachable) if found else None

        mismatch = await run.wait_until(step.args, check_record)
        if mismatch is not None:
            kind = step.name.removeprefix("expect_")
            text = f"{kind} with {value_text(expected)} within {within_seconds(step.args):g} s"
            raise ExpectationFailed(text, "; ".join(mismatch.differences))
    return record
