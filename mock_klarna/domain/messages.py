"""What the shopper reads at the end of a purchase, in our own words (protocol 5; seed, step 3)."""

from collections.abc import Mapping

PLACED = "Thank you for your purchase."
DECLINED = "Klarna could not approve this purchase. You have not been charged."
TIMED_OUT = "The shop did not answer in time. You have not been charged."
FAILED = "Something went wrong and the purchase was not completed. You have not been charged."
DENIED = "The shop declined this purchase. You have not been charged."

DENIED_BY_CODE: Mapping[str, str] = {
    "address_error": "There is a problem with the address you gave.",
    "item_out_of_stock": "This item is no longer in stock.",
    "consumer_underaged": "You have to be older to buy this item.",
    "unsupported_shipping_address": "The shop does not deliver to this shipping address.",
}
"""The predefined deny codes; any other code shows the merchant's message or the generic text (C-10)."""


def denied(reason: Mapping[str, str]) -> str:
    """Return the text of the denial dialog: the merchant's message, else the code's own text, else the generic one."""
    return reason.get("deny_message") or DENIED_BY_CODE.get(reason.get("deny_code", ""), DENIED)
