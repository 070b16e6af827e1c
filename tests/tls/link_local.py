"""Gives loopback the address of a metadata service, where a merchant listens, and prints what comes of callbacks to it as JSON."""

import asyncio
import fcntl
import json
import socket
import struct
from asyncio import StreamReader, StreamWriter

from tests.merchants.running import buy, calls, emulator

ADDRESS = "169.254.169.254"
_SET_ADDRESS = 0x8916


async def _outcomes() -> dict[str, object]:
    called = 0

    async def serve(reader: StreamReader, writer: StreamWriter) -> None:
        nonlocal called
        called += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\nConnection: close\r\n\r\n")
        writer.close()

    found: dict[str, object] = {}
    async with await asyncio.start_server(serve, ADDRESS, 80):
        for name, allowed in (("default", ()), ("allowed", (ADDRESS,))):
            async with emulator(callback_allow=allowed) as client:
                for number, host in enumerate((ADDRESS, f"[::ffff:{ADDRESS}]"), 1):
                    await buy(client, f"http://{host}")
                    outcome = (await calls(client, "place_order", number))[-1]["outcome"]
                    found[f"{name} {host}"] = [outcome, called]
    return found


def main() -> None:
    """Do so in the network namespace of this process."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as any_socket:
        address = struct.pack("=HH4s8x", socket.AF_INET, 0, socket.inet_aton(ADDRESS))
        fcntl.ioctl(any_socket, _SET_ADDRESS, struct.pack("16s16s", b"lo:1", address))
    print(json.dumps(asyncio.run(_outcomes())))


if __name__ == "__main__":
    main()
