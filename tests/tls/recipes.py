"""Runs one of the recipes of `mock-klarna ca` as printed, and prints the answer of Klarna's address."""

import shutil
import subprocess
import sys
from pathlib import Path

from mock_klarna.cli.ca import recipes
from tests.tls.in_namespace import serving

URL = "https://api.playground.klarna.com/_mock/health"
SHOPS = {
    "shop.php": f"""<?php
$curl = curl_init('{URL}');
curl_setopt($curl, CURLOPT_RETURNTRANSFER, true);
$answers = [curl_exec($curl), file_get_contents('{URL}')];
echo $answers[0] !== false && $answers[1] !== false ? $answers[1] : curl_error($curl);
""",
    "shop.js": f"fetch('{URL}').then((answer) => answer.text()).then(console.log, (fault) => console.log(fault.cause))",
    "shop.py": f"import urllib.request\nprint(urllib.request.urlopen('{URL}').read().decode())",
}


def main(folder: Path, client: str) -> None:
    """Run the recipe of a client in a folder of its own."""
    for name, text in SHOPS.items():
        (folder / name).write_text(text)
    recipe = _recipe(str(folder / "tls" / "ca.pem"), client)
    if client.startswith("Debian"):
        _keep_the_system_as_it_is(folder)
        recipe = f"{recipe.replace('sudo ', '')} >/dev/null 2>&1 && curl --silent --show-error {URL}"
    with serving(folder):
        subprocess.run(["sh", "-c", recipe], cwd=folder, check=True)


def _recipe(ca: str, client: str) -> str:
    """Return one recipe as it is printed."""
    return recipes(ca).partition(f"# {client}\n")[2].partition("\n\n")[0]


def _keep_the_system_as_it_is(folder: Path) -> None:
    """Mount copies of the folders of certificates over those of the system, for this process alone."""
    for system in ("/etc/ssl/certs", "/usr/local/share/ca-certificates"):
        copy = folder / Path(system).name
        shutil.copytree(system, copy, symlinks=True)
        subprocess.run(["mount", "--bind", str(copy), system], check=True)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
