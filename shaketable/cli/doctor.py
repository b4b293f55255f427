"""`shaketable doctor`: check this machine, and whether a target fulfils the contract."""

from __future__ import annotations

import os
import secrets
import shutil
import sys
from collections import Counter
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shaketable.errors import ShaketableError
from shaketable.text import in_a_line

if TYPE_CHECKING:
    from rich.console import Console

    from shaketable.target.manifest import Manifest

#: Bytes that a run may write into its directory and into the temporary folder.
ROOM = 500_000_000

_OTHER_WAYS = (
    "other ways to Toxiproxy 2.12: `brew install toxiproxy`, the release page of Shopify/toxiproxy (put it on PATH as "
    "`toxiproxy-server`), or Go >= 1.23 so that it can be built"
)


def doctor(
    target: Annotated[Path | None, typer.Option(help="Also test each endpoint of this processor.")] = None,
) -> int:
    """Check this machine: report each requirement, and the remedy for a missing one. Build Toxiproxy if necessary.

    With --target: start the target on servers of its own, test each endpoint, and explain each problem.
    """
    from rich.console import Console

    from shaketable import resources
    from shaketable.target import manifest

    console, path = Console(highlight=False), resources.target(target) if target else None
    found = manifest.load(path) if path else None
    if not examine_machine(console):
        console.print(_OTHER_WAYS)
        return 1
    if path is None or found is None:
        return 0
    return examine_target(found, path.resolve().parent, console)


def examine_machine(console: Console) -> bool:
    """Print a line for each thing that a run needs. Whether all are there."""
    from shaketable.stack import binaries, scratch
    from shaketable.stack.toxiproxy import build

    lines: list[tuple[str, Callable[[], str]]] = [
        ("Python", lambda: sys.version.split()[0]),
        ("temporary folder", lambda: _place(scratch.folder(binaries.server_user()))),
        ("PostgreSQL", lambda: f"{binaries.POSTGRES_MAJOR} ({_place(binaries.postgres_bin(binaries.server_user()))})"),
        ("Valkey", lambda: f"from {_place(binaries.valkey_server())}"),
        ("Toxiproxy", lambda: f"{build.VERSION} ({_place(binaries.toxiproxy_server(console.print))})"),
        ("disk", _free_space),
    ]
    answers = [_line(console, name, look) for name, look in lines]
    return all(answers)


def examine_target(found: Manifest, folder: Path, console: Console) -> int:
    """Start the target on a small stack, and print a line for each question; 1 when an answer is wrong.

    Raises ToolchainMissing, ManifestError or HarnessError when the target cannot be examined at all.
    """
    from shaketable import doctor as doctors
    from shaketable.doctor.result import DoctorResult
    from shaketable.doctor.session import DoctorSession
    from shaketable.stack import ports
    from shaketable.stack.choice import Choice
    from shaketable.stack.supervisor import Supervisor
    from shaketable.target import environments, services

    programs = environments.programs(found, folder, console.print)
    run_id = f"doctor{secrets.token_hex(2)}"
    lines: list[DoctorResult] = []
    with ExitStack() as opened:
        supervisor = Supervisor(run_id)
        opened.callback(supervisor.close)
        home = supervisor.scratch()
        (home / "logs").mkdir()
        block = opened.enter_context(ports.reserve())
        needs = services.needed(found, folder, programs)
        logs = home / "logs"
        stack = opened.enter_context(Choice().open(run_id, block, supervisor, logs, console.print, needs=needs))
        session = DoctorSession(found, folder, stack, supervisor, run_id=run_id, home=home, programs=programs)
        for line in doctors.examine(opened.enter_context(session)):
            console.print(in_a_line(str(line)), markup=False, soft_wrap=True)
            lines.append(line)
    count = Counter(line.state for line in lines)
    summary = ", ".join(f"{count[state]} {state}" for state in ("ok", "wrong", "not claimed") if count[state])
    console.print(in_a_line(f"{found.name}: {summary}"), markup=False, soft_wrap=True)
    return 1 if count["wrong"] else 0


def _line(console: Console, name: str, look: Callable[[], str]) -> bool:
    try:
        console.print(f"ok       {name}: {look()}", soft_wrap=True)
        return True
    except ShaketableError as e:
        console.print(f"missing  {name}: {in_a_line(str(e))}", soft_wrap=True, markup=False)
        return False


def _place(path: Path) -> str:
    """The path, relative to the current folder if it is below it."""
    try:
        return os.path.relpath(path) if path.is_relative_to(Path.cwd()) else str(path)
    except OSError:
        return str(path)


def _free_space() -> str:
    free = shutil.disk_usage(".").free
    if free < ROOM:
        raise ShaketableError(f"expected {ROOM // 10**6} MB free here, got {free // 10**6} MB: make room")
    return f"{free // 10**9} GB free"
