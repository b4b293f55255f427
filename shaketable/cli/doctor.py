"""`shaketable doctor`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def doctor(
    target: Annotated[Path | None, typer.Option(help="Read this processor's manifest too.")] = None,
) -> int:
    """Say what is here, what is missing and how to get it; builds Toxiproxy if it must."""
    from shaketable.commands.doctor import examine

    return examine(target)
