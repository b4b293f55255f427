"""The environment variables of a target's processes: those of the harness, and those that a manifest may add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from shaketable.errors import InputError
from shaketable.stack.service import BUILT_IN

if TYPE_CHECKING:
    from shaketable.target.manifest import Manifest, Process

#: The variables that the harness sets for every process.
OWN = ("HTTP_PORT", "PROCESS", "INCARNATION", "STATE_DIR", "SHAKETABLE_RUN", "HOME")
#: Those of the built-in services.
SERVICES = {"postgres": "DATABASE_URL", "redis": "REDIS_URL"}
#: A sender's variable with the address of the intake: HOST:PORT.
ADDRESS = "INGEST_ADDRESS"
#: The form of a variable's name.
NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


#: In a value: the port of a process, and a variable of the harness's environment, which no file of a run holds.
PORT = re.compile(r"\{port:([^{}]*)\}")
_UNFILLED = re.compile(r"\{env:[^{}]*\}?")
_ENV = re.compile(r"\{env:([A-Za-z_][A-Za-z0-9_]*)\}")


def port_of(process: str) -> str:
    """The variable with the port of a process: HTTP_PORT_WORKER_1 for `worker-1`."""
    return f"HTTP_PORT_{re.sub(r'[^A-Z0-9]', '_', process.upper())}"


def of_process(kind: Process, ports: Mapping[str, int], env: Mapping[str, str]) -> dict[str, str]:
    """A process's own variables, complete. Raises KeyError for an `{env:NAME}` that is not set: see `check`."""
    return _filled({name: PORT.sub(lambda found: str(ports[found[1]]), value) for name, value in kind.env.items()}, env)


def of_sender(manifest: Manifest, env: Mapping[str, str]) -> dict[str, str]:
    """A sender's own variables, complete. Raises InputError for an `{env:NAME}` that is not set."""
    _check("the sender", manifest.ingest.env, env)
    return _filled(manifest.ingest.env, env)


def _filled(told: Mapping[str, str], env: Mapping[str, str]) -> dict[str, str]:
    return {name: _ENV.sub(lambda found: env[found[1]], value) for name, value in told.items()}


def check(manifest: Manifest, env: Mapping[str, str]) -> None:
    """Raise InputError for a variable of the environment that a process or the sender needs and that is not set."""
    for kind in manifest.process:
        _check(f"process {kind.name!r}", kind.env, env)
    _check("the sender", manifest.ingest.env, env)


def _check(whose: str, told: Mapping[str, str], env: Mapping[str, str]) -> None:
    for name, value in told.items():
        if missing := [found for found in _ENV.findall(value) if found not in env]:
            raise InputError(
                f"expected the environment variable {missing[0]} for env.{name} of {whose}, got none: set it"
            )


def mistakes(manifest: Manifest) -> Iterator[str]:
    """Sentences on variables that two entries of a manifest set, each with the remedy."""
    owners: dict[str, str] = {}
    for variable, owner in _set(manifest):
        if (other := owners.setdefault(variable, owner)) != owner:
            yield f"{owner} sets the variable {variable}, and so does {other}: rename it"
    for kind in manifest.process:
        for variable in kind.env:
            if variable in owners:
                yield f"process {kind.name!r} sets the variable {variable}, and so does {owners[variable]}: rename it"
    owners[ADDRESS] = "the harness"
    for variable, value in manifest.ingest.env.items():
        if not NAME.fullmatch(variable):
            yield f"expected ingest.env to name a variable, got {variable!r}: write 'QUEUE_TOKEN' or so"
        if variable in owners:
            yield f"ingest.env sets the variable {variable}, and so does {owners[variable]}: rename it"
        if PORT.search(value):
            yield f"ingest.env.{variable} names a port, and a sender has {ADDRESS} for that of ingest.process: use it"
    yield from _malformed(manifest)


def _malformed(manifest: Manifest) -> Iterator[str]:
    """Sentences on names of variables, and on places for them, that are none."""
    for setting, variable in manifest.settings.items():
        if variable and not NAME.fullmatch(variable):
            yield f"expected settings.{setting} to name a variable, got {variable!r}: write 'LEASE_S' or so"
    told = [(f"env.{name} of process {kind.name!r}", kind.env[name]) for kind in manifest.process for name in kind.env]
    told += [
        (f"ingest.{key}.{name}", value)
        for key in ("env", "headers")
        for name, value in getattr(manifest.ingest, key).items()
    ]
    for where, value in told:
        for odd in _UNFILLED.findall(_ENV.sub("", value)):  # the rest of the value may be a secret
            yield f"expected {where} to name a variable as {{env:NAME}}, got {odd!r}: use letters, digits and `_`"


def _set(manifest: Manifest) -> Iterator[tuple[str, str]]:
    """The variables of every process, and what sets each."""
    for variable in (*OWN, *(port_of(name) for name, _ in manifest.instances())):
        yield variable, "the harness"
    for service in manifest.services:
        if service in SERVICES:
            yield SERVICES[service], f"service {service!r}"
    for each in manifest.service:
        if each.name not in BUILT_IN or each.env or each.url:
            yield each.variable, f"service {each.name!r}"
    if manifest.outbound is not None:
        yield manifest.outbound.env, "[outbound]"
    if manifest.traces is not None:
        yield manifest.traces.env, "[traces]"
    for variable in manifest.settings.values():
        if variable:  # an empty name: the setting follows from others
            yield variable, "[settings]"
