"""`shaketable up`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from shaketable.cli import stands


def up(
    target: Annotated[
        Path | None,
        typer.Option(help="A manifest, or a name such as celery-hardened.", show_default="the reference"),
    ] = None,
    port_base: Annotated[
        int | None, typer.Option(help="First of 64 loopback ports.", show_default="the first free block")
    ] = None,
    passwords: Annotated[
        bool, typer.Option("--passwords", help="Print the servers' passwords even if stdout is not a terminal.")
    ] = False,
    stack: stands.Stack = "local",
    postgres: stands.Postgres = "",
    postgres_admin: stands.PostgresAdmin = "",
    redis: stands.Redis = "",
    toxiproxy: stands.Toxiproxy = "",
    allow_remote: stands.AllowRemote = None,
    allow_not_empty: stands.AllowNotEmpty = False,
) -> int:
    """Start a target on a stack, print the address of its intake, and leave it running until Ctrl-C.

    No load and no faults: send events with locust or by hand. Everything stops with this command.
    """
    from shaketable import resources
    from shaketable.cli.commands.up import stay

    choice = stands.choice(stack, postgres, postgres_admin, redis, toxiproxy, allow_remote, allow_not_empty)
    return stay(resources.target(target), choice, port_base, passwords=passwords)
