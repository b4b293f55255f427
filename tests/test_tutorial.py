"""The tutorial is followed to the letter: its files load, and each command ends as the chapter says."""

from __future__ import annotations

import re
import subprocess
from itertools import pairwise
from pathlib import Path

import pytest

from shaketable.runner import scenario
from tests.support.busy import too_busy
from tests.test_ci import ROOT, runner

CHAPTERS = sorted((ROOT / "docs" / "tutorial").glob("*.md"))
FILE = re.compile(r"[Pp]ut this into `([^`]+)`:\n\n```\w+\n(.*?)```", re.S)
TYPED = re.compile(r"^```sh\n(.*?)^```", re.S | re.M)
EXIT_CODE = re.compile(r"  # exit code (\d+)$")
#: The chapter whose first commands a chapter builds on.
BUILDS_ON = {"7-explore": "2-read-a-failure"}
#: One chapter requires no check of times and runs for each change; the others run every night, one by one.
EACH_CHANGE = "5-your-fault"
NIGHTLY = [path.stem for path in CHAPTERS if path.stem != EACH_CHANGE]
NAMES = [EACH_CHANGE, *(pytest.param(name, marks=[pytest.mark.nightly, pytest.mark.alone]) for name in NIGHTLY)]


def chapter(name: str) -> str:
    return (ROOT / "docs" / "tutorial" / f"{name}.md").read_text()


def commands(block: str) -> list[tuple[str, int]]:
    """Each line of a block, and the exit code that the chapter promises."""
    return [(line, int(found[1]) if (found := EXIT_CODE.search(line)) else 0) for line in block.splitlines()]


def test_each_chapter_leads_to_the_next() -> None:
    for here, following in pairwise(CHAPTERS):
        assert f"]({following.name})" in here.read_text()
    assert [path.name[0] for path in CHAPTERS] == [str(n + 1) for n in range(len(CHAPTERS))]


def test_scenario_of_a_chapter_loads(tmp_path: Path) -> None:
    for path in CHAPTERS:
        for name, text in FILE.findall(path.read_text()):
            if name.endswith(".py"):
                (tmp_path / name).write_text(text)
                assert scenario.load(str(tmp_path / name)).checks


@pytest.mark.nightly
@pytest.mark.timeout(1200)  # on a busy machine a run takes its time
@pytest.mark.parametrize("name", NAMES)
def test_chapter_is_followed_to_the_letter(name: str, tmp_path: Path) -> None:
    for file, text in FILE.findall(chapter(name)):
        (tmp_path / file).write_text(text)
    before = TYPED.findall(chapter(BUILDS_ON[name]))[:1] if name in BUILDS_ON else []
    for block in before + TYPED.findall(chapter(name)):
        for line, code in commands(block):
            done = subprocess.run(
                ["sh", "-c", line], cwd=tmp_path, env=runner(tmp_path), capture_output=True, text=True
            )
            print(line, done.stdout, done.stderr, sep="\n")
            busy = (code, done.returncode) == (0, 2) and too_busy(tmp_path / "runs" / "latest")
            assert busy or done.returncode == code, line
