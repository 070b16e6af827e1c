"""Calling the merchant: which event calls which URL, with what, when again, and what came of it."""

from mock_klarna.callbacks.delivery import Deliveries
from mock_klarna.callbacks.scheduler import Runner

__all__ = ["Deliveries", "Runner"]
