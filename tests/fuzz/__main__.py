"""Send made-up requests to every operation of the OpenAPI document: `python -m tests.fuzz --calls 20000`.

schemathesis checks every answer against the document. It lives in the extra `fuzz`. Ends with 1 when a check failed.
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
DISTURBING = ("create_fault", "clear_faults", "list_faults", "reset", "put_snapshot", "get_snapshot", "run_scenario")
"""Operations that take away or spoil what the others work on; they are called by themselves."""
_HERE = Path(__file__).parent
_CASES = re.compile(r"(\d+) generated")
_MOST_TURNS = 50


async def main() -> int:
    """Serve, call, count."""
    wanted = _arguments()
    logging.getLogger("mock_klarna").setLevel(logging.ERROR)  # thousands of refusals are meant to happen
    made, status = 0, 0
    for turn in range(_MOST_TURNS):
        async with serve(Settings(port=0, credentials=(CREDENTIALS,), callback_timeout=0.05)) as running:
            for those in (_others(), _disturbing()):
                options = [*those, "--phases", wanted.phases, "--max-examples", str(wanted.examples)]
                failed, cases = await _called(running.url, options, wanted.seed + turn)
                status, made = max(status, failed), made + cases
        if made >= wanted.calls or status:
            break
    print(f"{made} requests were made in all")
    return status or int(made < wanted.calls)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--calls", type=int, default=1, help="begin anew with the next seed until so many were made")
    parser.add_argument("--examples", type=int, default=25, help="most requests made up at random for an operation")
    parser.add_argument("--phases", default="examples,coverage,fuzzing,stateful", help="phases of schemathesis")
    parser.add_argument("--seed", type=int, default=1)
    return parser.parse_args()


def _others() -> list[str]:
    return [argument for name in DISTURBING for argument in ("--exclude-operation-id", name)]


def _disturbing() -> list[str]:
    return [argument for name in DISTURBING for argument in ("--include-operation-id", name)]


_FIXED = ["--checks", "all", "--continue-on-failure", "--request-timeout", "60"]
_FIXED += ["--suppress-health-check", "all", "--warnings", "off"]


async def _called(url: str, options: Iterable[str], seed: int) -> tuple[int, int]:
    """Return schemathesis' exit code and how many requests it made; what it says is printed."""
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
