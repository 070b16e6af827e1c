"""`demo` shows a purchase, then keeps running until it is stopped."""

import json
import signal
import socket
from contextlib import suppress
from urllib.request import urlopen

import pytest

from tests.commands import Command, command_process

STEPS = (
    "POST /instantshopping/v1/buttons → 201",
    "a session starts",
    "11134, SE",
    "express_priority",
    "authorizes 1,240.00",
    "/orders → 200 in ",
    "answers place_order with 200",
    "Placed.",
)


def test_the_demo_prints_the_purchase_in_order_and_exits_0(command: Command) -> None:
    result = command("demo", "--once", "--port", "0")
    positions = [result.stdout.find(step) for step in STEPS]
    assert positions == sorted(positions)
    assert min(positions) >= 0
    assert (result.returncode, result.stderr) == (0, "")
    assert "\x1b" not in result.stdout


def test_the_demo_uses_credentials_that_the_server_accepts(command: Command) -> None:
    assert "Placed." in command("demo", "--once", "--port", "0", "--credentials", "K1:a,K2:b").stdout


@pytest.mark.process
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_demo_runs_with_its_options_until_a_signal(number: signal.Signals) -> None:
    with command_process("demo", "--port", "0") as process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[6].rstrip(".")
        for line in process.stdout:
            if "runs until Ctrl-C" in line:
                break
        with urlopen(f"{url}/_mock/settings") as answer:
            sources = {setting["name"]: setting["source"] for setting in json.load(answer)["settings"]}
        assert (sources["port"], sources["seed"]) == ("flag", "default")
        process.send_signal(number)
        assert process.wait(timeout=60) == 0


@pytest.mark.parametrize("option", ["--port", "--shop-port"])
def test_a_taken_port_exits_3_with_the_option_that_chooses_another(
    command: Command, taken_port: int, option: str
) -> None:
    ports = {"--port": "0", "--shop-port": "0", option: str(taken_port)}
    result = command("demo", "--once", *(word for pair in ports.items() for word in pair))
    assert result.returncode == 3
    assert f"cannot listen on 127.0.0.1:{taken_port}" in result.stderr
    assert f"choose another with {option}," in result.stderr


def test_another_port_is_used_if_the_default_port_is_taken(command: Command) -> None:
    with socket.socket() as taken:
        with suppress(OSError):  # another process may have the port already
            taken.bind(("127.0.0.1", 8080))
            taken.listen()
        result = command("demo", "--once")
    assert result.returncode == 0
    assert "Port 8080 is taken" in result.stdout


def test_strict_is_a_usage_error_because_the_shop_has_no_https(command: Command) -> None:
    result = command("demo", "--once", "--strict")
    assert result.returncode == 2
    assert "https" in result.stderr
