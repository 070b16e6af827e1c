"""The commands of Klarna's APIs, and those that only a sandbox has: each loads, decides and commits."""

from mock_klarna.emulator.context import Context
from mock_klarna.emulator.emulator import Emulator

__all__ = ["Context", "Emulator"]
