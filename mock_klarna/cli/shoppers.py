"""`mock-klarna shoppers`: list the test shoppers."""

import argparse

import orjson

from mock_klarna.errors import UnknownName
from mock_klarna.shoppers import UnknownCountry, named_shopper, shopper_descriptions


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the country and the output format."""
    parser.add_argument("--country", default=None, metavar="CC", help="only shoppers of this country, such as SE")
    parser.add_argument("--json", action="store_true", help="print complete shoppers as JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the shoppers and return 0; raises `UnknownName` for an unknown country."""
    try:
        descriptions = shopper_descriptions(arguments.country)
    except UnknownCountry as error:
        raise UnknownName(str(error), where="--country") from None
    if arguments.json:
        shoppers = {name: named_shopper(name) for name in descriptions}
        print(orjson.dumps(shoppers, option=orjson.OPT_INDENT_2).decode())
        return 0
    width = max(map(len, descriptions), default=0)
    for name, description in descriptions.items():
        print(f"{name:{width}}  {named_shopper(name).billing_address['email']:32}  {description}")
    return 0
