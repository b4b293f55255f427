"""What a target stands on: the options that `run` and `up` share."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

if TYPE_CHECKING:
    from shaketable.stack.choice import Choice

Stack = Annotated[
    str,
    typer.Option(
        help="What it stands on: local (needs no Docker), containers (testcontainers), compose "
        "(docker-compose.chaos.yml), given (yours, by URL).",
        metavar="KIND",
    ),
]
Postgres = Annotated[
    str, typer.Option(help="Given: Postgres, as the target's role.", metavar="URL", envvar="SHAKETABLE_POSTGRES")
]
PostgresAdmin = Annotated[
    str,
    typer.Option(
        help="Given: the same database, as the harness's role.",
        metavar="URL",
        envvar="SHAKETABLE_POSTGRES_ADMIN",
        show_default="--postgres",
    ),
]
Redis = Annotated[str, typer.Option(help="Given: Redis or Valkey.", metavar="URL", envvar="SHAKETABLE_REDIS")]
Toxiproxy = Annotated[
    str,
    typer.Option(
        help="Given: a Toxiproxy 2.12 on this machine.",
        metavar="URL",
        envvar="TOXIPROXY_URL",
        show_default="one of the run's own",
    ),
]
AllowRemote = Annotated[
    list[str] | None, typer.Option(help="Given: a host beyond loopback that may be broken.", metavar="HOST")
]
AllowNotEmpty = Annotated[
    bool, typer.Option("--allow-not-empty", help="Given: the database or Redis may hold something already.")
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
    from shaketable.stack.services import Given

    if stack == "given":
        given = Given(postgres, redis, postgres_admin, toxiproxy, tuple(allow_remote or ()), allow_not_empty)
    else:
        given = Given(postgres, redis, postgres_admin)
    return Choice(cast(Kind, stack), given)
