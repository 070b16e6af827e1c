"""Callbacks to merchants: running due jobs, sending the calls, and recording the answers."""

from mock_klarna.callbacks.delivery import Deliveries
from mock_klarna.callbacks.scheduler import DueMerchants, Scheduler

__all__ = ["Deliveries", "DueMerchants", "Scheduler"]
