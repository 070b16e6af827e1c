"""Button keys."""

import asyncio

import pytest

from mock_klarna.domain.records import ButtonKey
from mock_klarna.emulator import Emulator
from mock_klarna.errors import BadValue, NotAllowed, NotFound
from tests.emulator.conftest import BUTTON


@pytest.mark.parametrize(
    ("name", "error"), [("other", NotAllowed), ("shop", None)], ids=["another merchant", "the merchant"]
)
async def test_a_button_key_is_read_only_by_its_merchant(
    emulator: Emulator, name: str, error: type[Exception] | None
) -> None:
    button = await emulator.buttons.create("shop", BUTTON)
    if error is None:
        assert await emulator.buttons.read(name, button.button_key) == button
    else:
        with pytest.raises(error):
            await emulator.buttons.read(name, button.button_key)
    with pytest.raises(NotFound):
        await emulator.buttons.read(name, "unknown")


async def test_simultaneous_changes_of_a_key_are_all_kept(emulator: Emulator) -> None:
    button = await emulator.buttons.create("shop", BUTTON)
    names = [f"member_{number}" for number in range(20)]
    await asyncio.gather(*[emulator.buttons.update("shop", button.button_key, {name: True}) for name in names])
    changed = await emulator.store.get(ButtonKey, button.button_key)
    assert changed is not None
    assert changed.version == 21
    assert all(name.encode() in changed.body for name in names)


async def test_a_change_leaves_the_key_with_the_currency_of_its_country(emulator: Emulator) -> None:
    """klarna.md §3.1."""
    key = (await emulator.buttons.create("shop", {**BUTTON, "purchase_country": "SE"})).button_key
    with pytest.raises(BadValue) as refused:
        await emulator.buttons.update("shop", key, {"purchase_currency": "USD"})
    assert [(each.path, each.expected) for each in refused.value.problems] == [
        ("purchase_currency", "SEK, the currency of SE")
    ]
    await emulator.buttons.update("shop", key, {"purchase_currency": "SEK"})
    with pytest.raises(BadValue):
        await emulator.buttons.update("shop", key, {"purchase_country": "US"})
    await emulator.buttons.update("shop", key, {"purchase_country": "US", "purchase_currency": "USD"})
