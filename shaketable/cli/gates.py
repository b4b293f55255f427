"""The options of gates, the same for every command that has a verdict: budgets, and where results go for CI to read."""

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
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        help="In place of the scenario's: recovery_s=10 (`shaketable list` names all).",
        metavar="NAME=VALUE",
        rich_help_panel=CI,
    ),
]
