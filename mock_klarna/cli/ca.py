"""`mock-klarna ca`: print the certificate that clients of `serve --tls` have to trust, or how to trust it."""

import argparse
import os
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path, PurePath
from shlex import quote

from mock_klarna.cli.healthcheck import own_url
from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import PREFIX

_FOLDER = "/usr/local/share/ca-certificates"

RECIPES: Mapping[str, str] = {
    "curl": "curl --cacert {ca} https://api.playground.klarna.com/_mock/health",
    "PHP": "php -d curl.cainfo={ca} -d openssl.cafile={ca} shop.php",
    "Node.js": "NODE_EXTRA_CA_CERTS={ca} node shop.js",
    "Java": (
        "keytool -importcert -noprompt -alias mock-klarna -file {ca} -keystore mock-klarna.p12 -storetype PKCS12 "
        "-storepass changeit && java -Djavax.net.ssl.trustStore=mock-klarna.p12 "
        "-Djavax.net.ssl.trustStorePassword=changeit -jar shop.jar"
    ),
    "Python requests": "REQUESTS_CA_BUNDLE={ca} python3 shop.py",
    "Python, with ssl, urllib, aiohttp or httpx": "SSL_CERT_FILE={ca} python3 shop.py",
    ".NET on Linux": "SSL_CERT_FILE={ca} dotnet run",
    "Chromium on Linux": (
        'mkdir -p "$HOME/.pki/nssdb" && certutil -d "sql:$HOME/.pki/nssdb" -A -t C,, -n mock-klarna -i {ca}'
    ),
    "a Docker image": f"COPY --chmod=644 {{name}} {_FOLDER}/mock-klarna.crt\nRUN update-ca-certificates",
    "Debian and Ubuntu": f"sudo install -m 644 {{ca}} {_FOLDER}/mock-klarna.crt && sudo update-ca-certificates",
    "Alpine": f"apk add ca-certificates && install -m 644 {{ca}} {_FOLDER}/mock-klarna.crt && update-ca-certificates",
    "Fedora and Red Hat": "sudo trust anchor {ca}",
    "macOS": "security add-trusted-cert -r trustRoot -k ~/Library/Keychains/login.keychain-db {ca}",
    "Windows": "certutil -user -addstore Root {ca}",
}
"""Client by client. curl, PHP, requests and SSL_CERT_FILE trust the file in place of the system's authorities, the others too."""


def recipes(ca: str) -> str:
    """Return all recipes for a certificate at a path, each below the name of what it is for."""
    file = {"ca": quote(ca), "name": quote(PurePath(ca).name)}
    return "\n".join(f"# {client}\n{recipe.format_map(file)}\n" for client, recipe in RECIPES.items())


_SECONDS = 10.0
_DEFAULT_FILE = "mock-klarna-ca.pem"


def add(parser: argparse.ArgumentParser) -> None:
    """Add where the authority is, and what to print."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", help="the server to ask, http:// (default: this machine's own, at its port)")
    source.add_argument(
        "--tls-folder",
        metavar="PATH",
        help=f"the folder in which a server keeps its authority ({PREFIX}TLS_FOLDER)",
    )
    parser.add_argument(
        "--recipes",
        action="store_true",
        help="print how to trust it in curl, PHP, Node.js, Java, Python, browsers, images",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print it; 0, 2 when there is no authority or it cannot be used, 4 when no server answers."""
    folder = arguments.tls_folder or ("" if arguments.url else os.environ.get(PREFIX + "TLS_FOLDER", ""))
    if arguments.recipes:
        print(_recipes(folder), end="")
        return 0
    try:
        pem = _kept(folder) if folder else _asked(arguments.url or own_url())
    except _Unreachable as fault:
        print(f"mock-klarna: {fault}", file=sys.stderr)
        return 4
    sys.stdout.write(pem)
    return 0


class _Unreachable(Exception):
    """No server answers."""


def _recipes(folder: str) -> str:
    if folder:
        return recipes(str(Path(folder).absolute() / "ca.pem"))
    return f"# first\nmock-klarna ca > {_DEFAULT_FILE}\n\n{recipes(_DEFAULT_FILE)}"


def _kept(folder: str) -> str:
    from mock_klarna.certificates.folder import load

    return load(Path(folder), datetime.now(UTC)).pem.decode()


def _asked(url: str) -> str:
    if not url.startswith("http://"):
        raise MockKlarnaError(
            f"{url} is not an http:// address", where="--url", hint="ask where nothing must be trusted yet"
        )
    address = url.rstrip("/") + "/_mock/ca.pem"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=_SECONDS) as answer:
            return str(answer.read().decode())
    except urllib.error.HTTPError as refusal:
        with refusal:
            hint = "start it with --tls; with --tls-cert of your own, trust whoever signed that"
            raise MockKlarnaError(f"{address} answers {refusal.code}: no authority", hint=hint) from None
    except (OSError, ValueError) as fault:
        raise _Unreachable(f"no answer from {url}: {getattr(fault, 'reason', fault)}") from None
