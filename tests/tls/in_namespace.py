"""The start of a process in its own namespaces: activates loopback, mounts its hosts file, and runs a module of these tests."""

import fcntl
import os
import socket
import struct
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_SET_FLAGS, _UP = 0x8914, 0x1


@contextmanager
def serving(folder: Path) -> Iterator[str]:
    """Run the emulator at the ports 80 and 443; yields the line that it prints when it is ready."""
    ports = ["--port", "80", "--tls", "--tls-port", "443", "--tls-folder", str(folder / "tls")]
    command = [sys.executable, "-m", "mock_klarna", "serve", *ports]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            assert server.stdout is not None
            yield server.stdout.readline()
        finally:
            server.terminate()


def main(hosts: str, module: str, *arguments: str) -> None:
    """Replace this process by the module."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        fcntl.ioctl(any_socket, _SET_FLAGS, struct.pack("16sh14x", b"lo", _UP))
    subprocess.run(["mount", "--bind", hosts, "/etc/hosts"], check=True)
    os.execv(sys.executable, [sys.executable, "-m", module, *arguments])


if __name__ == "__main__":
    main(*sys.argv[1:])
