"""Runs the curl commands of the pages with curl itself, and sends the requests that tests need beside them."""

import json
import os
import subprocess
import sys
from base64 import b64encode
from pathlib import Path
from typing import Any
from urllib.error import HTTPError
from urllib.request import Request, urlopen


def run(code: str, folder: str = ".") -> str:
    """Run a block of curl and `mock-klarna` commands and return what they print; raises AssertionError if one fails."""
    script = code.replace("curl ", "curl --fail-with-body --silent --show-error ")
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    ran = subprocess.run(
        ["bash", "-ec", script],
        capture_output=True,
        text=True,
        cwd=folder,
        check=False,
        env={**os.environ, "PATH": path},
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    return ran.stdout


def requested(method: str, url: str, body: Any = None, user: str = "K123:secret") -> tuple[int, dict[str, str], Any]:
    """Send a request and return status, headers and body of the answer: parsed if it is JSON, None if it is not."""
    headers = {"Authorization": f"Basic {b64encode(user.encode()).decode()}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    try:
        answer = urlopen(Request(url, data, headers, method=method))
    except HTTPError as refused:
        answer = refused
    with answer:
        raw = answer.read()
        return (
            answer.status,
            dict(answer.headers),
            json.loads(raw) if "json" in answer.headers.get("Content-Type", "") else None,
        )


def decided(klarna: str, printed: str) -> Any:
    """Return the purchase that a command has printed, once the shop has decided on it: on a busy machine that takes long."""
    purchase = json.loads(printed[printed.index('{"purchase_id"') :])
    return requested("GET", f"{klarna}/_mock/purchases/{purchase['purchase_id']}?wait=120")[2]
