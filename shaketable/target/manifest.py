"""The manifest: a processor's description of itself, with which the harness starts, loads, shakes and judges it."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args

import msgspec

from shaketable.errors import ManifestError
from shaketable.event.table import EventTable, Numbers
from shaketable.files import foreign
from shaketable.stack import service as services
from shaketable.stack.service import BUILT_IN, Service, not_seconds
from shaketable.target import contradictions, ingest_table, source_tables, unknown_key, variables
from shaketable.target.breaker_log import Breaker
from shaketable.target.ingest_table import Ingest
from shaketable.target.metrics_table import MetricsTable
from shaketable.target.mix_table import MixTable
from shaketable.target.outbound_table import Outbound
from shaketable.target.source_tables import DeadLetters, Queue, Stored
from shaketable.target.strict import Strict
from shaketable.target.traces_table import Traces

#: The most bytes of a manifest.
MOST = 1 << 20
#: The supported versions of the contract.
CONTRACTS = (1, 2)
#: By table, "" for the top level: the keys that need contract = 2.
SINCE_2 = {
    "": ("breaker", "event", "go", "health_process", "metrics", "mix", "outbound", "service", "traces"),
    "ingest": ingest_table.SINCE_2,
    "process": ("env",),
    "capabilities": ("numbers", "retry_after"),
    **source_tables.SINCE_2,
}
#: A process's role; a scenario cannot address an `other` by role.
Role = Literal["intake", "worker", "other"]
#: By the key of an environment: its placeholders in commands.
PLACEHOLDERS = {"requirements": ("{venv_python}",), "node": ("{node}", "{node_folder}"), "go": ("{go_bin}",)}


class Process(Strict, frozen=True, forbid_unknown_fields=True):
    """One kind of process; `count` of them run."""

    name: str
    command: tuple[str, ...]
    count: int = 1
    health: str | None = None  # path on its own HTTP_PORT
    ready_s: float = 20.0
    stop_s: float = 10.0  # from SIGTERM to SIGKILL
    role: Role | None = None  # for scenarios; default: intake for ingest.process, worker for others
    env: dict[str, str] = msgspec.field(default_factory=dict)  # of its own, with {port:NAME} and {env:NAME}

    def instances(self) -> list[str]:
        """`ingest`, or `worker-1`, `worker-2`."""
        return [self.name] if self.count == 1 else [f"{self.name}-{n}" for n in range(1, self.count + 1)]


class Timing(Strict, frozen=True, forbid_unknown_fields=True):
    """The bounds for the laws, in seconds, and the failure threshold as a count."""

    failure_threshold: int = 5
    recovery_s: float = 30.0
    lease_s: float = 10.0  # the longest time that a dead or frozen worker may hold events
    open_within_s: float = 15.0  # from the store's failure, while there is work
    health_grace_s: float = 5.0
    attempt_timeout_s: float = 5.0

    def mistakes(self) -> Iterator[str]:
        """Sentences on bounds that are none."""
        if self.failure_threshold < 1:
            yield f"expected timing.failure_threshold of at least 1, got {self.failure_threshold}: 5 is usual"
        for name in self.__struct_fields__[1:]:
            yield from not_seconds(f"timing.{name}", getattr(self, name))


class Capabilities(Strict, frozen=True, forbid_unknown_fields=True):
    """The laws that can be judged; a missing capability makes a law 'not applicable', never passed."""

    order_by: str | None = None
    breaker: bool = False
    health: bool = False
    deduplicates: bool = True  # False: a resent event may be stored twice
    numbers: Numbers | None = None  # of audit events; absent: as doubles, and the mix stays within 2^53
    retry_after: bool = False  # 429 and 503 have a Retry-After of a second or more


class Manifest(Strict, frozen=True, forbid_unknown_fields=True):
    """A whole manifest."""

    contract: int
    name: str
    ingest: Ingest
    process: tuple[Process, ...]
    stored: Stored = Stored()
    cwd: str = "."
    health_process: str | None = None  # the process whose health is the target's; default: ingest.process
    setup: tuple[str, ...] = ()
    requirements: str | None = None  # pinned and hashed requirements for {venv_python}, relative to the manifest
    node: str | None = None  # a folder with package-lock.json for {node_folder}, relative to the manifest
    go: str | None = None  # a folder with go.mod and go.sum for {go_bin}, relative to the manifest
    event: EventTable | None = None  # absent: the audit event
    service: tuple[Service, ...] = ()
    dead_letters: DeadLetters | None = None
    queue: Queue | None = None
    outbound: Outbound | None = None
    breaker: Breaker | None = None
    metrics: MetricsTable | None = None
    traces: Traces | None = None
    mix: MixTable = MixTable()
    timing: Timing = Timing()
    settings: dict[str, str] = msgspec.field(default_factory=dict)
    capabilities: Capabilities = Capabilities()

    def instances(self) -> list[tuple[str, Process]]:
        """All process instances, by name."""
        return [(name, kind) for kind in self.process for name in kind.instances()]

    def words(self) -> list[str]:
        """All words of all commands."""
        commands = (self.setup, *(kind.command for kind in self.process), *(each.command for each in self.service))
        return [part for command in commands for part in command]

    @property
    def services(self) -> list[str]:
        """The names of the services that the target uses; with contract 1 both built-in ones."""
        named = [each.name for each in self.service]
        built_in = [name for name in BUILT_IN if self.contract == 1 or name in named or self._reads(name)]
        own = [name for name in named if name not in BUILT_IN]
        return [*built_in, *own, *([services.OUTBOUND] if self.outbound else [])]

    @property
    def store(self) -> str | None:
        """The service in which events are stored; None if the manifest does not say."""
        return services.OUTBOUND if self.outbound else self.stored.service or ("postgres" if self.stored.sql else None)

    @property
    def queue_service(self) -> str | None:
        """The service without which the intake cannot accept events; None if the manifest does not say."""
        if self.contract == 1:
            return "redis"
        return self.queue.stands_on if self.queue else None

    def _reads(self, service: str) -> bool:
        """Whether a table is read from a built-in service."""
        tables = (self.stored, self.dead_letters, self.queue, self.queue and self.queue.parked)
        return any(getattr(table, "sql" if service == "postgres" else "redis", None) for table in tables)


def load(path: Path) -> Manifest:
    """Read a manifest. Raises ManifestError naming the file, the key and the mistake."""
    try:
        written = tomllib.loads(foreign.text(path, MOST))
        _check_version(written, path)
        manifest = msgspec.convert(written, Manifest)
    except OSError as e:
        raise ManifestError(f"expected a target's manifest, got {path}: {e.strerror}") from e
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError, msgspec.ValidationError) as e:
        mistake = unknown_key.sentence(e, Manifest) or str(e)
        raise ManifestError(f"manifest {path}: {mistake} (docs/contract.md lists every key)") from e
    return _consistent(manifest, path)


def _check_version(written: dict[str, Any], path: Path) -> None:
    """Check the contract's version first: a later key in an earlier version would be called unknown."""
    contract = written.get("contract")
    if isinstance(contract, int) and contract not in CONTRACTS:
        raise ManifestError(f"manifest {path}: expected contract = 1 or contract = 2, got {contract}: write 2")
    if contract != 1:
        return
    for table, keys in SINCE_2.items():
        inside = written if not table else written.get(table)
        found = [each for each in (inside if isinstance(inside, list) else [inside]) if isinstance(each, dict)]
        if newer := [key for key in keys if any(key in each for each in found)]:
            named = ", ".join(f"{table}.{key}" if table else key for key in newer)
            raise ManifestError(f"manifest {path}: contract = 1 has no {named}: write contract = 2")


def _consistent(manifest: Manifest, path: Path) -> Manifest:
    """Check the constraints that types cannot express."""
    names = [kind.name for kind in manifest.process]
    if len(set(names)) != len(names):
        raise ManifestError(f"manifest {path}: expected each [[process]] to have a name of its own, got {names}")
    if manifest.ingest.process not in names and not (manifest.ingest.sender and not manifest.ingest.process):
        raise ManifestError(f"manifest {path}: ingest.process is {manifest.ingest.process!r}, expected one of {names}")
    for key, placeholders in PLACEHOLDERS.items():
        for placeholder in placeholders if getattr(manifest, key) is None else ():
            if any(placeholder in part for part in manifest.words()):
                raise ManifestError(f"manifest {path}: a command names {placeholder}, but there is no key {key!r}")
    for kind in manifest.process:
        contradictions.check_process(kind, manifest, path)
    for mistake in _mistakes(manifest, names):
        raise ManifestError(f"manifest {path}: {mistake}")
    contradictions.check_route("ingest.path", manifest.ingest.path, path)
    contradictions.check_route("ingest.batch.path", manifest.ingest.batch.path if manifest.ingest.batch else None, path)
    return manifest


def _mistakes(manifest: Manifest, names: list[str]) -> Iterator[str]:
    """The sentences of the tables on keys that contradict each other."""
    yield from contradictions.of_name(manifest)
    yield from manifest.ingest.mistakes()
    yield from contradictions.without_intake(manifest)
    yield from contradictions.of_relation(manifest)
    yield from manifest.timing.mistakes()
    yield from contradictions.of_event(manifest)
    yield from services.mistakes(manifest.service)
    yield from contradictions.of_processes(manifest, names, get_args(Role))
    yield from manifest.mix.mistakes()
    yield from manifest.metrics.mistakes() if manifest.metrics else ()
    if manifest.breaker is not None:
        yield from manifest.breaker.mistakes(names, claimed=manifest.capabilities.breaker)
    for told in (manifest.outbound, manifest.traces):
        yield from told.mistakes() if told else ()
    has_receiver = manifest.outbound is not None
    yield from source_tables.mistakes(manifest.stored, manifest.dead_letters, manifest.queue, names, has_receiver)
    for section, table in (("stored", manifest.stored), ("queue", manifest.queue)):
        if table is not None and table.service is not None and table.service not in manifest.services:
            used = ", ".join(manifest.services) or "none"
            yield f"expected {section}.service to be one that the target uses ({used}), got {table.service!r}: name it"
    yield from variables.mistakes(manifest)
