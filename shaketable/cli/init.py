"""`shaketable init`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer


def init(
    folder: Annotated[Path, typer.Argument(metavar="DIR", help="A folder, made where there is none.")],
) -> int:
    """Write a small processor to start from, and the manifest that describes it; nothing is ever overwritten."""
    from shaketable.cli.commands.init import init as command

    return command(folder)
