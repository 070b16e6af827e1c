"""How to trust the authority: one line for each kind of client.

`{ca}` stands for the path of its certificate, `{name}` for the name of that file alone.
"""

from collections.abc import Mapping
from pathlib import PurePath
from shlex import quote

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
