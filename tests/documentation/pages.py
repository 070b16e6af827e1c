"""The pages of the documentation: their text, code blocks, headings and links."""

import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
PAGES = (README, *sorted((ROOT / "docs").glob("*.md")), *sorted(ROOT.glob("C*.md")))
"""Every page, the README first."""
_BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_COPY = re.compile(r"<!-- file: (\S+) -->\n\n(?:```\w+\n.*?^```\n\n)?", re.DOTALL | re.MULTILINE)
_LANGUAGES = {".py": "python", ".js": "js", ".mjs": "js", ".php": "php", ".java": "java"}
_HEADING = re.compile(r"^#+ (.+)$", re.MULTILINE)
_LINK = re.compile(r"\]\(([^)\s]+)\)|(?:href|src)=\"([^\"]+)\"")


@dataclass(frozen=True)
class Block:
    """A code block: the page that it is on, its first line there, its language and its text."""

    page: Path
    line: int
    language: str
    code: str

    @property
    def name(self) -> str:
        """The page and the line, as a test's id."""
        return f"{self.page.name}:{self.line}"


def blocks(*languages: str, containing: str = "") -> list[Block]:
    """Return the code blocks of all pages in some languages (all languages when none is given), without copies of files."""
    found = [block for page in PAGES for block in _blocks(page)]
    return [each for each in found if (not languages or each.language in languages) and containing in each.code]


@cache
def _blocks(page: Path) -> tuple[Block, ...]:
    text = without_copies(page.read_text("utf-8"))
    return tuple(
        Block(page, text.count("\n", 0, found.start()) + 2, found[1], found[2]) for found in _BLOCK.finditer(text)
    )


def patient(scenario: str) -> str:
    """Return a scenario that waits long for what it expects: on a busy machine it comes late."""
    return re.sub(r"within: \d+s", "within: 120s", scenario)


def copied(page: Path, text: str) -> str:
    """Return a page's text with each file that a comment such as `<!-- file: examples/shop.js -->` names as a code block."""

    def block(found: re.Match[str]) -> str:
        file = page.parent / found[1]
        return f"<!-- file: {found[1]} -->\n\n```{_LANGUAGES[file.suffix]}\n{file.read_text('utf-8')}```\n\n"

    return _COPY.sub(block, text)


def without_copies(text: str) -> str:
    """Return a page's text with blank lines in place of the copies of files."""
    return _COPY.sub(lambda found: "\n" * found[0].count("\n"), text)


@cache
def anchors(page: Path) -> set[str]:
    """Return the fragments that a page's headings and `id` attributes give it, as GitHub spells them."""
    text = without_code(page)
    found, counted = set[str](), dict[str, int]()
    for heading in _HEADING.findall(text):
        words = re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", heading)
        name = re.sub(r"[^\w\- ]", "", words.lower()).replace(" ", "-")
        found.add(f"{name}-{counted[name]}" if name in counted else name)
        counted[name] = counted.get(name, 0) + 1
    return found | set(re.findall(r"(?:id|name)=\"([^\"]+)\"", text))


def links(page: Path) -> list[str]:
    """Return where a page's links and pictures lead."""
    return [first or second for first, second in _LINK.findall(without_code(page))]


def without_code(page: Path) -> str:
    """Return a page's text without its code blocks."""
    return _BLOCK.sub("", page.read_text("utf-8"))
