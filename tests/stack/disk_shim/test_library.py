"""The library is compiled once, by what there is; without anything one sentence says what is missing."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from shaketable.errors import NotPlayable
from shaketable.stack import binaries
from shaketable.stack.disk_shim import library
from shaketable.stack.disk_shim.disk import Disk
from shaketable.stack.disk_shim.library import COMPILERS, NAME


def test_source_is_at_most_200_lines() -> None:
    assert len(library._SOURCE.read_text(encoding="utf-8").splitlines()) <= 200


def test_it_is_compiled_once(tmp_path: Path) -> None:
    said: list[str] = []
    built = library.library(tmp_path, said.append)
    assert (built.name, built.read_bytes()[:4]) == (NAME, b"\x7fELF")
    stamp = built.stat().st_mtime_ns
    assert library.library(tmp_path, said.append).stat().st_mtime_ns == stamp
    assert len(said) == 1


@pytest.mark.slow
def test_without_any_compiler_one_sentence_names_the_remedy(tmp_path: Path) -> None:
    nothing = tmp_path / "ziglang.txt"
    nothing.write_text("")  # pip installs nothing
    with pytest.raises(NotPlayable, match="install one as `cc`"):
        library.library(tmp_path / "cache", lambda _: None, compilers=(), pinned=nothing)


def test_compiler_that_does_not_work_is_passed_over(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\nexit 1\n")
    broken.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    assert library.library(tmp_path / "cache", lambda _: None, ("broken-cc", *COMPILERS)).exists()


@pytest.mark.slow
@pytest.mark.nightly
@pytest.mark.timeout(600)
def test_compiler_of_the_wheel_makes_one_that_works_and_leaves_nothing_else(
    tmp_path: Path, writer: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (home := tmp_path / "home").mkdir()
    (root := tmp_path / "files").mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    built = library.library(tmp_path / "cache", lambda _: None, compilers=())
    assert [path for path in tmp_path.rglob("*") if "zig" in path.name] == []
    disk = Disk(tmp_path / "disk", root, built, None)
    steps = "open f - write a 10 fsync pwrite b 4 3"
    subprocess.run([writer, *steps.split()], cwd=root, env={**os.environ, **disk.environment}, check=True)
    disk.lose_power()
    assert (root / "f").read_bytes() == b"a" * 10
    assert not disk.problem()


@pytest.mark.parametrize(
    ("server", "known"),
    [(lambda: binaries.postgres_bin() / "postgres", {"syncfs", "copy_file_range"}), (binaries.valkey_server, set())],
    ids=["postgres", "valkey"],
)
def test_servers_ask_for_no_other_call_that_would_pass_the_library_by(
    server: Callable[[], Path], known: set[str]
) -> None:
    nm = ["nm", "-D", "--undefined-only", str(server())]
    done = subprocess.run(nm, check=True, stdout=subprocess.PIPE, encoding="utf-8")
    asked = {line.split()[-1].partition("@")[0] for line in done.stdout.splitlines()}
    assert asked & {"open", "open64"}
    assert asked & {"write", "pwrite", "pwrite64"}
    unseen = {"openat", "creat", "pwritev2", "fallocate", "renameat", "renameat2", "unlinkat", "sendfile", "splice"}
    unseen |= {"sync", "syncfs", "copy_file_range", "msync", "io_uring_setup", "aio_write"}
    assert asked & (unseen | {f"{name}64" for name in unseen}) == known
