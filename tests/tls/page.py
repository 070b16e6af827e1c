"""Opens a page with the address of Klarna's library in Chromium and prints its final title."""

import base64
import json
import os
import re
import ssl
import subprocess
import sys
import urllib.request
from pathlib import Path

from mock_klarna import resources
from tests.tls.in_namespace import serving

PAGE = """<!doctype html>
<title>nothing happened</title>
<klarna-instant-shopping></klarna-instant-shopping>
<script>
window.klarnaAsyncCallback = () => Klarna.InstantShopping.load(OPTIONS, (answer) => document.title = JSON.stringify(answer));
</script>
<script src="https://x.klarnacdn.net/instantshopping/lib/v1/lib.js" onerror="document.title = 'refused'"></script>
"""
QUIET = (
    "--headless --no-sandbox --disable-gpu --disable-quic --no-first-run --disable-background-networking --disable-sync"
)


def main(folder: Path) -> None:
    """Show the page once the server is ready, with the authority in the browser's trust store if `TRUST_STORE` is set."""
    page = folder / "page.html"
    with serving(folder):
        page.write_text(PAGE.replace("OPTIONS", json.dumps(_options(_button_key(folder)))))
        if os.environ.get("TRUST_STORE"):
            _trust(folder / "tls" / "ca.pem", Path(os.environ["TRUST_STORE"]))
        command = [os.environ["CHROMIUM"], *QUIET.split(), "--virtual-time-budget=20000", "--dump-dom", page.as_uri()]
        shown = subprocess.run(
            [*command, f"--user-data-dir={folder / 'profile'}"], capture_output=True, text=True, check=True
        )
    print("".join(re.findall("<title>(.*)</title>", shown.stdout)))


def _button_key(folder: Path) -> str:
    """Create a button key as a shop's install script does."""
    options = {
        "merchant_urls": {
            "place_order": "https://shop.test/place-order",
            "terms": "https://shop.test/terms",
            "confirmation": "https://shop.test/thanks",
        }
    }
    credentials = base64.b64encode(b"PK00000_test:secret").decode()
    headers = {"Authorization": f"Basic {credentials}", "Content-Type": "application/json"}
    url = "https://api.playground.klarna.com/instantshopping/v1/buttons"
    request = urllib.request.Request(url, json.dumps(options).encode(), headers)
    trust = ssl.create_default_context(cafile=str(folder / "tls" / "ca.pem"))
    with urllib.request.urlopen(request, context=trust) as created:
        return str(json.load(created)["button_key"])


def _options(button_key: str) -> dict[str, object]:
    cart = json.loads((resources.fixtures() / "carts" / "se-battery-pack.json").read_bytes())
    return {**cart, "setup": {"key": button_key, "environment": "playground", "region": "eu"}}


def _trust(authority: Path, store: Path) -> None:
    store.mkdir(parents=True)
    database = f"sql:{store}"
    subprocess.run(["certutil", "-d", database, "-N", "--empty-password"], check=True)
    command = ["certutil", "-d", database, "-A", "-t", "C,,", "-n", "mock-klarna", "-i", str(authority)]
    subprocess.run(command, check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
