"""What a command line loads."""

import subprocess
import sys

import pytest

from mock_klarna.cli.main import COMMANDS

LOADED = """
import sys
from mock_klarna.cli.main import main
try:
    main(sys.argv[1:])
except SystemExit:
    print([name for name in %r if f"mock_klarna.cli.{name}" in sys.modules])
"""


@pytest.mark.parametrize(("line", "loaded"), [(["openapi", "--help"], ["openapi"]), (["--version"], list(COMMANDS))])
def test_a_command_line_loads_the_command_that_it_names(line: list[str], loaded: list[str]) -> None:
    ran = subprocess.run(
        [sys.executable, "-c", LOADED % (COMMANDS,), *line], capture_output=True, text=True, check=True
    )
    assert ran.stdout.splitlines()[-1] == str(loaded)
