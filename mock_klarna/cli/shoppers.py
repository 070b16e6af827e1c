"""`mock-klarna shoppers`: list the test shoppers."""

import argparse

import orjson

from mock_klarna.errors import UnknownName
from mock_klarna.shoppers import UnknownCountry, named_shopper, shopper_descriptions


def add(parser: argparse.ArgumentParser) -> None:
    """Add the country and the form."""
    parser.add_argument("--country", default=None, metavar="CC", help="only those of a country, such as SE")
    parser.add_argument("--json", action="store_true", help="print whole shoppers as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the shoppers; 0."""
    try:
        found = shopper_descriptions(arguments.country)
    except UnknownCountry as unknown:
        raise UnknownName(str(unknown), where="--country") from None
    if arguments.json:
        people = {name: named_shopper(name) for name in found}
        print(orjson.dumps(people, option=orjson.OPT_INDENT_2).decode())
        return 0
    width = max(map(len, found), default=0)
    for name, description in found.items():
        print(f"{name:{width}}  {named_shopper(name).billing_address['email']:32}  {description}")
    return 0
