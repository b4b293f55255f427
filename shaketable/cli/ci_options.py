"""The options of gates, the same for every command that has a verdict: budgets, and where results go for CI to read."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

CI = "For CI"

JUnit = Annotated[
    Path | None,
    typer.Option(help="Write a JUnit file; an unknown verdict is an error.", metavar="FILE", rich_help_panel=CI),
]
Json = Annotated[
    Path | None,
    typer.Option(help="Write all results as JSON (docs/results.schema.json).", metavar="FILE", rich_help_panel=CI),
]
GitHub = Annotated[
    bool,
    typer.Option("--github", help="Write GitHub Actions annotations and the step summary.", rich_help_panel=CI),
]
Badge = Annotated[
    Path | None,
    typer.Option(help="Write the verdict as a badge, an SVG file.", metavar="FILE", rich_help_panel=CI),
]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget",
        help="Override a check's limit, e.g. recovery_s=10 (see `shaketable list`).",
        metavar="NAME=VALUE",
        rich_help_panel=CI,
    ),
]
