"""A service of a target: PostgreSQL and Redis by their names, any other TCP service by its command or its address."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

import msgspec

#: The longest duration of a manifest, in seconds: a day.
LONGEST_S = 86_400
#: The services that a stack starts by name alone.
BUILT_IN = ("postgres", "redis")
#: The harness's own receiver, as the service of a link.
OUTBOUND = "outbound"
#: Names that mean something else in a scenario or in a link.
RESERVED = ("ingest", OUTBOUND, "clients", "toxiproxy", "load", "supervisor", "setup")
#: The placeholders of a command, and of a `url`.
COMMAND, URL = ("{host}", "{port}", "{data}", "{password}"), ("{host}", "{port}", "{password}")
#: Further placeholders in the `url` of a built-in service.
LOGIN = ("{user}", "{database}", "{url}")

_NAME = re.compile(r"[a-z][a-z0-9_]{0,30}")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_ADDRESS = re.compile(r"(127\.0\.0\.1|localhost|\[::1\]):([1-9][0-9]{0,4})")
_PLACEHOLDER = re.compile(r"\{[a-z_]+\}")


class ServiceProbe(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A round trip with a service: bytes to send, as text, and the beginning of its answer."""

    send: str = ""  # "": the service speaks first, or not at all
    expect: str = ""  # "": any byte


class Service(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A TCP service that the target uses, reached by each of its processes through a link of its own."""

    name: str  # postgres and redis are built in, and need nothing else
    command: tuple[str, ...] = ()  # started by the harness; {host}, {port}, {data} and {password} are filled in
    address: str = ""  # given instead: HOST:PORT on this machine
    env: str = ""  # the variable that hands `url` to each process; default: NAME_URL
    url: str = ""  # what the variable holds, with {host}, {port} and {password}; default: HOST:PORT
    probe: ServiceProbe | None = None  # a round trip for witnesses; absent: connect and wait for a byte or the end
    ready_s: float = 20.0  # within which its probe succeeds after a start

    @property
    def variable(self) -> str:
        """The variable that holds its URL."""
        return self.env or f"{self.name.upper()}_URL"

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that contradict each other, each with the remedy."""
        where = f"[[service]] {self.name!r}"
        if not _NAME.fullmatch(self.name) or self.name in RESERVED:
            yield (
                f"expected the name of a [[service]] to be lower-case letters, digits and `_`, at most 31, and none of "
                f"{', '.join(RESERVED)}: got {self.name!r}"
            )
        if self.name in BUILT_IN:
            if self.command or self.address or self.probe:
                yield f"{where} is built in: leave out its command, address and probe"
        elif bool(self.command) == bool(self.address):
            yield f"{where}: expected a command or an address, got {'both' if self.command else 'neither'}: name one"
        if self.address and (not (found := _ADDRESS.fullmatch(self.address)) or int(found[2]) > 65_535):
            yield f"{where}: expected an address on this machine, got {self.address!r}: write '127.0.0.1:4222' or so"
        if not _VARIABLE.fullmatch(self.variable):
            yield f"{where}: expected env to name a variable, got {self.variable!r}: write 'NATS_URL' or so"
        yield from not_seconds(f"{where}: ready_s", self.ready_s)
        if self.command and not any("{port}" in word for word in self.command):
            yield f"{where}: expected its command to contain {{port}}, the port on which it must listen"
        known = (*URL, *LOGIN) if self.name in BUILT_IN else URL
        if odd := sorted(set(_PLACEHOLDER.findall(self.url)) - set(known)):
            yield f"{where}: expected its url to contain only {', '.join(known)}, got {', '.join(odd)}"


def not_seconds(key: str, value: float) -> Iterator[str]:
    """A sentence on a duration that is none, or that no run would await."""
    if not 0 <= value <= LONGEST_S:
        yield f"expected {key} from 0 to {LONGEST_S:,} seconds, got {value:g}: leave it out for the usual time"


def filled(text: str, values: Mapping[str, object]) -> str:
    """Replace each `{name}` of `values` in a text."""
    for name, value in values.items():
        text = text.replace(f"{{{name}}}", str(value))
    return text


class Needs(msgspec.Struct, frozen=True):
    """The services that a stack must provide, and how to start those that are not built in."""

    built_in: frozenset[str] = frozenset(BUILT_IN)
    services: tuple[Service, ...] = ()  # others, their commands complete but for {host}, {port}, {data}, {password}
    cwd: Path = Path()
    outbound: bool = False  # links to the harness's own receiver
    commands: bool = False  # run on this machine, to read the target's events

    @property
    def names(self) -> list[str]:
        """All of them, the built-in ones first."""
        built_in = (name for name in BUILT_IN if name in self.built_in)
        return [*built_in, *(each.name for each in self.services), *([OUTBOUND] if self.outbound else [])]


def mistakes(services: Iterable[Service]) -> Iterator[str]:
    """Sentences on the services of a manifest, each with the remedy."""
    seen: set[str] = set()
    for each in services:
        yield from each.mistakes()
        for word in (each.name, each.variable):
            if word in seen:
                yield f"[[service]] {each.name!r}: {word!r} is used twice: give each a name and an env of its own"
            seen.add(word)
