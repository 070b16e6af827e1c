"""`mock-klarna certify --shop` plays probes, and names what it cannot use."""

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from mock_klarna import Client, Settings, resources, serve_in_thread
from tests.commands import Command, command_process

MERCHANT = ("--merchant", "demo-shop:secret")
CART = ("--cart", str(resources.fixtures() / "carts" / "se-battery-pack.json"))


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    """The address of a server."""
    with serve_in_thread(Settings(port=0, callback_timeout=60)) as server:
        yield server.url


@pytest.fixture(scope="module")
def shop(url: str) -> Iterator[str]:
    """The address of a demo shop in another process."""
    with command_process("shop", "--klarna", url) as process:
        assert process.stdout is not None
        yield process.stdout.readline().partition(" at ")[2].partition(" ")[0]


@pytest.mark.process
def test_a_shop_is_probed_with_a_line_for_each_probe_and_then_judged(command: Command, url: str, shop: str) -> None:
    rules = ("--only", "V1", "--only", "V5")
    result = command("certify", "--url", url, "--shop", shop, *MERCHANT, *CART, *rules, "--patience", "60")
    assert (result.stderr, result.returncode) == ("", 0)
    lines = result.stdout.splitlines()
    assert [line.split()[:2] for line in lines[:4]] == [
        ["1/4", "purchase"],
        ["2/4", "price"],
        ["3/4", "discount"],
        ["4/4", "article"],
    ]
    assert lines[0].endswith("placed")
    assert lines[1].endswith("denied (other)")
    assert lines[-1].startswith("certified: 2 rules, 2 passed, ")


@pytest.mark.process
def test_a_cart_that_the_shop_does_not_sell_is_not_certified(
    command: Command, url: str, shop: str, tmp_path: Path
) -> None:
    cart = resources.cart("se-battery-pack")
    line = {**cart["order_lines"][0], "reference": "no-such-article"}
    (tmp_path / "cart.json").write_text(json.dumps({**cart, "order_lines": [line]}))
    flags = ("--cart", str(tmp_path / "cart.json"), "--patience", "60")
    result = command("certify", "--url", url, "--shop", shop, *MERCHANT, *flags)
    assert result.returncode == 1
    assert "the ordinary purchase was denied (other)" in result.stderr
    assert " 2/" not in result.stdout


@pytest.mark.process
def test_a_probe_that_is_asked_for_and_not_possible_is_not_certified(command: Command, url: str, shop: str) -> None:
    flags = ("--probe", "price", "--probe", "lost-capture", "--wait", "0", "--patience", "60")
    result = command("certify", "--url", url, "--shop", shop, *MERCHANT, *CART, *flags)
    assert result.returncode == 1
    assert "nothing to certify" not in result.stderr
    reason = "the probe lost-capture was not played: the shop sent no capture: give --capture-url"
    assert result.stderr.startswith(f"mock-klarna: not certified: {reason}")
    assert result.stdout.splitlines()[-1].startswith("not certified: 53 rules, ")
    assert ", 0 errors, " in result.stdout.splitlines()[-1]


@pytest.mark.process
def test_a_shop_that_ends_is_not_judged_by_what_it_cannot_do_any_more(
    command: Command, url: str, tmp_path: Path
) -> None:
    with command_process("shop", "--klarna", url, "--merchant", "ending-shop") as process:
        assert process.stdout is not None
        address = process.stdout.readline().partition(" at ")[2].partition(" ")[0]

        class End(BaseHTTPRequestHandler):
            """Ends the shop before it is answered."""

            def do_POST(self) -> None:
                process.terminate()
                process.wait()
                self.send_response(200)
                self.end_headers()

            def log_message(self, *_arguments: object) -> None:
                """Print nothing."""

        with HTTPServer(("127.0.0.1", 0), End) as ending:
            Thread(target=ending.serve_forever, daemon=True).start()
            flags = ("--capture-url", f"http://127.0.0.1:{ending.server_port}/", "--json", str(tmp_path / "report"))
            probes = [part for name in ("price", "rejected", "push", "late-capture") for part in ("--probe", name)]
            merchant = ("--merchant", "ending-shop:secret", "--patience", "60")
            result = command("certify", "--url", url, "--shop", address, *merchant, *CART, *flags, *probes)
            ending.shutdown()
    assert result.returncode == 1
    lines = result.stdout.splitlines()
    assert lines[2].startswith(" 3/5  rejected")
    assert "not played: the shop ended during the probe rejected: Connection refused" in lines[2]
    assert lines[3] == ""
    assert "mock-klarna: not certified: the shop ended during the probe rejected" in result.stderr
    found = json.loads((tmp_path / "report").read_bytes())
    assert [one["rule"] for one in found["findings"] if one["rule"] != "C2"] == []
    outcomes = {one["rule"]: one["outcome"] for one in found["rules"]}
    assert (outcomes["V1"], outcomes["M2"], outcomes["O7"]) == ("passed", "inconclusive", "inconclusive")


@pytest.mark.process
def test_the_first_cart_is_bought_by_a_person(url: str, shop: str) -> None:
    line = ("certify", "--url", url, "--shop", shop, "--merchant", "waiting-shop:secret", "--wait", "60")
    with Client(url, "waiting-shop") as klarna, command_process(*line, "--probe", "price") as process:
        assert process.stdout is not None
        assert "the merchant 'waiting-shop' has no button key on this server; " in process.stdout.readline()
        klarna.create_button(merchant_urls={"terms": f"{shop}/terms", "place_order": f"{shop}/klarna/place-order"})
        asked = process.stdout.readline()
        assert asked.startswith(f"mock-klarna: open {shop} and buy something with the button; waiting 60 s for it")
        klarna.purchase(cart="se-battery-pack", wait=0)
        assert process.stdout.readline().startswith(" 1/2  purchase")


WRONG: dict[str, tuple[tuple[str, ...], int, str]] = {
    "no password": (
        ("--merchant", "demo-shop"),
        2,
        "--merchant: a username and a password are needed; give USER:PASSWORD",
    ),
    "wrong password": (("--merchant", "demo-shop:"), 2, "--merchant: the credentials are not accepted"),
    "unknown key": (("--button-key", "k-1"), 2, "--button-key: the merchant has no button key 'k-1'"),
    "unknown probe": (("--probe", "prise"), 2, "--probe: no probe 'prise'; did you mean price?"),
    "probe of other rules": (
        ("--probe", "price", "--only", "M2"),
        2,
        "--probe: price decides none of the chosen rules",
    ),
    "rule without a probe": (("--only", "K10"), 2, "--only: no probe decides K10; judge the traffic without --shop"),
    "no cart": (("--cart", "no-such.json"), 2, "--cart: cannot read no-such.json: No such file or directory"),
    "mistyped merchant": (
        ("--merchant", "demoshop:secret"),
        2,
        "--merchant: the merchant 'demoshop' has no button key on this server; the server has '",
    ),
    "no shop": (("--shop", "http://127.0.0.1:1"), 4, "--shop: no answer from the shop at http://127.0.0.1:1"),
    "no TLS": (("--shop", "https://{shop}"), 4, ": no TLS connection: wrong version number"),
    "no server": (("--url", "http://127.0.0.1:1"), 4, "no answer from http://127.0.0.1:1"),
    "no URL": (("--shop", "shop.example"), 2, "--shop: 'shop.example' is not the URL of a server"),
    "no capture URL": (("--capture-url", "/ship"), 2, "--capture-url: '/ship' is not the URL of a server"),
    "patience": (("--patience", "-1"), 2, "--patience: '-1' is not a number from 0 to 600"),
    "passive": (("--passive",), 2, "--shop: not possible together with --passive; give one of them"),
    "file": (("journal.json",), 2, "--shop: not possible together with journal.json; give one of them"),
}


@pytest.mark.process
@pytest.mark.parametrize("case", WRONG)
def test_what_cannot_be_used_is_named_with_what_would_be_right(
    command: Command, url: str, shop: str, case: str
) -> None:
    flags, code, text = WRONG[case]
    flags = tuple(flag.replace("{shop}", shop.removeprefix("http://")) for flag in flags)
    result = command("certify", "--url", url, "--shop", shop, *MERCHANT, "--wait", "0", *flags)
    assert (result.returncode, text in result.stderr) == (code, True), result.stderr
    assert result.stdout == ""


@pytest.mark.process
def test_a_mistyped_merchant_is_named_without_being_created(command: Command, url: str, shop: str) -> None:
    result = command("certify", "--url", url, "--shop", shop, "--merchant", "demo-shpo:secret", *CART, "--wait", "9")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.endswith("; did you mean demo-shop?\n")
    with Client(url) as klarna:
        assert "demo-shpo" not in {
            one["merchant"]
            for one in klarna.send("GET", "/_mock/merchants", headers={"Authorization": ""}).body["merchants"]
        }


@pytest.mark.process
def test_a_merchant_that_has_bought_nothing_needs_a_cart(command: Command, url: str, shop: str) -> None:
    with Client(url, "quiet-shop") as klarna:
        klarna.create_button(merchant_urls={"terms": f"{shop}/terms", "place_order": f"{shop}/klarna/place-order"})
    result = command("certify", "--url", url, "--shop", shop, "--merchant", "quiet-shop:secret", "--wait", "0")
    assert result.returncode == 2
    assert "--cart: the merchant 'quiet-shop' has no purchase whose cart could be used; buy something" in result.stderr


@pytest.mark.process
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("[", "cart.json is not JSON"),
        ("[]", "cart.json is not an object"),
        ("\ufeff[]", "cart.json is not an object"),
        ("{}", "a shopper cannot buy the cart"),
        ('{"order_lines": 5}', "order_lines"),
    ],
)
def test_a_cart_that_is_none_is_refused(
    command: Command, url: str, shop: str, tmp_path: Path, content: str, text: str
) -> None:
    file = tmp_path / "cart.json"
    file.write_text(content, "utf-8")
    result = command("certify", "--url", url, "--shop", shop, *MERCHANT, "--cart", str(file))
    assert (result.returncode, text in result.stderr) == (2, True), result.stderr
    assert "--cart: " in result.stderr


@pytest.mark.parametrize("flag", ["--button-key", "--cart", "--probe", "--capture-url", "--refund-url", "--wait"])
def test_options_of_probes_need_a_shop(command: Command, url: str, flag: str) -> None:
    result = command("certify", "--url", url, flag, "5")
    assert result.returncode == 2
    assert f"{flag}: only possible with probes; give --shop URL too, or leave it out" in result.stderr
