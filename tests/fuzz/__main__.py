"""Send made-up requests to every operation of the OpenAPI document: `python -m tests.fuzz --calls 20000`.

schemathesis checks every answer against the document. It lives in the extra `fuzz`. Ends with 1 when a check failed.
"""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Iterable
from pathlib import Path
from tempfile import TemporaryDirectory

from mock_klarna.server import serve
from mock_klarna.settings import Settings

CREDENTIALS = "fuzz:secret"
DISTURBING = ("create_fault", "clear_faults", "list_faults", "reset", "put_snapshot", "get_snapshot", "run_scenario")
"""Operations that take away or spoil what the others work on; they are called by themselves."""
_HERE = Path(__file__).parent
_EXAMPLES_FOR_CALLS = 250
_CASES = re.compile(r"(\d+) generated")


async def main() -> int:
    """Serve, call, count."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=20_000, help="how many requests are made at the least")
    parser.add_argument("--seed", type=int, default=1)
    wanted = parser.parse_args()
    examples, made, status = max(1, wanted.calls // _EXAMPLES_FOR_CALLS), 0, 0
    for turn in range(20):
        async with serve(Settings(port=0, credentials=(CREDENTIALS,), callback_timeout=0.05)) as running:
            for those in (_others(), _disturbing()):
                failed, cases = await _called(running.url, those, examples, wanted.seed + turn)
                status, made = max(status, failed), made + cases
        if made >= wanted.calls or status:
            break
    print(f"{made} requests were made in all")
    return status


def _others() -> list[str]:
    return [argument for name in DISTURBING for argument in ("--exclude-operation-id", name)]


def _disturbing() -> list[str]:
    return [argument for name in DISTURBING for argument in ("--include-operation-id", name)]


async def _called(url: str, those: Iterable[str], examples: int, seed: int) -> tuple[int, int]:
    schemathesis = Path(sys.executable).with_name("schemathesis")
    command = [schemathesis, "--config-file", _HERE / "schemathesis.toml", "run", f"{url}/_mock/openapi.json", *those]
    command += ["--auth", CREDENTIALS, "--checks", "all", "--max-examples", examples, "--seed", seed]
    command += [
        "--request-timeout",
        60,
        "--max-response-time",
        60,
        "--continue-on-failure",
        "--warnings",
        "off",
        "--suppress-health-check",
        "all",
    ]
    environment = {
        **os.environ,
        "FUZZ_URL": url,
        "FUZZ_CREDENTIALS": CREDENTIALS,
        "PYTHONPATH": str(_HERE.parent.parent),
    }
    with TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *map(str, command), env=environment, cwd=folder, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    text = output.decode(errors="replace")
    print(text)
    return process.returncode or 0, sum(map(int, _CASES.findall(text)))


sys.exit(asyncio.run(main()))
