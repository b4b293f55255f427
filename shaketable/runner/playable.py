"""Whether a scenario can be played on a target, known from its manifest alone, before anything is started."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from typing import Any, cast

from shaketable.errors import ScenarioError, ServiceMissing, ShaketableError
from shaketable.faults.fault import Fault, FaultContext
from shaketable.faults.timeline import check_apart
from shaketable.runner import scenario
from shaketable.runner.scenario import Scenario
from shaketable.stack.stack import CLIENTS, Address, Link, Service, owner_of
from shaketable.target import clients, roles
from shaketable.target.manifest import Manifest
from shaketable.target.mix_table import SHARES

_NOWHERE = Address("127.0.0.1", 0)


def fitted(asked: Scenario, manifest: Manifest) -> Manifest:
    """The manifest with as many processes as the scenario asks for.

    Raises ScenarioError when a fault targets nothing that the target has, with the nearest scenario that can be played.
    """
    try:
        return check(asked, manifest)
    except ScenarioError as e:
        near = nearest(asked, manifest)
        other = f"; the nearest scenario that {manifest.name} can play is {near}" if near else ""
        raise type(e)(f"{asked.name} cannot be played on {manifest.name}: {e}{other}") from e


def narrowed(asked: Scenario, manifest: Manifest) -> Scenario:
    """The scenario without the events that the target never receives in production (`[mix]`)."""
    shares = {name: min(getattr(asked.mix, name), getattr(manifest.mix, name)) for name in SHARES}
    return dataclasses.replace(asked, mix=dataclasses.replace(asked.mix, **shares))


def check(asked: Scenario, manifest: Manifest) -> Manifest:
    """The same without a hint."""
    found = roles.counted(manifest, asked.counts)
    context = cast(FaultContext, ManifestContext(found))
    targets = [_targets(entry.fault, context) for entry in asked.timeline]
    check_apart(asked.timeline, targets)
    return found


def nearest(asked: Scenario, manifest: Manifest) -> str | None:
    """The scenario that can be played and is most alike: in the kinds of faults, and in the things that they break."""
    wanted, best, share = _features(asked), None, 0.0
    for other in _others(asked):
        has = _features(other)
        alike = len(wanted & has) / len(wanted | has) if wanted | has else 0.0
        if alike > share and _plays(other, manifest):
            best, share = other.name, alike
    return best


class ManifestContext:
    """The part of a fault's context that a manifest determines: which links and processes a fault targets."""

    def __init__(self, manifest: Manifest) -> None:
        self._manifest = manifest

    @property
    def links(self) -> ManifestContext:
        return self

    processes = services = links

    def named(self, process: str | None = None) -> list[str]:
        manifest = self._manifest
        if process is None:
            return [name for name, _ in manifest.instances()]
        instances = {name for name, _ in manifest.instances()}
        if process not in instances and any(each.name == process and each.command for each in manifest.service):
            return [process]
        return roles.resolve(manifest.process, manifest.ingest.process, process)

    def to(self, service: Service, process: str | None = None) -> list[Link]:
        at = clients.leads_to(self._manifest)
        if service == clients.INGEST:
            if process is not None or at is None:
                told = f" from {process!r}" if process is not None else ""
                raise ScenarioError(f"no link leads to {service!r}{told}: nothing to break")
            return [Link(CLIENTS, at, _NOWHERE, _NOWHERE)]
        self.need(service)
        process = owner_of(process, self.intake)
        clients_too = process in (None, CLIENTS) and at == service
        names = [] if process == CLIENTS and clients_too else self.named(process)
        names += [CLIENTS] if clients_too else []
        return [Link(name, service, _NOWHERE, _NOWHERE) for name in names]

    @property
    def intake(self) -> str:
        ingest = self._manifest.ingest
        return self.named(ingest.process)[0] if ingest.process else CLIENTS

    def need(self, service: Service) -> None:
        """Raise ScenarioError in one sentence unless the target uses the service."""
        if service not in (there := self._manifest.services):
            raise ServiceMissing(
                f"a fault needs {service}, and {self._manifest.name} uses {' and '.join(there) or 'no service'}"
            )

    @property
    def relation(self) -> str:
        self.need("postgres")
        if self._manifest.store != "postgres":
            raise ServiceMissing(
                f"a fault needs events that are stored in postgres, and {self._manifest.name} has none"
            )
        if (relation := self._manifest.stored.relation) is None:
            raise ScenarioError("name the relation that its faults break, under [stored]")
        return relation

    def server(self, service: Service) -> Any:
        self.need(service)
        raise _NeedsServers(f"a manifest alone does not determine the server of {service}")

    disk = server

    def __getattr__(self, name: str) -> Any:
        raise _NeedsServers(f"a manifest alone does not determine {name}")


class _NeedsServers(AttributeError):
    """A fault asks for something that exists only while servers run."""


def _targets(fault: Fault, context: FaultContext) -> list[str]:
    try:
        return fault.targets(context)
    except _NeedsServers:
        return []  # asked again once the servers are there


def _others(asked: Scenario) -> Iterator[Scenario]:
    for name, path in scenario.names().items():
        try:
            other = scenario.load(str(path)).drawn()
        except ShaketableError:
            continue  # a file that is no scenario is no proposal
        if name != asked.name and not other.nightly:
            yield other


def _plays(other: Scenario, manifest: Manifest) -> bool:
    try:
        check(other, manifest)
    except ScenarioError:
        return False
    return True


def _features(asked: Scenario) -> set[str]:
    """The features of a scenario, in words: `kill`, `worker`, `down`, `postgres`."""
    faults = [entry.fault for entry in asked.timeline]
    named = [str(getattr(fault, name, None) or "") for fault in faults for name in ("process", "service")]
    return {fault.kind for fault in faults} | {aim.partition("-")[0] for aim in named if aim}
