"""The composite action and the GitLab template: their steps run as a runner would run them."""

from __future__ import annotations

import http.server
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import yaml

from tests.results.test_result import valid
from tests.test_ci import ACTION, ROOT, TEMPLATE, action, template

#: `gh` as the action calls it: it lists the run of the baseline and its artifact, and downloads that.
GH = """#!/bin/sh
case "$1 $2" in
"api repos"*) echo false ;;  # it has not expired
"run list") [ -f "{held}/results.json" ] && echo 17 || true ;;
"run download") [ "$3" = 17 ] && mkdir -p "{to}" && cp "{held}/results.json" "{to}" ;;
esac
"""


def test_action_pins_what_it_uses_and_puts_no_expression_into_a_script() -> None:
    uses = re.findall(r"uses: (.*)", ACTION.read_text())
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    assert [step["run"] for step in action() if "${{" in step.get("run", "")] == []
    inputs = yaml.safe_load(ACTION.read_text())["inputs"]
    assert [name for name in inputs if f"inputs.{name}" not in ACTION.read_text()] == []


def test_a_failed_run_is_compared_and_uploaded_and_does_not_become_the_baseline() -> None:
    named = {step.get("name") or step["with"].get("name"): step for step in action()}
    assert named["Compare"]["if"] == "${{ !cancelled() }}"
    assert named["${{ inputs.name }}"]["if"] == "always()"
    assert named["${{ inputs.name }}-baseline"]["if"] == "github.event_name == 'push'"  # and, by default, on success
    artifacts = template()["artifacts"]
    assert (artifacts["when"], artifacts["reports"]["junit"]) == ("always", "runs/junit.xml")


def stepped(script: str, folder: Path, env: dict[str, str]) -> str:
    command = ["bash", "-e", "-o", "pipefail", "-c", script]
    done = subprocess.run(command, cwd=folder, env=env, capture_output=True, text=True)
    assert done.returncode == 0, f"{script}\n{done.stdout}{done.stderr}"
    return done.stdout


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """The repository as a runner checks it out, with the changes that are not committed yet."""
    subprocess.run(["git", "clone", "--quiet", ROOT, tmp_path / "clone"], check=True)
    for path in (ACTION, TEMPLATE):
        (tmp_path / "clone" / path.relative_to(ROOT)).write_text(path.read_text())
    (tmp_path / "work").mkdir()
    return tmp_path / "clone"


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(900)  # an installation, and two runs
def test_the_steps_of_the_action_run_without_and_with_a_baseline(clone: Path, tmp_path: Path) -> None:
    work, held, temp = tmp_path / "work", tmp_path / "held", tmp_path / "temp"
    for folder in (held, temp, tmp_path / "bin"):
        folder.mkdir()
    (tmp_path / "bin" / "gh").write_text(GH.format(held=held, to=temp / "baseline"))
    (tmp_path / "bin" / "gh").chmod(0o755)
    env = {
        **os.environ,
        "PATH": f"{tmp_path / 'bin'}:{os.environ['PATH']}",
        "RUNNER_TEMP": str(temp),
        "GITHUB_ACTION_PATH": str(clone),
        "GITHUB_REPOSITORY": "o/r",
        "GITHUB_WORKFLOW": "ci",
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "BRANCH": "main",
        "NAME": "shaketable",
        "TARGET": str(clone / "reference_impl/target.toml"),
        "SELECT": "hundred_events",
    }
    steps = {step["name"]: step["run"] for step in action() if "run" in step}
    for night in (1, 2):
        said = {name: stepped(run, work, env) for name, run in steps.items() if night == 1 or name != "Install"}
        assert valid((work / "runs" / "results.json").read_bytes())["verdict"] == "passed"
        assert "passed in 1 run" in (work / "runs" / "badge.svg").read_text()
        assert ("There is no baseline yet" in said["Fetch the baseline"]) == (night == 1)
        assert ("verdict: PASSED – nothing is worse" in said["Compare"]) == (night == 2)
        (held / "results.json").write_bytes((work / "runs" / "results.json").read_bytes())
    assert "shaketable: passed" in (tmp_path / "summary.md").read_text()


@pytest.fixture
def artifacts(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """GitLab's address for the artifacts of a branch, and the folder behind it."""
    held = tmp_path / "projects/7/jobs/artifacts/main/raw/runs"
    held.mkdir(parents=True)
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=str(tmp_path))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", held
        server.shutdown()


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_the_script_of_the_template_runs_without_and_with_a_baseline(
    clone: Path, tmp_path: Path, artifacts: tuple[str, Path]
) -> None:
    address, held = artifacts
    work, job = tmp_path / "work", template()
    env = {
        **os.environ,
        **{name: value for name, value in job["variables"].items() if name != "XDG_CACHE_HOME"},
        "CI_API_V4_URL": address,
        "CI_PROJECT_ID": "7",
        "CI_DEFAULT_BRANCH": "main",
        "CI_JOB_NAME": "shaketable",
        "BASELINE_TOKEN": "stub",
        "SELECT": "hundred_events",
        "no_proxy": "*",
        "TARGET": str(clone / "reference_impl/target.toml"),
        "LOCK": str(clone / "requirements.lock"),
    }
    built = [
        "-m",
        "pip",
        "wheel",
        "--quiet",
        "--no-deps",
        "--no-build-isolation",
        "-w",
        str(tmp_path / "wheel"),
        str(clone),
    ]
    subprocess.run([sys.executable, *built], check=True)
    env["SHAKETABLE"] = str(next((tmp_path / "wheel").glob("*.whl")))
    for line in job["before_script"]:
        stepped(line, work, env)
    for night in (1, 2):
        said = "".join(stepped(line, work, env) for line in job["script"])
        assert ("There is no baseline yet" in said) == (night == 1)
        assert ("verdict: PASSED – nothing is worse" in said) == (night == 2)
        assert "passed in 1 run" in (work / "runs" / "badge.svg").read_text()
        assert valid((work / "runs" / "results.json").read_bytes())["verdict"] == "passed"
        (held / "results.json").write_bytes((work / "runs" / "results.json").read_bytes())
