"""The shop's pages for browsers: the product page with its two buttons, and where shoppers land after a purchase."""

from functools import cache
from html import escape
from pathlib import Path

from aiohttp import web

from mock_klarna.demo.callbacks import DESK

STATIC = Path(__file__).parent / "static"


def add_showcase(router: web.UrlDispatcher) -> None:
    """Route the pages and the files that they load."""
    router.add_get("/", product)
    router.add_get("/terms", terms)
    router.add_get("/thanks", thanks)
    router.add_get("/sorry", sorry)
    router.add_static("/static", STATIC)


async def product(request: web.Request) -> web.Response:
    """Show the products, each with a button; a strict policy lets the page load from itself and from Klarna only."""
    desk = request.app[DESK]
    klarna = desk.klarna.url
    policy = (
        f"default-src 'none'; script-src 'self' {klarna}; connect-src {klarna}; frame-src {klarna}; "
        f"style-src 'self' {klarna}; img-src 'self' data:; base-uri 'none'; form-action 'none'"
    )
    response = _page("product", klarna=klarna, key=desk.window.button_key)
    response.headers["Content-Security-Policy"] = policy
    return response


async def terms(_request: web.Request) -> web.Response:
    """Show the terms that the purchase dialog links to."""
    return _page("plain", title="Terms", words="This shop sells nothing: it is there to be bought from in tests.")


async def thanks(_request: web.Request) -> web.Response:
    """Show the page on which a shopper lands after the purchase."""
    return _page("plain", title="Thank you", words="Your order is in the shop's books, under Orders.")


async def sorry(_request: web.Request) -> web.Response:
    """Show the page to which a shopper is sent whose purchase the shop denies with a redirect (seed, step 3)."""
    return _page("plain", title="Sorry", words="The shop denied this purchase and sent you here. Nothing was bought.")


def _page(name: str, **words: str) -> web.Response:
    text = _template(name)
    for place, word in words.items():
        text = text.replace("{{" + place + "}}", escape(word))
    return web.Response(text=text, content_type="text/html", headers={"Cache-Control": "no-cache"})


@cache
def _template(name: str) -> str:
    return (STATIC / f"{name}.html").read_text(encoding="utf-8")
