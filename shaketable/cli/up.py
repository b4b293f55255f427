"""`shaketable up`: start a target that runs until Ctrl-C."""

from __future__ import annotations

import re
import shlex
import sys
import time
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from shaketable.cli import stack_options
from shaketable.errors import InputError, TargetError
from shaketable.target import services

if TYPE_CHECKING:
    from shaketable.runner.bring_up import Standing
    from shaketable.stack.choice import Choice

#: Seconds between two looks at the processes.
LOOK_S = 0.2
_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


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
    stack: stack_options.Stack = "local",
    postgres: stack_options.Postgres = "",
    postgres_admin: stack_options.PostgresAdmin = "",
    redis: stack_options.Redis = "",
    toxiproxy: stack_options.Toxiproxy = "",
    allow_remote: stack_options.AllowRemote = None,
    allow_not_empty: stack_options.AllowNotEmpty = False,
) -> int:
    """Start a target on a stack, print the address of its intake, and leave it running until Ctrl-C.

    No load and no faults: send events with locust or by hand. Everything stops with this command.
    """
    from shaketable import resources

    choice = stack_options.choice(stack, postgres, postgres_admin, redis, toxiproxy, allow_remote, allow_not_empty)
    return stay(resources.target(target), choice, port_base, passwords=passwords)


def stay(target: Path, stack: Choice, port_base: int | None = None, *, passwords: bool = False) -> int:
    """Start the target, print its addresses, and wait for Ctrl-C or SIGTERM, its regular end."""
    from shaketable.runner import bring_up

    with bring_up.open_(target, stack, port_base, say) as found:
        shown = passwords or sys.stdout.isatty()
        say("\n".join(f"  {name:9} {text}" for name, text in lines(found, stack, passwords=shown)))
        try:
            say(f"{found.manifest.name} is up; Ctrl-C ends it")
            while True:
                look(found)
                time.sleep(LOOK_S)
        except KeyboardInterrupt:
            say("ending")
    return 0


def look(found: Standing) -> None:
    """Restart a process that died, once, as in a run. Raises TargetError when it dies again."""
    for name in found.target.revive():
        if found.target.instances[name].child is None:
            raise TargetError(f"{name} died twice: see its log {found.logs / f'{name}.log'}: {found.tail(name)}")
        say(f"{name} died and was restarted once: see {found.logs / f'{name}.log'}")


def lines(found: Standing, stack: Choice, *, passwords: bool) -> list[tuple[str, str]]:
    """The addresses of everything. URLs of an external stack are left out: their passwords are the user's."""
    target, path = found.target, found.manifest.ingest.path
    found_at: list[tuple[str, str]] = []
    if target.intake and not target.sender:
        host = f"http://{target.intake.listen}"
        found_at = [("intake", f"{host}{path}"), ("load", load_command(host, path))]
    found_at += [("health", i.health_url) for i in target.instances.values() if i.health_url]
    if stack.kind != "external":
        names = {"DATABASE_URL": "database", "REDIS_URL": "queue"}
        urls = services.direct(found.stack, found.manifest)
        hidden = () if passwords else services.passwords(found.stack)
        found_at += [(names.get(name, name), _shown(url, hidden, passwords)) for name, url in urls.items()]
    return [*found_at, ("logs", str(found.logs))]


def _shown(url: str, hidden: Iterable[str], passwords: bool) -> str:
    """A URL without passwords, wherever it holds them: a token stands before the host without a colon."""
    for password in hidden:
        url = url.replace(password, "***")
    return url if passwords else _PASSWORD.sub("***", url)


def load_command(host: str, path: str) -> str:
    """The command that loads the target, to type in another terminal."""
    from shaketable import resources

    try:
        file = resources.find("locustfiles/ingest.py")
    except InputError:
        file = Path("locustfiles/ingest.py")
    file = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    other = ["--path", path] if path != "/events" else []
    return shlex.join(["locust", "-f", str(file), "--host", host, *other])


def say(text: str) -> None:
    """Print at once, also into a pipe."""
    print(text, flush=True)
