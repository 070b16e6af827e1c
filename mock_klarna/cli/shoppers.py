"""`mock-klarna shoppers`: list the test shoppers."""

import argparse

import orjson

from mock_klarna.domain.errors import UnknownName
from mock_klarna.shopper import UnknownCountry, described, named


def add(parser: argparse.ArgumentParser) -> None:
    """Add the country and the form."""
    parser.add_argument("--country", default=None, metavar="CC", help="only those of a country, such as SE")
    parser.add_argument("--json", action="store_true", help="print whole shoppers as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the shoppers; 0."""
    try:
        found = described(arguments.country)
    except UnknownCountry as unknown:
        raise UnknownName(str(unknown), where="--country") from None
    if arguments.json:
        people = {name: named(name) for name in found}
        print(orjson.dumps(people, option=orjson.OPT_INDENT_2).decode())
        return 0
    width = max(map(len, found), default=0)
    for name, description in found.items():
        print(f"{name:{width}}  {named(name).billing_address['email']:32}  {description}")
    return 0
