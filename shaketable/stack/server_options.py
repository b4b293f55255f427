"""How the stack's own servers run in one scenario: settings, and disks that can be broken."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shaketable.errors import ScenarioError

if TYPE_CHECKING:
    from shaketable.stack.stack import Service

#: The settings of a scenario by service: `{"redis": {"appendfsync": "everysec"}}`.
Servers = Mapping[str, Mapping[str, str]]
#: The services whose settings a scenario can set, and those that it can not: the harness sets them itself.
RESERVED = {
    "postgres": frozenset({"listen_addresses", "port", "unix_socket_directories", "dynamic_shared_memory_type"}),
    "redis": frozenset({"bind", "port", "protected-mode", "requirepass", "dir"}),
}


@dataclass(frozen=True)
class ServerOptions:
    """The settings of a scenario, and the services whose disk its faults break."""

    settings: Servers = field(default_factory=dict)
    disks: frozenset[Service] = frozenset()

    def of(self, service: Service) -> Mapping[str, str]:
        """The settings of one service."""
        return self.settings.get(service, {})


def check(settings: Mapping[str, Mapping[str, object]]) -> None:
    """Raise ScenarioError for a service or a setting that a scenario cannot set, or a value that is no string."""
    for service, named in settings.items():
        if service not in RESERVED:
            raise ScenarioError(f"servers: expected one of {', '.join(RESERVED)}, got {service!r}")
        if reserved := sorted(RESERVED[service] & named.keys()):
            raise ScenarioError(f"servers: {reserved[0]} of {service} is set by the harness: leave it out")
        for name, value in named.items():
            if not (isinstance(value, str) and value.isprintable() and name.replace("-", "_").isidentifier()):
                raise ScenarioError(f"servers: expected a setting and its value in one line, got {name!r} = {value!r}")
