"""Sentences on keys of a manifest that contradict each other, across its tables; a table's own are its `mistakes`."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from shaketable.errors import ManifestError
from shaketable.stack import service as services
from shaketable.stack.service import BUILT_IN, not_seconds
from shaketable.target import variables

if TYPE_CHECKING:
    from shaketable.target.manifest import Manifest, Process

#: The name of the harness's own load, in the run directory and in logs.
LOAD = "load"
#: The most processes of one kind.
MOST_PROCESSES = 100
#: The most characters of the name of a target or a process: run directories, folders and logs have it.
LONGEST = 60
_NAME = re.compile(rf"[A-Za-z0-9][A-Za-z0-9_.-]{{0,{LONGEST - 1}}}")


def of_name(manifest: Manifest) -> Iterator[str]:
    """A sentence on a name that is not that of a folder."""
    name = manifest.name
    if not (0 < len(name) <= LONGEST and name.isprintable() and "/" not in name and not name.startswith(".")):
        yield (
            f"expected name to be at most {LONGEST} characters without `/`, and no `.` first, since folders have it: "
            f"got {name!r}"
        )


def of_relation(manifest: Manifest) -> Iterator[str]:
    """A sentence on a relation without a database."""
    if manifest.stored.relation is not None and "postgres" not in manifest.services:
        yield "stored.relation is a table of postgres for faults, and the target does not use postgres: leave it out"


def of_event(manifest: Manifest) -> Iterator[str]:
    """Sentences on the event, and on keys for another kind of event."""
    told = manifest.capabilities
    if manifest.event is None:
        return
    yield from manifest.event.mistakes()
    if manifest.ingest.max_bytes is not None:
        yield "ingest.max_bytes is for audit events, and the target has its own ([event]): leave one out"
    for key in ("numbers", "order_by"):
        if getattr(told, key) is not None:
            yield f"capabilities.{key} is for audit events, and the target has its own: write event.{key}"


def without_intake(manifest: Manifest) -> Iterator[str]:
    """Sentences on keys that need a process that accepts events, or a service that the target uses."""
    service = manifest.ingest.service
    if service is not None and service not in [name for name in manifest.services if name != services.OUTBOUND]:
        used = ", ".join(manifest.services) or "none"
        yield f"expected ingest.service to be one that the target uses ({used}), got {service!r}: name it"
    tables = {"stored": manifest.stored, "dead_letters": manifest.dead_letters, "queue": manifest.queue}
    for section, table in tables.items():
        if not manifest.ingest.process and table is not None and table.url is not None and table.process is None:
            yield f"expected {section}.process, since {section}.url is on no port without ingest.process: name one"


def of_processes(manifest: Manifest, names: list[str], roles: tuple[str, ...]) -> Iterator[str]:
    """Sentences on the variables and the health of processes."""
    instances = [name for name, _ in manifest.instances()]
    for each in manifest.service:
        if each.name not in BUILT_IN and each.name in {*names, *instances, *roles}:
            yield (
                f"[[service]] {each.name!r} has the name of a process or a role, and a fault on {each.name!r} could "
                "mean either: rename the service"
            )
    if LOAD in instances:
        yield f"[[process]] {LOAD!r} has the name of the harness's own load: rename the process"
    if twice := sorted({name for name in instances if instances.count(name) > 1}):
        yield f"two processes would be called {', '.join(twice)}, since `count` numbers them: rename one"
    for kind in manifest.process:
        if kind.name in {*BUILT_IN, services.OUTBOUND}:
            yield f"[[process]] {kind.name!r} has the name of a built-in service: rename the process"
        for name, value in kind.env.items():
            where = f"env.{name} of process {kind.name!r}"
            if not variables.NAME.fullmatch(name):
                yield f"expected {where} to be the name of a variable, got {name!r}: rename it"
            if odd := sorted(set(variables.PORT.findall(value)) - set(instances)):
                yield f"{where} names the port of {', '.join(odd)}: expected one of {', '.join(instances)}"
    told = manifest.health_process
    if told is not None and (told not in names or not next(k for k in manifest.process if k.name == told).health):
        yield f"expected health_process to be a process with a `health` path, got {told!r}: name one of {names}"


def check_process(kind: Process, manifest: Manifest, path: Path) -> None:
    """Check one kind of process. Raises ManifestError."""
    if not _NAME.fullmatch(kind.name):
        raise ManifestError(
            f"manifest {path}: expected a process's name to be at most {LONGEST} letters, digits, `_`, `.` and `-`, a "
            f"letter or digit first, since folders and logs use it: got {kind.name!r}"
        )
    if not 1 <= kind.count <= MOST_PROCESSES or not kind.command:
        told = f"count = {kind.count}" if kind.command else "no command"
        raise ManifestError(
            f"manifest {path}: process {kind.name!r} needs a command and a count from 1 to {MOST_PROCESSES}, got {told}"
        )
    for key in ("ready_s", "stop_s"):
        for mistake in not_seconds(f"{key} of process {kind.name!r}", getattr(kind, key)):
            raise ManifestError(f"manifest {path}: {mistake}")
    if kind.name == manifest.ingest.process and kind.role not in (None, "intake"):
        raise ManifestError(
            f"manifest {path}: expected ingest.process to be an intake, got {kind.name!r} with role = {kind.role!r}: "
            "leave the role out, or name another process"
        )
    check_route(f"health of process {kind.name!r}", kind.health, path)


def check_route(key: str, route: str | None, path: Path) -> None:
    """A path must begin with a slash: without one it would run into the URL's port."""
    if route is not None and not (route.startswith("/") and route.isprintable() and " " not in route):
        hint = f": write {'/' + route!r}" if re.fullmatch(r"[\w.-]+(/[\w.-]*)*", route) else ""
        raise ManifestError(
            f"manifest {path}: expected {key} to begin with a slash and to hold no space, got {route!r}{hint}"
        )
