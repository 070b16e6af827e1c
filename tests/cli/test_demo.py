import signal
import socket
from collections.abc import Iterator
from contextlib import suppress

import pytest

from tests.commands import Command
from tests.demo.trade import process_of

STEPS = (
    "POST /instantshopping/v1/buttons → 201",
    "a session begins",
    "11134, SE",
    "express_priority",
    "authorizes 1,240.00",
    "/orders → 200: order",
    "answers place_order with 200",
    "Placed.",
)


@pytest.fixture
def taken_port() -> Iterator[int]:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        yield taken.getsockname()[1]


def test_the_demo_tells_the_purchase_in_order_and_exits_with_0() -> None:
    with process_of("demo", "--once", "--port", "0") as process:
        told, complaints = process.communicate(timeout=120)
    places = [told.find(step) for step in STEPS]
    assert places == sorted(places)
    assert min(places) >= 0
    assert (process.returncode, complaints) == (0, "")
    assert "\x1b" not in told


def test_the_demo_uses_credentials_that_the_server_accepts(command: Command) -> None:
    assert "Placed." in command("demo", "--once", "--port", "0", "--credentials", "K1:a,K2:b").stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_stays_until_it_is_told_to_stop(number: signal.Signals) -> None:
    with process_of("demo", "--port", "0") as process:
        assert process.stdout is not None
        for line in process.stdout:
            if "runs until Ctrl-C" in line:
                break
        process.send_signal(number)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("flag", ["--port", "--shop-port"])
def test_a_chosen_port_that_is_taken_is_refused_with_3(command: Command, taken_port: int, flag: str) -> None:
    ports = {"--port": "0", "--shop-port": "0", flag: str(taken_port)}
    done = command("demo", "--once", *(word for pair in ports.items() for word in pair))
    assert done.returncode == 3
    assert f"cannot listen on 127.0.0.1:{taken_port}" in done.stderr
    assert flag in done.stderr


def test_the_default_port_gives_way_when_it_is_taken(command: Command) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # taken by somebody else, which serves as well
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        done = command("demo", "--once")
    assert done.returncode == 0
    assert "Port 8080 is taken" in done.stdout


def test_strict_is_refused_because_the_shop_has_no_https(command: Command) -> None:
    done = command("demo", "--once", "--strict")
    assert done.returncode == 2
    assert "https" in done.stderr


def test_a_shop_without_klarna_exits_with_4(command: Command) -> None:
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        done = command("shop", "--klarna", url)
    assert done.returncode == 4
    assert url in done.stderr


@pytest.mark.parametrize("name", ["serve", "shop"])
def test_a_port_that_is_taken_exits_with_3_and_says_how_to_take_another(
    command: Command, taken_port: int, name: str
) -> None:
    done = command(name, "--port", taken_port)
    assert done.returncode == 3
    assert done.stderr.startswith(f"mock-klarna: cannot listen on 127.0.0.1:{taken_port}: ")
    assert done.stderr.endswith("; choose another with --port, 0 takes any free one\n")
