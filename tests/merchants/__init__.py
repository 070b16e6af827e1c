"""Merchants, good and bad, and emulators as processes of their own."""
