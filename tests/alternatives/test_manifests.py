"""Every alternative's manifest is sound, and what it is made of is pinned to the byte."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from shaketable.target import manifest

ALTERNATIVES = Path(__file__).parents[2] / "alternatives"
MANIFESTS = sorted(ALTERNATIVES.glob("*.toml"))
REQUIREMENTS = sorted(ALTERNATIVES.glob("*/requirements.txt"))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_manifest_is_sound_and_its_requirements_are_there(path: Path) -> None:
    told = manifest.load(path)
    assert told.name == path.stem
    assert told.stored.relation is not None or told.outbound is not None
    assert told.queue is not None  # else nothing missing could ever be called lost
    if told.requirements is not None:
        assert path.parent / told.requirements in REQUIREMENTS


@pytest.mark.parametrize("path", REQUIREMENTS, ids=lambda path: path.parent.name)
def test_requirements_are_exact_hashed_and_name_no_address(path: Path) -> None:
    entries = re.split(r"\n(?=\S)", path.read_text().strip())
    entries = [entry for entry in entries if not entry.startswith("#")]
    assert [entry for entry in entries if not re.match(r"[\w.-]+(\[[\w,-]+\])?==\S+", entry)] == []
    assert [entry for entry in entries if "--hash=sha256:" not in entry] == []
    assert "://" not in path.read_text()
    assert set(re.findall(r"--[a-z-]+", path.read_text())) == {"--hash"}


@pytest.mark.parametrize("path", sorted(ALTERNATIVES.glob("*-hardened.toml")), ids=lambda path: path.stem)
def test_what_is_hardened_has_its_defaults_beside_it(path: Path) -> None:
    defaults = manifest.load(path.with_name(path.name.replace("hardened", "defaults")))
    hardened = manifest.load(path)
    assert defaults.requirements == hardened.requirements
    assert [kind.name for kind in defaults.process] == [kind.name for kind in hardened.process][: len(defaults.process)]
