"""`shaketable doctor`."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path

from rich.console import Console

from shaketable.cli.commands import doctor_target
from shaketable.errors import ShaketableError
from shaketable.stack import binaries, scratch
from shaketable.stack.toxiproxy import build
from shaketable.text import in_a_line

#: Bytes that a run may leave in its directory and in the temporary folder.
ROOM = 500_000_000

_OTHER_WAYS = (
    "other ways to Toxiproxy 2.12: `brew install toxiproxy`, the release page of Shopify/toxiproxy (put it on PATH as "
    "`toxiproxy-server`), or Go >= 1.23 so that it can be built"
)


def examine(target: Path | None) -> int:
    """Try everything a run needs, then the target if one is named; each line says what is there or what to do.

    Passed, or failed. Raises ManifestError for a manifest that is none.
    """
    console, found = Console(highlight=False), doctor_target.load(target) if target else None
    lines: list[tuple[str, Callable[[], str]]] = [
        ("Python", lambda: sys.version.split()[0]),
        ("temporary folder", lambda: _place(scratch.folder(binaries.server_user()))),
        ("PostgreSQL", lambda: f"{binaries.POSTGRES_MAJOR} ({_place(binaries.postgres_bin(binaries.server_user()))})"),
        ("Valkey", lambda: f"from {_place(binaries.valkey_server())}"),
        ("Toxiproxy", lambda: f"{build.VERSION} ({_place(binaries.toxiproxy_server(console.print))})"),
        ("disk", _room),
    ]
    results = [_line(console, name, look) for name, look in lines]
    if not all(results):
        console.print(_OTHER_WAYS)
        return 1
    if target is None or found is None:
        return 0
    return doctor_target.examine(found, target.resolve().parent, console)


def _line(console: Console, name: str, look: Callable[[], str]) -> bool:
    try:
        console.print(f"ok       {name}: {look()}", soft_wrap=True)
        return True
    except ShaketableError as e:
        console.print(f"missing  {name}: {in_a_line(str(e))}", soft_wrap=True, markup=False)
        return False


def _place(path: Path) -> str:
    """Where something was found, from here if it is below."""
    try:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    except OSError:
        return str(path)


def _room() -> str:
    free = shutil.disk_usage(".").free
    if free < ROOM:
        raise ShaketableError(f"expected {ROOM // 10**6} MB free here, got {free // 10**6} MB: make room")
    return f"{free // 10**9} GB free"
