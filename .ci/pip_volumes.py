"""Give a build this machine's pip configuration, so that the Dockerfile does not mention it.

Writes the configuration to the file named by the first argument, and prints the `--volume` options
that mount it, and every local path in it, into a build.
"""

import ast
import subprocess
import sys
from pathlib import Path


def settings() -> dict[str, str]:
    """Return the values of `pip config list` by option."""
    listed = subprocess.run([sys.executable, "-m", "pip", "config", "list"], check=True, capture_output=True, text=True)
    pairs = (line.split("=", 1) for line in listed.stdout.splitlines() if "=" in line)
    return {key.rpartition(".")[2]: ast.literal_eval(value) for key, value in pairs}


def local_paths(options: dict[str, str]) -> set[Path]:
    """Folders and files on this machine that the options name; for the file of an index, its folder."""
    words = [word for value in options.values() for word in value.split()]
    indexes = {Path(word.removeprefix("file://")).parent for word in words if word.startswith("file://")}
    return {path for path in indexes | {Path(word) for word in words if word.startswith("/")} if path.exists()}


def main(target: Path) -> None:
    """Write the configuration and print the options."""
    options = settings()
    target.write_text("[global]\n" + "".join(f"{key} = {value}\n" for key, value in options.items()))
    volumes = {target: Path("/etc/pip.conf")} | {path: path for path in local_paths(options)}
    print(*(f"--volume {source}:{seen}:ro" for source, seen in volumes.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
