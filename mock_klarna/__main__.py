"""Entry of `python -m mock_klarna`."""

import sys

from mock_klarna.cli import main

if __name__ == "__main__":
    sys.exit(main())
