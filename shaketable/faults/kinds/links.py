"""Link faults: their targets, and their witness, which compares exchanges through the link and past it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TypeVar

from shaketable.faults.fault import Fault, FaultContext, Witness
from shaketable.faults.round_trip import PingResult
from shaketable.stack.probe import How
from shaketable.stack.stack import Link, Service, owner_of
from shaketable.stack.toxiproxy.client import Stream

T = TypeVar("T")
#: (ms through the link, ms past it) → whether the fault is seen there; None is no answer.
Seen = Callable[[float | None, float | None], bool]
#: Milliseconds that something takes on a link, through it or past it; None is no answer.
Timed = Callable[[Link, bool], float | None]


class LinkFault(Fault):
    """`service` through the links of `process` (one instance, or all of a kind), or of all processes."""

    service: Service
    process: str | None

    @property
    def whom(self) -> str:
        """The end of a label."""
        return f" for {self.process}" if self.process else ""

    def blocks_intake(self, context: FaultContext) -> bool:
        if self.service == "ingest":
            return True
        if self.service != context.services.queue or self.process is None:
            return self.service == context.services.queue
        intake = context.processes.intake
        owner = owner_of(self.process, intake)
        return owner == intake or intake in context.processes.named(owner)

    @property
    def cuts_off(self) -> bool:
        """Whether nothing at all passes the links while it is active."""
        return False

    @property
    def blocks_store(self) -> bool:
        return self.service == "postgres" and self.process is None and self.cuts_off

    def targets(self, context: FaultContext) -> list[str]:
        return [link.name for link in self.links(context)]

    def links(self, context: FaultContext) -> list[Link]:
        """The links it breaks. Raises ScenarioError when there are none."""
        return context.links.to(self.service, self.process)


@dataclass(frozen=True)
class Toxic:
    """A toxic of Toxiproxy; its attributes are whole numbers, their units in its documentation."""

    kind: str
    attributes: Mapping[str, int]
    stream: Stream = "downstream"


class ToxicFault(LinkFault):
    """A link fault that is one toxic, or one in each direction."""

    @property
    def toxics(self) -> tuple[Toxic, ...]:
        """The toxics of each link."""
        raise NotImplementedError

    def inject(self, context: FaultContext) -> None:
        for link in self.links(context):
            for toxic in self.toxics:
                context.links.toxiproxy.add_toxic(
                    context.links.proxy(link), self._name(toxic), toxic.kind, toxic.attributes, toxic.stream
                )

    def heal(self, context: FaultContext) -> None:
        for link in self.links(context):
            for toxic in self.toxics:
                context.links.toxiproxy.remove_toxic(context.links.proxy(link), self._name(toxic))

    def _name(self, toxic: Toxic) -> str:
        return f"{self.kind}-{toxic.stream}"


def cut(context: FaultContext, links: list[Link]) -> None:
    """End the connections that are open, so that the next ones meet the fault."""
    for link in links:
        context.links.toxiproxy.enable(context.links.proxy(link), False)
        context.links.toxiproxy.enable(context.links.proxy(link), True)


def witness(links: list[Link], seen: Seen, timed: Timed) -> Witness:
    """Landed when the fault is seen on every one of the links it is aimed at; the figure is how many those are."""
    pairs = both(links, timed)
    return _told(links, [seen(*pair) for pair in pairs], [(_ms(a), _ms(b)) for a, b in pairs])


def witness_how(context: FaultContext, links: list[Link], *how: How) -> Witness:
    """The same by the shortest exchange there is: it ended in one of these ways, while there is an answer past it."""
    return witness_when(context, links, lambda through, past: through.how in how and _serves(past.how, through.how))


def witness_when(context: FaultContext, links: list[Link], seen: Callable[[PingResult, PingResult], bool]) -> Witness:
    """The same by a condition on the exchange through the link, and that past it."""
    pairs = both(links, context.links.ping)
    return _told(links, [seen(*pair) for pair in pairs], [(str(a), str(b)) for a, b in pairs])


def _serves(past: How, through: How) -> bool:
    """Whether there is an answer past the link; without a probe, an open connection that the link does not give."""
    return past == "answered" or (past == "open" and through not in ("open", "silent"))


def both(links: list[Link], exchange: Callable[[Link, bool], T]) -> list[tuple[T, T]]:
    """It through each link, all at once since silent ones take long, then past each."""
    with ThreadPoolExecutor(len(links)) as pool:
        through = list(pool.map(lambda link: exchange(link, True), links))
    return list(zip(through, [exchange(link, False) for link in links], strict=True))


def _told(links: list[Link], seen: list[bool], shown: list[tuple[str, str]]) -> Witness:
    text = ", ".join(f"{link.name}: {a} through, {b} past" for link, (a, b) in zip(links, shown, strict=True))
    return Witness(all(seen), sum(seen), f"of {len(links)} links hit", text)


def silent(through: float | None, past: float | None) -> bool:
    """No answer through the link while there is one past it."""
    return through is None and past is not None


def slower(by_ms: float) -> Seen:
    """The exchange through the link takes at least so much longer than the one past it."""
    return lambda through, past: through is not None and past is not None and through - past >= by_ms


def _ms(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.1f} ms"
