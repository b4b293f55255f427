"""`shaketable doctor --target`: each endpoint of a processor tried for real."""

from __future__ import annotations

import secrets
from collections import Counter
from contextlib import ExitStack
from pathlib import Path

from rich.console import Console

from shaketable import doctor as doctors
from shaketable.doctor.result import DoctorResult
from shaketable.doctor.session import Visit
from shaketable.stack import ports
from shaketable.stack.choice import Choice
from shaketable.stack.supervisor import Supervisor
from shaketable.target import environments, manifest
from shaketable.target.manifest import Manifest
from shaketable.text import in_a_line


def load(path: Path) -> Manifest:
    """The manifest. Raises ManifestError."""
    return manifest.load(path)


def examine(found: Manifest, folder: Path, console: Console) -> int:
    """Bring the target up on a small stack, and print a line for each question. Passed, or failed.

    Raises what keeps it from being asked at all: ToolchainMissing, ManifestError, HarnessError.
    """
    programs = environments.programs(found, folder, console.print)
    run_id = f"doctor{secrets.token_hex(2)}"
    lines: list[DoctorResult] = []
    with ExitStack() as opened:
        supervisor = Supervisor(run_id)
        opened.callback(supervisor.close)
        home = supervisor.scratch()
        (home / "logs").mkdir()
        block = opened.enter_context(ports.reserve())
        stack = opened.enter_context(Choice().open(run_id, block, supervisor, home / "logs", console.print))
        visit = Visit(found, folder, stack, supervisor, run_id=run_id, home=home, programs=programs)
        for line in doctors.examine(opened.enter_context(visit)):
            show(line, console)
            lines.append(line)
    count = Counter(line.state for line in lines)
    told = ", ".join(f"{count[state]} {state}" for state in ("ok", "wrong", "not claimed") if count[state])
    console.print(in_a_line(f"{found.name}: {told}"), markup=False, soft_wrap=True)
    return 1 if count["wrong"] else 0


def show(line: DoctorResult, console: Console) -> None:
    """One line, as it comes."""
    console.print(in_a_line(str(line)), markup=False, soft_wrap=True)
