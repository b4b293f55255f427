"""A folder that is a whole project: its runs, dot files and packages are no sources of the target."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from shaketable import rundir
from shaketable.errors import HarnessError
from shaketable.files import cached
from shaketable.target.environments import go, node


@pytest.fixture
def project(tmp_path: Path) -> Path:
    folder = tmp_path / "project"
    for name in ("main.js", "lib/part.js", "go.mod", "go.sum", "main.go"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(name)
    return folder


def work_in(project: Path) -> None:
    """Leave what runs and developers leave in a project."""
    for root in (project / "runs", project / "lib" / "mine", project):
        rundir.write_json(rundir.create(root, "calm", "mine") / rundir.SCENARIO, {})
    for name in (".git/HEAD", ".env", "lib/.cache/part"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text("more")


def test_copy_for_node_has_the_sources_alone_and_stays(project: Path, tmp_path: Path) -> None:
    kept = tmp_path / "kept"
    kept.mkdir()
    copy = node._sources(project, kept)
    work_in(project)
    assert node._sources(project, kept) == copy
    (project / "main.js").write_text("changed")
    changed = node._sources(project, kept)
    assert changed != copy
    found = {str(path.relative_to(changed)) for path in changed.rglob("*") if path.is_file()}
    assert found == {"main.js", "lib/part.js", "go.mod", "go.sum", "main.go"}


def test_programs_of_go_are_not_built_anew_for_a_run(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cached, "ensure", lambda *_: None)
    before = go.paths(project, print)
    work_in(project)
    assert go.paths(project, print) == before
    (project / "lib" / "latest").mkdir()
    (project / "lib" / "latest" / "part.go").write_text("a folder of this name may be a source")
    assert go.paths(project, print) != before


def test_source_that_cannot_be_copied_is_named(project: Path, tmp_path: Path) -> None:
    os.mkfifo(project / "pipe")
    with pytest.raises(HarnessError, match=r"cannot copy .*pipe.*: let nothing write"):
        node._sources(project, tmp_path)
