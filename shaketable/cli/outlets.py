"""The options of where results go for CI to read, the same for every command that has a verdict."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CI = "For CI"

JUnit = Annotated[
    Path | None,
    typer.Option(help="Write a JUnit file; what is unknown is an error.", metavar="FILE", rich_help_panel=CI),
]
Json = Annotated[
    Path | None,
    typer.Option(help="Write all results as JSON (docs/results.schema.json).", metavar="FILE", rich_help_panel=CI),
]
GitHub = Annotated[
    bool,
    typer.Option("--github", help="Annotate, and add to the step's summary, in GitHub Actions.", rich_help_panel=CI),
]
