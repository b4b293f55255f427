"""The manifest as readers need it: paths as URLs without a link, commands complete, the working directory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import msgspec

from shaketable.target.manifest import Manifest
from shaketable.target.source_tables import Stored

T = TypeVar("T")
#: The port of a kind of process, by default of the intake; and a command with its placeholders filled in.
Port = Callable[[str | None], int]
Complete = Callable[[tuple[str, ...]], Sequence[str]]


def located(manifest: Manifest, cwd: str, received: str | None, port: Port, complete: Complete) -> Manifest:
    """The manifest for readers; `received` is the URL of the receiver of the target's deliveries, if it has one."""
    queue = _table(manifest.queue, port, complete)
    if queue is not None and queue.parked is not None:
        queue = msgspec.structs.replace(queue, parked=_table(queue.parked, port, complete))
    return msgspec.structs.replace(
        manifest,
        cwd=cwd,
        stored=Stored(url=received) if received else _table(manifest.stored, port, complete),
        dead_letters=_table(manifest.dead_letters, port, complete),
        queue=queue,
    )


def _table(table: T, port: Port, complete: Complete) -> T:
    changed: dict[str, Any] = {}
    if (path := getattr(table, "url", None)) is not None:
        changed["url"] = f"http://127.0.0.1:{port(getattr(table, 'process', None))}{path}"
    if command := getattr(table, "command", ()):
        changed["command"] = tuple(complete(command))
    return msgspec.structs.replace(table, **changed) if changed else table  # type: ignore[type-var]
