"""`shaketable doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    target: Annotated[Path | None, typer.Option(help="Try each endpoint of this processor too.")] = None,
) -> int:
    """Say what is here, what is missing and how to get it; builds Toxiproxy if it must.

    With a target: bring it up on servers of its own, try each of its endpoints, and say in words what is wrong.
    """
    from shaketable import resources
    from shaketable.cli.commands.doctor import examine

    return examine(resources.target(target) if target else None)
