"""Runs the recipes of the pages that need containers: `python -m tests.documentation.containers IMAGE`.

`.ci/image` starts it once the image is built. `docker` is a script there: it builds nothing, but gives the image the
name of the recipe. Where no Docker runs, it calls podman, which has no Compose: its services are started one by one.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from shlex import quote
from tempfile import TemporaryDirectory
from typing import Any

import yaml

from tests.bench.processes import free_port
from tests.documentation.pages import ROOT, Block, blocks, patient
from tests.documentation.workflows import Outputs, Runner

_USER = 1001
"""The user of GitHub's runners, to whom the files of the workspace belong."""
_GATEWAY, _SHOP_ADDRESS = "10.88.0.1", "10.88.123.45"
"""Addresses in podman's network: that of this machine, and a free one."""
_DOCKER = """#!/bin/bash
case $1 in
    build) exec {engine} tag "$IMAGE" "$3" ;;
    run) shift; set -- run --rm --env PORT {options} ;;
esac
exec {engine} "$@"
"""
_PODMAN = "--runtime runc --ulimit nofile=20000:20000 --ulimit nproc=1000:1000"
DOCKER = shutil.which("docker") and subprocess.run(["docker", "info"], capture_output=True, check=False).returncode == 0
_SHOP = '#!/bin/sh\nexec mock-klarna shop --merchant K123 --password secret --no-secret "$@"\n'
_MERCHANT = f"""#!/usr/bin/env python3
import sys
import urllib.request
given = dict(zip(sys.argv[1::2], sys.argv[2::2]))
{next(each.code for each in blocks("python", containing="HTTPServer")).rpartition(chr(10) * 2)[0]}
KLARNA = given["--klarna"] + "/instantshopping/v1"
urls = {{"place_order": given["--url"] + "/place-order", "terms": given["--url"] + "/terms"}}
body = json.dumps({{"merchant_urls": urls}}).encode()
urllib.request.urlopen(urllib.request.Request(KLARNA + "/buttons", body, HEADERS)).close()
http.server.HTTPServer((given["--host"], int(given["--port"])), Merchant).serve_forever()
"""
_SCENARIO = next(each.code for each in blocks("yaml", containing="\nsteps:") if each.page.name == "README.md")


def block(*texts: str) -> Block:
    """Return the one block of YAML that contains some texts."""
    (found,) = (each for each in blocks("yaml") if all(text in each.code for text in texts))
    return found


@contextmanager
def machine(image: str) -> Iterator[Runner]:
    """A runner of GitHub's with `docker`, a shop, and a scenario that passes."""
    with TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        environment = {**os.environ, "IMAGE": image, "PORT": str(free_port())}
        runner = stack.enter_context(Runner(folder, environment, ROOT))
        options = '"$@"' if DOCKER else f'{_PODMAN} "${{@//host-gateway/{_GATEWAY}}}"'
        docker = _DOCKER.format(engine=shutil.which("docker") if DOCKER else "podman", options=options)
        programs = {"id": f"#!/bin/sh\necho {_USER}\n", "start-your-shop": _SHOP, "docker": docker}
        (folder / "bin").mkdir()
        for program, text in programs.items():
            (folder / "bin" / program).write_text(text)
            (folder / "bin" / program).chmod(0o755)
        shutil.move(folder / "bin" / "start-your-shop", runner.workspace)
        path = [folder / "bin", Path(sys.executable).parent, os.environ["PATH"]]
        runner.environment["PATH"] = os.pathsep.join(map(str, path))
        (runner.workspace / "scenarios").mkdir()
        (runner.workspace / "scenarios" / "express.yaml").write_text(patient(_SCENARIO))
        folder.chmod(0o755)
        for each in (runner.workspace, folder / "GITHUB_STEP_SUMMARY"):
            os.chown(each, _USER, _USER)
        for container in ("klarna", "shop"):
            stack.callback(runner.run_script, {"run": f"docker rm --force {container} >/dev/null 2>&1 || true"})
        yield runner


def ported(runner: Runner, code: str) -> str:
    """Return a recipe with ports of this machine in place of 8080 and 3000."""
    return code.replace("8080", runner.environment["PORT"]).replace("3000", str(free_port()))


def run(runner: Runner, script: str) -> None:
    """Run a script of these tests' own; raises AssertionError if it fails."""
    runner.run_script({"run": script})
    assert not runner.failed, runner.failed


def passes_then_fails_with_an_annotation(runner: Runner, steps: list[Any]) -> None:
    """Run the steps of a job, then the last ones again with an expectation that fails."""
    outputs: Outputs = {}
    runner.run_steps(steps, {}, outputs)
    assert not runner.failed, runner.failed
    assert "1 passed" in runner.summary, runner.printed
    report = runner.workspace / "report.xml"
    assert report.stat().st_uid == _USER

    scenario = runner.workspace / "scenarios" / "express.yaml"
    scenario.write_text(_SCENARIO.replace("order_amount: 124000", "order_amount: 129000"))
    (last,) = (number for number, step in enumerate(steps) if "--junit" in step.get("run", ""))
    runner.run_steps(steps[last:], {}, outputs)
    assert re.search(r"(?m)^::error file=scenarios/express\.yaml,line=\d+", runner.printed), runner.printed
    assert "1 failed" in runner.summary
    assert 'failures="1"' in report.read_text()


def docker_on_the_runner(runner: Runner) -> None:
    """GitHub Actions, with Docker."""
    (job,) = yaml.safe_load(ported(runner, block("docker exec klarna", "--junit").code))["jobs"].values()
    passes_then_fails_with_an_annotation(runner, job["steps"])


def service_container(runner: Runner) -> None:
    """GitHub Actions, as a service container: started as GitHub starts it, before the steps."""
    (job,) = yaml.safe_load(ported(runner, block("services:", "MOCK_KLARNA_CALLBACK_HOST_REWRITE").code))[
        "jobs"
    ].values()
    (service,) = job["services"].values()
    options = [f"--publish {port}" for port in service["ports"]]
    options += [f"--env {name}={value}" for name, value in service["env"].items()]
    run(runner, f"docker build --tag {service['image']}")
    run(runner, f"docker run --detach --name klarna {' '.join(options)} {service['options']} {service['image']}")
    run(runner, "docker exec klarna mock-klarna wait")
    passes_then_fails_with_an_annotation(runner, job["steps"])


def compose(runner: Runner) -> None:
    """Compose: its services, started one after another; they know each other's names as Compose makes them known."""
    services = yaml.safe_load(ported(runner, block("services:", "profiles: [tests]").code))["services"]
    port = re.findall(r"shop=http://shop:(\d+)", services["scenarios"]["command"])[0]
    names = f"--add-host shop:{_SHOP_ADDRESS}"
    run(runner, "docker build --tag mock-klarna")
    run(runner, f"docker run --detach --name klarna --read-only {names} mock-klarna")
    run(runner, "docker exec klarna mock-klarna wait")
    run(runner, "docker inspect --format '{{.NetworkSettings.IPAddress}}' klarna")
    names += f" --add-host klarna:{runner.printed.split()[-1]}"
    klarna = services["shop"]["environment"]["KLARNA_URL"]
    shop = f"shop --klarna {klarna} --host 0.0.0.0 --port {port} --merchant K123 --password secret --no-secret"
    run(runner, f"docker run --detach --name shop --ip {_SHOP_ADDRESS} {names} mock-klarna {shop}")
    (volume,) = services["scenarios"]["volumes"]
    command = services["scenarios"]["command"]
    run(runner, f"docker run {names} --volume {volume.replace('./', '$PWD/')} mock-klarna {command}")
    assert "1 passed" in runner.printed


def gitlab_service(runner: Runner) -> None:
    """GitLab CI with a service: the script runs on this machine, at the address that the service has for it."""
    code = ported(runner, block("alias: klarna").code)
    run(runner, "docker build --tag mock-klarna")
    run(runner, "docker run --detach --name klarna mock-klarna")
    run(runner, "docker exec klarna mock-klarna wait")
    run(runner, "docker inspect --format '{{.NetworkSettings.IPAddress}}' klarna")
    code = code.replace("http://klarna:", f"http://{runner.printed.split()[-1]}:").replace("$(hostname -i)", _GATEWAY)
    (job,) = yaml.safe_load(code).values()
    (runner.workspace / "start-your-shop").write_text(_MERCHANT)
    run(runner, "\n".join(job["script"]))
    assert '"state":"placed"' in runner.printed


def https_in_github_actions(runner: Runner) -> None:
    """https in GitHub Actions: a shop in a container reaches Klarna's address, and trusts the authority."""
    (job,) = yaml.safe_load(ported(runner, block("services:", 'env: {MOCK_KLARNA_TLS: "true"}').code))["jobs"].values()
    (service,) = job["services"].values()
    ports = " ".join(f"--publish {port}" for port in service["ports"])
    run(runner, f"docker build --tag {service['image']}\ndocker build --tag your-shop")
    run(runner, f"docker run --detach --name klarna {ports} --env MOCK_KLARNA_TLS=true {service['image']}")
    run(runner, "docker exec klarna mock-klarna wait")
    shop = job["steps"].pop()
    runner.run_steps(job["steps"], {}, {})
    run(runner, shop["run"].replace("docker run", "docker run --name shop"))
    run(runner, f"docker exec shop sh -c {quote(_ASK.replace('$1', '$NODE_EXTRA_CA_CERTS'))}")
    assert runner.printed.endswith("200\n")


_ASK = """python -c "import ssl, urllib.request as r
trusting = ssl.create_default_context(cafile='$1')
print(r.urlopen('https://api.playground.klarna.com/_mock/health', context=trusting).status)" """
"""Asks Klarna's address, trusting the authority in a file."""


def https_with_compose(runner: Runner) -> None:
    """https with Compose: a service writes the authority to a volume, and the shop reads it."""
    services = yaml.safe_load(ported(runner, block("services:", "  authority:").code))["services"]
    klarna, authority, shop = services["klarna"], services["authority"], services["shop"]
    settings = [f"--env {name}={value}" for name, value in klarna["environment"].items()]
    settings += [f"--sysctl {name}={value}" for name, value in klarna["sysctls"].items()]
    run(runner, f"docker build --tag mock-klarna\ndocker run --detach --name klarna {' '.join(settings)} mock-klarna")
    run(runner, "docker exec klarna mock-klarna wait")
    run(runner, "docker inspect --format '{{.NetworkSettings.IPAddress}}' klarna")
    address = runner.printed.split()[-1]
    hosts = " ".join(f"--add-host {name}:{address}" for name in ("klarna", *klarna["networks"]["default"]["aliases"]))
    folder = f"--volume {runner.folder}/authority:"
    (runner.folder / "authority").mkdir()
    program, flag, script = authority["entrypoint"]
    entry = f"{hosts} {folder}/authority --user {authority['user']} --entrypoint {program}"
    run(runner, f"docker run {entry} mock-klarna {flag} {quote(script)}")
    file = shop["environment"]["NODE_EXTRA_CA_CERTS"]
    run(
        runner,
        f"docker run {hosts} {folder}/authority:ro --entrypoint sh mock-klarna -c {quote(_ASK.replace('$1', file))}",
    )
    assert runner.printed.endswith("200\n")


def authority_that_stays(runner: Runner) -> None:
    """https with the image: the authority is in a folder of the user, also after a restart."""
    (code,) = (each.code for each in blocks("console", containing="mkdir -p klarna-tls"))
    start = (
        ported(runner, code)
        .replace("docker run", f"chown {_USER} klarna-tls\ndocker run --detach")
        .replace("443:8443", f"{free_port()}:8443")
    )
    authorities = []
    for _ in range(2):
        run(runner, f"{start}\ndocker exec klarna mock-klarna wait")
        authorities.append((runner.workspace / "klarna-tls" / "ca.pem").read_text())
        run(runner, "docker rm --force klarna")
    assert authorities[0] == authorities[1]
    assert (runner.workspace / "klarna-tls" / "authority.pem").stat().st_uid == _USER


RECIPES: list[Callable[[Runner], None]] = [docker_on_the_runner, service_container, authority_that_stays]
if not DOCKER:  # they use addresses of podman's network
    RECIPES += [gitlab_service, compose, https_in_github_actions, https_with_compose]


if __name__ == "__main__":
    for recipe in RECIPES:
        with machine(sys.argv[1]) as runner:
            recipe(runner)
        print(f"passed: {recipe.__doc__}")
