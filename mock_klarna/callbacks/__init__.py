"""Callbacks to merchants: running due jobs, sending the calls, and recording the answers."""

from mock_klarna.callbacks.delivery import Deliveries
from mock_klarna.callbacks.scheduler import Alarm, Scheduler

__all__ = ["Alarm", "Deliveries", "Scheduler"]
