"""A target's own Node packages: a real environment with exactly what its lock file names, and its sources beside it."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from shaketable.errors import ManifestError, ToolchainMissing
from shaketable.target.environments import installed, node

#: As `compare` does with a target that cannot be tried here: skipped, and said.
needs_node = pytest.mark.skipif(not shutil.which("npm"), reason="no Node.js on PATH: a target of Node cannot be tried")
BULLMQ = Path(__file__).parents[3] / "alternatives" / "bullmq"


def npm(*arguments: str, cwd: Path) -> None:
    subprocess.run(
        ["npm", *arguments, "--offline", "--no-audit", "--no-fund"], cwd=cwd, check=True, capture_output=True
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A program that needs a package, which lies in an archive beside it: nothing comes over the network."""
    tiny, mine = tmp_path / "tiny", tmp_path / "mine"
    tiny.mkdir()
    (tiny / "package.json").write_text('{"name": "tiny", "version": "1.2.3", "type": "module", "exports": "./tiny.js"}')
    (tiny / "tiny.js").write_text("export const value = 7;\n")
    npm("pack", str(tiny), cwd=tmp_path)
    mine.mkdir()
    needs = {"type": "module", "dependencies": {"tiny": f"file:{tmp_path / 'tiny-1.2.3.tgz'}"}}
    (mine / "package.json").write_text(json.dumps(needs))
    (mine / "main.js").write_text("import { value } from 'tiny';\nconsole.log(value);\n")
    npm("install", "--package-lock-only", cwd=mine)
    return mine


def run(program: Path, copy: Path) -> str:
    return subprocess.run([program, copy / "main.js"], capture_output=True, text=True, cwd="/").stdout.strip()


@pytest.mark.slow
@needs_node
def test_sources_find_what_is_locked_and_packages_are_kept_while_sources_change(folder: Path, tmp_path: Path) -> None:
    told: list[str] = []
    program, copy = node.paths(folder, told.append, tmp_path / "cache")
    assert run(program, copy) == "7"
    assert installed.packages({"{node_folder}": str(copy)}) == {"tiny": "1.2.3"}
    assert node.paths(folder, told.append, tmp_path / "cache") == (program, copy)
    (folder / "main.js").write_text("import { value } from 'tiny';\nconsole.log(value + 1);\n")
    (folder / "node_modules").mkdir()  # somebody works in the folder: it is no source
    program, changed = node.paths(folder, told.append, tmp_path / "cache")
    assert (run(program, changed), run(program, copy)) == ("8", "7")
    assert told == ["making the Node environment of mine, once (up to a minute)"]


@pytest.mark.slow
@needs_node
def test_folder_without_a_lock_is_named(folder: Path, tmp_path: Path) -> None:
    (folder / "package-lock.json").unlink()
    with pytest.raises(ManifestError, match=r"package-lock\.json: No such file"):
        node.paths(folder, print, tmp_path / "cache")


@pytest.mark.parametrize("lacking", ["node", "npm"])
def test_machine_without_node_lacks_a_toolchain(lacking: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in {"node", "npm"} - {lacking}:
        (tmp_path / name).write_text("#!/bin/sh\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainMissing, match=f"expected {lacking} on PATH.*install Node.js 20 or newer") as raised:
        node.paths(BULLMQ, print, tmp_path / "cache")
    assert raised.value.exit_code == 254


@pytest.mark.parametrize("told", ["v18.20.4", "", "nonsense"])
def test_node_that_is_too_old_or_tells_no_version_is_no_toolchain(
    told: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("node", "npm"):
        (tmp_path / name).write_text(f"#!/bin/sh\necho {told}\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(ToolchainMissing, match=f"'{told}'.*Node.js 20 or newer"):
        node.paths(BULLMQ, print, tmp_path / "cache")


def test_lock_of_bullmq_names_exact_versions_by_hash_and_no_address() -> None:
    text = (BULLMQ / "package-lock.json").read_text()
    assert "://" not in text
    packages = json.loads(text)["packages"]
    pinned = json.loads((BULLMQ / "package.json").read_text())["dependencies"]
    assert packages.pop("")["dependencies"] == pinned
    assert {name: packages[f"node_modules/{name}"]["version"] for name in pinned} == pinned
    assert [name for name, told in packages.items() if not told["integrity"].startswith("sha512-")] == []
