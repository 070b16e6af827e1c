"""What every handler has at hand."""

from dataclasses import dataclass

from mock_klarna.callbacks import Deliveries, Runner
from mock_klarna.contract import Contract
from mock_klarna.emulator import Emulator
from mock_klarna.settings import Settings
from mock_klarna.web.credentials import Credentials
from mock_klarna.web.limits import RateLimits


@dataclass(slots=True)
class Desk:
    """The emulator and its neighbours, as the server wired them.

    `started` is real time, seconds in UTC; `authority` is in PEM what clients of HTTPS have to trust, None where there is none.
    """

    settings: Settings
    contract: Contract
    emulator: Emulator
    deliveries: Deliveries
    runner: Runner
    credentials: Credentials
    started: float
    limits: RateLimits | None = None
    authority: bytes | None = None
