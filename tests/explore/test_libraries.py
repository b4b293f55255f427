"""The libraries of this machine: what is missing is said once, and nothing is downloaded unasked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from shaketable.errors import NotPlayable
from shaketable.explore import libraries
from shaketable.stack.disk_shim import library as disk
from shaketable.stack.wall_clock import library as clock


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """A machine with both; holds "disk" once the disk's library was made."""
    calls: list[str] = []
    monkeypatch.setattr(disk, "library", lambda *_: calls.append("disk"))
    monkeypatch.setattr(disk, "at_hand", lambda _: True)
    monkeypatch.setattr(clock, "library", lambda: Path("there"))
    return calls


def test_machine_with_both_plays_all(made: list[str]) -> None:
    said: list[str] = []
    assert libraries.found(frozenset(), said.append) == {"disk", "clock"}
    assert (made, said) == (["disk"], [])


def test_missing_extra_is_said_in_one_line(made: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> Any:
        raise NotPlayable("faults of a clock need the extra")

    monkeypatch.setattr(clock, "library", missing)
    said: list[str] = []
    assert libraries.found(frozenset(), said.append) == {"disk"}
    assert said == ["not drawn: faults of a clock need the extra"]


def test_compiler_is_downloaded_only_for_a_fault_that_was_named(
    made: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "at_hand", lambda _: False)
    said: list[str] = []
    assert libraries.found(frozenset(), said.append) == {"clock"}
    assert (made, len(said)) == ([], 1)
    assert libraries.found(frozenset({"power_loss"}), said.append) == {"disk"}
    assert made == ["disk"]


def test_kinds_without_disks_and_clocks_look_for_nothing(made: list[str]) -> None:
    assert libraries.found(frozenset({"kill", "down"}), lambda _: None) == frozenset()
    assert made == []


def test_library_is_at_hand_where_it_was_made_or_a_compiler_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert not disk.at_hand(tmp_path)
    disk._folder(tmp_path).mkdir()
    assert disk.at_hand(tmp_path)
