"""`shaketable init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="The folder to write to; created if missing.")],
) -> int:
    """Write a small working processor and its manifest as a starting point. Existing files are never overwritten."""
    from shaketable.cli.commands.init import init as command

    return command(folder)
