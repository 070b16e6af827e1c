"""What a merchant can do once an order is placed: Order Management, and customer tokens."""

from collections.abc import Callable
from operator import itemgetter
from typing import Any, Generic, TypeVar

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
