"""The HTML report of `certify` in a browser."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from playwright.async_api import expect

from tests.browser import axe
from tests.certify.samples import SAMPLES, Journal
from tests.certify.test_html_report import page_of

if TYPE_CHECKING:
    from playwright.async_api import Page

pytestmark = pytest.mark.asyncio(loop_scope="session")


def _broken() -> Journal:
    journal = Journal()
    for rule in ("C5", "M4", "M6", "T1", "O2"):
        journal.entries += [
            {**entry, "seq": len(journal.entries) + number}
            for number, entry in enumerate(SAMPLES[rule][1]().entries, 1)
        ]
    return journal


async def test_the_report_is_accessible_and_complete_in_every_width_colour_and_on_paper(
    tab: "Page", tmp_path: Path, console_errors: list[str]
) -> None:
    file = tmp_path / "report.html"
    file.write_text(page_of(_broken(), "http://localhost:8080", reasons={"O9": "not used"}), encoding="utf-8")
    await tab.goto(file.as_uri())
    found: dict[str, list[str]] = {}
    await tab.locator("details").first.locator("summary").click()
    for width in (1280, 820, 390):
        await tab.set_viewport_size({"width": width, "height": 800})
        for scheme, forced in (("light", "none"), ("dark", "none"), ("light", "active")):
            await tab.emulate_media(color_scheme=scheme, forced_colors=forced)  # type: ignore[arg-type]
            found[f"{width} {scheme} {forced}"] = await axe.problems(tab)
    assert {where: problems for where, problems in found.items() if problems} == {}
    await tab.emulate_media(forced_colors="none")
    await tab.get_by_label("1 hint").check()
    await expect(tab.locator(".finding:visible")).to_have_count(1)
    await tab.get_by_label("All").check()
    await tab.locator("a", has_text="M6").first.click()
    await expect(tab.locator("#M6-1")).to_be_in_viewport()
    await tab.emulate_media(media="print")
    await expect(tab.locator("details:not([open]) pre").last).to_be_visible()
    await expect(tab.locator(".filters")).to_be_hidden()
    assert console_errors == []
