"""The command line: parse, call, print. Every command does what anyone can do with the package or over HTTP."""

from mock_klarna.cli.main import main

__all__ = ["main"]
