"""Every link of the pages leads to a file that exists, and to a heading of it."""

from pathlib import Path

from tests.documentation.pages import PAGES, README, anchors, links


def test_every_link_leads_to_a_file_and_a_heading() -> None:
    for page in PAGES:
        assert [link for link in links(page) if _is_broken(page, link)] == [], page


def _is_broken(page: Path, link: str) -> bool:
    if link.startswith(("http://", "https://")):
        return False
    name, _, fragment = link.partition("#")
    target = (page.parent / name).resolve() if name else page
    return not target.exists() or (bool(fragment) and fragment not in anchors(target))


def test_every_page_of_docs_is_linked_from_the_readme() -> None:
    linked = {(README.parent / link.partition("#")[0]).resolve() for link in links(README)}
    assert set(PAGES) - {README} <= linked
