"""The accessibility checker axe-core, and pages that scroll sideways."""

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.async_api import Frame, Page

_RUN = """() => {
  const isEndless = (animation) => animation.effect.getComputedTiming().endTime === Infinity;
  document.getAnimations().filter((animation) => !isEndless(animation)).forEach((animation) => animation.finish());
  // axe compares the colours of the style sheets, which forced colours replace
  const rules = {"color-contrast": {enabled: !matchMedia("(forced-colors: active)").matches}};
  return axe.run(document, {iframes: false, resultTypes: ["violations"], rules}).then(({violations}) =>
  violations.map(({id, help, nodes}) => `${id}: ${help}: ${nodes.map(({target}) => target.join(" ")).join(", ")}`));
}"""
_TOO_WIDE = """() => [document.documentElement, ...document.querySelectorAll("body, main, header, #dialog, #step, .card, .actions")]
  .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.clientWidth)
  .map((one) => `${one.tagName}#${one.id} is ${one.scrollWidth} px wide in ${one.clientWidth} px`)"""


async def problems(page: "Page | Frame") -> list[str]:
    """Return what axe finds in a page or in a frame, all of its rules applied, and which parts of it are too wide."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(_source())
    found: list[Any] = await page.evaluate(_RUN)
    wide: list[Any] = await page.evaluate(_TOO_WIDE)
    return [str(each) for each in (*found, *wide)]


@cache
def _source() -> str:
    return (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
