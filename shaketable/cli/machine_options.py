"""The options that name the machines of cells: `compare`, `run` and `explore` share them."""

from __future__ import annotations

from typing import Annotated

import typer

Jobs = Annotated[
    int | None,
    typer.Option(
        help="Play N runs at once, each in a worker of its own. On one machine they disturb each other: "
        "counts are sound, times are not.",
        min=1,
        metavar="N",
    ),
]
On = Annotated[
    str, typer.Option(help="Play runs on the workers of a Dask scheduler: tcp://HOST:PORT.", metavar="ADDRESS")
]
ResultsUrl = Annotated[
    str,
    typer.Option(
        help="Store for the results of these runs: a folder, or a URL of fsspec that all machines reach.",
        metavar="URL",
        show_default="with --jobs a temporary folder",
    ),
]
