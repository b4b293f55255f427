"""A temporary folder that the database's user cannot enter is told before anything starts."""

from __future__ import annotations

import os
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from shaketable.errors import InputError
from shaketable.stack import binaries, scratch
from tests.conftest import Typed

needs_root = pytest.mark.skipif(os.getuid() != 0, reason="only root runs PostgreSQL as another user")


@pytest.fixture
def closed(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder of the temporary folder's that is below one of mode 0700."""
    with tempfile.TemporaryDirectory() as top:
        inner = Path(top) / "tmp"
        inner.mkdir(mode=0o777)
        monkeypatch.setattr(tempfile, "tempdir", str(inner))
        yield Path(top)


@needs_root
def test_folder_that_keeps_the_user_out_is_named(closed: Path) -> None:
    with pytest.raises(InputError, match=rf"chmod o\+x {closed}`"):
        scratch.folder(binaries.UNPRIVILEGED)
    closed.chmod(0o711)
    assert scratch.folder(binaries.UNPRIVILEGED) == closed / "tmp"


@needs_root
def test_doctor_and_a_run_say_so(closed: Path, tmp_path: Path, typed: Typed) -> None:
    done = typed("doctor")
    assert done.returncode == 1
    (line,) = [line for line in done.stdout.splitlines() if "temporary folder" in line]
    assert line.startswith("missing")
    assert str(closed) in line
    played = typed("run", "calm", "--runs", tmp_path)
    assert played.returncode == 254
    assert f"chmod o+x {closed}`" in played.stderr


def test_without_another_user_any_folder_will_do(closed: Path) -> None:
    assert scratch.folder(None) == closed / "tmp"
