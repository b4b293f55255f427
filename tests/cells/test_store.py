"""The store of cells: whole archives by digest, in a folder or any other store."""

from __future__ import annotations

import stat
import tarfile
from pathlib import Path

import pytest

from shaketable.cells.store import CELLS, ResultStore
from shaketable.errors import HarnessError, InputError

NAME = f"{CELLS}/0123"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "cell" / "logs").mkdir(parents=True)
    (tmp_path / "cell" / "logs" / "worker.log").write_text("it said")
    (tmp_path / "cell" / "latest").symlink_to("logs")
    return tmp_path / "cell"


@pytest.mark.parametrize("url", ["{}/results", "file://{}/results", "memory://{}/results"])
def test_folder_comes_back_for_this_user_only(url: str, folder: Path, tmp_path: Path) -> None:
    store, found = ResultStore(url.format(tmp_path)), tmp_path / "found"
    assert not store.has(NAME)
    store.put(NAME, folder)
    assert store.has(NAME)
    found.mkdir()
    store.get(NAME, found)
    assert (found / "latest" / "worker.log").read_text() == "it said"
    assert {stat.S_IMODE(path.stat().st_mode) for path in (found, found / "logs")} == {0o700}
    store.remove(NAME)
    store.remove(NAME)
    assert not store.has(NAME)


@pytest.mark.parametrize(
    ("place", "kind", "to"),
    [
        ("../x", tarfile.REGTYPE, ""),
        ("/x", tarfile.REGTYPE, ""),
        ("x", tarfile.SYMTYPE, "/etc"),
        ("x", tarfile.SYMTYPE, "../.."),
        ("x", tarfile.LNKTYPE, "y"),
        ("x", tarfile.FIFOTYPE, ""),
    ],
)
def test_archive_that_leads_elsewhere_is_refused(place: str, kind: bytes, to: str, tmp_path: Path) -> None:
    store, found, member = ResultStore(str(tmp_path / "results")), tmp_path / "here" / "found", tarfile.TarInfo(place)
    member.type, member.linkname = kind, to
    with tarfile.open(tmp_path / "results" / f"{NAME}.tar.gz", "w:gz") as archive:
        archive.addfile(member)
    found.mkdir(parents=True)
    with pytest.raises(HarnessError, match="leads elsewhere"):
        store.get(NAME, found)
    assert list(found.iterdir()) == []
    assert list(found.parent.iterdir()) == [found]


def test_archive_that_is_not_whole_is_not_there(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ResultStore(str(tmp_path / "results"))
    monkeypatch.setattr("tarfile.TarFile.add", lambda *_, **__: (_ for _ in ()).throw(OSError("the disk is full")))
    with pytest.raises(OSError, match="full"):
        store.put(NAME, folder)
    assert not store.has(NAME)


def test_local_store_is_private_unless_somebody_else_made_its_folder(tmp_path: Path) -> None:
    (tmp_path / "shared").mkdir(mode=0o755)
    for name, mode in {"results": 0o700, "shared": 0o755}.items():
        ResultStore(str(tmp_path / name))
        assert stat.S_IMODE((tmp_path / name).stat().st_mode) == mode


@pytest.mark.parametrize("url", ["nothing://of/the/kind", "/dev/null/results"])
def test_store_that_cannot_be_opened_is_bad_input(url: str) -> None:
    with pytest.raises(InputError, match="--results"):
        ResultStore(url)
