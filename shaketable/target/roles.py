"""Roles: names by which scenarios address a target's processes, independent of their names in the manifest."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import msgspec

from shaketable.errors import ScenarioError, ServiceMissing
from shaketable.target.manifest import Manifest, Process, Role

_ROLE = re.compile(r"(intake|worker)(?:-([1-9][0-9]*))?")


def resolve(kinds: Sequence[Process], intake: str, asked: str) -> list[str]:
    """The processes for a name; `intake` is the manifest's ingest.process. Raises ScenarioError without a match.

    Names of processes and kinds come first; `store-1` is the only process of `store`, too, so that a scenario for
    several fits one. Otherwise `intake` and `worker` are all processes of the role, and `worker-2` is the second one.
    """
    if own := [name for kind in kinds for name in kind.instances() if asked in (name, kind.name)]:
        return own
    if only := [kind.name for kind in kinds if kind.count == 1 and asked == f"{kind.name}-1"]:
        return only
    if role := _ROLE.fullmatch(asked):
        found = _of_role(kinds, intake, role[1])
        chosen = found if role[2] is None else found[int(role[2]) - 1 :][:1]
        if chosen:
            return chosen
    if asked == "intake" and not intake:
        raise ServiceMissing("a fault aims at the intake, and the target has none: ingest.sender sends its events")
    raise ScenarioError(f"expected a process of the target to aim at, got {asked!r}: it has {_told(kinds, intake)}")


def role_of(kind: Process, intake: str) -> Role:
    """The role in the manifest; by default ingest.process is the intake, and all others are workers."""
    return kind.role or ("intake" if kind.name == intake else "worker")


def counted(manifest: Manifest, counts: Mapping[str, int]) -> Manifest:
    """The manifest with other process counts, by a kind's name or a role. Raises ScenarioError."""
    kinds, intake = list(manifest.process), manifest.ingest.process
    for asked, count in counts.items():
        found = [i for i, kind in enumerate(kinds) if kind.name == asked]
        found = found or [i for i, kind in enumerate(kinds) if role_of(kind, intake) == asked]
        if len(found) != 1 or count < 1:
            raise ScenarioError(
                f"expected at least 1 of a kind of process of the target, got {count} of {asked!r}: "
                f"it has {_told(kinds, intake)}"
            )
        kinds[found[0]] = msgspec.structs.replace(kinds[found[0]], count=count)
    return msgspec.structs.replace(manifest, process=tuple(kinds))


def _of_role(kinds: Sequence[Process], intake: str, role: str) -> list[str]:
    """In the manifest's order, except that a kind named like the role comes first and so retains its numbers."""
    fitting = [kind for kind in kinds if role_of(kind, intake) == role]
    return [name for kind in sorted(fitting, key=lambda kind: kind.name != role) for name in kind.instances()]


def _told(kinds: Sequence[Process], intake: str) -> str:
    """`api (intake) and store (worker)`."""
    told = [f"{name} ({role_of(kind, intake)})" for kind in kinds for name in kind.instances()]
    return " and ".join(filter(None, [", ".join(told[:-1]), told[-1]]))
