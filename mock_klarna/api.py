"""`MockKlarna`, `Client` and `MockKlarnaAsync`: the sandbox's HTTP requests as methods, without a loop and with one.

The pytest fixtures, `serve_in_thread()` and `serve()` give them, and `Client` connects to a sandbox that runs already. Every
method sends one HTTP request that anyone can send.
"""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from operator import itemgetter
from types import TracebackType
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import quote, urlencode, urlsplit

from mock_klarna.errors import MockKlarnaError
from mock_klarna.threads import LoopThread, silent_server

if TYPE_CHECKING:
    from mock_klarna.client import Answer
    from mock_klarna.client import Client as HttpClient

__tracebackhide__ = True  # pytest shows the line of the test, not how a request is sent
Json = dict[str, Any]
T = TypeVar("T")
Object = TypeVar("Object")
Objects = TypeVar("Objects")
Nothing = TypeVar("Nothing")
Text = TypeVar("Text")
Then = Callable[[Any], Any]
BUTTONS = "/instantshopping/v1/buttons"
AUTHORIZATIONS = "/instantshopping/v1/authorizations"
ORDERS = "/ordermanagement/v1/orders"
TOKENS = "/customer-token/v1/tokens"
_LOOK_SECONDS = 0.5
"""After this time, and again after as much, a request that has no answer yet looks for the reason."""
_THIS_MACHINE = ("localhost", "127.0.0.1", "::1", "0.0.0.0")  # noqa: S104


def _same(body: Any) -> Any:
    """Return the body as it is."""
    return body


def _query(path: str, parameters: Mapping[str, object]) -> str:
    present = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(present)}" if present else path


def _first(name: str, body: Any) -> Any:
    """Return the first journal entry of an answer; raises AssertionError if there is none."""
    if not body["entries"]:
        raise AssertionError(f"the journal has no {name} yet")
    return body["entries"][0]


def _require_none(severity: str, body: Any) -> None:
    """Raise AssertionError with the findings that are as severe, ValueError for a severity that does not exist."""
    from mock_klarna.certify import Severity, finding_text

    wanted = [each.value for each in Severity]
    if severity not in wanted:
        raise ValueError(f"severity: {severity!r} is not one of {', '.join(wanted)}")
    counted = wanted[: wanted.index(severity) + 1]
    texts = [finding_text(finding) for finding in body["findings"] if finding["severity"] in counted]
    if texts:
        raise AssertionError("\n".join(texts))


class Commands(Generic[Object, Objects, Nothing, Text]):
    """What a merchant and a shopper can do, for one merchant of one sandbox.

    Every method sends one HTTP request and gives the JSON of its answer; a refusal raises `MockKlarnaError`.
    """

    def __init__(self, client: "HttpClient", tls_url: str | None = None) -> None:
        self.client = client
        """What sends the requests; it runs in the loop of the sandbox."""
        self.url = client.url
        """What a shop under test uses as Klarna's base URL."""
        self.tls_url = tls_url
        """The same over HTTPS; None without the setting `tls`."""

    @property
    def port(self) -> int:
        """The port of `url`."""
        parts = urlsplit(self.url)
        return parts.port or (443 if parts.scheme == "https" else 80)

    @property
    def credentials(self) -> tuple[str, str]:
        """Username and password; the username is the merchant."""
        return self.client.credentials

    @property
    def merchant(self) -> str:
        """The username of the credentials."""
        return self.client.merchant

    @property
    def authorization(self) -> str:
        """The value of the `Authorization` header that belongs to the credentials."""
        return self.client.authorization

    def _request(self, method: str, path: str, body: Any = None, then: Then = _same) -> Any:
        raise NotImplementedError

    def _ask(self, method: str, path: str, body: Any = None, then: Then = _same) -> Object:
        answer: Object = self._request(method, path, body, then)
        return answer

    def _list(self, path: str, member: str) -> Objects:
        answer: Objects = self._request("GET", path, then=itemgetter(member))
        return answer

    def _send(self, method: str, path: str, body: Any = None) -> Nothing:
        answer: Nothing = self._request(method, path, body)
        return answer

    def create_button(self, **options: Any) -> Object:
        """Create a button key from its setup options, such as `merchant_urls`; gives them back with `button_key`."""
        return self._ask("POST", BUTTONS, options)

    def get_button(self, button_key: str) -> Object:
        """See the setup options of a button key."""
        return self._ask("GET", f"{BUTTONS}/{button_key}")

    def update_button(self, button_key: str, **options: Any) -> Object:
        """Change setup options of a button key."""
        return self._ask("PUT", f"{BUTTONS}/{button_key}", options)

    def get_authorization(self, authorization_token: str) -> Object:
        """Retrieve the authorized order of a token."""
        return self._ask("GET", f"{AUTHORIZATIONS}/{authorization_token}")

    def create_order(self, authorization_token: str, order: Json) -> Object:
        """Place the order of a token as the merchant would; gives `order_id` and `fraud_status`."""
        return self._ask("POST", f"{AUTHORIZATIONS}/{authorization_token}/orders", order)

    def deny_authorization(self, authorization_token: str, **reason: str) -> Nothing:
        """Deny the order of a token as the merchant would, with `deny_code`, `deny_message`, `deny_redirect_url` or nothing."""
        return self._send("DELETE", f"{AUTHORIZATIONS}/{authorization_token}", reason)

    def purchase(self, **options: Any) -> Object:
        """Let a shopper buy; takes the members of `POST /_mock/purchases` and gives the purchase.

        Waits up to `wait` seconds (10) for the merchant to place or deny; 0 returns as soon as the merchant is being called. It
        returns earlier if the merchant was not reached or answers with an error: `hint` of the purchase says why.
        """
        return self._ask("POST", "/_mock/purchases", options)

    def find_purchase(self, purchase_id: str, *, wait: float | None = None) -> Object:
        """Give a purchase by its id or token, once it has ended or after `wait` seconds."""
        return self._ask("GET", _query(f"/_mock/purchases/{purchase_id}", {"wait": wait}))

    def purchases(self, *, state: str | None = None, limit: int | None = None, before: str | None = None) -> Objects:
        """List this merchant's purchases, or those in one `state`, newest first; `before` is the id of a purchase that is newer."""
        return self._list(_query("/_mock/purchases", {"state": state, "limit": limit, "before": before}), "purchases")

    def export_html(self, purchase_id: str) -> Text:
        """Give a purchase as one HTML file, with the dashboard's view of it and its journal, which opens without a network."""
        text: Text = self._request("GET", f"/_mock/purchases/{purchase_id}/export.html")
        return text

    def export_har(self, purchase_id: str) -> Object:
        """Give the requests and callbacks of a purchase as an HTTP Archive 1.2; to write it to a file, use `json.dump`."""
        return self._ask("GET", f"/_mock/purchases/{purchase_id}/export.har")

    def journal(self, **filters: Any) -> Objects:
        """List what happened, in order; see `GET /_mock/journal` for the filters, such as `name` and `status`."""
        return self._list(_query("/_mock/journal", filters), "entries")

    def findings(self) -> Objects:
        """List where this merchant breaks the rules of `certify` in what happened so far, the most severe first."""
        return self._list("/_mock/findings", "findings")

    def refusals(self, *, limit: int | None = None) -> Objects:
        """List what was refused of this merchant's requests by operation and rule, the most frequent first."""
        return self._list(_query("/_mock/refusals", {"limit": limit}), "refusals")

    def assert_no_findings(self, severity: str = "error") -> Nothing:
        """Raise AssertionError if this merchant broke a rule that is as severe as `error`, `warning` or `hint`."""
        nothing: Nothing = self._request("GET", "/_mock/findings", then=partial(_require_none, severity))
        return nothing

    def wait_for(self, name: str, *, within: float = 5.0, **filters: Any) -> Object:
        """Wait for the first journal entry of a name (an event, an operation or a callback) and give it.

        `after=entry["seq"]` waits for the next one. Raises AssertionError if there is none `within` this many seconds.
        """
        path = _query("/_mock/journal", {"name": name, "wait": within, "limit": 1, **filters})
        return self._ask("GET", path, then=partial(_first, name))

    def callbacks(self, *, limit: int | None = None, **filters: str) -> Objects:
        """List callbacks with all their attempts, newest first; filters are `purchase_id`, `kind` and `state`."""
        return self._list(_query("/_mock/callbacks", {**filters, "limit": limit}), "callbacks")

    def resend(self, callback_id: str, **changes: Any) -> Object:
        """Send a callback again; gives it with the new attempt.

        `body` is sent instead of its own body; `change` has new values of members by their paths, None removes a member.
        """
        return self._ask("POST", f"/_mock/callbacks/{callback_id}/resend", changes)

    def forge_callback(self, purchase_id: str, *, authorization_token: str | None = None) -> Object:
        """Send a `place_order` callback that Klarna would not send: that of a purchase with another token; gives the callback.

        Without a token it has one that no purchase has.
        """
        token = {} if authorization_token is None else {"authorization_token": authorization_token}
        return self._ask("POST", "/_mock/callbacks", {"purchase_id": purchase_id, **token})

    def orders(self, *, limit: int | None = None) -> Objects:
        """List this merchant's orders, newest first."""
        return self._list(_query("/_mock/orders", {"limit": limit}), "orders")

    def order(self, **options: Any) -> Object:
        """Place an order in one call, without a shop; takes the members of `POST /_mock/orders` and gives the order.

        For tests of Order Management: no button key and no `place_order` are needed.
        """
        return self._ask("POST", "/_mock/orders", options)

    def find_order(self, order_id: str) -> Object:
        """Give a placed order by its id."""
        return self._ask("GET", f"/_mock/orders/{order_id}")

    def decide(self, order_id: str, fraud_status: str) -> Object:
        """End a fraud review with ACCEPTED, REJECTED or STOPPED; the merchant is notified."""
        return self._ask("POST", f"/_mock/orders/{order_id}/decision", {"fraud_status": fraud_status})

    def managed_order(self, order_id: str) -> Object:
        """Retrieve an order from Order Management, as the merchant: status, amounts, captures, refunds."""
        return self._ask("GET", f"{ORDERS}/{order_id}")

    def acknowledge(self, order_id: str) -> Nothing:
        """Acknowledge an order as the merchant would, which ends the pushes."""
        return self._send("POST", f"{ORDERS}/{order_id}/acknowledge")

    def capture(self, order_id: str, captured_amount: int, **details: Any) -> Nothing:
        """Capture an amount as the merchant would; `managed_order` then shows the capture."""
        return self._send("POST", f"{ORDERS}/{order_id}/captures", {"captured_amount": captured_amount, **details})

    def refund(self, order_id: str, refunded_amount: int, **details: Any) -> Nothing:
        """Refund an amount as the merchant would; `managed_order` then shows the refund."""
        return self._send("POST", f"{ORDERS}/{order_id}/refunds", {"refunded_amount": refunded_amount, **details})

    def cancel(self, order_id: str) -> Nothing:
        """Cancel an order as the merchant would; nothing may have been captured of it."""
        return self._send("POST", f"{ORDERS}/{order_id}/cancel")

    def release_remaining_authorization(self, order_id: str) -> Nothing:
        """Give up what remains authorized of an order, as the merchant would."""
        return self._send("POST", f"{ORDERS}/{order_id}/release-remaining-authorization")

    def extend_authorization_time(self, order_id: str) -> Nothing:
        """Let the authorization of an order live longer, as the merchant would."""
        return self._send("POST", f"{ORDERS}/{order_id}/extend-authorization-time")

    def update_order_authorization(self, order_id: str, order_amount: int, **details: Any) -> Nothing:
        """Authorize another amount as the merchant would, with `order_lines` that make it."""
        return self._send("PATCH", f"{ORDERS}/{order_id}/authorization", {"order_amount": order_amount, **details})

    def create_token(self, authorization_token: str, **options: Any) -> Object:
        """Make a customer token of an authorization as the merchant of a subscription would; gives its `token_id`."""
        return self._ask("POST", f"{AUTHORIZATIONS}/{authorization_token}/customer-token", options)

    def get_token(self, token_id: str) -> Object:
        """Read the status of a customer token."""
        return self._ask("GET", f"{TOKENS}/{token_id}")

    def order_from_token(self, token_id: str, order: Json) -> Object:
        """Place an order with a customer token as the merchant would; gives its `order_id`."""
        return self._ask("POST", f"{TOKENS}/{token_id}/order", order)

    def cancel_token(self, token_id: str) -> Nothing:
        """Cancel a customer token as the merchant would."""
        return self._send("PATCH", f"{TOKENS}/{token_id}/status", {"status": "CANCELLED"})

    def clock(self) -> Object:
        """Give the time on this merchant's clock."""
        return self._ask("GET", "/_mock/clock")

    def advance_clock(self, duration: str | float) -> Object:
        """Move the clock on by seconds or by a duration such as "2h"; all that is due happens before this returns."""
        return self._ask("POST", "/_mock/clock", {"advance": duration})

    def set_clock(self, moment: str) -> Object:
        """Set the clock to a time such as "2026-01-01T00:00:00Z"; all that is due happens before this returns."""
        return self._ask("POST", "/_mock/clock", {"set": moment})

    def advance_to_next_job(self) -> Object:
        """Move the clock on to the next job that is due, which happens before this returns; raises if none waits."""
        return self._ask("POST", "/_mock/clock", {"to": "next"})

    def jobs(self, *, limit: int | None = None) -> Objects:
        """List what waits for this merchant's clock, first due first."""
        return self._list(_query("/_mock/jobs", {"limit": limit}), "jobs")

    def fault(self, on: str, **effect: Any) -> Object:
        """Make the next requests ("request") or callbacks ("callback") fail; takes `operation`, `times` and the effects."""
        return self._ask("POST", "/_mock/faults", {"on": on, **effect})

    def faults(self) -> Objects:
        """List the faults that have not been used up."""
        return self._list("/_mock/faults", "faults")

    def clear_faults(self) -> Nothing:
        """Remove all faults of this merchant."""
        return self._send("DELETE", "/_mock/faults")

    def reset(self, seed: str | int | None = None) -> Nothing:
        """Remove everything of this merchant; `seed` makes the ids and shoppers that follow reproducible."""
        return self._send("POST", "/_mock/reset", {} if seed is None else {"seed": seed})

    def snapshot(self) -> Object:
        """Give this merchant's state: everything but the journal."""
        return self._ask("GET", "/_mock/snapshot")

    def load_snapshot(self, state: Json | str) -> Nothing:
        """Replace this merchant's state by a snapshot, or by the one that `save_snapshot` kept under a name."""
        if isinstance(state, str):
            return self._send("POST", f"/_mock/snapshots/{quote(state, safe='')}/load")
        return self._send("PUT", "/_mock/snapshot", state)

    def save_snapshot(self, name: str) -> Object:
        """Keep this merchant's state under a name that all merchants of the sandbox share."""
        return self._ask("PUT", f"/_mock/snapshots/{quote(name, safe='')}")

    def fork_snapshot(self, name: str, merchant: str | None = None) -> Nothing:
        """Load the state that `save_snapshot` kept under a name as that of another merchant, by default this one.

        Purchases, orders and keys get ids of their own. The snapshot has the state of one merchant.
        """
        body = {"as_merchant": merchant or self.merchant}
        return self._send("POST", f"/_mock/snapshots/{quote(name, safe='')}/load", body)

    def snapshots(self) -> Objects:
        """List the snapshots with this merchant's state that are kept under names."""
        return self._list("/_mock/snapshots", "snapshots")

    def delete_snapshot(self, name: str) -> Nothing:
        """Delete a snapshot that is kept under a name."""
        return self._send("DELETE", f"/_mock/snapshots/{quote(name, safe='')}")

    def shoppers(self, country: str | None = None) -> Objects:
        """List the test shoppers that `purchase` knows by name."""
        return self._list(_query("/_mock/shoppers", {"country": country}), "shoppers")


class MockKlarnaAsync(Commands[Awaitable[Json], Awaitable[list[Json]], Awaitable[None], Awaitable[str]]):
    """A sandbox for tests and programs with an event loop: every command is awaited.

    `thread` runs the loop of the client; without it this is the running one.
    """

    def __init__(self, client: "HttpClient", tls_url: str | None = None, thread: LoopThread | None = None) -> None:
        super().__init__(client, tls_url)
        self._thread = thread

    def as_merchant(self, merchant: str, password: str = "secret") -> "MockKlarnaAsync":  # noqa: S107
        """Return the same commands for another merchant of the sandbox, with the password of its credentials."""
        return MockKlarnaAsync(self.client.as_merchant(merchant, password), self.tls_url, self._thread)

    async def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> "Answer":
        """Send any request as this merchant and return status, body and headers, also of a refusal."""
        return await self._result(self.client.send(method, path, body, headers=headers))

    def _request(self, method: str, path: str, body: Any = None, then: Then = _same) -> Awaitable[Any]:
        return self._result(_asked(self.client, method, path, body, then))

    async def _result(self, coroutine: Coroutine[Any, Any, T]) -> T:
        if self._thread is None:
            return await coroutine
        try:
            return await asyncio.wrap_future(self._thread.start(coroutine))
        except (MockKlarnaError, AssertionError) as error:  # without the frames of the other thread
            raise error.with_traceback(None) from None


class MockKlarna(Commands[Json, list[Json], None, str]):
    """A sandbox for tests and programs without an event loop: every command blocks until its answer has arrived.

    `thread` runs the loop of the sandbox. A forked process has no such thread: there the first command starts one of its own.
    """

    def __init__(self, client: "HttpClient", thread: LoopThread, tls_url: str | None = None) -> None:
        super().__init__(client, tls_url)
        self._thread = thread

    @property
    def loop(self) -> asyncio.AbstractEventLoop:
        """The loop of the sandbox, which runs in another thread: `asyncio.run_coroutine_threadsafe` runs coroutines in it."""
        return self._thread.loop

    def as_merchant(self, merchant: str, password: str = "secret") -> "MockKlarna":  # noqa: S107
        """Return the same commands for another merchant of the sandbox, with the password of its credentials."""
        return MockKlarna(self.client.as_merchant(merchant, password), self._thread, self.tls_url)

    def awaitable(self) -> MockKlarnaAsync:
        """Return the same commands to be awaited, in any event loop."""
        return MockKlarnaAsync(self.client, self.tls_url, self._thread)

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> "Answer":
        """Send any request as this merchant and return status, body and headers, also of a refusal."""
        return self._result(lambda client: client.send(method, path, body, headers=headers))

    def _request(self, method: str, path: str, body: Any = None, then: Then = _same) -> Any:
        caller = _running_loop()
        return self._result(lambda client: _asked(client, method, path, body, then, caller))

    def _result(self, request: "Callable[[HttpClient], Coroutine[Any, Any, T]]") -> T:
        if self._thread.is_of_another_process:
            self._thread = LoopThread()
            self.client = self._thread.enter(self.client.reconnected())
        try:
            return self._thread.start(request(self.client)).result()
        except (MockKlarnaError, AssertionError) as error:  # without the frames of the other thread
            raise error.with_traceback(None) from None


class Client(MockKlarna):
    """A sandbox that runs already, for tests and scripts without an event loop: unittest, Django's `TestCase`, scripts.

    It sends requests as one merchant, whose credentials are `merchant` and `password`. Use it in `with`, or call `close`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        merchant: str = "mock-merchant",
        password: str = "secret",  # noqa: S107
    ) -> None:
        from mock_klarna.client import Client as HttpClient

        thread = LoopThread()
        super().__init__(thread.enter(HttpClient(url, merchant, password)), thread)

    def __enter__(self) -> "Client":
        """Return this client."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Close it."""
        self.close()

    def close(self) -> None:
        """Close all connections, also those of what `as_merchant` returned; the sandbox keeps its state."""
        self._thread.stop()


def _running_loop() -> asyncio.AbstractEventLoop | None:
    """Return the event loop that runs in this thread, if one does."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


async def _asked(
    client: "HttpClient",
    method: str,
    path: str,
    body: Any,
    then: Then,
    caller: asyncio.AbstractEventLoop | None = None,
) -> Any:
    """Send a request and return what `then` makes of the answer.

    Raises `MockKlarnaError` for a refusal, and when the request waits for a shop of this process that cannot answer: its
    loop does not run, or is `caller`, which waits for this request.
    """
    request = asyncio.ensure_future(client.ask(method, path, body))
    try:
        while not (await asyncio.wait([request], timeout=_LOOK_SECONDS))[0]:
            await _require_shops_that_answer(client, caller)
    except BaseException:
        request.cancel()
        await asyncio.gather(request, return_exceptions=True)
        raise
    return then(request.result())


async def _require_shops_that_answer(client: "HttpClient", caller: asyncio.AbstractEventLoop | None) -> None:
    answer = await client.send("GET", "/_mock/callbacks?state=in_flight")
    for callback in answer.body["callbacks"] if answer.status == 200 else ():
        shop = urlsplit(callback["url"])
        reason = silent_server(shop.port, caller) if shop.port and shop.hostname in _THIS_MACHINE else None
        if reason is not None:
            raise MockKlarnaError(f"the shop at {shop.scheme}://{shop.netloc} {reason}")
