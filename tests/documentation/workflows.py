"""Runs the jobs of the pages as their runners do: the steps of GitHub Actions and the script of GitLab, one bash for each.

It knows what the pages use: `run`, composite actions, outputs, `if`, and the files of the environment. `actions/checkout`
does nothing, and `actions/upload-artifact` checks that the files are there.
"""

import os
import re
import signal
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

import yaml

Step = dict[str, Any]
Outputs = dict[str, dict[str, str]]
_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_FILES = ("GITHUB_ENV", "GITHUB_OUTPUT", "GITHUB_PATH", "GITHUB_STEP_SUMMARY")
_SECONDS = 300


@dataclass
class Runner:
    """A machine that runs the steps of one job. `action` is the checkout that `uses: OWNER/mock-klarna@REF` means."""

    folder: Path
    environment: dict[str, str]
    action: Path
    failed: str = ""
    printed: str = ""
    paths: list[str] = field(default_factory=list)
    _groups: list[int] = field(default_factory=list)

    @property
    def workspace(self) -> Path:
        """The folder of the repository under test."""
        return self.folder / "workspace"

    @property
    def summary(self) -> str:
        """What the steps have written to the summary."""
        return (self.folder / "GITHUB_STEP_SUMMARY").read_text("utf-8")

    def __enter__(self) -> Self:
        """Create the folders and files that a runner gives to each job."""
        self.workspace.mkdir(exist_ok=True)
        (self.folder / "temp").mkdir()
        for name in _FILES:
            (self.folder / name).touch()
        return self

    def __exit__(self, *_: object) -> None:
        """End what the steps have left running."""
        for group in self._groups:
            try:
                os.killpg(group, signal.SIGTERM)
            except ProcessLookupError:
                continue

    def run_steps(self, steps: list[Step], inputs: Mapping[str, str], outputs: Outputs) -> None:
        """Run steps in their order until one fails; put the outputs of those that have an `id` into `outputs`."""
        for step in steps:
            if self.failed and "cancelled()" not in step.get("if", "") and "failure()" not in step.get("if", ""):
                continue
            given = self._evaluated(step, inputs, outputs)
            outputs[step.get("id", "")] = self._use(given) if "uses" in given else self.run_script(given)

    def _evaluated(self, step: Step, inputs: Mapping[str, str], outputs: Outputs) -> Step:
        """Return a step with its expressions replaced by their values."""

        def value(found: re.Match[str]) -> str:
            match found[1].split("."):
                case ["inputs", name]:
                    return inputs[name]
                case ["steps", name, "outputs", output]:
                    return outputs[name][output]
                case unknown:
                    raise AssertionError(f"the tests do not know {unknown}")

        def evaluated(part: Any) -> Any:
            if isinstance(part, dict):
                return {name: evaluated(each) for name, each in part.items() if name != "if"}
            return _EXPRESSION.sub(value, part) if isinstance(part, str) else part

        return dict(evaluated(step))

    def _use(self, step: Step) -> dict[str, str]:
        """Run a composite action, or do what an action of GitHub's does."""
        name, given = step["uses"].partition("@")[0], step.get("with", {})
        if name == "actions/upload-artifact":
            missing = [path for path in given["path"].splitlines() if not (self.workspace / path).exists()]
            self.failed = self.failed or (f"{', '.join(missing)}: not there" if missing else "")
        if name.startswith("actions/"):
            return {}
        action = yaml.safe_load((self.action / "action.yml").read_text("utf-8"))
        inputs = {name: str(given.get(name, row["default"])) for name, row in action["inputs"].items()}
        assert given.keys() <= inputs.keys()
        outputs: Outputs = {}
        self.run_steps(action["runs"]["steps"], inputs, outputs)
        values = {name: row["value"] for name, row in action["outputs"].items()}
        return {} if self.failed else self._evaluated(values, inputs, outputs)

    def run_script(self, step: Step) -> dict[str, str]:
        """Run the script of a step in bash, and return its outputs; a script that fails sets `failed`."""
        script, log = self.folder / "script", self.folder / "log"
        script.write_text(step["run"], "utf-8")
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if step.get("shell") == "bash" else ["-e"]
        files = {name: str(self.folder / name) for name in _FILES}
        own = {"CI": "true", "GITHUB_ACTIONS": "true", "RUNNER_TEMP": str(self.folder / "temp"), **files}
        own |= {"GITHUB_WORKSPACE": str(self.workspace), "GITHUB_ACTION_PATH": str(self.action)}
        path = os.pathsep.join([*reversed(self.paths), self.environment["PATH"]])
        environment = {
            **self.environment,
            **own,
            "PATH": path,
            **{name: str(value) for name, value in step.get("env", {}).items()},
        }
        with log.open("w") as output:  # a file, because what runs in the background keeps it open
            process = subprocess.Popen(
                ["bash", *options, script],
                cwd=self.workspace,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self._groups.append(process.pid)
        code = process.wait(_SECONDS)
        printed = log.read_text("utf-8")
        self.printed += printed
        if code:
            self.failed = f"{step['run']}\nended with {code}:\n{printed}"
        self.paths = (self.folder / "GITHUB_PATH").read_text("utf-8").split()
        written = (self.folder / "GITHUB_OUTPUT").read_text("utf-8").splitlines()
        return dict(line.split("=", 1) for line in written)
