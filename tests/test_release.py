"""A release is coherent: one version everywhere, and only the Pythons that `make wheels` tries."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[1]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]


def numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def test_newest_release_of_the_changelog_is_this_version_or_an_earlier_one_with_unreleased_lines() -> None:
    heads = re.findall(r"^## (.*)$", (ROOT / "CHANGELOG.md").read_text(encoding="utf-8"), re.M)
    released = [found[1] for head in heads if (found := re.match(r"(\d+\.\d+\.\d+) – \d{4}-\d\d-\d\d$", head))]
    assert len(released) + ("Unreleased" in heads) == len(heads)
    assert released == sorted(released, key=numbers, reverse=True)
    assert "Unreleased" not in heads[1:]
    if heads[0] == "Unreleased":
        assert numbers(PROJECT["version"]) >= numbers(released[0])
    else:
        assert PROJECT["version"] == released[0]


def test_examples_have_this_version() -> None:
    pages = [path for path in (ROOT / "docs").rglob("*") if path.suffix in (".md", ".yml")]
    text = "\n".join(path.read_text(encoding="utf-8") for path in pages)
    told = re.findall(r'shaketable-(\d[\d.]*\d)-py3|"shaketable": "([^"]+)"', text)
    assert {wheel or member for wheel, member in told} == {PROJECT["version"]}


def test_classifiers_name_only_pythons_that_are_tried_every_night() -> None:
    made = re.search(r"^PYTHONS \?= (.*)$", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert made is not None
    tried = made[1].split()
    named = [each.rpartition(" ")[2] for each in PROJECT["classifiers"] if " :: Python :: 3." in each]
    assert named
    assert set(named) <= set(tried)
    assert f">={tried[0]}" == PROJECT["requires-python"]
    jobs = yaml.safe_load((ROOT / ".github/workflows/nightly.yml").read_text(encoding="utf-8"))["jobs"]
    (setup,) = [step for step in jobs["wheels"]["steps"] if "setup-python" in step.get("uses", "")]
    assert sorted(setup["with"]["python-version"].split()) == sorted(tried)
