"""Every link of the pages leads to a file that exists, and to a heading of it."""

from pathlib import Path

import pytest

from tests.documentation.pages import PAGES, README, anchors, links

WRITTEN_LATER = {"architecture.md", "CONTRIBUTING.md"}
"""Pages that are linked before they exist; once a page exists its links are checked."""

CASES = [
    (page, link)
    for page in PAGES
    for link in dict.fromkeys(links(page))
    if not link.startswith(("http://", "https://"))
]


@pytest.mark.parametrize(("page", "link"), CASES, ids=[f"{page.name}:{link}" for page, link in CASES])
def test_a_link_leads_to_a_file_and_a_heading(page: Path, link: str) -> None:
    name, _, fragment = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    if not target.exists() and target.name in WRITTEN_LATER:
        pytest.skip(f"{target.name} is not written yet")
    assert target.exists()
    assert not fragment or fragment in anchors(target)


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in links(README)}
    assert set(PAGES) - {README} <= linked
