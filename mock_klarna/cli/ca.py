"""`mock-klarna ca`: print the CA certificate of `serve --tls`, or how clients can trust it."""

import argparse
import sys
import urllib.error
import urllib.request
from collections.abc import Mapping
from datetime import UTC, datetime
from http.client import HTTPException
from pathlib import Path, PurePath
from shlex import quote

from mock_klarna.cli.health import url_of
from mock_klarna.cli.main import UNREACHABLE
from mock_klarna.cli.options import add_config, setting_value
from mock_klarna.connection_errors import cause_of
from mock_klarna.errors import MockKlarnaError
from mock_klarna.settings import PREFIX

_PEM = b"-----BEGIN CERTIFICATE-----"
_FOLDER = "/usr/local/share/ca-certificates"
_FPM_FILE = "/etc/php/mock-klarna.pem"
_WORDPRESS = r"""mkdir -p wp-content/mu-plugins && install -m 644 {ca} wp-content/mu-plugins/mock-klarna.pem
cat > wp-content/mu-plugins/mock-klarna.php <<'END'
<?php
add_filter('http_request_args', function ($arguments, $url) {{
    $is_klarna = preg_match('/\.(klarna\.com|kustom\.co)$/', (string) parse_url($url, PHP_URL_HOST));
    return $is_klarna ? ['sslcertificates' => __DIR__ . '/mock-klarna.pem'] + $arguments : $arguments;
}}, 10, 2);
END"""

RECIPES: Mapping[str, str] = {
    "curl": "curl --cacert {ca} https://api.playground.klarna.com/_mock/health",
    "PHP": "php -d curl.cainfo={ca} -d openssl.cafile={ca} shop.php",
    "php-fpm on Debian and Ubuntu": (
        f"sudo install -m 644 {{ca}} {_FPM_FILE} && for folder in /etc/php/*/fpm/conf.d; do "
        f"printf 'curl.cainfo = {_FPM_FILE}\\nopenssl.cafile = {_FPM_FILE}\\n' | sudo tee \"$folder/mock-klarna.ini\"; "
        "done && sudo systemctl restart 'php*-fpm'"
    ),
    "WordPress, in the folder with wp-config.php": _WORDPRESS,
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
"""Commands by client. With curl, PHP, php-fpm, requests and SSL_CERT_FILE the file replaces the system's authorities.

With WordPress it replaces them for Klarna's hosts; with the others it is added.
"""


def recipes(ca: str) -> str:
    """Return the commands for all clients, for a certificate at this path."""
    file = {"ca": quote(ca), "name": quote(PurePath(ca).name)}
    return "\n".join(f"# {client}\n{recipe.format_map(file)}\n" for client, recipe in RECIPES.items())


_TIMEOUT = 10.0
_DEFAULT_FILE = "mock-klarna-ca.pem"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add where the certificate is, and what to print."""
    source = parser.add_mutually_exclusive_group()
    source.add_argument("--url", help="address of the server, http:// (default: that of `serve` on this machine)")
    source.add_argument(
        "--tls-folder",
        metavar="PATH",
        help=f"the folder in which a server keeps its authority ({PREFIX}TLS_FOLDER)",
    )
    add_config(parser)
    parser.add_argument(
        "--recipes",
        action="store_true",
        help="print how to trust it in curl, PHP, WordPress, Node.js, Java, Python, browsers, images",
    )


def run(arguments: argparse.Namespace) -> int:
    """Print the certificate; return 0, or 4 if the server does not answer. Raises `MockKlarnaError` if there is none."""
    folder = arguments.tls_folder or (setting_value("tls_folder", arguments.config) if arguments.url is None else "")
    if arguments.recipes:
        print(_recipes(folder), end="")
        return 0
    try:
        pem = _read(folder) if folder else _download(url_of(arguments.url, arguments.config))
    except _NoAnswer as error:
        print(f"mock-klarna: {error}", file=sys.stderr)
        return UNREACHABLE
    sys.stdout.write(pem)
    return 0


class _NoAnswer(Exception):
    """The server does not answer."""


def _recipes(folder: str) -> str:
    if folder:
        return recipes(str(Path(folder).absolute() / "ca.pem"))
    return f"# first\nmock-klarna ca > {_DEFAULT_FILE}\n\n{recipes(_DEFAULT_FILE)}"


def _read(folder: str) -> str:
    from mock_klarna.certificates.folder import load

    return load(Path(folder), datetime.now(UTC)).pem.decode()


def _download(url: str) -> str:
    if not url.startswith("http://"):
        hint = "use http://, for which no certificate has to be trusted"
        raise MockKlarnaError(f"{url!r} is not an http:// address", where="--url", hint=hint)
    address = url.rstrip("/") + "/_mock/ca.pem"
    try:
        with urllib.request.build_opener(urllib.request.ProxyHandler({})).open(address, timeout=_TIMEOUT) as answer:
            pem = answer.read()
    except urllib.error.HTTPError as refusal:
        with refusal:
            hint = "start the server with --tls; with --tls-cert, trust the issuer of that certificate"
            raise MockKlarnaError(f"{address} answered {refusal.code}: no authority", hint=hint) from None
    except (OSError, ValueError, HTTPException) as error:
        raise _NoAnswer(f"no answer from {url}: {cause_of(error)}") from None
    if not pem.startswith(_PEM):
        hint = "give the address of mock-klarna, not that of the shop"
        raise MockKlarnaError(f"{address} answered without a certificate", where="--url", hint=hint)
    return str(pem.decode())
