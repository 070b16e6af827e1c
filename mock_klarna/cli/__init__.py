"""The command line. Every command does only what is also possible with the package or over HTTP."""

from mock_klarna.cli.main import main

__all__ = ["main"]
