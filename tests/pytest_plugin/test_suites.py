"""What a user of the plugin sees, in suites like theirs."""

import json
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

pytestmark = pytest.mark.process

Run = Callable[..., pytest.RunResult]
SECTION = "*- mock-klarna timeline -*"
SHOP = """
URLS = {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example/terms"}
PAGE = {"purchase_country": "SE", "purchase_currency": "SEK", "locale": "sv-SE", "order_lines": [
    {"name": "Lamp", "quantity": 1, "unit_price": 100, "tax_rate": 2500, "total_amount": 100, "total_tax_amount": 20}]}
"""
SYNC = (
    SHOP
    + """
def test_a_wrong_order(mock_klarna):
    mock_klarna.create_button(merchant_urls=URLS)
    bought = mock_klarna.purchase(page=PAGE, shopper='se-approved', wait=0)
    mock_klarna.wait_for("place_order", within=60)
    order = mock_klarna.get_authorization(bought["authorization_token"])
    order["order_lines"][0]["total_tax_amount"] = 25
    order["locale"] = "Swedish"
    answer = mock_klarna.send("POST", f"/instantshopping/v1/authorizations/{bought['authorization_token']}/orders", order)
    assert answer.status == 200
"""
)
ASYNC = SYNC.replace("def test", "async def test").replace("(mock_klarna)", "(mock_klarna_async)")
for name in ("create_button", "purchase", "wait_for", "get_authorization", "send"):
    ASYNC = ASYNC.replace(f"mock_klarna.{name}", f"await mock_klarna_async.{name}")


@pytest.mark.parametrize("source", [SYNC, ASYNC], ids=["sync", "async"])
def test_a_failing_test_shows_calls_answers_and_every_problem_of_a_refusal(suite: Run, source: str) -> None:
    result = suite(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(
        [
            SECTION,
            "*shop → Klarna  POST /instantshopping/v1/buttons → 201 *",
            "*Klarna         authorizes 1.00 and calls place_order, token *",
            "*Klarna → shop  place_order at http://127.0.0.1:1/place fails: refused",
            "*shop → Klarna  GET /instantshopping/v1/authorizations/* → 200*",
            "*shop → Klarna  POST */orders → 400 in * ms",
            "*locale *: sent 'Swedish', expected *",
            "*order_lines?0?.total_tax_amount ?line_tax?: sent 25, expected 20 (19 to 21) (*= 20)",
        ]
    )


@pytest.mark.parametrize(
    "source",
    [
        "def test_passes(mock_klarna): mock_klarna.create_button(merchant_urls={'place_order': 'https://a.example'})",
        "def test_uses_no_fixture(): assert False",
    ],
)
def test_there_is_no_timeline_where_nothing_failed_or_nothing_was_asked_for(suite: Run, source: str) -> None:
    suite(source).stdout.no_fnmatch_line(SECTION)


def test_a_fixture_that_fails_shows_the_timeline_too(suite: Run) -> None:
    source = """
        import pytest

        @pytest.fixture
        def shop(mock_klarna):
            mock_klarna.create_button(merchant_urls={"place_order": "nowhere"})

        def test_shop(shop): ...
    """
    result = suite(source)
    result.assert_outcomes(errors=1)
    result.stdout.fnmatch_lines(
        [SECTION, "*POST /instantshopping/v1/buttons → 400 *", "*merchant_urls.place_order *: sent 'nowhere', *"]
    )


def test_an_emulator_nobody_called_says_so(suite: Run) -> None:
    suite("def test_it(mock_klarna): assert False").stdout.fnmatch_lines([SECTION, "nothing happened"])


def test_a_long_history_is_cut_at_its_beginning(suite: Run) -> None:
    result = suite("def test_it(mock_klarna):\n    for _ in range(101): mock_klarna.advance_clock(1)\n    assert not 1")
    result.stdout.no_fnmatch_line("*earlier lines*")
    result = suite("def test_it(mock_klarna):\n    for _ in range(203): mock_klarna.advance_clock(1)\n    assert not 1")
    result.stdout.fnmatch_lines(["(3 earlier lines left out)"])


def test_an_emulator_that_is_gone_does_not_hide_the_failure(suite: Run) -> None:
    source = """
        def test_it(mock_klarna, monkeypatch):
            monkeypatch.setattr(mock_klarna.client, "url", "http://127.0.0.1:1")
            assert False, "the test's own words"
    """
    result = suite(source)
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*the test's own words*", SECTION, "not available: *no answer*"])


@pytest.mark.parametrize("source", [SYNC, ASYNC], ids=["sync", "async"])
def test_a_failing_test_writes_its_purchases_to_files(suite: Run, source: str, tmp_path: Path) -> None:
    folder = tmp_path / "new" / "purchases"
    passing = source.replace("a_wrong_order", "passing").replace("== 200", "== 400")
    result = suite(source + passing.partition("]}\n")[2], arguments=("--mock-klarna-export", str(folder)))
    result.assert_outcomes(failed=1, passed=1)
    har, html = sorted(folder.iterdir())
    assert (har.suffix, html.suffix, har.stem) == (".har", ".html", html.stem)
    assert re.fullmatch(r"test_a_wrong_order-[0-9a-f]{8}", har.stem)
    result.stdout.fnmatch_lines(["*- mock-klarna export -*", str(html), str(har)])
    archive = json.loads(har.read_bytes())
    assert 400 in [entry["response"]["status"] for entry in archive["log"]["entries"]]
    assert archive["log"]["_mock_klarna"]["purchase"]["purchase_id"] in html.read_text(encoding="utf-8")


def test_further_purchases_of_a_test_have_numbers(suite: Run, pytester: pytest.Pytester) -> None:
    source = """
        def test_it(mock_klarna, monkeypatch, tmp_path):
            monkeypatch.chdir(tmp_path)
            mock_klarna.create_button(merchant_urls=URLS)
            for _ in range(3):
                mock_klarna.purchase(cart="se-battery-pack", wait=0)
            assert False
    """
    suite(SHOP + dedent(source), arguments=("--mock-klarna-export", "out"))
    names = sorted(path.name.partition("-")[2][8:] for path in (pytester.path / "out").iterdir())
    assert names == ["-2.har", "-2.html", "-3.har", "-3.html", ".har", ".html"]


@pytest.mark.parametrize(
    ("body", "said"),
    [
        ("mock_klarna.create_button(merchant_urls={'place_order': 'https://a.example'})", "no purchase"),
        ("monkeypatch.setattr(mock_klarna.client, 'url', 'http://127.0.0.1:1')", "not available: *no answer*"),
    ],
)
def test_what_cannot_be_exported_is_said_in_the_report(suite: Run, body: str, said: str) -> None:
    result = suite(
        f"def test_it(mock_klarna, monkeypatch):\n    {body}\n    assert False",
        arguments=("--mock-klarna-export", "out"),
    )
    result.assert_outcomes(failed=1)
    result.stdout.fnmatch_lines(["*- mock-klarna export -*", said])


def test_a_test_with_another_file_system_exports_nothing(suite: Run, pytester: pytest.Pytester) -> None:
    source = """
        import pytest

        @pytest.fixture
        def fs(): ...

        def test_it(fs, mock_klarna):
            mock_klarna.order(cart="se-battery-pack")
            assert False
    """
    result = suite(source, arguments=("--mock-klarna-export", "out"))
    result.stdout.no_fnmatch_line("*mock-klarna export*")
    assert not (pytester.path / "out").exists()


def test_without_the_option_nothing_is_exported(suite: Run, pytester: pytest.Pytester) -> None:
    before = set(pytester.path.iterdir())
    suite(SYNC).stdout.no_fnmatch_line("*mock-klarna export*")
    assert {path.suffix for path in set(pytester.path.iterdir()) - before} <= {".py", ""}


STRICT = ASYNC.replace("async def", "import pytest\n@pytest.mark.asyncio\nasync def", 1).replace("== 200", "== 400")


@pytest.mark.parametrize(("mode", "source"), [("auto", ASYNC.replace("== 200", "== 400")), ("strict", STRICT)])
def test_the_async_fixture_works_in_both_modes_of_pytest_asyncio(suite: Run, mode: str, source: str) -> None:
    suite(source, mode=mode).assert_outcomes(passed=1)


def test_the_async_fixture_shares_the_loop_with_pytest_aiohttp(suite: Run) -> None:
    source = """
        from aiohttp import BasicAuth, web

        async def test_shop(mock_klarna_async, aiohttp_server, aiohttp_client):
            async def place(request):
                body = await request.json()
                await mock_klarna_async.create_order(body["authorization_token"], body["order"])
                return web.Response()

            app = web.Application()
            app.router.add_post("/place", place)
            shop = await aiohttp_server(app)
            URLS["place_order"] = str(shop.make_url("/place"))
            await mock_klarna_async.create_button(merchant_urls=URLS)
            assert (await mock_klarna_async.purchase(page=PAGE, shopper='se-approved', wait=120))["state"] == "placed"
    """
    suite(SHOP + "\n".join(line[8:] for line in source.splitlines())).assert_outcomes(passed=1)


@pytest.mark.parametrize("scope", ["session", "module", "function"])
def test_settings_can_be_overridden_in_any_scope(suite: Run, scope: str) -> None:
    source = f"""
        import pytest
        from mock_klarna import Settings

        @pytest.fixture(scope={scope!r})
        def mock_klarna_settings():
            return Settings(port=0, strict=True, credentials=("shop:pass word",))

        def test_sync(mock_klarna):
            assert mock_klarna.credentials == ("shop", "pass word")
            answer = mock_klarna.send("POST", "/instantshopping/v1/buttons", {{"merchant_urls": {{"place_order": "http://localhost"}}}})
            assert answer.status == 400

        async def test_async(mock_klarna_async):
            assert mock_klarna_async.merchant == "shop"
            await mock_klarna_async.create_button(merchant_urls={{"place_order": "https://shop.example"}})
    """
    suite(source).assert_outcomes(passed=2)


def test_a_fixture_that_gives_another_type_is_named_with_what_it_should_give(suite: Run) -> None:
    source = """
        import pytest

        class TestSettings:
            @pytest.fixture
            def mock_klarna_settings(self):
                return {"strict": True}

            def test_sync(self, mock_klarna): pass

            async def test_async(self, mock_klarna_async): pass

        class TestMerchant:
            @pytest.fixture
            def mock_klarna_merchant(self):
                return "K123:secret"

            def test_sync(self, mock_klarna): pass

            async def test_async(self, mock_klarna_async): pass
        """
    result = suite(source)
    result.assert_outcomes(errors=4)
    settings = (
        "E *SettingsError: the fixture mock_klarna_settings gave {'strict': True}; return mock_klarna.Settings(...)*"
    )
    merchant = (
        "E *SettingsError: the fixture mock_klarna_merchant gave 'K123:secret'; return the username and the password*"
    )
    result.stdout.fnmatch_lines([settings, settings, merchant, merchant])


def test_modules_with_other_settings_have_other_emulators(suite: Run) -> None:
    source = """
        import pytest
        from mock_klarna import Settings

        URLS = set()

        class TestPlain:
            @pytest.mark.parametrize("time", [1, 2])
            def test_it(self, mock_klarna, time):
                URLS.add(mock_klarna.url)

        class TestStrict:
            @pytest.fixture
            def mock_klarna_settings(self):
                return Settings(port=0, strict=True)

            test_it = TestPlain.test_it

        def test_there_were_two():
            assert len(URLS) == 2
    """
    suite(source).assert_outcomes(passed=5)


def test_every_test_has_a_merchant_of_its_own_and_the_merchant_is_empty_again_after_it(suite: Run) -> None:
    source = """
        import pytest

        seen = {}

        @pytest.mark.parametrize("shop", ["a:b", "a/b"])
        def test_it(mock_klarna, shop):
            assert mock_klarna.journal() == []
            mock_klarna.create_button(merchant_urls={"place_order": "https://a.example"})
            seen[mock_klarna.merchant] = mock_klarna

        def test_they_differ_and_nothing_is_left(mock_klarna):
            assert len(seen) == 2
            for merchant in seen:
                assert ":" not in merchant
                left = mock_klarna.send("GET", f"/_mock/snapshot?merchant={merchant}").body["merchants"]
                assert left == {}
    """
    suite(source).assert_outcomes(passed=3)


SHARED = """
import pytest
from urllib.request import Request, urlopen

@pytest.fixture(scope="session", autouse=True)
def shop(mock_klarna_url):
    body = b'{"merchant_urls": {"place_order": "http://127.0.0.1:1/place", "terms": "https://shop.example/terms"}}'
    headers = {"Authorization": "Basic SzEyMzpzZWNyZXQ=", "Content-Type": "application/json"}
    urlopen(Request(mock_klarna_url + "/instantshopping/v1/buttons", body, headers)).close()

@pytest.fixture
def mock_klarna_merchant():
    return "K123", "secret"

@pytest.mark.parametrize("time", [1, 2])
def test_it(mock_klarna, time):
    assert (mock_klarna.credentials, mock_klarna.journal()) == (("K123", "secret"), [])
    assert (mock_klarna.purchases(), mock_klarna.faults(), mock_klarna.clock()["ahead_seconds"]) == ([], [], 0)
    mock_klarna.purchase(page=PAGE, wait=0)
    mock_klarna.fault("request", status=503)
    mock_klarna.advance_clock("1h")
"""


def test_a_shop_that_is_set_up_once_keeps_its_keys_and_nothing_else_from_test_to_test(suite: Run) -> None:
    suite(SHOP + SHARED).assert_outcomes(passed=2)


LAZY = """
import pytest
from mock_klarna import Settings
from urllib.request import Request, urlopen


class Shop:
    def __init__(self, url):
        self.url, self.key = url, None

    def show_page(self):
        if self.key is None:
            body = b'{"merchant_urls": {"place_order": "http://127.0.0.1:1/shop", "terms": "https://shop.example/terms"}}'
            headers = {"Authorization": "Basic SzEyMzpzZWNyZXQ=", "Content-Type": "application/json"}
            with urlopen(Request(self.url + "/instantshopping/v1/buttons", body, headers)) as answer:
                self.key = __import__("json").loads(answer.read())["button_key"]
        return self.key


@pytest.fixture(scope="session")
def shop(mock_klarna_url):
    return Shop(mock_klarna_url)


FIXED


@pytest.mark.parametrize("time", [1, 2, 3])
def test_it(mock_klarna, shop, time):
    key = shop.show_page()
    assert mock_klarna.purchase(page=PAGE, wait=0)["button_key"] == key
    own = mock_klarna.create_button(merchant_urls=URLS)["button_key"]
    assert own != key
    assert mock_klarna.purchase(page=PAGE, wait=0)["button_key"] == own
    assert len(mock_klarna.purchases()) == 2


def test_the_keys_of_tests_are_gone_and_that_of_the_shop_is_there(mock_klarna, shop):
    keys = mock_klarna.snapshot()["merchants"]["K123"]["records"]["button"]
    assert [each["button_key"] for each in keys] == [shop.key]
"""
FIXED_BY_MERCHANT = """
@pytest.fixture
def mock_klarna_merchant():
    return "K123", "secret"
"""
FIXED_BY_SETTING = """
@pytest.fixture(scope="session")
def mock_klarna_settings():
    return Settings(port=0, credentials=("K123:secret",), seed="1")
"""


@pytest.mark.parametrize("fixed", [FIXED_BY_MERCHANT, FIXED_BY_SETTING], ids=["merchant", "credentials"])
def test_a_key_that_the_shop_makes_during_a_test_stays_and_those_of_tests_do_not(suite: Run, fixed: str) -> None:
    suite(SHOP + LAZY.replace("FIXED", fixed)).assert_outcomes(passed=4)


REFUSALS = """
def test_sync(mock_klarna):
    mock_klarna.create_button(name="no urls")


async def test_async(mock_klarna_async):
    await mock_klarna_async.create_button(name="no urls")


def test_nothing_happens(mock_klarna):
    mock_klarna.wait_for("push", within=0)
"""


def test_a_refusal_is_shown_at_the_line_of_the_test_and_without_the_lines_of_the_client(suite: Run) -> None:
    result = suite(REFUSALS)
    result.assert_outcomes(failed=3)
    shown = "\n".join(result.stdout.lines)
    for name in ("test_sync", "test_async", "test_nothing_happens"):
        part = shown.split(f"_ {name} _", 1)[1].partition("\n---")[0].splitlines()
        assert len(part) <= 11, part
        assert any(line.startswith(">       ") for line in part)
    assert "in create_button" not in shown
    assert "_base.py" not in shown


MIXED = """
import asyncio

import pytest
import pytest_asyncio
from aiohttp import web


async def place(request):
    return web.Response()


async def started():
    app = web.Application()
    app.router.add_post("/place", place)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    return runner, f"http://127.0.0.1:{runner.addresses[0][1]}/place"


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def session_shop():
    runner, url = await started()
    yield url
    await runner.cleanup()


def urls(place):
    return {**URLS, "place_order": place}


@pytest.mark.asyncio(loop_scope="function")
async def test_another_loop(session_shop, mock_klarna_async):
    await mock_klarna_async.create_button(merchant_urls=urls(session_shop))
    await mock_klarna_async.purchase(page=PAGE, shopper="se-approved", wait=60)


def test_no_loop(session_shop, mock_klarna):
    mock_klarna.create_button(merchant_urls=urls(session_shop))
    mock_klarna.purchase(page=PAGE, shopper="se-approved", wait=60)


@pytest.mark.asyncio(loop_scope="function")
async def test_blocked_loop(mock_klarna):
    runner, url = await started()
    mock_klarna.create_button(merchant_urls=urls(url))
    try:
        mock_klarna.purchase(page=PAGE, shopper="se-approved", wait=60)
    finally:
        await runner.cleanup()


@pytest.mark.asyncio(loop_scope="session")
async def test_the_same_loop(session_shop, mock_klarna_async):
    await mock_klarna_async.create_button(merchant_urls=urls(session_shop))
    bought = await mock_klarna_async.purchase(page=PAGE, shopper="se-approved", wait=0)
    assert (await mock_klarna_async.wait_for("place_order", within=60))["outcome"] == "answered"
"""


def test_a_shop_whose_loop_cannot_run_is_explained_in_one_sentence(suite: Run) -> None:
    result = suite(SHOP + MIXED)
    result.assert_outcomes(passed=1, failed=3)
    result.stdout.fnmatch_lines(
        [
            "E *MockKlarnaError: the shop at http://127.0.0.1:* runs in an event loop that does not run during this call: *",
            "E *MockKlarnaError: the shop at http://127.0.0.1:* runs in an event loop that does not run during this call: *",
            "E *MockKlarnaError: the shop at http://127.0.0.1:* runs in the event loop of the test, which waits for this *",
        ]
    )


def test_the_same_seed_gives_a_test_the_same_ids_every_time(suite: Run) -> None:
    source = """
        import pytest
        from mock_klarna import Settings

        @pytest.fixture(scope="session")
        def mock_klarna_settings():
            return Settings(port=0, seed="seven")

        def test_it(mock_klarna):
            print(mock_klarna.create_button(merchant_urls={"place_order": "https://a.example"})["button_key"])
    """
    first, second = (suite(source, arguments=("-rP",)).stdout.lines for _ in range(2))
    (key,) = [line for line in first if line.count("-") == 4 and len(line) == 36]
    assert key in second


def test_a_suite_in_parallel_shows_its_timelines(suite_in_a_process: Run) -> None:
    source = SYNC + "\ndef test_another(mock_klarna):\n    assert mock_klarna.journal() == []\n"
    result = suite_in_a_process(source, "xdist.plugin", arguments=("-n", "2"))
    result.assert_outcomes(passed=1, failed=1)
    result.stdout.fnmatch_lines([SECTION, "*total_tax_amount*"])


def test_the_plugin_imports_nothing_before_it_is_used() -> None:
    script = (
        "import sys, mock_klarna.pytest_plugin\n"
        "print(sorted(sys.modules.keys() & {'aiohttp', 'orjson', 'faker', 'jsonschema_rs', 'mock_klarna.server',"
        " 'mock_klarna.client', 'mock_klarna.settings', 'mock_klarna.pytest_plugin.commands'}))"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True, cwd=root)
    assert done.stdout.strip() == "[]"
