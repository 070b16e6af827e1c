"""The script of `completion` lets a real shell complete commands, options and values."""

import shutil
import subprocess

import pytest
import shtab

from tests.commands import Command

COMPLETE = """
source /dev/stdin
COMP_WORDS=({words})
COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
COMP_LINE="${{COMP_WORDS[*]}}"
COMP_POINT=${{#COMP_LINE}}
$(complete -p mock-klarna | sed 's/.*-F \\([^ ]*\\).*/\\1/') mock-klarna "${{COMP_WORDS[COMP_CWORD]}}"
printf '%s\\n' "${{COMPREPLY[@]}}"
"""


@pytest.fixture
def script(command: Command) -> str:
    result = command("completion", "bash")
    assert result.returncode == 0
    return result.stdout


@pytest.mark.process
@pytest.mark.skipif(shutil.which("bash") is None, reason="needs bash")
@pytest.mark.parametrize(
    ("words", "completed"),
    [
        ("mock-klarna heal", ["healthcheck"]),
        ("mock-klarna serve --tls-fo", ["--tls-folder"]),
        ("mock-klarna run --jun", ["--junit"]),
        ("mock-klarna serve --log-format js", ["json"]),
        ("mock-klarna serve --region ", ["eu", "na", "oc"]),
        ("mock-klarna completion z", ["zsh"]),
    ],
)
def test_bash_completes(script: str, words: str, completed: list[str]) -> None:
    line = words if not words.endswith(" ") else f"{words}''"
    shell = ["bash", "--norc", "-c", COMPLETE.format(words=line)]
    found = subprocess.run(shell, input=script, capture_output=True, text=True, check=True, timeout=60)
    assert sorted(found.stdout.split()) == completed, found.stderr


@pytest.mark.parametrize("shell", shtab.SUPPORTED_SHELLS)
def test_there_is_a_script_for_every_shell_that_the_library_supports(command: Command, shell: str) -> None:
    result = command("completion", shell)
    assert (result.returncode, result.stderr) == (0, "")
    assert "tls-folder" in result.stdout
