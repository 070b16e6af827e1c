"""Combining modules and making scripts smaller: which text stays, and which forms are refused.

A browser executes a combined script in `tests/browser/dialog/test_modules.py`.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

import mock_klarna.web
from mock_klarna.web.bundle import BundleError, bundle_modules, combine_styles, compact_script

DIALOG = Path(mock_klarna.web.__file__).parent / "static" / "dialog"

SMALLER = {
    "comments": ("/* a */ a /* b */ = 1; // c\n/** d\n */\nb();", "a=1;b();"),
    "a line end may end a statement": ("a = b\n(c)\nd\n++e", "a=b\n(c)\nd\n++e"),
    "a line end in a comment may end a statement": ("return /*\n*/ a", "return\na"),
    "a comment separates words": ("a/**/in/**/b", "a in b"),
    "brackets end nothing": ("if (a) {\n  b(\n    c,\n    d)\n}", "if(a){b(c,d)}"),
    "operators that must not grow together": ("a + +b - --c / /d/.e < !--f", "a+ +b- --c/ /d/.e< !--f"),
    "a member of a number": ("1 .a", "1 .a"),
    "comments in texts": ("\"/* a */ // b\" + '// c \\' /*'", "\"/* a */ // b\"+'// c \\' /*'"),
    "comments in templates": (
        "`// a ${ b /* c */ + `/* ${ {d: e} } */` }  // f`",
        "`// a ${b+`/* ${{d:e}} */`}  // f`",
    ),
    "templates with dollars and escapes": ("`$ \\` \\${ // $${ a }$`", "`$ \\` \\${ // $${a}$`"),
    "comments in regular expressions": ('a = /[/*] \\/\\/ "/g; b', 'a= /[/*] \\/\\/ "/g;b'),
    "division": ("a / b / c; d[0] / e /f; (g) / h /i; j++ / k /l", "a/ b/ c;d[0]/ e/f;(g)/ h/i;j++ / k/l"),
    "a regular expression after a condition": ("if (a) / b/.test(c); d(e) / f /g", "if(a)/ b/.test(c);d(e)/ f/g"),
    "a regular expression after a keyword": ("return / b/; a.return / c /d", "return/ b/;a.return/ c/d"),
    "a word after a regular expression": ("/a/ in b; /a/g in b", "/a/ in b;/a/g in b"),
}


@pytest.mark.parametrize("case", SMALLER)
def test_a_smaller_script_keeps_what_matters(case: str) -> None:
    source, smaller = SMALLER[case]
    assert compact_script("a.js", source) == smaller
    assert compact_script("a.js", smaller) == smaller


UNCLEAR = {
    "const a = {}\n/b/.test(c)": "a.js:2: a slash after }",
    "a;\n\n`b ${c}": "a.js:3: a template without an end",
    "a = /b": "a.js:1: a pattern without an end",
    "a = 'b\n'": "a.js:1: unknown text",
    "a = \\u0061": "a.js:1: unknown text",
    "f(a}": "a.js:1: } after (",
    "a)": "a.js:1: ) after no bracket",
    "f(a": "a.js:1: ( without )",
    "a\r\nb": "a.js:1: only \\n may end a line",
    "a;\n'\u2028'": "a.js:1: only \\n may end a line",
}


@pytest.mark.parametrize("source", UNCLEAR)
def test_a_script_that_cannot_be_split_with_certainty_is_refused(source: str) -> None:
    with pytest.raises(BundleError) as refused:
        compact_script("a.js", source)
    assert str(refused.value).startswith(UNCLEAR[source])


def reading(**sources: str) -> Callable[[str], str]:
    """Reads modules from texts; the names are without `.js`."""

    def read(name: str) -> str:
        if name.removesuffix(".js") not in sources:
            raise FileNotFoundError(name)
        return sources[name.removesuffix(".js")]

    return read


def test_modules_become_functions_in_the_order_of_their_imports() -> None:
    read = reading(
        main='import { b, c as d } from "./b.js";\nimport { a } from "./a.js";\n\nconsole.log(a, b, d);\n',
        b='/** @typedef {import("./types.js").T} T */\nimport {\n  a,\n} from "./a.js";\nexport const b = a + 1;\n'
        "export class c {}\n",
        a="export function a() {}\nexport async function e() {}\nlet f;\n",
    )
    assert bundle_modules("main.js", read) == (
        "const modules={};\n"
        'modules["a.js"]=(()=>{function a(){}\nasync function e(){}\nlet f;\nreturn{a,e}})();\n'
        'modules["b.js"]=(({a})=>{const b=a+1;class c{}\nreturn{b,c}})(modules["a.js"]);\n'
        'modules["main.js"]=(({b,c:d},{a})=>{console.log(a,b,d);\nreturn{}})(modules["b.js"],modules["a.js"]);\n'
    )


FORMS = [
    'import a from "./a.js";',
    'import * as all from "./a.js";',
    'import "./a.js";',
    'import { a } from "./folder/a.js";',
    'import { a } from "../a.js";',
    'import { a } from "a.js";',
    'import { a } from "./a.js"',
    'import { a } from "./a.js" with { type: "json" };',
    'const a = import("./a.js");',
    'function b() { return import("./a.js"); }',
    "console.log(import.meta.resolve);",
    "b();\nimport { a } from './a.js';",
    'b();\nimport { a } from "./a.js";',
    "export default 1;",
    "export { b };",
    'export * from "./a.js";',
    'export { a } from "./a.js";',
    "export let b = 1;",
    "export var b = 1;",
    "export const { b } = c;",
    "export const b = [1, 2], c = 3;",
    "export function* b() {}",
    "{ export const b = 1; }",
]


@pytest.mark.parametrize("form", FORMS)
def test_other_forms_of_imports_and_exports_are_refused(form: str) -> None:
    line = 2 if "\n" in form else 1
    with pytest.raises(BundleError, match=rf"^main\.js:{line}: a form that cannot be combined: (im|ex)port"):
        bundle_modules("main.js", reading(main=form, a="export const a = 1;"))


def test_members_named_like_keywords_and_the_address_of_a_module_are_known_forms() -> None:
    main = "a.import(b.export, c?.import);\nfetch(new URL('x', import.meta.url));"
    assert main.splitlines()[0].replace(" ", "") in bundle_modules("main.js", reading(main=main))


MISTAKES = {
    "main.js: a.js does not export b, c": ('import { a, b, c as d } from "./a.js";', "export const a = 1;"),
    "main.js: no module a.js": ('import { a } from "./a.js";', None),
    "a.js: imports in a circle: main.js > a.js > main.js": (
        'import { a } from "./a.js";\nexport const b = 1;',
        'import { b } from "./main.js";\nexport const a = 1;',
    ),
}


@pytest.mark.parametrize("message", MISTAKES)
def test_modules_that_do_not_fit_together_are_refused(message: str) -> None:
    main, a = MISTAKES[message]
    with pytest.raises(BundleError) as refused:
        bundle_modules("main.js", reading(main=main, **({"a": a} if a else {})))
    assert str(refused.value) == message


def test_every_module_of_the_dialog_can_be_combined_and_is_needed() -> None:
    combined = bundle_modules("main.js", lambda name: (DIALOG / name).read_text(encoding="utf-8"))
    modules = {path.name for path in DIALOG.glob("*.js")} - {"types.js", "arrival.js"}
    assert {name for name in modules if f'modules["{name}"]=' not in combined} == set()
    assert "/**" not in combined


def test_style_sheets_are_combined_without_comments_and_indentation() -> None:
    first = '/* a */\na {\n  color: red; /* b\n  c */\n}\na::before { content: "/* d */ \\" /* e" }\n'
    combined = combine_styles([first, "\n\nb { content: '/*' }\n"])
    assert combined == 'a {\ncolor: red; \n}\na::before { content: "/* d */ \\" /* e" }\nb { content: \'/*\' }\n'
