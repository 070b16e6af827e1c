"""Emulators that the tests of a session share."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from importlib import import_module
from pkgutil import walk_packages
from types import TracebackType
from typing import TYPE_CHECKING, Any

import mock_klarna
from mock_klarna.api import Json, MockKlarna
from mock_klarna.client import USER_AGENT
from mock_klarna.domain.journal_text import journal_lines

if TYPE_CHECKING:
    from mock_klarna.settings import Settings

_MAX_ENTRIES = 10_000


class Servers:
    """One emulator for each kind of settings, started on first use, each in a thread of its own."""

    def __init__(self) -> None:
        self._running: dict[Settings, MockKlarna] = {}
        self._stack = ExitStack()

    def __enter__(self) -> "Servers":
        """Start without any."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Stop them all."""
        self._stack.close()

    def running(self, settings: "Settings") -> MockKlarna:
        """Return the emulator with these settings."""
        from mock_klarna.server import serve_in_thread

        if settings not in self._running:
            self._running[settings] = self._stack.enter_context(serve_in_thread(settings))
        return self._running[settings]


def checked_settings(given: object) -> "Settings":
    """Return what the fixture `mock_klarna_settings` gave; raises `SettingsError` if these are no settings."""
    from mock_klarna.settings import Settings, SettingsError

    if not isinstance(given, Settings):
        hint = "return mock_klarna.Settings(...), such as Settings(port=0, strict=True)"
        raise SettingsError(f"the fixture mock_klarna_settings gave {given!r}; {hint}")
    return given


def checked_credentials(given: object) -> tuple[str, str]:
    """Return what the fixture `mock_klarna_merchant` gave; raises `SettingsError` if it is no username and password."""
    from mock_klarna.settings import SettingsError

    if not (isinstance(given, tuple | list) and len(given) == 2 and all(isinstance(part, str) for part in given)):
        hint = 'return the username and the password, such as ("K123", "secret")'
        raise SettingsError(f"the fixture mock_klarna_merchant gave {given!r}; {hint}")
    return given[0], given[1]


def read_files() -> None:
    """Import every module and read every file that a request may need, so that none is read later."""
    from mock_klarna.server import serve_in_thread
    from mock_klarna.settings import Settings
    from mock_klarna.shoppers import COUNTRIES, person, shopper_descriptions
    from mock_klarna.validation.validator import shared_validator

    for module in walk_packages(mock_klarna.__path__, "mock_klarna."):
        if not module.name.startswith(("mock_klarna.__main__", "mock_klarna.cli", "mock_klarna.demo")):
            with suppress(ImportError):  # of what is not installed, such as the driver of a database
                import_module(module.name)
    for strict in (False, True):
        validator = shared_validator(strict=strict)
        for operation in validator.operations:
            validator.check(operation, {})
    shopper_descriptions()
    for country in COUNTRIES:
        person(country, "")
    with serve_in_thread(Settings(port=0)) as klarna:
        for path in ("/_mock/openapi.json", "/instantshopping/dialog/none"):
            klarna.send("GET", path)
        klarna.load_snapshot(klarna.snapshot())


@contextmanager
def restored(klarna: MockKlarna) -> Iterator[None]:
    """Restore the merchant's state at the end, and keep the button keys that its shop has made; the journal starts empty."""
    before = klarna.snapshot()
    _restore(klarna, before)
    yield
    _restore(klarna, _with_keys_of_shop(before, klarna))


def _restore(klarna: MockKlarna, state: Json) -> None:
    klarna.reset()
    klarna.load_snapshot(state)


def _with_keys_of_shop(before: Json, klarna: MockKlarna) -> Json:
    """Return a state with the keys that were added to it since, but by requests of another client than ours."""
    of_test = {
        entry["response_body"]["button_key"]
        for entry in klarna.journal(name="create_button", status=201, limit=_MAX_ENTRIES)
        if [name_and_value for name_and_value in entry["request_headers"] if name_and_value[1] == USER_AGENT]
    }
    now, merchants = klarna.snapshot()["merchants"], dict(before["merchants"])
    for name, merchant in now.items():
        old = merchants.get(name, {"records": {}, "jobs": [], "counters": {}})
        known = {record["button_key"] for record in old["records"].get("button", ())} | of_test
        new = [record for record in merchant["records"].get("button", ()) if record["button_key"] not in known]
        if new:
            records = {**old["records"], "button": [*old["records"].get("button", ()), *new]}
            drawn = {name: number for name, number in merchant["counters"].items() if name == "button"}
            counters = {**old["counters"], **drawn}
            merchants[name] = {**old, "records": records, "counters": counters}
    return {**before, "merchants": merchants}


@contextmanager
def emptied(klarna: MockKlarna) -> Iterator[None]:
    """Remove everything of the merchant at the end."""
    yield
    klarna.reset()


def timeline(entries: Iterable[Mapping[str, Any]]) -> str:
    """Return the journal entries of one merchant as text."""
    return "\n".join(journal_lines(entries))
