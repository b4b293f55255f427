"""Our images install what the lock names, by hash, and nothing else."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

ROOT = Path(__file__).parents[1]
LOCKS = {"reference_impl/Dockerfile": "reference_impl/requirements", "compose/locust.Dockerfile": "compose/locust"}


def pinned(path: Path) -> dict[str, str]:
    """Each package of a lock with its version, marker and hashes."""
    text = re.sub(r"^ +# .*\n", "", path.read_text(encoding="utf-8"), flags=re.M)
    return {re.split(r"\[|==", part)[0]: part for part in re.split(r"^(?=[a-z0-9])", text, flags=re.M) if part}


def versions(path: Path) -> dict[str, tuple[str, frozenset[str]]]:
    return {
        name: (part.partition("==")[2].split()[0], frozenset(re.findall(r"sha256:\w+", part)))
        for name, part in pinned(path).items()
    }


@pytest.mark.parametrize("image", LOCKS)
def test_image_installs_by_hash_from_its_lock(image: str) -> None:
    text = (ROOT / image).read_text(encoding="utf-8")
    (install,) = re.findall(r"pip install (.*)", text)
    assert {"--require-hashes", "--only-binary", "-r"} <= set(install.split())
    assert f"COPY {LOCKS[image]}.lock " in text
    assert f"!{LOCKS[image].split('/')[0]}" in (ROOT / ".dockerignore").read_text(encoding="utf-8")


@pytest.mark.parametrize("lock", LOCKS.values())
def test_lock_of_an_image_has_the_versions_and_hashes_of_the_lock(lock: str) -> None:
    whole, part = versions(ROOT / "requirements.lock"), versions(ROOT / f"{lock}.lock")
    assert part
    assert {name: found for name, found in part.items() if whole.get(name) != found} == {}
    asked = (ROOT / f"{lock}.in").read_text(encoding="utf-8").split()
    assert {name.partition("[")[0] for name in asked} <= set(part)


def test_workflow_to_copy_installs_by_hash() -> None:
    jobs = yaml.safe_load((ROOT / "docs" / "ci" / "shaketable.yml").read_text(encoding="utf-8"))["jobs"]
    installs = [step["run"] for job in jobs.values() for step in job["steps"] if "pip install" in step.get("run", "")]
    assert installs
    assert all("--require-hashes" in each or "--no-deps" in each for each in installs)
