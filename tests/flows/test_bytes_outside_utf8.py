"""Bytes that are not UTF-8 can be read in the journal."""

import asyncio
from urllib.parse import urlsplit

import pytest

from tests.merchants.running import BUTTONS, emulator


@pytest.mark.parametrize(("raw", "shown"), [(b"f\xf6retag", "f\\xf6retag"), ("företag".encode(), "företag")])
async def test_a_header_that_is_not_text_can_be_read_in_the_journal(raw: bytes, shown: str) -> None:
    async with emulator() as client:
        at = urlsplit(client.url)
        reader, writer = await asyncio.open_connection(at.hostname, at.port)
        head = f"GET {BUTTONS}/unknown?merchant=shop HTTP/1.1\r\nHost: shop\r\nConnection: close\r\n"
        writer.write(head.encode() + b"User-Agent: " + raw + b"\r\n\r\n")
        assert (await reader.read()).startswith(b"HTTP/1.1 401 ")
        writer.close()
        everybody = await client.send("GET", "/_mock/journal", headers={"Authorization": ""})
        (entry,) = everybody.body["entries"]
        assert ["User-Agent", shown] in entry["request_headers"]
