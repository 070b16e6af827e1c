"""The jobs of the pages that need no container: the steps run in bash, with the action of this repository."""

import json
import os
import re
import subprocess
import sys
import sysconfig
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import pytest
import yaml

from mock_klarna.cli.main import parser
from tests.bench.processes import free_port
from tests.documentation.pages import ROOT, Block, blocks, patient
from tests.documentation.test_blocks import named
from tests.documentation.workflows import Outputs, Runner

pytestmark = pytest.mark.process

_SHOP = '#!/bin/sh\nexec mock-klarna shop --merchant K123 --password secret --no-secret "$@"\n'
_SCENARIO = next(each for each in blocks("yaml", containing="\nsteps:") if each.page.name == "README.md")
PACKAGE = "git+https://github.com/YOUR/mock-klarna.git"
JOBS = [
    block
    for block in blocks("yaml", containing="runs-on")
    if "docker " not in block.code and "services:" not in block.code
]
GITLAB = [block for block in blocks("yaml", containing="\n  script:") if "services:" not in block.code]


@pytest.fixture
def runner(tmp_path: Path) -> Iterator[Runner]:
    """A runner with a shop and a scenario in its workspace. pip takes what it installs from the checkout alone."""
    pip = {"PIP_NO_INDEX": "1", "PIP_NO_DEPS": "1", "PIP_NO_BUILD_ISOLATION": "0"}
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    environment = {"PATH": path, "PYTHONPATH": sysconfig.get_path("purelib"), **pip}
    with Runner(tmp_path, environment, ROOT) as runner:
        (runner.workspace / "scenarios").mkdir()
        (runner.workspace / "scenarios" / "express.yaml").write_text(patient(_SCENARIO.code))
        shop = runner.workspace / "start-your-shop"
        shop.write_text(_SHOP)
        shop.chmod(0o755)
        yield runner


def on_free_ports(code: str) -> Any:
    """Return the document of a block, with ports that are free in place of 8080 and 3000."""
    klarna, shop = str(free_port()), str(free_port())
    document = yaml.safe_load(code.replace("3000", shop).replace("8080", klarna))
    for job in document["jobs"].values():
        for step in job["steps"]:
            if step.get("uses", "").startswith("YOUR/"):
                step.setdefault("with", {})["port"] = klarna
    return document


@named(JOBS)
def test_the_job_passes_and_when_an_expectation_fails_it_fails_with_an_annotation_of_the_file(
    block: Block, runner: Runner
) -> None:
    (job,) = on_free_ports(block.code)["jobs"].values()
    outputs: Outputs = {}
    runner.run_steps(job["steps"], {}, outputs)
    report = runner.workspace / "report.xml"
    assert not runner.failed
    assert "1 passed" in runner.printed
    assert "1 passed" in runner.summary
    assert 'failures="0"' in report.read_text()

    scenario = runner.workspace / "scenarios" / "express.yaml"
    scenario.write_text(_SCENARIO.code.replace("order_amount: 124000", "order_amount: 129000"))
    (last,) = (number for number, step in enumerate(job["steps"]) if "mock-klarna run" in step.get("run", ""))
    runner.run_steps(job["steps"][last:], {}, outputs)
    assert "mock-klarna run" in runner.failed
    annotation = re.search(r"(?m)^::error file=scenarios/express\.yaml,line=\d+,col=\d+,title=", runner.printed)
    assert annotation
    assert "❌" in runner.summary
    assert 'failures="1"' in report.read_text()
    if "--export" in block.code:
        names = sorted(path.name for path in (runner.workspace / "purchases").iterdir())
        assert names == ["express.har", "express.html"]
    if "outputs.log" in block.code:
        assert "mock-klarna is ready at" in runner.printed[annotation.end() :]


@named(blocks("yml"))
def test_a_recipe_of_certify_keeps_the_reports_that_its_command_writes(block: Block) -> None:
    document = yaml.safe_load(block.code)
    steps = document.get("steps") or [{"run": line} for line in document["certify"]["script"]]
    (command,) = (step["run"] for step in steps if "run" in step)
    given = parser().parse_args(command.split()[1:])
    kept = json.dumps([step.get("with") for step in steps] + [document.get("certify", {}).get("artifacts")])
    written = [file for file in (given.html, given.sarif, given.junit) if file]
    assert len(written) == 2
    for file in written:
        assert f'"{file}"' in kept


def test_the_action_ends_with_the_reason_when_the_server_cannot_start(runner: Runner) -> None:
    given = {"port": str(free_port()), "arguments": "--sed 1"}
    runner.run_steps([{"uses": "YOUR/mock-klarna@main", "with": given}], {}, {})
    assert "unknown option --sed; did you mean --seed?" in runner.printed
    assert runner.failed


def test_the_action_says_at_which_port_the_server_is_that_chose_a_free_one(runner: Runner) -> None:
    action = yaml.safe_load((ROOT / "action.yml").read_text("utf-8"))
    (start,) = (step for step in action["runs"]["steps"] if step.get("id") == "serve")
    runner.paths.append(sysconfig.get_path("scripts"))
    outputs: Outputs = {}
    runner.run_steps([start], {"port": "0", "arguments": ""}, outputs)
    assert not runner.failed
    with urlopen(outputs["serve"]["url"] + "/_mock/health") as answer:
        assert answer.status == 200


@named(GITLAB)
def test_the_script_for_gitlab_passes(block: Block, runner: Runner) -> None:
    port = str(free_port())
    runner.environment |= {"PORT": port}
    code = block.code.replace(PACKAGE, ROOT.as_uri()).replace("3000", str(free_port())).replace("8080", port)
    (job,) = yaml.safe_load(code).values()
    subprocess.run([sys.executable, "-m", "venv", runner.folder / "image"], check=True)
    runner.paths.append(str(runner.folder / "image" / "bin"))
    runner.run_script({"run": "\n".join(job["script"])})
    assert not runner.failed
    for path in (*job["artifacts"]["paths"], job["artifacts"]["reports"]["junit"]):
        assert (runner.workspace / path).exists()
