"""`mock-klarna openapi`: print the OpenAPI 3.1 document of all routes."""

import argparse
import sys

import orjson


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add no arguments."""


def run(_arguments: argparse.Namespace) -> int:
    """Print the document and return 0."""
    from mock_klarna.validation import Validator
    from mock_klarna.web.openapi import document
    from mock_klarna.web.operations import OPERATIONS

    sys.stdout.buffer.write(orjson.dumps(document(OPERATIONS, Validator()), option=orjson.OPT_INDENT_2) + b"\n")
    return 0
