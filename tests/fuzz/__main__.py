"""Send generated requests to every operation of the OpenAPI document: `python -m tests.fuzz --calls 20000`.

schemathesis checks every response against the document. Install it with the extra `fuzz`. Exits with 1 if a check failed.
"""

import argparse
import asyncio
import logging
import os
import re
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory

from mock_klarna.server import serve
from mock_klarna.settings import Settings

CREDENTIALS = "fuzz:secret"
STATEFUL = ("create_fault", "clear_faults", "list_faults", "reset", "put_snapshot", "get_snapshot", "run_scenario")
"""Operations that change the state or the responses of others; they are called in a run of their own."""
_HERE = Path(__file__).parent
_CASES = re.compile(r"(\d+) generated")
_MAX_RUNS = 50


async def main() -> int:
    """Start servers, send requests, and count them."""
    arguments = _arguments()
    logging.getLogger("mock_klarna").setLevel(logging.ERROR)  # thousands of errors are expected
    made, status = 0, 0
    for turn in range(_MAX_RUNS):
        async with serve(Settings(port=0, credentials=(CREDENTIALS,), callback_timeout=0.05)) as running:
            for selection in (_others(), _stateful()):
                options = [*selection, "--phases", arguments.phases, "--max-examples", str(arguments.examples)]
                failed, cases = await _called(running.url, options, arguments.seed + turn)
                status, made = max(status, failed), made + cases
        if made >= arguments.calls or status:
            break
    print(f"{made} requests were sent")
    return status or int(made < arguments.calls)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--calls", type=int, default=1, help="repeat with the next seed until so many requests were sent"
    )
    parser.add_argument("--examples", type=int, default=25, help="maximum of random requests for an operation")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful", help="phases of schemathesis")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _others() -> list[str]:
    return [argument for name in STATEFUL for argument in ("--exclude-operation-id", name)]


def _stateful() -> list[str]:
    return [argument for name in STATEFUL for argument in ("--include-operation-id", name)]


_FIXED = ["--checks", "all", "--continue-on-failure", "--request-timeout", "60"]
_FIXED += ["--suppress-health-check", "all", "--warnings", "off"]


async def _called(url: str, options: Iterable[str], seed: int) -> tuple[int, int]:
    """Print the output of schemathesis; return its exit code and the number of requests."""
    program = Path(sys.executable).with_name("schemathesis")
    command: Sequence[str | Path] = [program, "--config-file", _HERE / "schemathesis.toml", "run"]
    command = [*command, f"{url}/_mock/openapi.json", "--auth", CREDENTIALS, "--seed", str(seed), *_FIXED, *options]
    known = {"FUZZ_URL": url, "FUZZ_CREDENTIALS": CREDENTIALS, "FUZZ_SEED": str(seed)}
    environment = {**os.environ, **known, "PYTHONPATH": str(_HERE.parent.parent)}
    with TemporaryDirectory() as folder:
        process = await asyncio.create_subprocess_exec(
            *command, env=environment, cwd=folder, stdout=asyncio.subprocess.PIPE
        )
        output, _ = await process.communicate()
    text = output.decode(errors="replace")
    print(text, flush=True)
    return process.returncode or 0, sum(map(int, _CASES.findall(text)))


sys.exit(asyncio.run(main()))
