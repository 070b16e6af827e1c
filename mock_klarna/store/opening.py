"""Which engine a setting names; engines are imported only when they are used."""

from pathlib import Path

from mock_klarna.settings import Settings, SettingsError
from mock_klarna.store.budget import Bounds
from mock_klarna.store.memory import MemoryStore
from mock_klarna.store.port import Store


def open_store(settings: Settings) -> Store:
    """Return the store that `settings.store` names.

    Raises `SettingsError` for a name that is no engine's or a folder's, `MockKlarnaError` for a file that cannot be used.
    """
    bounds = Bounds(settings.journal_bytes, settings.all_journals_bytes, settings.max_callbacks)
    engine, _, place = settings.store.partition(":")
    if engine == "file" and place:
        from mock_klarna.store.file import FileStore

        path = Path(place).expanduser()
        if path.is_dir():
            raise SettingsError(f"--store: {place} is a folder; name a file, such as file:{path / 'mock-klarna.jsonl'}")
        return FileStore(path, bounds)
    if settings.store != "memory":
        raise SettingsError(f"--store: {settings.store!r} is not memory, or file:PATH")
    return MemoryStore(bounds)
