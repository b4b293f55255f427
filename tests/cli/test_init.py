"""`shaketable init`: what it writes works as it stands, and the README's "Test your own processor" is followed."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from shaketable.load.mix import Mix
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect
from shaketable.runner import profile
from shaketable.target import manifest
from tests.cli.test_cli import ROOT, sentence
from tests.conftest import Typed

SECTION = (ROOT / "README.md").read_text().partition("## Test your own processor\n")[2].partition("\n## ")[0]
#: What the section has people type, as arguments.
TYPED = [
    shlex.split(line, comments=True)[1:]
    for block in re.findall(r"```\n(.*?)```", SECTION, re.S)
    for line in block.splitlines()
]


def follow(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shaketable.cli", *arguments], capture_output=True, text=True, cwd=folder
    )


def test_readme_begins_with_init_and_then_speaks_of_what_it_wrote(tmp_path: Path) -> None:
    first, *then = TYPED
    assert first[0] == "init"
    done = follow(first, tmp_path)
    assert done.returncode == 0, done.stderr
    assert [arguments[0] for arguments in then] == ["doctor", "run"]
    for arguments in then:
        assert "--target" in arguments
        path = arguments[arguments.index("--target") + 1]
        assert manifest.load(tmp_path / path).contract == 1
        assert path in done.stdout


@pytest.mark.slow
@pytest.mark.timeout(400)  # a doctor's visit and a whole run, beside other tests
def test_readme_is_followed_to_the_letter(tmp_path: Path) -> None:
    for arguments in TYPED:
        done = follow(arguments, tmp_path)
        assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("name", ["target.toml", "processor.py"])
def test_nothing_is_ever_overwritten(name: str, tmp_path: Path, typed: Typed) -> None:
    (tmp_path / name).write_text("mine")
    done = typed("init", tmp_path)
    assert f"has a {name} already" in sentence(done)
    assert done.returncode == 254
    assert [path.name for path in tmp_path.iterdir()] == [name]
    assert (tmp_path / name).read_text() == "mine"


def test_folder_that_cannot_be_one_is_named(tmp_path: Path, typed: Typed) -> None:
    (tmp_path / "file").write_text("")
    done = typed("init", tmp_path / "file" / "my")
    assert str(tmp_path / "file" / "my") in sentence(done)
    assert done.returncode == 254


#: Checks of times: on a machine that is too slow for the rate of a scenario they fail, whatever the target does.
TIMES = {"latency_budget", "isolated", "recovers_in_time"}


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(900)
def test_profile_quick_passes_on_what_init_writes_but_for_poison(tmp_path: Path) -> None:
    assert follow(["init", "my"], tmp_path).returncode == 0
    table = tmp_path / "table.json"
    done = follow(["run", "--profile", "quick", "--target", "my/target.toml", "--json", str(table)], tmp_path)
    runs = {run["scenario"]: run for run in json.loads(table.read_text())["runs"]}
    assert set(runs) == set(profile.find("quick").trials)
    assert {run["verdict"] for run in runs.values()} <= {"passed", "failed", "unknown"}, done.stdout + done.stderr
    failed = {
        name: {c for c, judged in run["checks"].items() if judged["required"] and judged["verdict"] == "failed"}
        for name, run in runs.items()
    }
    # it has no dead letters: docs and the template say that an event that the database refuses holds up all behind it
    assert failed.pop("poison") == {"isolated"}, done.stdout + done.stderr
    assert all(checks <= TIMES for checks in failed.values()), done.stdout + done.stderr
    assert runs["calm"]["verdict"] == "passed", done.stdout + done.stderr
    assert done.returncode == 1, done.stdout + done.stderr


def written(folder: Path, *more: str) -> subprocess.CompletedProcess[str]:
    return follow(["init", "my", "--event", str(ROOT / "alternatives/order_service/order.schema.json"), *more], folder)


def test_start_for_a_schema_finds_its_id_and_accepts_what_the_schema_does(tmp_path: Path) -> None:
    done = written(tmp_path)
    assert done.returncode == 0, done.stderr
    found = manifest.load(tmp_path / "my" / "target.toml")
    assert found.event is not None
    assert (found.event.id, found.event.id_format) == ("/order/id", "ORD-{uuid}")
    accepted = runpy.run_path(str(tmp_path / "my" / "processor.py"))["accepted"]
    event_id = "ORD-0b8f9a52-6c1e-4c59-9a37-3f4d2e9c1a77"
    shapes = OwnShapes(found.event, tmp_path / "my").corpus(Mix(shapes=40), 1, cache=tmp_path)
    for shape in shapes:
        if shape.expect is Expect.ACCEPT:
            assert accepted(shape.wire(event_id, shape.order)) == event_id, shape.why
        elif shape.expect is Expect.REFUSE:
            with pytest.raises((ValueError, ArithmeticError, LookupError)):
                accepted(shape.wire(event_id))


@pytest.mark.parametrize(
    ("schema", "more", "told"),
    [
        ('{"type": "object"}', [], "looks like an id: name it with --id"),
        ('{"type": "object"}', ["--id", "id"], "event.id as a JSON Pointer, got 'id'"),
        ("{", [], "looks like an id"),
        (None, [], "expected a JSON Schema"),
    ],
)
def test_schema_without_an_id_is_explained(tmp_path: Path, schema: str | None, more: list[str], told: str) -> None:
    if schema is not None:
        (tmp_path / "s.json").write_text(schema)
    done = follow(["init", "my", "--event", "s.json", *more], tmp_path)
    assert (done.returncode, told in done.stderr) == (254, True), done.stderr
    assert not (tmp_path / "my").exists()
