"""The HTML around the dialog's steps. The steps themselves are made in the browser, text by text."""

from collections.abc import Iterable
from html import escape

_STATIC = "/instantshopping/static"
_STYLES = ("palette", "progress", "dialog", "controls", "choosing", "review", "endings", "drawer")

_HEAD = """<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="robots" content="noindex">
<title>{title}</title>
<link rel="icon" href="data:,">
{more}</head>
"""

_CARD = """<div id="dialog" {role} tabindex="-1">
<header>
<h1 id="dialog-title">Instant Shopping <span id="merchant"></span></h1>
<button id="drawer-button" class="icon" type="button" aria-label="Developer" aria-expanded="false" aria-controls="drawer"
 title="Developer" hidden>&lt;/&gt;</button>
<button id="close-button" class="icon" type="button" aria-label="Close" hidden>&#215;</button>
</header>
<p id="ribbon" data-text="test_environment">Test environment: no money moves, nothing is delivered</p>
<ol id="progress">
<li data-text="step_details"></li>
<li data-text="step_review"></li>
<li data-text="step_done"></li>
</ol>
<p id="complaint" role="alert"></p>
<main id="step" aria-busy="true"></main>
<div id="status" role="status" class="visually-hidden"></div>
<aside id="drawer" aria-labelledby="drawer-heading" lang="en" hidden></aside>
</div>
<noscript>Instant Shopping needs JavaScript.</noscript>
"""

_INTRO = """<section id="intro">
<h1 data-text="offsite_heading"></h1>
<h2 data-text="scan_heading"></h2>
<p data-text="scan_text"></p>
<img src="{code}" alt="" width="180" height="180" data-label="scan_label">
</section>
"""


def dialog_markup(data: str, modules: Iterable[str]) -> str:
    """Return the page of the frame; `data` are attributes, escaped already, `modules` the names of the scripts."""
    modal = 'role="dialog" aria-modal="true" aria-labelledby="dialog-title"'
    return f'{_head(_scripts(modules))}<body class="framed" {data}>\n{_CARD.format(role=modal)}</body>\n</html>\n'


def offsite_markup(data: str, modules: Iterable[str], code: str) -> str:
    """Return a page that stands on its own, with the QR code that `code`, an escaped address, leads to."""
    region = 'role="region" aria-labelledby="dialog-title"'
    inside = _INTRO.format(code=code) + _CARD.format(role=region)
    head = _head(_scripts(modules), (*_STYLES, "offsite"))
    return f'{head}<body class="offsite" {data}>\n{inside}</body>\n</html>\n'


def not_offered(reasons: Iterable[str]) -> str:
    """Return the page of a key from which nothing can be bought, with the reasons for whoever set it up."""
    listed = "".join(f"<li>{escape(reason)}</li>" for reason in reasons)
    said = "<h1>This cannot be bought here</h1><p>The button key does not hold all that a page of its own needs:</p>"
    card = f'<div id="dialog"><main id="step">{said}<ul>{listed}</ul></main></div>'
    return f'{_head("", (*_STYLES, "offsite"))}<body class="offsite">\n{card}\n</body>\n</html>\n'


def _head(more: str, styles: Iterable[str] = _STYLES) -> str:
    links = "".join(f'<link rel="stylesheet" href="{_STATIC}/dialog/{style}.css">\n' for style in styles)
    return _HEAD.format(title="Instant Shopping (test environment)", more=links + more)


def _scripts(modules: Iterable[str]) -> str:
    preloads = "".join(f'<link rel="modulepreload" href="{_STATIC}/dialog/{name}">\n' for name in modules)
    return f'{preloads}<script type="module" src="{_STATIC}/dialog/main.js"></script>\n'
