"""Calling the merchant: which event calls which URL, with what, when again, and what came of it."""

from mock_klarna.callbacks.deliveries import Deliveries
from mock_klarna.callbacks.runner import Runner

__all__ = ["Deliveries", "Runner"]
