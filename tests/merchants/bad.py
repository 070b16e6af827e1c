"""A merchant that misbehaves as the path selects, in its own process: `python tests/merchants/bad.py`.

It writes bytes, so that it can send what no HTTP server would. It prints its port when it listens.
"""

import asyncio
import socket
import struct
from asyncio import StreamReader, StreamWriter
from collections.abc import Awaitable, Callable
from contextlib import suppress

OK = b"HTTP/1.1 200 OK\r\n"


async def _request(reader: StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(
        (int(line.split(b":")[1]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")), 0
    )
    return head + await reader.readexactly(length)


async def hang(_request: bytes, _writer: StreamWriter) -> None:
    """Never answer."""
    await asyncio.Event().wait()


async def hang_in_body(_request: bytes, writer: StreamWriter) -> None:
    """Announce a body and never send it."""
    writer.write(OK + b"Content-Length: 10\r\n\r\n{")
    await asyncio.Event().wait()


async def drip(_request: bytes, writer: StreamWriter) -> None:
    """Send one byte at a time, without end."""
    writer.write(OK + b"Content-Length: 100000\r\n\r\n")
    while True:
        writer.write(b"x")
        await writer.drain()
        await asyncio.sleep(0.02)


async def endless(_request: bytes, writer: StreamWriter) -> None:
    """Send an endless body."""
    writer.write(OK + b"Transfer-Encoding: chunked\r\n\r\n")
    while True:
        writer.write(b"10000\r\n" + b"x" * 0x10000 + b"\r\n")
        await writer.drain()


async def endless_head(_request: bytes, writer: StreamWriter) -> None:
    """Send an endless head."""
    writer.write(OK)
    while True:
        writer.write(b"X-Noise: " + b"x" * 1000 + b"\r\n")
        await writer.drain()


async def long_header(_request: bytes, writer: StreamWriter) -> None:
    """Send one header of 100,000 bytes."""
    writer.write(OK + b"X-Noise: " + b"x" * 100_000 + b"\r\nContent-Length: 0\r\n\r\n")


async def half(_request: bytes, writer: StreamWriter) -> None:
    """Send half of an answer."""
    writer.write(OK + b"Content-Length: 1000\r\n\r\n" + b"x" * 500)


async def half_a_head(_request: bytes, writer: StreamWriter) -> None:
    """Send half of a head."""
    writer.write(OK + b"Content-Le")


async def garbage(_request: bytes, writer: StreamWriter) -> None:
    """Answer with bytes that are not HTTP."""
    writer.write(b"\x00\xff\xfe lorem ipsum\r\n\r\n\r\n")


async def odd_header(_request: bytes, writer: StreamWriter) -> None:
    """Send a header that is not UTF-8."""
    writer.write(OK + b"X-Shop: f\xf6retag\r\nContent-Length: 0\r\n\r\n")


async def odd_location(_request: bytes, writer: StreamWriter) -> None:
    """Redirect to a URL that is not UTF-8."""
    writer.write(b"HTTP/1.1 302 Found\r\nLocation: /f\xf6retag\r\nContent-Length: 0\r\n\r\n")


async def odd_body(_request: bytes, writer: StreamWriter) -> None:
    """Send a body that is not UTF-8."""
    writer.write(OK + b"Content-Length: 4\r\n\r\n\xff\xfe\x00\x01")


async def odd_encoding(_request: bytes, writer: StreamWriter) -> None:
    """Announce a compressed body and send an uncompressed one."""
    writer.write(OK + b"Content-Encoding: gzip\r\nContent-Length: 4\r\n\r\nnone")


async def close(_request: bytes, _writer: StreamWriter) -> None:
    """Close the connection without an answer."""


async def reset(_request: bytes, writer: StreamWriter) -> None:
    """Reset the connection."""
    connection: socket.socket = writer.get_extra_info("socket")
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


async def echo(request: bytes, writer: StreamWriter) -> None:
    """Answer with the bytes of the request."""
    writer.write(OK + b"Content-Length: %d\r\n\r\n" % len(request) + request)


async def early_hints(_request: bytes, writer: StreamWriter) -> None:
    """Send early hints before the answer."""
    writer.write(b"HTTP/1.1 103 Early Hints\r\n\r\n" + OK + b"Content-Length: 2\r\n\r\n{}")


async def no_length(_request: bytes, writer: StreamWriter) -> None:
    """Answer as HTTP/1.0, whose body ends with the connection."""
    writer.write(b"HTTP/1.0 200 OK\r\n\r\n{}")


async def redirect(request: bytes, writer: StreamWriter) -> None:
    """Redirect to `echo` with the status in the query."""
    status = request.split(b" ")[1].partition(b"?")[2]
    writer.write(b"HTTP/1.1 " + status + b" Elsewhere\r\nLocation: /echo\r\nContent-Length: 0\r\n\r\n")


async def answer(request: bytes, writer: StreamWriter) -> None:
    """Answer with the status in the query."""
    status = request.split(b" ")[1].partition(b"?")[2]
    writer.write(b"HTTP/1.1 " + status + b" Answer\r\nContent-Length: 0\r\n\r\n")


BEHAVIOURS: dict[str, Callable[[bytes, StreamWriter], Awaitable[None]]] = {
    behave.__name__: behave
    for behave in (
        hang,
        hang_in_body,
        drip,
        endless,
        endless_head,
        long_header,
        half,
        half_a_head,
        garbage,
        odd_header,
        odd_location,
        odd_body,
        odd_encoding,
        close,
        reset,
        echo,
        early_hints,
        no_length,
        redirect,
        answer,
    )
}


async def _serve(reader: StreamReader, writer: StreamWriter) -> None:
    with suppress(OSError, EOFError):
        request = await _request(reader)
        name = request.split(b" ")[1].decode().split("?")[0].strip("/").lower()
        await BEHAVIOURS.get(name, echo)(request, writer)
        if name != "reset":
            await writer.drain()
    writer.close()


async def main() -> None:
    """Listen on any free port until the process ends."""
    server = await asyncio.start_server(_serve, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(main())
