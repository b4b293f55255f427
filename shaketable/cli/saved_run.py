"""The argument that names a saved run, for `check`, `report` and `explain`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LATEST = Path("runs/latest")
RunPath = Annotated[Path, typer.Argument(metavar="[RUN_DIR]", help="A run directory.")]
