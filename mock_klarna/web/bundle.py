"""Combines the modules of a page into one script, and makes scripts and style sheets smaller, without a build step.

A script is split into tokens, so that nothing in a text, a template or a regular expression is mistaken for a comment or an import.
Names are not changed.

In a combined script each module is a function. Its parameters are what the module imports, its result is what it exports. A module
is called after those that it imports. That is correct for modules of one folder that

- import at their top, as `import { name, name as other } from "./module.js";`, and not in a circle
- export with `export` before `function`, `async function`, `class` and `const`, one name at a time

Every other form is a `BundleError`. `import.meta.url` is the address of the combined script.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple, NoReturn

Read = Callable[[str], str]
"""Returns the source of a module by its name, such as `main.js`; raises `OSError` if there is none."""


class BundleError(Exception):
    """A script that cannot be combined or made smaller: the message has its name, the line and the reason."""


def bundle_modules(entry: str, read: Read) -> str:
    """Return a script that does what the module `entry` does, with all modules that it imports; raises `BundleError`."""
    modules: dict[str, _Module] = {}
    _add_module(entry, read, modules, ())
    return "const modules={};\n" + "".join(_as_function(name, module) for name, module in modules.items())


@lru_cache(maxsize=8)
def compact_script(name: str, source: str) -> str:
    """Return a script without comments, indentation and needless spaces; raises `BundleError`."""
    return _compact(_Tokenizer(name, source))


def combine_styles(sources: Iterable[str]) -> str:
    """Return style sheets as one, without comments and indentation."""
    texts = (_STYLE_COMMENT.sub(lambda found: found[1] or "", source) for source in sources)
    return "".join(_LINE_START.sub("", text) for text in texts)


_STYLE_COMMENT = re.compile(r"""("(?:[^"\\]|\\[\s\S])*"|'(?:[^'\\]|\\[\s\S])*')|/\*[\s\S]*?\*/""")
_LINE_START = re.compile(r"^\s+", re.MULTILINE)


class _Token(NamedTuple):
    """A part of a script: `at` is its position, `depth` is the number of brackets around it."""

    kind: str
    text: str
    at: int
    depth: int


_PART = re.compile(
    r"""(?P<space>[ \t\n]+)
    |(?P<comment>//[^\n]*|/\*[\s\S]*?\*/)
    |(?P<text>"(?:[^"\\\n]|\\[\s\S])*"|'(?:[^'\\\n]|\\[\s\S])*')
    |(?P<word>[\w$\#]+)
    |(?P<mark>\+\+|--|=>|[-{}()\[\].,;:?!=<>+*%&|^~/`])""",
    re.VERBOSE,
)
_PATTERN = re.compile(r"/(?:[^\\/\[\n]|\\[^\n]|\[(?:[^\]\\\n]|\\[^\n])*\])+/[dgimsuy]*(?!\w)")
_TEMPLATE = re.compile(r"[`}](?:[^`\\$]|\\[\s\S]|\$(?!\{))*(?:`|\$\{)")
_BEFORE_PATTERN = frozenset(
    ["return", "typeof", "instanceof", "in", "new", "delete", "void", "throw", "case", "do", "else", "yield", "await"]
)
"""The words after which a slash starts a regular expression; after other words it divides."""
_BEFORE_CONDITION = frozenset({"if", "while", "for", "with"})
_PAIRS = {"(": ")", "if (": ")", "[": "]", "{": "}", "${": "}"}


class _Tokenizer:
    """Splits a script; raises `BundleError` for what it does not know."""

    def __init__(self, name: str, source: str) -> None:
        self._name, self._source, self._at = name, source, 0
        self._opened: list[str] = []
        self._earlier = self._last = _Token("mark", ";", 0, 0)  # neither space nor comment
        if set(source) & {"\r", "\u2028", "\u2029"}:
            self._refuse("only \\n may end a line")

    def __iter__(self) -> Iterator[_Token]:
        source, match = self._source, _PART.match
        while self._at < len(source):
            found = match(source, self._at)
            if found is None:
                self._refuse(f"unknown text {source[self._at :][:20]!r}")
            kind, text = str(found.lastgroup), found[0]
            token = self._mark(text) if kind == "mark" else _Token(kind, text, self._at, len(self._opened))
            self._at += len(token.text)
            if kind not in {"space", "comment"}:
                self._earlier, self._last = self._last, token
            yield token
        if self._opened:
            self._refuse(f"{self._opened[-1]} without {_PAIRS[self._opened[-1]]}")

    def _mark(self, text: str) -> _Token:
        if text == "/" and self._starts_pattern():
            return self._match(_PATTERN, "pattern")
        if text == "`":
            return self._template()
        if text in {")", "]", "}"}:
            return self._close(text)
        token = self._token("mark", text)
        if text in {"(", "[", "{"}:
            self._opened.append("if (" if text == "(" and self._is_keyword(_BEFORE_CONDITION) else text)
        return token

    def _starts_pattern(self) -> bool:
        """Return whether a slash starts a regular expression; if it does not, it divides."""
        last = self._last
        if last.text == "}":
            self._refuse("a slash after }; put brackets around the regular expression or what is divided")
        if last.kind == "word":
            return self._is_keyword(_BEFORE_PATTERN)
        if last.kind in {"text", "pattern"} or last.text.endswith("`"):
            return False
        return last.text not in {")", "]", "++", "--"}

    def _is_keyword(self, words: frozenset[str]) -> bool:
        """Return whether the last token is one of some keywords, and not a member of that name."""
        return self._last.text in words and self._earlier.text != "."

    def _close(self, text: str) -> _Token:
        opened = self._opened.pop() if self._opened else ""
        if _PAIRS.get(opened) != text:
            self._refuse(f"{text} after {opened or 'no bracket'}")
        if opened == "${":
            return self._template()
        # what follows a condition is not divided
        return self._token("condition" if opened == "if (" else "mark", text)

    def _template(self) -> _Token:
        """Return a template up to its end or its next expression, which is split like all others."""
        token = self._match(_TEMPLATE, "template")
        if token.text.endswith("${"):
            self._opened.append("${")
        return token

    def _match(self, pattern: re.Pattern[str], kind: str) -> _Token:
        found = pattern.match(self._source, self._at)
        if found is None:
            self._refuse(f"a {kind} without an end")
        return self._token(kind, found[0])

    def _token(self, kind: str, text: str) -> _Token:
        return _Token(kind, text, self._at, len(self._opened))

    def _refuse(self, reason: str) -> NoReturn:
        raise BundleError(f"{_place(self._name, self._source, self._at)}: {reason}")


def _place(name: str, source: str, at: int) -> str:
    return f"{name}:{source.count(chr(10), 0, at) + 1}"


def _compact(tokens: Iterable[_Token]) -> str:
    """Return a script without what separates its tokens needlessly. A line end stays where it may end a statement."""
    parts: list[str] = []
    last, between = ";", ""
    for kind, text, *_ in tokens:
        if kind in {"space", "comment"}:
            between = "\n" if "\n" in between + text else " "
            continue
        if between and _is_needed(between, last, text):
            parts.append(between)
        parts.append(text)
        last, between = text, ""
    return "".join(parts)


_OPERATORS = frozenset("+-*/<>=!&|?.%^~")
_BRACKETS = frozenset("()[]{},;:")


def _is_needed(between: str, last: str, text: str) -> bool:
    """Return whether a space or a line end is needed between two tokens."""
    if between == "\n":
        return last not in {"{", "(", "[", ",", ";"} and text != "}"
    end, start = last[-1], text[0]
    if end in _BRACKETS or start in _BRACKETS:
        return False
    return (end in _OPERATORS) == (start in _OPERATORS) or end == "/" or start == "."


@dataclass(slots=True)
class _Module:
    """A module: its body without imports and exports, the names that it exports, and by module what it imports."""

    body: str = ""
    exports: list[str] = field(default_factory=list)
    imports: list[tuple[str, list[str]]] = field(default_factory=list)


_IMPORT = re.compile(r'import\{([\w$, ]+)\}from ?"\./([\w-]+\.js)";')
_EXPORT = re.compile(r"export (?:(?:async )?function |class |const )([\w$]+)")


@lru_cache(maxsize=128)
def _parse(name: str, source: str) -> _Module:
    """Take a module apart; raises `BundleError`. When a source changes, the modules that have not changed are known."""
    tokens = list(_Tokenizer(name, source))
    module, body, last, at = _Module(), list[_Token](), "", 0
    while at < len(tokens):
        token, at = tokens[at], at + 1
        if token.text in {"import", "export"} and last != ".":
            end = _end_of_statement(tokens, at)
            statement = _compact(tokens[at - 1 : end])
            if token.text == "export" and _take_export(statement, token, tokens[at:end], module):
                continue
            if token.text == "import" and last == "" and _take_import(statement, module):
                at = end
                continue
            if not statement.startswith("import.meta.url"):
                raise BundleError(f"{_place(name, source, token.at)}: a form that cannot be combined: {statement[:60]}")
        if token.kind not in {"space", "comment"}:
            last = token.text
        body.append(token)
    module.body = _compact(body)
    return module


def _end_of_statement(tokens: Sequence[_Token], at: int) -> int:
    """Return the position after the next semicolon that is in the same brackets."""
    depth = tokens[at - 1].depth
    ends = (i + 1 for i in range(at, len(tokens)) if tokens[i].text == ";" and tokens[i].depth == depth)
    return next(ends, len(tokens))


def _take_import(statement: str, module: _Module) -> bool:
    """Add an import to a module; returns whether the statement is of the known form."""
    found = _IMPORT.fullmatch(statement)
    if found:
        module.imports.append((found[2], [name.strip() for name in found[1].split(",") if name]))
    return found is not None


def _take_export(statement: str, token: _Token, rest: Sequence[_Token], module: _Module) -> bool:
    """Add an export to a module; returns whether it is of a known form."""
    found = _EXPORT.match(statement)
    has_more = statement.startswith("export const") and any(other.text == "," and other.depth == 0 for other in rest)
    if found is None or token.depth or has_more:
        return False
    module.exports.append(found[1])
    return True


def _add_module(name: str, read: Read, modules: dict[str, _Module], importers: tuple[str, ...]) -> None:
    """Add a module after all modules that it imports; raises `BundleError`."""
    if name in importers:
        raise BundleError(f"{importers[-1]}: imports in a circle: {' > '.join((*importers, name))}")
    if name in modules:
        return
    try:
        module = _parse(name, read(name))
    except OSError:
        raise BundleError(f"{importers[-1] if importers else name}: no module {name}") from None
    for other, names in module.imports:
        _add_module(other, read, modules, (*importers, name))
        missing = {imported.partition(" as ")[0] for imported in names} - set(modules[other].exports)
        if missing:
            raise BundleError(f"{name}: {other} does not export {', '.join(sorted(missing))}")
    modules[name] = module


def _as_function(name: str, module: _Module) -> str:
    """Return a module as a call of a function, whose result is stored under the name of the module."""
    parameters = ("{" + ",".join(names).replace(" as ", ":") + "}" for _, names in module.imports)
    arguments = (f'modules["{other}"]' for other, _ in module.imports)
    function = f"({','.join(parameters)})=>{{{module.body}\nreturn{{{','.join(module.exports)}}}}}"
    return f'modules["{name}"]=({function})({",".join(arguments)});\n'
