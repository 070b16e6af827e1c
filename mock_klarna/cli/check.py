"""`mock-klarna check`: check scenarios, carts and shoppers without running them."""

import argparse
import os
import sys

from mock_klarna.cli.main import USAGE_ERROR
from mock_klarna.cli.output import print_text


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the paths."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="file or folder (default: all stored files)")


def run(arguments: argparse.Namespace) -> int:
    """Return 0 if all files are valid, else 2; each error is printed with file, line, column and what to do."""
    from mock_klarna.scenario.check_files import check_paths
    from mock_klarna.scenario.report import github_file_annotation

    files, errors = check_paths(arguments.paths)
    for error in errors:
        print_text(str(error), sys.stderr)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print_text(github_file_annotation(error))
    invalid = len({error.file for error in errors})
    valid = len(files) - invalid
    print_text(f"{valid} {'file' if valid == 1 else 'files'} valid" + (f", {invalid} invalid" if invalid else ""))
    return USAGE_ERROR if errors else 0
