"""`shaketable up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli import stands


def up(
    target: Annotated[
        Path | None,
        typer.Option(help="The processor's manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports to use.", show_default="the first free block")
    ] = None,
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Print the servers' passwords although the output is no terminal.")
    ] = False,
    stack: stands.Stack = "local",
    postgres: stands.Postgres = "",
    postgres_admin: stands.PostgresAdmin = "",
    redis: stands.Redis = "",
    toxiproxy: stands.Toxiproxy = "",
    allow_remote: stands.AllowRemote = None,
    allow_not_empty: stands.AllowNotEmpty = False,
) -> int:
    """Start a target on a stack and leave it running until Ctrl-C; print where it takes events in.

    Nothing is sent and nothing is broken: load it with locust, or by hand. All of it ends with this command.
    """
    from shaketable import resources
    from shaketable.cli.commands.up import stay

    choice = stands.choice(stack, postgres, postgres_admin, redis, toxiproxy, allow_remote, allow_not_empty)
    return stay(resources.target(target), choice, port_base, passwords=passwords)
