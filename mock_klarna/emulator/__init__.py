"""Every command that Klarna offers, and those that only a sandbox has: load, decide, commit."""

from mock_klarna.emulator.emulator import Emulator

__all__ = ["Emulator"]
