"""Only a folder of this user's own is believed: not a link, not somebody else's, not one that others can write to."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import msgspec
import pytest

from shaketable.errors import HarnessError
from shaketable.files import folders
from shaketable.stack import supervisor
from shaketable.stack.undo import Program


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_folder_is_made_and_closed_to_others(tmp_path: Path) -> None:
    assert mode(folders.own(tmp_path / "a" / "b", 0o700)) == 0o700
    (tmp_path / "a" / "b").chmod(0o755)
    assert mode(folders.own(tmp_path / "a" / "b", 0o700)) == 0o700
    assert mode(folders.own(tmp_path / "shared", 0o755)) == 0o755


def test_link_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "elsewhere")
    with pytest.raises(HarnessError, match="is a link"):
        folders.own(tmp_path / "link", 0o700)


@pytest.mark.parametrize("open_", ["folder", "folder/below"])
def test_folder_that_others_can_write_to_or_replace_is_refused(open_: str, tmp_path: Path) -> None:
    below = folders.own(tmp_path / "folder" / "below", 0o700)
    (tmp_path / open_).chmod(0o777)
    with pytest.raises(HarnessError, match="other users can write"):
        folders.own(below, 0o700)


def test_folder_below_the_usual_temporary_folder_is_own(tmp_path: Path) -> None:
    (tmp_path / "tmp").mkdir()
    (tmp_path / "tmp").chmod(0o1777)
    assert folders.own(tmp_path / "tmp" / "mine", 0o700).is_dir()


def test_folder_of_somebody_else_is_refused(tmp_path: Path) -> None:
    theirs = Path("/usr")
    if os.geteuid() == 0:
        theirs = tmp_path / "theirs"
        theirs.mkdir()
        os.chown(theirs, 65001, 65001)
    with pytest.raises(HarnessError, match="belongs to user"):
        folders.own(theirs, 0o700)


@pytest.mark.parametrize("home", ["/dev/null/home", "~"])
def test_without_a_usable_home_it_is_a_folder_of_the_temporary_one(
    home: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("platformdirs.user_state_path", lambda _: Path(home) / "shaketable")
    assert folders.state() == tmp_path / f"shaketable-state-{os.geteuid()}"
    folders.state().chmod(0o777)
    with pytest.raises(HarnessError, match="XDG_STATE_HOME"):
        folders.state()


def test_folder_that_the_user_named_and_that_is_not_used_is_told_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "open" / "mine"))
    (tmp_path / "open").mkdir()
    (tmp_path / "open").chmod(0o777)
    assert folders.cache() == folders.cache() == tmp_path / f"shaketable-cache-{os.geteuid()}"
    told = capsys.readouterr().err.splitlines()
    assert [all(word in line for word in ("XDG_CACHE_HOME", f"{tmp_path}/open.")) for line in told] == [True]


def planted(folder: Path, victim: Path) -> None:
    """Somebody else's journals, wherever they could be looked for."""
    action = supervisor.Undo(supervisor.boot_id(), action=Program(("touch", str(victim))))
    for below in (".", "undo", f"undo/{os.uname().nodename}"):
        (folder / below).mkdir(parents=True, exist_ok=True)
        (folder / below / "planted.jsonl").write_bytes(msgspec.json.encode(action) + b"\n")
    folder.chmod(0o777)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "code"), [("shaketable-undo", 0), ("shaketable-state", 255)])
def test_journal_that_somebody_else_planted_is_not_obeyed(name: str, code: int, tmp_path: Path) -> None:
    planted(tmp_path / f"{name}-{os.geteuid()}", tmp_path / "victim")
    home = tmp_path / "home" if code == 0 else Path("/dev/null")
    env = {**os.environ, "TMPDIR": str(tmp_path), "XDG_STATE_HOME": str(home)}
    done = subprocess.run(
        [sys.executable, "-m", "shaketable.cli", "heal"], env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == code
    assert len(done.stderr.splitlines()) == (code != 0)
    assert not (tmp_path / "victim").exists()
