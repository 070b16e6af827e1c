"""`shoppers` lists the test shoppers as text or as JSON."""

import json

from tests.commands import Command


def test_each_line_has_name_email_and_description(command: Command) -> None:
    result = command("shoppers", "--country", "SE")
    assert result.returncode == 0
    lines = {line.split()[0]: line for line in result.stdout.splitlines()}
    assert all(name.startswith("se-") for name in lines)
    assert "@" in lines["se-approved"]


def test_without_a_country_all_shoppers_are_listed(command: Command) -> None:
    names = [line.split()[0] for line in command("shoppers").stdout.splitlines()]
    assert {"se-approved", "us-approved", "de-approved"} <= set(names)


def test_json_has_complete_shoppers(command: Command) -> None:
    shoppers = json.loads(command("shoppers", "--country", "us", "--json").stdout)
    assert shoppers["us-approved"]["billing_address"]["country"] == "US"


def test_an_unknown_country_is_a_usage_error(command: Command) -> None:
    result = command("shoppers", "--country", "XX")
    assert result.returncode == 2
    assert result.stderr.startswith("mock-klarna: --country: ")
