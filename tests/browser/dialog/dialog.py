"""A page object for the dialog, which finds elements by the ids of Klarna's own dialog (klarna.md §6.6)."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Locator, Page, Route

from playwright.async_api import FrameLocator, expect

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

HIDDEN = """(() => {
  const active = document.activeElement;
  const {left, top, right, bottom} = active.getBoundingClientRect();
  const at = document.elementFromPoint((left + right) / 2, (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2);
  const isSeen = at && (active.contains(at) || at.contains(active) || at.closest("label")?.control === active);
  return isSeen && bottom > 0 && top < innerHeight ? "" : `${active.id} is behind ${at?.id || at?.className}`;
})()"""
"""The focused element if something covers it or it is outside the window."""


@dataclass(frozen=True, slots=True)
class Dialog:
    """The dialog in a tab, or in a frame of a tab."""

    tab: "Page | FrameLocator"

    @property
    def frame(self) -> "FrameLocator":
        """The frame that the dialog is in."""
        return self.tab.frame_locator(FRAME)

    def find(self, selector: str, has_text: str | None = None) -> "Locator":
        """Return the elements of the dialog that match a selector, or those of them that contain a text."""
        return self.frame.locator(selector, has_text=has_text)

    async def fill(self, values: Mapping[str, str]) -> None:
        """Type into fields by their ids."""
        for name, value in values.items():
            await self.find(f"#{name}").fill(value)

    async def fill_in(self, shopper: str) -> None:
        """Let the dialog fill in the form with a test shopper."""
        await self.find("#test-shopper").select_option(shopper)
        await painted(self.tab)
        await self.find("#fill-button").click()
        await self.find("#status").get_by_text(shopper).wait_for(state="attached")

    async def continue_to_review(self) -> None:
        """Press the button below the form and wait for the review."""
        await self.find("#address-button").click()
        await self.find("#checkout-button").wait_for()

    async def identify(self, shopper: str = "se-approved") -> None:
        """Fill in a test shopper and continue to the review."""
        await self.fill_in(shopper)
        await self.continue_to_review()

    async def pay(self) -> None:
        """Press the final button once no request is in progress."""
        await self.idle()
        await self.find("#checkout-button").click()

    async def has_focus(self) -> None:
        """Wait until the page has given the focus to the dialog that was opened: until then it cannot be used."""
        await expect(self.find("#step-heading")).to_be_focused()

    async def idle(self) -> None:
        """Wait until no request is in progress."""
        await self.find("#step[aria-busy=false]").wait_for()

    async def heading(self) -> str:
        """Return the heading of the step that is shown."""
        return await self.find("#step-heading").inner_text()


async def painted(tab: "Page | FrameLocator") -> None:
    """Wait until the browser has painted a tab as it is: until then, it sends clicks to what was there before."""
    if not isinstance(tab, FrameLocator):
        await tab.screenshot(clip={"x": 0, "y": 0, "width": 1, "height": 1})


@asynccontextmanager
async def held(tab: "Page", url: str) -> AsyncIterator[asyncio.Event]:
    """Let requests wait until the block ends; the event is set once there is one."""
    arrived, free = asyncio.Event(), asyncio.Event()

    async def wait(route: "Route") -> None:
        arrived.set()
        await free.wait()
        await route.continue_()

    await tab.route(url, wait)
    yield arrived
    free.set()


def placing(mock_klarna: MockKlarna) -> Decide:
    """Return a function that places every order."""

    def place(callback: Json) -> None:
        mock_klarna.create_order(callback["authorization_token"], callback["order"])

    return place


def denying(mock_klarna: MockKlarna, **reason: str) -> Decide:
    """Return a function that denies every order."""

    def deny(callback: Json) -> None:
        mock_klarna.deny_authorization(callback["authorization_token"], **reason)

    return deny
