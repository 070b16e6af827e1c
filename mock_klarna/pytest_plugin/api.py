"""The emulator in a test's hands: methods named like the HTTP commands, once for tests with a loop and once for those without."""

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from functools import partial
from operator import itemgetter
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from urllib.parse import urlencode

if TYPE_CHECKING:
    from mock_klarna.client import Answer, Client

Json = dict[str, Any]
Object = TypeVar("Object")
Objects = TypeVar("Objects")
Nothing = TypeVar("Nothing")
Then = Callable[[Any], Any]
AUTHORIZATIONS = "/instantshopping/v1/authorizations"
ORDERS = "/ordermanagement/v1/orders"
TOKENS = "/customer-token/v1/tokens"


def same(body: Any) -> Any:
    """Return the body as it is."""
    return body


class OrderCommands(Generic[Object, Objects, Nothing]):
    """The commands about placed orders; each sends one HTTP request and gives a JSON object, a list of them, or nothing."""

    def _request(self, method: str, path: str, body: Any = None, then: Then = same) -> Any:
        raise NotImplementedError

    def _ask(self, method: str, path: str, body: Any = None, then: Then = same) -> Object:
        given: Object = self._request(method, path, body, then)
        return given

    def _list(self, path: str, member: str) -> Objects:
        given: Objects = self._request("GET", path, then=itemgetter(member))
        return given

    def _tell(self, method: str, path: str, body: Any = None) -> Nothing:
        told: Nothing = self._request(method, path, body)
        return told

    def managed_order(self, order_id: str) -> Object:
        """Retrieve an order from Order Management, as the merchant: status, amounts, captures, refunds."""
        return self._ask("GET", f"{ORDERS}/{order_id}")

    def acknowledge(self, order_id: str) -> Nothing:
        """Acknowledge an order as the merchant would, which ends the pushes."""
        return self._tell("POST", f"{ORDERS}/{order_id}/acknowledge")

    def capture(self, order_id: str, captured_amount: int, **details: Any) -> Nothing:
        """Capture an amount as the merchant would; `managed_order` then shows the capture."""
        return self._tell("POST", f"{ORDERS}/{order_id}/captures", {"captured_amount": captured_amount, **details})

    def refund(self, order_id: str, refunded_amount: int, **details: Any) -> Nothing:
        """Refund an amount as the merchant would; `managed_order` then shows the refund."""
        return self._tell("POST", f"{ORDERS}/{order_id}/refunds", {"refunded_amount": refunded_amount, **details})

    def cancel(self, order_id: str) -> Nothing:
        """Cancel an order as the merchant would; nothing may have been captured of it."""
        return self._tell("POST", f"{ORDERS}/{order_id}/cancel")

    def release_remaining_authorization(self, order_id: str) -> Nothing:
        """Give up what remains authorized of an order, as the merchant would."""
        return self._tell("POST", f"{ORDERS}/{order_id}/release-remaining-authorization")

    def extend_authorization_time(self, order_id: str) -> Nothing:
        """Let the authorization of an order live longer, as the merchant would."""
        return self._tell("POST", f"{ORDERS}/{order_id}/extend-authorization-time")

    def update_order_authorization(self, order_id: str, order_amount: int, **details: Any) -> Nothing:
        """Authorize another amount as the merchant would, with `order_lines` that make it."""
        return self._tell("PATCH", f"{ORDERS}/{order_id}/authorization", {"order_amount": order_amount, **details})

    def create_token(self, authorization_token: str, **wish: Any) -> Object:
        """Make a customer token of an authorization as the merchant of a subscription would; gives its `token_id`."""
        return self._ask("POST", f"{AUTHORIZATIONS}/{authorization_token}/customer-token", wish)

    def get_token(self, token_id: str) -> Object:
        """Read the status of a customer token."""
        return self._ask("GET", f"{TOKENS}/{token_id}")

    def order_from_token(self, token_id: str, order: Json) -> Object:
        """Place an order with a customer token as the merchant would; gives its `order_id`."""
        return self._ask("POST", f"{TOKENS}/{token_id}/order", order)

    def cancel_token(self, token_id: str) -> Nothing:
        """Cancel a customer token as the merchant would."""
        return self._tell("PATCH", f"{TOKENS}/{token_id}/status", {"status": "CANCELLED"})


T = TypeVar("T")
BUTTONS = "/instantshopping/v1/buttons"


def _query(path: str, parameters: Mapping[str, object]) -> str:
    given = {name: value for name, value in parameters.items() if value is not None}
    return f"{path}?{urlencode(given)}" if given else path


def _first(wanted: str, body: Any) -> Any:
    """Return the entry that was waited for; raises AssertionError when none came."""
    assert body["entries"], f"the journal has no {wanted} yet"
    return body["entries"][0]


class Commands(OrderCommands[Object, Objects, Nothing]):
    """What a merchant and a shopper can do, for one merchant of one emulator.

    Every method sends one HTTP request and gives the JSON of its answer; a refusal raises `MockKlarnaError`. `url` is what
    a shop under test takes for Klarna's base URL, `credentials` are the username, which is the merchant, and password.
    """

    def __init__(self, client: "Client", password: str) -> None:
        self._client = client
        self.url = client.url
        self.merchant = client.merchant
        self.credentials = (client.merchant, password)

    @property
    def authorization(self) -> str:
        """The value of the `Authorization` header that belongs to the credentials."""
        from base64 import b64encode

        return f"Basic {b64encode(':'.join(self.credentials).encode()).decode()}"

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
        return self._tell("DELETE", f"{AUTHORIZATIONS}/{authorization_token}", reason)

    def purchase(self, **wish: Any) -> Object:
        """Let a shopper buy; takes the members of `POST /_mock/purchases` and gives the purchase.

        Waits up to `wait` seconds (10) for the merchant to place or deny; 0 returns as soon as the merchant is being called.
        """
        return self._ask("POST", "/_mock/purchases", wish)

    def find_purchase(self, purchase_id: str, *, wait: float | None = None) -> Object:
        """Give a purchase by its id or token, once it has ended or after `wait` seconds."""
        return self._ask("GET", _query(f"/_mock/purchases/{purchase_id}", {"wait": wait}))

    def purchases(self, *, state: str | None = None, limit: int | None = None) -> Objects:
        """List this merchant's purchases, or those in one `state`, newest first."""
        return self._list(_query("/_mock/purchases", {"state": state, "limit": limit}), "purchases")

    def journal(self, **filters: Any) -> Objects:
        """List what happened, in order; see `GET /_mock/journal` for the filters, such as `name` and `status`."""
        return self._list(_query("/_mock/journal", filters), "entries")

    def wait_for(self, name: str, *, within: float = 5.0, **filters: Any) -> Object:
        """Wait for the first journal entry of a name (an event, an operation or a callback) and give it.

        `after=entry["seq"]` waits for the next one. Raises AssertionError when there is none `within` so many seconds.
        """
        path = _query("/_mock/journal", {"name": name, "wait": within, "limit": 1, **filters})
        return self._ask("GET", path, then=partial(_first, name))

    def callbacks(self, *, limit: int | None = None, **filters: str) -> Objects:
        """List callbacks with all their attempts, newest first; filters are `purchase_id`, `kind` and `state`."""
        return self._list(_query("/_mock/callbacks", {**filters, "limit": limit}), "callbacks")

    def resend(self, callback_id: str) -> Object:
        """Send a callback again; gives it with the new attempt."""
        return self._ask("POST", f"/_mock/callbacks/{callback_id}/resend")

    def orders(self, *, limit: int | None = None) -> Objects:
        """List this merchant's orders, newest first."""
        return self._list(_query("/_mock/orders", {"limit": limit}), "orders")

    def order(self, order_id: str) -> Object:
        """Give a placed order."""
        return self._ask("GET", f"/_mock/orders/{order_id}")

    def decide(self, order_id: str, fraud_status: str) -> Object:
        """End a fraud review with ACCEPTED, REJECTED or STOPPED; the merchant is notified."""
        return self._ask("POST", f"/_mock/orders/{order_id}/decision", {"fraud_status": fraud_status})

    def clock(self) -> Object:
        """Give the time on this merchant's clock."""
        return self._ask("GET", "/_mock/clock")

    def advance_clock(self, duration: str | float) -> Object:
        """Move the clock on by seconds or by a duration such as "2h"; all that is due happens before this returns."""
        return self._ask("POST", "/_mock/clock", {"advance": duration})

    def set_clock(self, moment: str) -> Object:
        """Set the clock to a time such as "2026-01-01T00:00:00Z"; all that is due happens before this returns."""
        return self._ask("POST", "/_mock/clock", {"set": moment})

    def fault(self, on: str, **effect: Any) -> Object:
        """Have the next requests ("request") or callbacks ("callback") go wrong; takes `operation`, `times` and the effects."""
        return self._ask("POST", "/_mock/faults", {"on": on, **effect})

    def faults(self) -> Objects:
        """List the faults that still wait for something to spoil."""
        return self._list("/_mock/faults", "faults")

    def clear_faults(self) -> Nothing:
        """Forget all faults of this merchant."""
        return self._tell("DELETE", "/_mock/faults")

    def reset(self, seed: str | int | None = None) -> Nothing:
        """Forget everything of this merchant, and begin again with a seed."""
        return self._tell("POST", "/_mock/reset", {} if seed is None else {"seed": seed})

    def snapshot(self) -> Object:
        """Give this merchant's state: everything but the journal."""
        return self._ask("GET", "/_mock/snapshot")

    def load_snapshot(self, state: Json) -> Nothing:
        """Replace this merchant's state by that of a snapshot."""
        return self._tell("PUT", "/_mock/snapshot", state)

    def shoppers(self, country: str | None = None) -> Objects:
        """List the test shoppers that `purchase` knows by name."""
        return self._list(_query("/_mock/shoppers", {"country": country}), "shoppers")


class MockKlarnaAsync(Commands[Awaitable[Json], Awaitable[list[Json]], Awaitable[None]]):
    """The emulator for tests that are coroutines: every command is awaited."""

    def _request(self, method: str, path: str, body: Any = None, then: Then = same) -> Awaitable[Any]:
        return _answered(self._client, method, path, body, then)

    async def send(
        self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None
    ) -> "Answer":
        """Send any request as this merchant and return status, body and headers, whatever they are."""
        return await self._client.send(method, path, body, headers=headers)


class MockKlarna(Commands[Json, list[Json], None]):
    """The emulator for tests without a loop: every command blocks until it is answered."""

    def __init__(self, client: "Client", password: str, loop: asyncio.AbstractEventLoop) -> None:
        super().__init__(client, password)
        self._loop = loop

    def _request(self, method: str, path: str, body: Any = None, then: Then = same) -> Any:
        return self._finished(_answered(self._client, method, path, body, then))

    def send(self, method: str, path: str, body: Any = None, headers: Mapping[str, str] | None = None) -> "Answer":
        """Send any request as this merchant and return status, body and headers, whatever they are."""
        return self._finished(self._client.send(method, path, body, headers=headers))

    def _finished(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()


async def _answered(client: "Client", method: str, path: str, body: Any, then: Then) -> Any:
    return then(await client.ask(method, path, body))
