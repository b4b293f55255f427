"""The live view at a terminal: messages are printed above, and a small table below changes."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.table import Table
from rich.text import Text

from shaketable.clock import SECOND, Clock, SystemClock
from shaketable.op import Scalar
from shaketable.runner.progress import Status
from shaketable.text import visible

#: The phases that take time, in order.
PHASES = ("baseline", "shake", "recover", "resend", "drain")
#: At most this score, health is bad.
ILL = 70

_BREAKER = {"CLOSED": "green", "HALF_OPEN": "yellow", "OPEN": "bold red"}


class LiveReporter:
    """Keeps `progress.Reporter` with rich; redraws four times a second, and leaves the terminal as it was."""

    def __init__(self, console: Console | None = None, clock: Clock | None = None, above: RenderableType = "") -> None:
        self._above = above  # a constant part, shown above the table
        self._console, self._clock = console or Console(highlight=False), clock or SystemClock()
        self._began = self._clock.now()
        self._live = Live(console=self._console, refresh_per_second=4, transient=True)

    def __enter__(self) -> Self:
        self._live.start()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._live.stop()

    def print(self, text: str) -> None:
        self._console.print(f"{(self._clock.now() - self._began) / SECOND:6.1f} s  {visible(text)}", markup=False)

    def update(self, status: Status) -> None:
        self._live.update(Group(self._above, picture(status)) if self._above else picture(status))


def picture(status: Status) -> Table:
    """How it stands, as a table of two columns."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="dim", justify="right", min_width=9)
    table.add_column()
    table.add_row("phase", _phases(status))
    table.add_row("events", _events(status))
    table.add_row("health", _health(status.health))
    table.add_row("breakers", _breakers(status))
    table.add_row("faults", Text(", ".join(status.faults) or "none", "bold red" if status.faults else "dim"))
    return table


def _phases(status: Status) -> Text:
    text = Text()
    for phase in PHASES:
        text.append(f"{phase} ", "bold reverse" if phase == status.phase else "dim")
    if status.left_s is not None:
        text.append(f"  {max(0.0, status.left_s):.0f} s of load left")
    return text


def _events(status: Status) -> Text:
    scheduled, queue = f"{status.scheduled} scheduled", status.queue
    text = Text(f"{scheduled} · {status.acknowledged} acknowledged · {_or(status.stored)} stored · ")
    return text.append(f"{_or(queue)} queued", "yellow" if isinstance(queue, int) and queue > 100 else "")


def _health(score: Scalar) -> Text:
    if not isinstance(score, int | float):
        return Text("no answer", "bold red")
    style, full = "green" if score > ILL else "bold red", round(min(100, max(0, score)) / 5)
    return Text(f"{'█' * full}{'░' * (20 - full)} {score:g}", style)


def _breakers(status: Status) -> Text:
    text = Text()
    for name, state in sorted(status.breakers.items()):
        text.append(f"{name} ").append(visible(state), _BREAKER.get(state, "")).append("   ")
    return text if text.plain else Text("–", "dim")


def _or(value: Scalar) -> str:
    return "–" if value is None else visible(f"{value}")
