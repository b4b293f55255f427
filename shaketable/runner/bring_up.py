"""Bring a target up on its stack, started and ready: a run begins so, and `up` leaves it running."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from shaketable.evidence import observe
from shaketable.stack import ports
from shaketable.stack.choice import Choice
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor
from shaketable.target import environments, manifest, services
from shaketable.target.manifest import Manifest
from shaketable.target.target import Target


@dataclass(frozen=True)
class Standing:
    """A running target, its stack, and the folder of its logs."""

    manifest: Manifest
    stack: Stack
    target: Target
    logs: Path

    def tail(self, name: str) -> str:
        """The last lines of a process's log."""
        log = self.logs / f"{name}.log"
        text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
        return " | ".join(text.splitlines()[-3:]) or "it said nothing"


def bring_up(target: Target, stack: Stack, told: Manifest) -> None:
    """Prepare the database, try the manifest's SQL, start every process and wait until each is ready."""
    target.setup()
    observe.check_sources(stack, told)
    for name in target.instances:
        target.start(name)
    for name in target.instances:
        target.await_ready(name)
    observe.check_started(stack, told)


@contextmanager
def open_(
    path: Path,
    choice: Choice,
    port_base: int | None,
    say: Callable[[str], None],
    servers: ServerOptions = ServerOptions(),
    kind: type[Target] = Target,
) -> Iterator[Standing]:
    """The target of a manifest on a stack of its own; on any error, nothing keeps running.

    `servers` are options of the servers, `kind` is the class of the target.
    Raises ManifestError, InputError, ToolchainMissing, TargetError or HarnessError.
    """
    found, folder = manifest.load(path), path.resolve().parent
    if port_base is not None:
        ports.check_base(port_base)
    programs, run_id = environments.programs(found, folder, say), f"up{secrets.token_hex(3)}"
    needs = services.needed(found, folder, programs)
    with ExitStack() as opened:
        home = Path(opened.enter_context(tempfile.TemporaryDirectory(prefix=f"shaketable-{run_id}-")))
        (logs := home / "logs").mkdir()
        supervisor = Supervisor(run_id)
        opened.callback(supervisor.close)
        supervisor.folder(home)
        block = opened.enter_context(ports.reserve(port_base))
        say(f"starting the servers ({choice.kind})")
        stack = opened.enter_context(choice.open(run_id, block, supervisor, logs, say, servers, needs))
        target = kind(
            found,
            folder,
            stack,
            supervisor,
            run_id=run_id,
            state=home / "state",
            logs=logs,
            settings={},
            record=lambda _: None,
            programs=programs,
        )
        opened.callback(target.close)
        say(f"starting {found.name}: {', '.join(target.instances)}")
        bring_up(target, stack, target.located())
        yield Standing(found, stack, target, logs)
