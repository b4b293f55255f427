"""docs/ci.md and the workflow are kept honest: each of their commands is one that the command line understands."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer.main
import yaml

from shaketable.checks import budget
from shaketable.cli import app
from shaketable.runner import profile
from tests.results.test_result import valid

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "ci.md"
WORKFLOW = ROOT / "docs" / "ci" / "shaketable.yml"
PAGES = [PAGE, ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
ACTION = ROOT / "action.yml"
TEMPLATE = ROOT / "docs" / "ci" / "shaketable.gitlab-ci.yml"
SHELL = {'"$TARGET"': "target.toml", "$SELECT": "--profile quick"}


def jobs() -> dict[str, Any]:
    return dict(yaml.safe_load(WORKFLOW.read_text())["jobs"])


def action() -> list[dict[str, Any]]:
    """The steps of the composite action."""
    return list(yaml.safe_load(ACTION.read_text())["runs"]["steps"])


def template() -> dict[str, Any]:
    """The job of the GitLab template."""
    return dict(yaml.safe_load(TEMPLATE.read_text())["shaketable"])


def commands() -> Iterator[str]:
    """Every command line of shaketable in the pages' blocks and in the workflow."""
    for page in dict.fromkeys(PAGES):
        for block in re.findall(r"^```(?:sh)?\n(.*?)^```", page.read_text().replace("\\\n", " "), re.S | re.M):
            yield from re.findall(r"^(?:\.venv/bin/)?(shaketable .*?)(?:  +#.*)?$", block, re.M)
    steps = [step.get("run", "") for job in jobs().values() for step in job["steps"]]
    steps += [step.get("run", "").replace('shaketable"', "shaketable") for step in action()]
    for step in [*steps, *template()["before_script"], *template()["script"]]:
        yield from re.findall(r"(shaketable [a-z].*?)(?: #.*|; fi| \|\| .*)?$", step, re.M)


@pytest.mark.parametrize("line", sorted(set(commands())))
def test_command_line_of_the_docs_is_understood(line: str) -> None:
    for variable, value in SHELL.items():
        line = line.replace(variable, value)
    name, *arguments = shlex.split(line, comments=True)[1:]
    known = typer.main.get_command(app)
    command = known.commands[name]  # type: ignore[attr-defined]
    context = command.make_context(name, arguments)  # raises a usage error for what it does not know
    if name not in ("explore", "shrink"):  # theirs is a time
        budget.parse(context.params.get("budget") or [])
    if context.params.get("profile"):
        profile.find(context.params["profile"])


def test_page_has_the_commands_that_a_gate_needs() -> None:
    found = " ".join(commands())
    for option in ("--profile quick", "--profile nightly", "--junit", "--json", "--github", "--budget", "--trials"):
        assert option in found
    assert "shaketable diff" in found


def test_every_budget_and_every_profile_with_its_scenarios_is_documented() -> None:
    told, budgets = PAGE.read_text(), (ROOT / "docs" / "gates.md").read_text()
    assert [name for name in budget.common() if f"| `{name}` |" not in budgets] == []
    for name, found in profile.profiles().items():
        assert f"| `{name}` |" in told
        assert found.every or all(f"`{scenario}`" in told for scenario in found.trials)


def test_workflow_pins_every_action_and_bounds_every_job() -> None:
    uses = re.findall(r"uses: (.*)", WORKFLOW.read_text())
    assert [use for use in uses if not re.fullmatch(r"[\w/-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+", use)] == []
    assert len({use.partition("@")[2] for use in uses}) == 4  # one version of each
    for job in jobs().values():
        assert job["timeout-minutes"] <= 120
        (upload,) = [step for step in job["steps"] if "upload-artifact" in step.get("uses", "")]
        assert (upload["if"], upload["with"]["path"]) == ("always()", "runs/")
    assert yaml.safe_load(WORKFLOW.read_text())["permissions"] == {"contents": "read"}


def test_workflow_writes_what_it_keeps_and_compares() -> None:
    lines = [line for line in commands() if "--profile" in line and "runs/junit.xml" in line]
    assert all(option in line for line in lines for option in ("--junit runs/", "--json runs/results.json", "--github"))
    assert any("diff baseline.json runs/results.json" in line for line in commands())


def test_a_night_that_failed_is_compared_and_does_not_become_the_baseline() -> None:
    steps = jobs()["nightly"]["steps"]
    compared = [step for step in steps if "cache/restore@" in step.get("uses", "") or "diff" in step.get("run", "")]
    assert [step.get("if") for step in compared] == ["${{ !cancelled() }}"] * 2
    kept = [step for step in steps if "cache/save@" in step.get("uses", "") or step.get("run", "").startswith("cp ")]
    assert [step.get("if") for step in kept] == [None] * 2  # on success alone


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(300)  # two runs; on a busy machine they take their time
def test_the_steps_of_a_night_run_without_and_with_a_baseline(tmp_path: Path) -> None:
    """The nightly job's `run:` steps after the install, as the runner has them: `bash -e` each, twice in one folder.

    In place of `--profile nightly`, which takes an hour, stands `hundred_events`.
    """
    steps = [step["run"] for step in jobs()["nightly"]["steps"] if "run" in step and "pip install" not in step["run"]]
    lines = [re.sub(r"--profile \w+", "hundred_events", step) for step in steps]
    assert len(lines) == 4
    for night in (1, 2):
        said = [stepped(line, tmp_path) for line in lines]
        assert valid((tmp_path / "runs" / "results.json").read_bytes())["verdict"] == "passed"
        assert ("verdict: PASSED – nothing is worse" in said[2]) == (night == 2)
        assert (tmp_path / "baseline.json").read_bytes() == (tmp_path / "runs" / "results.json").read_bytes()


def stepped(line: str, folder: Path) -> str:
    """What a step said that ended with 0."""
    step = folder / "step.sh"
    step.write_text(line)
    done = subprocess.run(["bash", "-e", step], capture_output=True, text=True, cwd=folder, env=runner(folder))
    assert done.returncode == 0, f"{line}\n{done.stdout}{done.stderr}"
    return done.stdout


def runner(folder: Path) -> dict[str, str]:
    """The environment of a step: `shaketable` on the PATH, the workflow's variables, the step's summary."""
    command = folder / "bin" / "shaketable"
    command.parent.mkdir(exist_ok=True)
    command.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m shaketable.cli "$@"\n')
    command.chmod(0o755)
    return {
        **os.environ,
        "PATH": f"{command.parent}:{os.environ['PATH']}",
        "PYTHONPATH": str(ROOT),
        "TARGET": str(ROOT / "reference_impl" / "target.toml"),
        "GITHUB_STEP_SUMMARY": str(folder / "summary.md"),
    }


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(400)  # four runs; on a busy machine they take their time
def test_the_page_tried_to_the_letter(tmp_path: Path) -> None:
    """What stands below `Try it`, in a folder of its own, as GitHub Actions would run it: every exit code is 0."""
    (script,) = re.findall(r"## Try it.*?```sh\n(.*?)```", PAGE.read_text(), re.S)
    done = subprocess.run(
        ["sh", "-e", "-c", script], capture_output=True, text=True, cwd=tmp_path, env=runner(tmp_path)
    )
    assert done.returncode == 0, done.stdout + done.stderr
    runs = valid((tmp_path / "before.json").read_bytes())["runs"]
    assert [(run["trial"], run["seed"], run["verdict"]) for run in runs] == [(1, 1, "passed"), (2, 2, "passed")]
    assert [run["seed"] for run in valid((tmp_path / "after.json").read_bytes())["runs"]] == [3]
    suites = list(ET.parse(tmp_path / "junit.xml").getroot())
    assert [(suite.get("name"), suite.get("errors"), suite.get("failures")) for suite in suites] == [
        ("hundred_events", "0", "0"),
        ("hundred_events (trial 2)", "0", "0"),
    ]
    assert "✅ shaketable: passed" in (tmp_path / "summary.md").read_text()
    assert "failed: none in 2 trials: at most 78 %" in done.stdout
    assert "verdict: PASSED – nothing is worse" in done.stdout
    assert "2 and 1 trials; 3 each show the noise" in done.stdout
