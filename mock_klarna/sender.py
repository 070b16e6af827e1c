"""What sends requests to a sandbox, as a protocol: `certify` and `scenario` use it, and `mock_klarna.client.Client` is one."""

from collections.abc import Mapping
from typing import Any, Protocol


class Answer(Protocol):
    """An HTTP answer: its status, and its body as parsed JSON (None for an empty one)."""

    @property
    def status(self) -> int:
        """The HTTP status."""

    @property
    def body(self) -> Any:
        """The parsed body."""


class Sender(Protocol):
    """Sends requests to a sandbox as one merchant."""

    async def send(
        self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Return the answer to a request, also a refusal; raises `Unreachable` when no server answers."""

    async def ask(self, method: str, path: str, body: Any = None, *, headers: Mapping[str, str] | None = None) -> Any:
        """Return the body of an answer that has to be a success; raises `MockKlarnaError` with the refusal."""
