"""What a target's own environment holds is read from its files."""

from __future__ import annotations

import sys
from pathlib import Path

from shaketable.files.cached import WHOLE
from shaketable.target.environments.installed import packages


def test_versions_of_a_python_environment_are_those_of_its_packages(tmp_path: Path) -> None:
    for name, version in (("Celery", "5.6.0"), ("kombu", "5.6.1"), ("pip", "26.0")):
        info = tmp_path / "lib" / "python3.11" / "site-packages" / f"{name}-{version}.dist-info"
        info.mkdir(parents=True)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    (tmp_path / WHOLE).touch()
    programs = {"{python}": sys.executable, "{venv_python}": str(tmp_path / "bin" / "python")}
    assert packages(programs) == {"celery": "5.6.0", "kombu": "5.6.1"}


def test_versions_of_a_node_environment_are_those_of_its_modules(tmp_path: Path) -> None:
    for name, text in (
        ("bullmq", '{"name": "bullmq", "version": "5.60.0"}'),
        ("torn", "{"),
        ("@s/x", '{"name": "@s/x", "version": "1.0.0"}'),
    ):
        (tmp_path / "node_modules" / name).mkdir(parents=True)
        (tmp_path / "node_modules" / name / "package.json").write_text(text)
    (tmp_path / WHOLE).touch()
    assert packages({"{node_modules}": str(tmp_path / "node_modules")}) == {"@s/x": "1.0.0", "bullmq": "5.60.0"}


def test_version_of_node_is_told_where_commands_name_it(tmp_path: Path) -> None:
    node = tmp_path / "node"
    node.write_text("#!/bin/sh\necho v22.20.0\n")
    node.chmod(0o700)
    assert packages({"{node}": str(node)}) == {"node": "22.20.0"}


def test_target_without_an_environment_of_its_own_has_none() -> None:
    assert packages({"{python}": sys.executable}) == {}
