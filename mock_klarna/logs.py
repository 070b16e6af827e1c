"""Log lines for people or for machines, on standard error, one bounded record a line."""

import json
import logging
import re
import sys
from datetime import UTC, datetime

_LONGEST = 8000
_CONTROL = re.compile(r"\n(?!  )|[^\n\t -~\u00a0-\u2027\u202f-\U0010ffff]")


class JsonFormatter(logging.Formatter):
    """A record as one JSON object: at, level, logger, message, and what the record carries of `problems`."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the line."""
        members = {
            "at": datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "logger": record.name,
            "message": record.getMessage()[:_LONGEST],
            "problems": getattr(record, "problems", None),
            "exception": self.formatException(record.exc_info)[-_LONGEST:] if record.exc_info else None,
        }
        return json.dumps({name: value for name, value in members.items() if value is not None})


class TextFormatter(logging.Formatter):
    r"""A record as text, cut to a readable length; control characters, such as a line break in a path, are shown as `\x0a`."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802
        """Return the line without a traceback; the lines of a list of problems begin with two blanks."""
        return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line or lines."""
        text = super().format(record)
        return text if len(text) <= _LONGEST else text[:_LONGEST] + "…"


def configure(form: str) -> None:
    """Log to standard error from INFO on, as `text` or `json`."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonFormatter() if form == "json" else TextFormatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    logging.getLogger("aiohttp").setLevel(logging.WARNING)
    logging.getLogger("asyncio").setLevel(logging.WARNING)
