"""The options that name the stack: `run` and `up` share them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from shaketable.stack.choice import Choice

Stack = Annotated[
    str,
    typer.Option(
        help="Where the servers run: local (no Docker), containers (testcontainers), compose "
        "(docker-compose.chaos.yml), external (your own, by URL).",
        metavar="KIND",
    ),
]
Postgres = Annotated[
    str, typer.Option(help="External Postgres, as the target's role.", metavar="URL", envvar="SHAKETABLE_POSTGRES")
]
PostgresAdmin = Annotated[
    str,
    typer.Option(
        help="The same database, as the harness's role.",
        metavar="URL",
        envvar="SHAKETABLE_POSTGRES_ADMIN",
        show_default="--postgres",
    ),
]
Redis = Annotated[str, typer.Option(help="External Redis or Valkey.", metavar="URL", envvar="SHAKETABLE_REDIS")]
Toxiproxy = Annotated[
    str,
    typer.Option(
        help="An external Toxiproxy 2.12 on this machine.",
        metavar="URL",
        envvar="TOXIPROXY_URL",
        show_default="the run starts its own",
    ),
]
AllowRemote = Annotated[
    list[str] | None, typer.Option(help="Allow an external server on HOST, which is not loopback.", metavar="HOST")
]
AllowNotEmpty = Annotated[
    bool, typer.Option("--allow-not-empty", help="Allow an external database or Redis that holds data.")
]


def choice(
    stack: str,
    postgres: str,
    postgres_admin: str,
    redis: str,
    toxiproxy: str,
    allow_remote: list[str] | None,
    allow_not_empty: bool,
) -> Choice:
    """The stack that is asked for. Raises InputError."""
    from shaketable.stack.choice import Choice, Kind
    from shaketable.stack.external_services import ExternalServices

    if stack == "given":
        print("shaketable: --stack given is now called --stack external", file=sys.stderr)
        stack = "external"
    if stack == "external":
        given = ExternalServices(postgres, redis, postgres_admin, toxiproxy, tuple(allow_remote or ()), allow_not_empty)
    else:
        given = ExternalServices(postgres, redis, postgres_admin)
    return Choice(cast(Kind, stack), given)
