"""What a shopper does in the dialog, by the ids that Klarna's own dialog was seen to have (protocol 6.6)."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import FrameLocator, Locator, Page

from mock_klarna import MockKlarna

Json = dict[str, Any]
Decide = Callable[[Json], None]
FRAME = "#klarna-instant-shopping-fullscreen"
BUTTON = "klarna-instant-shopping button"
ALICE = {
    "email": "alice@example.com",
    "given_name": "Alice",
    "family_name": "Test",
    "street_address": "Sveavägen 46",
    "postal_code": "111 34",
    "city": "Stockholm",
}


@dataclass(frozen=True, slots=True)
class Dialog:
    """The dialog that a click on the page's button has opened."""

    tab: "Page"

    @property
    def frame(self) -> "FrameLocator":
        """The frame that the dialog is in."""
        return self.tab.frame_locator(FRAME)

    def at(self, selector: str) -> "Locator":
        """Return something in the dialog."""
        return self.frame.locator(selector)

    async def fill(self, values: Mapping[str, str]) -> None:
        """Type into fields by their ids."""
        for name, value in values.items():
            await self.at(f"#{name}").fill(value)

    async def fill_in(self, shopper: str) -> None:
        """Have the form filled in as a test shopper would."""
        await self.at("#test-shopper").select_option(shopper)
        await self.at("#fill-button").click()
        await self.at("#status").get_by_text(shopper).wait_for(state="attached")

    async def go_on(self) -> None:
        """Press the button below the form and wait for the review."""
        await self.at("#address-button").click()
        await self.at("#checkout-button").wait_for()

    async def identify(self, shopper: str = "se-approved") -> None:
        """Be a test shopper."""
        await self.fill_in(shopper)
        await self.go_on()

    async def pay(self) -> None:
        """Press the final button once nothing else is under way."""
        await self.idle()
        await self.at("#checkout-button").click()

    async def idle(self) -> None:
        """Wait until the server has answered everything."""
        await self.at("#step[aria-busy=false]").wait_for()

    async def heading(self) -> str:
        """Return the heading of the step that is shown."""
        return await self.at("#step-heading").inner_text()


def placing(mock_klarna: MockKlarna) -> Decide:
    """Return the mind of a merchant who places every order."""

    def place(callback: Json) -> None:
        mock_klarna.create_order(callback["authorization_token"], callback["order"])

    return place


def denying(mock_klarna: MockKlarna, **reason: str) -> Decide:
    """Return the mind of a merchant who denies every order."""

    def deny(callback: Json) -> None:
        mock_klarna.deny_authorization(callback["authorization_token"], **reason)

    return deny
