"""`shaketable up`: a target that stays until Ctrl-C."""

from __future__ import annotations

import re
import shlex
import sys
import time
from pathlib import Path

from shaketable import resources
from shaketable.errors import InputError, TargetError
from shaketable.runner import bring_up
from shaketable.runner.bring_up import Standing
from shaketable.stack.choice import Choice

#: Seconds between two looks at the processes.
LOOK_S = 0.2
_PASSWORD = re.compile(r"(?<=:)[^:@/]*(?=@)")


def stay(target: Path, stack: Choice, port_base: int | None = None, *, passwords: bool = False) -> int:
    """Bring it up, tell where it is, and wait for Ctrl-C or SIGTERM: that is how it ends well."""
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
    """A process that died is started once more, as in a run. Raises TargetError when it dies again."""
    for name in found.target.revive():
        if found.target.instances[name].child is None:
            raise TargetError(f"{name} died twice: see its log {found.logs / f'{name}.log'}: {found.tail(name)}")
        say(f"{name} died and was restarted once: see {found.logs / f'{name}.log'}")


def lines(found: Standing, stack: Choice, *, passwords: bool) -> list[tuple[str, str]]:
    """Where everything is. Passwords are those of this run; those of given services are the user's, and not told."""
    target, path = found.target, found.manifest.ingest.path
    host = f"http://{target.intake.listen}"
    told: list[tuple[str, str]] = [("intake", f"{host}{path}"), ("load", load_command(host, path))]
    told += [("health", i.health_url) for i in target.instances.values() if i.health_url]
    if stack.kind != "given":
        urls = ("database", found.stack.owner_url()), ("queue", found.stack.redis_url())
        told += [(name, url if passwords else _PASSWORD.sub("***", url)) for name, url in urls]
    return [*told, ("logs", str(found.logs))]


def load_command(host: str, path: str) -> str:
    """What to type in another terminal."""
    try:
        file = resources.find("locustfiles/ingest.py")
    except InputError:
        file = Path("locustfiles/ingest.py")
    file = file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file
    other = ["--path", path] if path != "/events" else []
    return shlex.join(["locust", "-f", str(file), "--host", host, *other])


def say(text: str) -> None:
    """At once, also into a pipe."""
    print(text, flush=True)
