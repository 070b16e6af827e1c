"""Merchants that answer well or badly, and emulators in their own processes."""
