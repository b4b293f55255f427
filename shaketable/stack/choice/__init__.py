"""The kinds of a stack: `local` (servers from wheels), `containers` (the official images), `compose`, `external`."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from shaketable.errors import InputError, NotPlayable
from shaketable.stack.external_services import ExternalServices
from shaketable.stack.host import HostStack
from shaketable.stack.ports import Ports
from shaketable.stack.server_options import ServerOptions
from shaketable.stack.service import Needs
from shaketable.stack.stack import Stack
from shaketable.stack.supervisor import Supervisor

Kind = Literal["local", "containers", "compose", "external"]
KINDS: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True)
class Choice:
    """The selected stack."""

    kind: Kind = "local"
    given: ExternalServices = ExternalServices()  # the services of `external`

    def __post_init__(self) -> None:
        if self.kind not in KINDS:
            raise InputError(f"expected --stack {'|'.join(KINDS)}, got {self.kind!r}")
        if self.kind != "external" and (named := self.given.named()):
            raise InputError(f"{', '.join(named)}: these are for --stack external, and this is --stack {self.kind}")
        if self.kind == "external" and not self.given.named():
            raise InputError("--stack external needs --postgres URL and --redis URL: the services that it stands on")

    def open(
        self,
        run_id: str,
        ports: Ports,
        supervisor: Supervisor,
        logs: Path,
        say: Callable[[str], None],
        options: ServerOptions = ServerOptions(),
        needs: Needs | None = None,
    ) -> AbstractContextManager[Stack]:
        """The selected stack, as a context manager; it provides what the target `needs`, by default both built-ins.

        Raises InputError when its libraries are not installed, NotPlayable when the scenario sets options for servers
        that another kind of stack starts.
        """
        if self.kind != "local" and (options.settings or options.disks):
            raise NotPlayable("the scenario sets up servers or disks of its own, for which it needs --stack local")
        stack = self._made(run_id, ports, supervisor, logs, say)
        stack.needs, stack.options = needs or Needs(), options
        return stack

    def _made(
        self, run_id: str, ports: Ports, supervisor: Supervisor, logs: Path, say: Callable[[str], None]
    ) -> HostStack:
        if self.kind == "local":
            from shaketable.stack.local import LocalStack

            return LocalStack(run_id, ports, supervisor, logs, say)
        if self.kind == "external":
            from shaketable.stack.external import ExternalStack

            external = ExternalStack(run_id, ports, supervisor, logs, say)
            external.given = self.given
            return external
        need_extra()
        if self.kind == "compose":
            from shaketable.stack.compose import ComposeStack

            return ComposeStack(run_id, ports, supervisor, logs, say)
        from shaketable.stack.containers import ContainersStack

        return ContainersStack(run_id, ports, supervisor, logs, say)


def need_extra() -> None:
    """Raise InputError when the libraries of the extra are not installed."""
    try:
        importlib.import_module("testcontainers.core.container")
    except ImportError as e:
        raise InputError(
            "stacks of containers need the extra: pip install 'shaketable[containers]'; `--stack local` needs nothing"
        ) from e
