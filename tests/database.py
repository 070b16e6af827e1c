"""A PostgreSQL server of the tests' own: in a folder and on a port that nobody else uses."""

import contextlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.bench.processes import free_port

_FAST = "-c fsync=off -c full_page_writes=off -c max_connections=200 -c shared_buffers=64MB -c autovacuum=on"
_DURABLE = "-c max_connections=200"


def binaries() -> Path:
    """Return the folder of `initdb` and `pg_ctl`, of the newest version that is installed; raises RuntimeError without one."""
    on_path = shutil.which("pg_ctl")
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/pg_ctl"), key=lambda path: int(path.parts[-3]))
    if not (on_path or found):
        raise RuntimeError("PostgreSQL is not installed; on Debian: apt-get install postgresql")
    return (found[-1] if found else Path(str(on_path))).parent


@dataclass(frozen=True)
class Database:
    """A running server."""

    folder: Path
    port: int
    options: str

    def url(self, schema: str) -> str:
        """Return the URL of a store in a schema of its own."""
        return f"postgresql://postgres@127.0.0.1:{self.port}/postgres?schema={schema}"

    def control(self, *words: str) -> None:
        """Run `pg_ctl` on the server."""
        _as_postgres(str(binaries() / "pg_ctl"), "-D", str(self.folder / "data"), "-w", "-s", *words)

    def start(self) -> None:
        """Start it, on the same port as before."""
        listen = f"-p {self.port} -c listen_addresses=127.0.0.1 -k {self.folder} {self.options}"
        self.control("-l", str(self.folder / "log"), "-o", listen, "start")

    def stop(self, mode: str = "fast") -> None:
        """Stop it; `immediate` is what a crash does."""
        self.control("-m", mode, "stop")


def _as_postgres(*command: str) -> None:
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        command = ("runuser", "-u", "postgres", "--", *command)
    subprocess.run(command, check=True, cwd="/", stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)


@contextlib.contextmanager
def running(*, durable: bool = False) -> Iterator[Database]:
    """Run a server; one that need not survive a crash of the machine is faster."""
    folder = Path(tempfile.mkdtemp(prefix="mock-klarna-postgres-"))
    try:
        if hasattr(os, "geteuid") and os.geteuid() == 0:
            shutil.chown(folder, "postgres")
        _as_postgres(str(binaries() / "initdb"), "-D", str(folder / "data"), "-A", "trust", "-U", "postgres", "-N")
        database = Database(folder, free_port(), _DURABLE if durable else _FAST)
        database.start()
        try:
            yield database
        finally:
            with contextlib.suppress(subprocess.CalledProcessError):
                database.stop("immediate")
    finally:
        shutil.rmtree(folder, ignore_errors=True)
