"""`mock-klarna check`: check scenario and fixture files without playing them."""

import argparse
import os
import sys


def add(parser: argparse.ArgumentParser) -> None:
    """Add the paths."""
    parser.add_argument("paths", nargs="*", metavar="PATH", help="file or folder (default: all that is stored)")


def run(arguments: argparse.Namespace) -> int:
    """0 when all files are right, 2 with file, line, column, fault and remedy for each that is not."""
    from mock_klarna.scenario import report
    from mock_klarna.scenario.fixtures import checked

    files, faults = checked(arguments.paths)
    for fault in faults:
        print(fault, file=sys.stderr)
        if os.environ.get("GITHUB_ACTIONS") == "true":
            print(report.fault(fault))
    wrong = len({fault.file for fault in faults})
    print(f"{len(files) - wrong} of {len(files)} files are right")
    return 2 if faults else 0
