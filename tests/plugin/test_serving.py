"""The server in a program's own hands, with a loop and without."""

from urllib.request import urlopen

import pytest

from mock_klarna import Settings, serve, serve_in_thread


async def test_serve_is_for_programs_with_a_loop() -> None:
    async with serve(Settings(port=0)) as running:
        assert running.url == f"http://127.0.0.1:{running.port}"


def test_serve_in_thread_is_for_programs_without_one() -> None:
    with serve_in_thread() as running, urlopen(f"{running.url}/_mock/health") as answer:
        assert answer.status == 200


def test_a_plain_with_is_told_which_of_the_two_it_needs() -> None:
    with pytest.raises(TypeError, match=r"`async with serve\(\)`, or without a loop `with serve_in_thread\(\)`"):  # noqa: SIM117
        with serve(Settings(port=0)):
            pass
