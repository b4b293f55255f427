"""What every link fault shares: its witness is the harness's own exchange through the link, beside one past it."""

from __future__ import annotations

from collections.abc import Callable

from shaketable.fault import Bench, Witness
from shaketable.stack import Link

#: (ms through the link, ms past it) → whether the fault is seen there; None is no answer.
Seen = Callable[[float | None, float | None], bool]


def witness(bench: Bench, links: list[Link], seen: Seen) -> Witness:
    """Landed when the fault is seen on every one of the links it is aimed at; the figure is how many those are."""
    pairs = [(bench.round_trip_ms(link, through=True), bench.round_trip_ms(link, through=False)) for link in links]
    hit = sum(seen(through, past) for through, past in pairs)
    shown = ", ".join(
        f"{link.name}: {_ms(a)} through, {_ms(b)} past" for link, (a, b) in zip(links, pairs, strict=True)
    )
    return Witness(hit == len(links), hit, f"of {len(links)} links hit", shown)


def _ms(value: float | None) -> str:
    return "no answer" if value is None else f"{value:.1f} ms"
