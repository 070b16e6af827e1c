"""Driving a server with wrk and reading what it reports."""

import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

_UNITS = {"us": 0.001, "ms": 1.0, "s": 1000.0}


@dataclass(frozen=True, slots=True)
class Load:
    """What one run of wrk measured: requests a second, latencies in milliseconds, answers that were no 2xx or 3xx."""

    rate: float
    p50: float
    p99: float
    refused: int


def script(
    path: Path, method: str, prefix: str, suffix: str, tokens: Path, headers: dict[str, str], body: Path | None
) -> Path:
    """Write a Lua script that takes the next token from a file for each request."""
    pairs = ", ".join(f'["{name}"] = "{value}"' for name, value in headers.items())
    read_body = f'local file = io.open("{body}"); body = file:read("*a")' if body else "body = nil"
    path.write_text(
        f"""
local tokens, body = {{}}
for line in io.lines("{tokens}") do tokens[#tokens + 1] = line end
{read_body}
local number = 0
request = function()
  number = number % #tokens + 1
  return wrk.format("{method}", "{prefix}" .. tokens[number] .. "{suffix}", {{{pairs}}}, body)
end
"""
    )
    return path


def run(url: str, lua: Path, *, seconds: int, connections: int = 32) -> Load:
    """Load a URL for some seconds."""
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "30s", "--latency", "-s", str(lua), url]
    output = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    refused = re.search(r"Non-2xx or 3xx responses: (\d+)", output)
    return Load(
        rate=float(_found(r"Requests/sec:\s+([\d.]+)", output)),
        p50=_milliseconds(_found(r"50%\s+([\d.]+\w+)", output)),
        p99=_milliseconds(_found(r"99%\s+([\d.]+\w+)", output)),
        refused=int(refused.group(1)) if refused else 0,
    )


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    if match is None:
        raise RuntimeError(f"the output of wrk does not contain {pattern}: {text}")
    return match.group(1)


def _milliseconds(text: str) -> float:
    number, unit = re.fullmatch(r"([\d.]+)(us|ms|s)", text).groups()  # type: ignore[union-attr]
    return float(number) * _UNITS[unit]
