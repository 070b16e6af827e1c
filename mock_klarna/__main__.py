"""Entry of `mock-klarna` and of `python -m mock_klarna`: a stop signal ends the process even while it imports the rest."""

import sys

from mock_klarna.process import exit_at_stop_signals, with_written_output

_SERVERS = ("serve", "shop")
_INTERRUPTED = 130


def main() -> int:
    """Run the command line of this process and return its exit code."""
    exit_at_stop_signals(0 if sys.argv[1:2] and sys.argv[1] in _SERVERS else _INTERRUPTED)
    from mock_klarna.cli.main import main as run

    return with_written_output(run)


if __name__ == "__main__":
    sys.exit(main())
