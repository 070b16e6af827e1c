"""Runs one of the recipes of `mock-klarna ca` as printed, and prints the answer of Klarna's address."""

import shutil
import subprocess
import sys
from pathlib import Path
from shlex import quote

from mock_klarna.cli.ca import recipes
from tests.documentation.pages import blocks
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
    "wordpress.php": f"""<?php
const ABSPATH = __DIR__ . '/', WPINC = 'wp-includes';
function get_bloginfo() {{ return '6'; }}
function __($text) {{ return $text; }}
foreach (['plugin', 'load', 'functions', 'formatting', 'kses', 'class-wp-error', 'http', 'class-wp-http', 'class-wp-http-proxy',
    'class-wp-http-response', 'class-wp-http-requests-response', 'class-wp-http-requests-hooks', 'class-wp-http-cookie',
    'class-wp-http-curl', 'class-wp-http-streams', 'class-wp-http-encoding'] as $file) {{
    require ABSPATH . WPINC . "/$file.php";
}}
add_filter('pre_option', fn() => '');
array_map(fn($file) => require $file, glob(ABSPATH . 'wp-content/mu-plugins/*.php'));
foreach (array_slice($argv, 1) as $get) {{
    $answer = $get('{URL}');
    echo is_wp_error($answer) ? $answer->get_error_message() : $answer['body'], "\n";
}}
""",
    "shop.py": f"import urllib.request\nprint(urllib.request.urlopen('{URL}').read().decode())",
}


def main(folder: Path, client: str) -> None:
    """Run the recipe of a client in a folder of its own."""
    for name, text in SHOPS.items():
        (folder / name).write_text(text)
    recipe = _recipe(str(folder / "tls" / "ca.pem"), client)
    if client.startswith("Debian"):
        _mount_copies(folder, "/etc/ssl/certs", "/usr/local/share/ca-certificates")
        recipe = f"{recipe.replace('sudo ', '')} >/dev/null 2>&1 && curl --silent --show-error {URL}"
    elif client.startswith("php-fpm"):
        _mount_copies(folder, "/etc/php", "/srv")
        shutil.copy(folder / "shop.php", "/srv")
        recipe = f"({_without_services(recipe)}) >/dev/null\n{_FPM}"
    elif client.startswith("WordPress"):
        _copy_wordpress(folder)
        recipe = f"""php wordpress.php wp_remote_get wp_safe_remote_get > refused\n{recipe}
            echo {quote(blocks("php")[0].code)} >> wp-content/mu-plugins/mock-klarna.php
            php wordpress.php wp_safe_remote_get | grep --quiet '"status":"ok"' && php wordpress.php wp_remote_get"""
    with serving(folder):
        subprocess.run(["sh", "-c", recipe], cwd=folder, check=True)


def _recipe(ca: str, client: str) -> str:
    """Return one recipe as it is printed."""
    return recipes(ca).partition(f"# {client}\n")[2].partition("\n\n")[0]


def _mount_copies(folder: Path, *systems: str) -> None:
    """Mount copies of folders over those of the system, for this process alone."""
    for system in systems:
        copy = folder / system.replace("/", "-")
        shutil.copytree(system, copy, symlinks=True)
        subprocess.run(["mount", "--bind", str(copy), system], check=True)


_FPM = """
printf '[shop]\nuser = www-data\ngroup = www-data\nlisten = %s/fpm.sock\npm = static\npm.max_children = 1\n' "$PWD" > pool.conf
fpm=$(ls /usr/sbin/php-fpm* | head -n 1)
printf '[global]\nerror_log = %s/fpm.log\ninclude = %s/pool.conf\n' "$PWD" "$PWD" > fpm.conf
"$fpm" --nodaemonize --fpm-config fpm.conf >&2 &
until [ -S fpm.sock ]; do sleep 0.05; done
REQUEST_METHOD=GET SCRIPT_FILENAME=/srv/shop.php cgi-fcgi -bind -connect fpm.sock | tail -n 1
kill $!
"""
"""Starts php-fpm, with workers of Debian's user, and asks it for the page."""


def _without_services(recipe: str) -> str:
    """Return a recipe for a test that is root and has no service manager."""
    command, _, restart = recipe.replace("sudo ", "").rpartition(" && ")
    assert restart.startswith("systemctl restart")
    return command


WORDPRESS = (
    Path(__file__).parents[2] / ".cache" / "wordpress" / "usr" / "share" / "wordpress",
    Path("/usr/share/wordpress"),
)
"""Where Debian's package is: unpacked by `.ci/run`, or installed."""


def _copy_wordpress(folder: Path) -> None:
    """Copy WordPress' code, and give it the file with authorities that WordPress ships and Debian replaces by the system's."""
    source = next(each for each in WORDPRESS if each.exists())
    shutil.copytree(source / "wp-includes", folder / "wp-includes", ignore_dangling_symlinks=True)
    bundle = folder / "wp-includes" / "certificates" / "ca-bundle.crt"
    bundle.unlink()
    shutil.copy("/etc/ssl/certs/ca-certificates.crt", bundle)
    code = folder / "wp-includes" / "class-wp-http.php"
    debian, original = "=> '/etc/ssl/certs/ca-certificates.crt'", "=> ABSPATH . WPINC . '/certificates/ca-bundle.crt'"
    text = code.read_text()
    assert text.count(debian) == 1
    code.write_text(text.replace(debian, original))


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2])
