"""`shaketable init`: what it writes works as it stands, and the README's "Test your own processor" is followed."""

from __future__ import annotations

import json
import re
import runpy
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from unittest.mock import MagicMock

import pytest

from shaketable.load.mix import Mix
from shaketable.load.mix.own.corpus import OwnShapes
from shaketable.load.mix.shape import Expect
from shaketable.runner import profile
from shaketable.target import manifest
from tests.cli.test_cli import ROOT, sentence
from tests.conftest import Typed
from tests.support.cases import nightly
from tests.target.environments.test_node import needs_node

SECTION = (ROOT / "README.md").read_text().partition("## Test your own processor\n")[2].partition("\n## ")[0]
#: The lines that the section has people type, with their comments.
TYPED = [line for block in re.findall(r"```\n(.*?)```", SECTION, re.S) for line in block.splitlines()]


def follow(arguments: list[str], folder: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "shaketable.cli", *arguments], capture_output=True, text=True, cwd=folder
    )


def typed_in(line: str, folder: Path) -> subprocess.CompletedProcess[str]:
    program, *arguments = shlex.split(line, comments=True)
    if program == "shaketable":
        return follow(arguments, folder)
    return subprocess.run([program, *arguments], capture_output=True, text=True, cwd=folder)


def test_readme_begins_with_init_and_then_speaks_of_what_it_wrote(tmp_path: Path) -> None:
    done = typed_in(TYPED[0], tmp_path)
    assert done.returncode == 0, done.stderr
    programs, bug = [shlex.split(line)[0] for line in TYPED], TYPED[3]
    assert programs == ["shaketable", "shaketable", "shaketable", "sed", "shaketable"]
    for line in (TYPED[1], TYPED[2], TYPED[4]):
        path = re.findall(r"--target (\S+)", line)[0]
        assert manifest.load(tmp_path / path).contract == 2
        assert path in done.stdout
    before = (tmp_path / "my" / "processor.py").read_text()
    assert typed_in(bug, tmp_path).returncode == 0
    assert len((tmp_path / "my" / "processor.py").read_text()) > len(before)


def ended_as(done: subprocess.CompletedProcess[str], code: int) -> bool:
    """Whether it ended so; a run that should pass may be unknown by its times where other tests use the CPUs."""
    return done.returncode == code or (done.returncode == 2 and code == 0 and "other programs used" in done.stdout)


@pytest.mark.nightly
@pytest.mark.alone  # the README says which run passes, and a start is one small process: others make its events late
@pytest.mark.timeout(500)  # an environment, a doctor's visit and two whole runs
def test_readme_is_followed_to_the_letter_and_ends_in_a_failed_run(tmp_path: Path) -> None:
    for line in TYPED:
        done = typed_in(line, tmp_path)
        assert ended_as(done, int("exit code 1" in line)), done.stdout + done.stderr
    checks = json.loads((tmp_path / "runs" / "latest" / "verdict.json").read_text())["checks"]
    assert checks["content_intact"]["verdict"] == "failed"
    shown = [member for members in checks["content_intact"]["members"].values() for member in members]
    assert any(re.search(r"/items/\d+/amount", each) for each in shown), shown
    assert checks["no_loss"]["verdict"] == "passed"


@pytest.mark.nightly
@pytest.mark.timeout(300)
@pytest.mark.parametrize(
    "kind",
    [
        [],
        pytest.param(["--node"], marks=needs_node),
        ["--kind", "go"],
    ],
    ids=["audit", "express", "go"],
)
def test_each_start_passes_calm_as_it_stands(kind: list[str], tmp_path: Path) -> None:
    assert follow(["init", "my", *kind], tmp_path).returncode == 0
    done = follow(["run", "calm", "--target", "my/target.toml"], tmp_path)
    assert ended_as(done, 0), done.stdout + done.stderr


@pytest.mark.parametrize(
    ("kind", "program", "code", "pins"),
    [
        ("fastapi", "processor.py", 'ID = ("order", "id",)', ["requirements.txt"]),
        (
            "express",
            "service/processor.js",
            'ID = ["order", "id"]',
            ["service/package.json", "service/package-lock.json"],
        ),
        ("go", "service/main.go", 'id = []string{"order", "id"}', ["service/go.mod", "service/go.sum"]),
    ],
)
def test_each_kind_has_a_manifest_a_schema_pins_and_its_code(
    kind: str, program: str, code: str, pins: list[str], tmp_path: Path, typed: Typed
) -> None:
    assert typed("init", tmp_path / "my", "--kind", kind).returncode == 0
    my = tmp_path / "my"
    files = {str(path.relative_to(my)) for path in my.rglob("*") if path.is_file()}
    assert files == {"target.toml", "event.schema.json", program, *pins}
    assert code in (my / program).read_text()
    assert not [name for name in pins if "://" in (my / name).read_text()]  # no address of a registry
    found = manifest.load(my / "target.toml")
    assert found.event is not None
    assert (found.event.id, found.event.id_format, found.event.order_by) == ("/order/id", "ORD-{uuid}", "/customer/id")
    assert any(word.endswith(Path(program).name) or "{go_bin}" in word for word in found.words())


def test_node_is_short_for_express_and_for_nothing_else(tmp_path: Path, typed: Typed) -> None:
    assert typed("init", tmp_path / "my", "--node").returncode == 0
    assert (tmp_path / "my" / "service" / "processor.js").exists()
    done = typed("init", tmp_path / "other", "--node", "--kind", "go")
    assert (done.returncode, (tmp_path / "other").exists()) == (254, False)
    assert "--node is --kind express" in done.stderr


@pytest.mark.skipif(not shutil.which("gofmt"), reason="no gofmt on PATH: the form of the Go code is not tested")
def test_go_code_is_formatted(tmp_path: Path, typed: Typed) -> None:
    assert typed("init", tmp_path / "my", "--kind", "go").returncode == 0
    done = subprocess.run(["gofmt", "-l", tmp_path / "my"], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "")


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


@pytest.mark.nightly
def test_start_for_a_schema_finds_its_id_and_accepts_what_the_schema_does(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = written(tmp_path)
    assert done.returncode == 0, done.stderr
    found = manifest.load(tmp_path / "my" / "target.toml")
    assert found.event is not None
    assert (found.event.id, found.event.id_format) == ("/order/id", "ORD-{uuid}")
    monkeypatch.setitem(sys.modules, "fastapi", MagicMock())  # it is in the processor's own environment
    monkeypatch.setitem(sys.modules, "fastapi.responses", MagicMock())
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
        nightly(('{"type": "object"}', ["--id", "id"], "event.id as a JSON Pointer, got 'id'")),
        nightly(("{", [], "looks like an id")),
        (None, [], "expected a JSON Schema"),
    ],
)
def test_schema_without_an_id_is_explained(tmp_path: Path, schema: str | None, more: list[str], told: str) -> None:
    if schema is not None:
        (tmp_path / "s.json").write_text(schema)
    done = follow(["init", "my", "--event", "s.json", *more], tmp_path)
    assert (done.returncode, told in done.stderr) == (254, True), done.stderr
    assert not (tmp_path / "my").exists()
