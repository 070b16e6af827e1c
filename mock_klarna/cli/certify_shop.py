"""`mock-klarna certify --shop`: play the probes against a shop, before its traffic is judged."""

import argparse
import asyncio
import socket
import sys
from codecs import BOM_UTF8
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import orjson

from mock_klarna.allowed_values import number
from mock_klarna.certify import judge, report, terminal
from mock_klarna.certify.probes import PROBES, Played, Probe, play_all, reasons
from mock_klarna.certify.probing import Cart, Probing, Waiting, find_cart, journal_end, traffic_after
from mock_klarna.cli.health import why_unready
from mock_klarna.cli.options import server_address, value_of
from mock_klarna.cli.output import print_text
from mock_klarna.client import Client
from mock_klarna.errors import MockKlarnaError, UnknownName, Unreachable, did_you_mean
from mock_klarna.logs import terminal_width

Json = dict[str, Any]
_PERSON_SECONDS = 120.0
_WAIT = value_of(number(0, 600))
_ACT_SECONDS, _REACH_SECONDS = 60.0, 5.0
_MAX_LISTED, _MAX_NAMED = 10_000, 10
_ONLY_WITH_SHOP = ("button_key", "cart", "probe", "capture_url", "refund_url", "wait")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the shop, its cart, the choice of probes, and how long to wait."""
    group = parser.add_argument_group("probes", "change carts and inject faults, and judge how the shop reacts")
    group.add_argument("--shop", metavar="URL", help="play the probes against the shop with this address")
    group.add_argument(
        "--button-key", metavar="KEY", help="key of the shop's button (default: that of the last purchase)"
    )
    group.add_argument(
        "--cart", metavar="FILE", help="options of load() as JSON (default: the cart of the merchant's last purchase)"
    )
    group.add_argument("--probe", action="append", metavar="NAME", help="play this probe only (repeatable)")
    group.add_argument(
        "--capture-url", metavar="URL", help="POST to this URL lets the shop capture an order; {order_id} is its id"
    )
    group.add_argument(
        "--refund-url", metavar="URL", help="POST to this URL lets the shop refund an order; {order_id} is its id"
    )
    group.add_argument(
        "--patience", type=_WAIT, default=10.0, metavar="SECONDS", help="how long to wait for the shop (default 10)"
    )
    group.add_argument(
        "--wait",
        type=_WAIT,
        metavar="SECONDS",
        help=f"how long to wait for a person who buys, captures or refunds (default: {_PERSON_SECONDS:g} at a terminal, else 0)",
    )


def require_usable(arguments: argparse.Namespace) -> None:
    """Raise `MockKlarnaError` for options that have no effect or no possible value, `SettingsError` for an invalid address."""
    if arguments.shop is None:
        given = next((name for name in _ONLY_WITH_SHOP if getattr(arguments, name) is not None), None)
        if given is not None:
            hint = "give --shop URL too, or leave it out"
            raise MockKlarnaError("only possible with probes", where=f"--{given.replace('_', '-')}", hint=hint)
        return
    if arguments.file is not None or arguments.passive:
        given = arguments.file or "--passive"
        raise MockKlarnaError(f"not possible together with {given}", where="--shop", hint="give one of them")
    user, colon, _ = (arguments.merchant or "").partition(":")
    if not (user and colon):
        hint = "give USER:PASSWORD, the credentials that the shop uses"
        raise MockKlarnaError("a username and a password are needed", where="--merchant", hint=hint)
    for name in ("shop", "capture_url", "refund_url"):
        if getattr(arguments, name) is not None:
            server_address(f"--{name.replace('_', '-')}", getattr(arguments, name))


async def play(arguments: argparse.Namespace, url: str, rules: Collection[str]) -> tuple[Json, str]:
    """Play the probes that decide any of the rules, print a line for each, and judge the traffic that they led to.

    Return the report of all rules, and why the run is not complete, "" if it is: the shop placed no ordinary purchase, it ended,
    or a probe that `--probe` names was not possible. Raises `MockKlarnaError` for a server, credentials, a button key, a cart or
    probes that cannot be used, and `Unreachable` for a server or a shop that does not answer.
    """
    chosen = _chosen(arguments.probe, rules)
    page = None if arguments.cart is None else _page(arguments.cart)
    user, _, password = arguments.merchant.partition(":")
    async with Client(url, user, password) as client:
        await client.require_sandbox()
        if reason := await asyncio.to_thread(why_unready, arguments.shop):
            raise Unreachable(f"no answer from the shop at {arguments.shop}: {reason}", where="--shop")
        person = _person_seconds(arguments.wait)
        await _require_button_key(client, is_created_later=bool(person) and page is None)
        probing = Probing(
            client=client,
            cart=await _cart(client, arguments, page, person),
            waiting=Waiting(shop=arguments.patience, person=person),
            say=_say,
            act=_post,
            why_gone=partial(asyncio.to_thread, _why_gone, arguments.shop),
            urls=_urls(arguments),
        )
        start = await journal_end(client)
        played = await play_all(probing, chosen, _show)
        found = report(judge(await traffic_after(client, user, start, played.end)))
    print_text()
    return _with_reasons(found, reasons(played.results)), played.why_incomplete(arguments.probe or ())


def _urls(arguments: argparse.Namespace) -> dict[str, str]:
    given = {"capture_order": arguments.capture_url, "refund_order": arguments.refund_url}
    return {name: address for name, address in given.items() if address}


def _chosen(names: Sequence[str] | None, rules: Collection[str]) -> list[Probe]:
    """Return the probes that decide any of the rules, or of these those with the names."""
    known = [probe.name for probe in PROBES]
    for name in names or ():
        if name not in known:
            hint = did_you_mean(name, known) or f"the probes are {', '.join(known)}"
            raise UnknownName(f"no probe {name!r}", where="--probe", hint=hint)
    deciding = [probe for probe in PROBES if set(probe.rules) & set(rules)]
    if not deciding:
        hint = "judge the traffic without --shop, or choose other rules"
        raise MockKlarnaError(f"no probe decides {', '.join(sorted(rules))}", where="--only", hint=hint)
    for probe in PROBES:
        if probe.name in (names or ()) and probe not in deciding:
            hint = f"it decides {', '.join(probe.rules)}"
            raise MockKlarnaError(f"{probe.name} decides none of the chosen rules", where="--probe", hint=hint)
    return [probe for probe in deciding if probe.name in (names or known)]


def _page(path: str) -> Json:
    hint = "give what the page passes to load(), as JSON"
    try:
        page = orjson.loads(Path(path).read_bytes().removeprefix(BOM_UTF8))
    except OSError as error:
        raise MockKlarnaError(f"cannot read {path}: {error.strerror}", where="--cart", hint=hint) from None
    except ValueError as error:
        raise MockKlarnaError(f"{path} is not JSON: {error}", where="--cart", hint=hint) from None
    if not isinstance(page, dict):
        raise MockKlarnaError(f"{path} is not an object", where="--cart", hint=hint)
    return page


async def _require_button_key(client: Client, *, is_created_later: bool) -> None:
    """Raise `MockKlarnaError` for a merchant without a button key; only say it where a person may let the page create one.

    It is asked for without credentials: a request with those of a mistyped merchant would create the merchant.
    """
    merchant, used = client.merchant, await _merchants(client)
    if any(one["merchant"] == merchant and one["buttons"] for one in used):
        return
    names = [str(one["merchant"]) for one in used]
    message = (
        f"the merchant {merchant!r} has no button key on this server; {other_merchants('the server', names, merchant)}"
    )
    meant = did_you_mean(merchant, names)
    if not is_created_later:
        hint = "give the username that the shop uses, or let the shop create its button key first"
        raise MockKlarnaError(message, where="--merchant", hint=meant or hint)
    _say("; ".join(filter(None, (message, meant))))


async def _cart(client: Client, arguments: argparse.Namespace, page: Json | None, person: float) -> Cart:
    cart = await find_cart(client, arguments.button_key, page)
    if cart is None and person:
        _say(f"open {arguments.shop} and buy something with the button; waiting {person:g} s for it")
        path = f"/_mock/journal?name=purchase_authorized&limit=1&wait={person:g}"
        await client.ask("GET", path)
        cart = await find_cart(client, arguments.button_key, page)
    if cart is None:
        hint = "buy something on the shop's page first, or give the options of load() as JSON"
        message = f"the merchant {client.merchant!r} has no purchase whose cart could be used"
        raise MockKlarnaError(message, where="--cart", hint=hint)
    return cart


async def require_traffic(client: Client, merchant: str) -> None:
    """Raise `MockKlarnaError` for a merchant that has neither a button key nor a purchase nor an order on the server."""
    used = [one["merchant"] for one in await _merchants(client)]
    if merchant not in used:
        raise unknown_merchant("the server", used, merchant)


def unknown_merchant(place: str, merchants: Sequence[str], merchant: str) -> MockKlarnaError:
    """Return the error for a merchant about whom a server or a file has nothing."""
    message = f"there is no traffic of the merchant {merchant!r}; {other_merchants(place, merchants, merchant)}"
    hint = "give the username that the shop uses, or run the tests of the shop first"
    return MockKlarnaError(message, where="--merchant", hint=did_you_mean(merchant, merchants) or hint)


async def _merchants(client: Client) -> list[Json]:
    """Return the merchants with a button key, a purchase or an order."""
    found = await client.ask("GET", f"/_mock/merchants?limit={_MAX_LISTED}", headers={"Authorization": ""})
    return [one for one in found["merchants"] if one["buttons"] or one["purchases"] or one["orders"]]


def other_merchants(place: str, merchants: Sequence[str], merchant: str) -> str:
    """Return which merchants other than the wanted one a server or a file has."""
    others = [one for one in merchants if one != merchant]
    if not others:
        return f"{place} has no other merchant"
    left = len(others) - _MAX_NAMED
    more = f" and {left} more" if left > 0 else ""
    return f"{place} has {', '.join(map(repr, others[:_MAX_NAMED]))}{more}"


def _person_seconds(given: float | None) -> float:
    if given is not None:
        return given
    return _PERSON_SECONDS if sys.stdin.isatty() else 0.0


def _say(text: str) -> None:
    print_text(f"mock-klarna: {text}")


def _show(number: int, total: int, played: Played) -> None:
    probe, text = played.probe, played.text or f"not played: {played.reason}"
    head = f"{number:>2}/{total}  {probe.name:<18}{probe.title:<44}"
    print_text("\n".join(terminal.two_parts(head, text, terminal_width(sys.stdout))))


def _why_gone(url: str) -> str:
    """Return why no connection to a shop is possible, "" if one is, or if the shop is too busy to accept it."""
    address = urlsplit(url)
    port = address.port or (443 if address.scheme == "https" else 80)
    try:
        socket.create_connection((address.hostname or "", port), _REACH_SECONDS).close()
    except TimeoutError:
        return ""
    except OSError as error:
        return error.strerror or str(error)
    return ""


async def _post(url: str) -> str:
    """Send an empty POST, as a person who presses a button in the shop; return how it was answered."""
    parts = urlsplit(url)
    async with Client(f"{parts.scheme}://{parts.netloc}") as client:
        try:
            async with asyncio.timeout(_ACT_SECONDS):
                answer = await client.send("POST", url.removeprefix(client.url), headers={"Authorization": ""})
        except TimeoutError:
            return f"no answer in {_ACT_SECONDS:g} s"
        except Unreachable as failed:
            return failed.message
    return f"answered {answer.status}"


def _with_reasons(found: Json, not_played: Mapping[str, str]) -> Json:
    """Return a report in which the rules without a case have the reasons why their probes were not played."""
    for result in found["rules"]:
        if not result["cases"] and result["rule"] in not_played:
            result["reason"] = not_played[result["rule"]]
    return found
