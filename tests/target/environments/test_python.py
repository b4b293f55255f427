"""A target's own Python: a real environment with exactly what its hashed requirements name."""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import subprocess
import zipfile
from pathlib import Path

import pytest

from shaketable.errors import HarnessError, ManifestError, ToolchainMissing
from shaketable.target import environments, manifest
from shaketable.target.environments import python

MANIFEST = """
contract = 1
name = "mine"
requirements = "requirements.txt"
ingest.process = "api"
stored.sql = "select event_id, event from kept"
[[process]]
name = "api"
command = ["{venv_python}", "-m", "mine"]
"""
FILES = {
    "tiny.py": b"VALUE = 7\n",
    "tiny-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n",
    "tiny-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
}


def digest(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def requirements(folder: Path, sha: str | None = None) -> Path:
    """Names a wheel that lies beside it, by its hash: nothing comes over the network."""
    wheel = folder / "tiny-1.0-py3-none-any.whl"
    record = "".join(f"{name},sha256={digest(content)},{len(content)}\n" for name, content in FILES.items())
    with zipfile.ZipFile(wheel, "w") as packed:
        for name, content in {**FILES, "tiny-1.0.dist-info/RECORD": record.encode()}.items():
            packed.writestr(name, content)
    sha = sha or hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "requirements.txt").write_text(f"tiny @ {wheel.as_uri()} --hash=sha256:{sha}\n")
    return folder / "requirements.txt"


@pytest.mark.slow
def test_environment_holds_what_is_pinned_and_nothing_of_ours_and_is_kept(tmp_path: Path) -> None:
    told: list[str] = []
    asked = requirements(tmp_path)
    made = [python.program(asked, told.append, tmp_path / "cache") for _ in range(2)]
    assert made[0] == made[1]
    assert told == [f"making the Python environment of {tmp_path.name}/requirements.txt, once (up to a minute)"]
    said = subprocess.run(
        [made[0], "-c", "import tiny; print(tiny.VALUE); import msgspec"], capture_output=True, text=True
    )
    assert said.stdout == "7\n"
    assert "No module named 'msgspec'" in said.stderr


@pytest.mark.nightly
def test_a_wheel_of_another_hash_is_refused_in_one_sentence(tmp_path: Path) -> None:
    asked = requirements(tmp_path, sha="0" * 64)
    with pytest.raises(
        HarnessError, match=r"cannot make the Python environment of .*Expected sha256 0+ Got .*look at the network"
    ):
        python.program(asked, lambda _: None, tmp_path / "cache")


def test_requirements_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(ManifestError, match=r"gone\.txt: No such file"):
        python.program(tmp_path / "gone.txt", lambda _: None, tmp_path / "cache")


def test_a_python_that_cannot_make_environments_is_a_missing_toolchain(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ToolchainMissing, match=r"Python's module venv.*such as python3-venv") as raised:
        python.program(requirements(tmp_path), lambda _: None, tmp_path / "cache")
    assert raised.value.exit_code == 254


def test_manifest_names_the_environment_and_its_commands_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(environments.KINDS, "requirements", lambda file, say: (Path("/made/of") / file.name,))
    (tmp_path / "target.toml").write_text(MANIFEST)
    programs = environments.programs(manifest.load(tmp_path / "target.toml"), tmp_path, lambda _: None)
    assert programs["{venv_python}"] == "/made/of/requirements.txt"


def test_a_placeholder_without_its_key_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "target.toml").write_text(MANIFEST.replace('requirements = "requirements.txt"', ""))
    with pytest.raises(ManifestError, match=r"names {venv_python}, but there is no key 'requirements'"):
        manifest.load(tmp_path / "target.toml")
