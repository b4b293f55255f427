"""`shaketable doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    target: Annotated[Path | None, typer.Option(help="Also test each endpoint of this processor.")] = None,
) -> int:
    """Check this machine: report each requirement, and the remedy for a missing one. Build Toxiproxy if necessary.

    With --target: start the target on servers of its own, test each endpoint, and explain each problem.
    """
    from shaketable import resources
    from shaketable.cli.commands.doctor import examine

    return examine(resources.target(target) if target else None)
