"""A worker without the run directory: its share arrives, and its journal leaves, as messages."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import count

import gevent
import msgspec
from gevent.event import Event

from shaketable.clock import Clock
from shaketable.errors import HarnessError
from shaketable.load.distributed import messages
from shaketable.load.distributed.messages import Lines, Ping, Pong
from shaketable.load.distributed.offset import RoundTrip, drifted, measured
from shaketable.load.distributed.sent_journal import SentJournal
from shaketable.load.mix.shape import Shape
from shaketable.load.schedule import Planned

#: Round trips of one measurement, and seconds that each may take.
TRIPS, TRIP_S = 4, 2.0
#: Seconds between two sendings of the journal, and between two measurements of the clocks.
FLUSH_S, MEASURE_S = 0.2, 5.0


class Remote:
    """The worker's end. Locust delivers the share before it starts the users."""

    def __init__(self, runner: messages.Runner, clock: Clock) -> None:
        self._runner, self._clock = runner, clock
        self._received: dict[str, list[str]] = {messages.CORPUS: [], messages.SCHEDULE: []}
        self._trips: list[RoundTrip] = []
        self._answered = Event()
        self._prepared = False
        self._numbers = count()
        self.journal = SentJournal(self._send)
        messages.listen(runner, Lines, self._on_lines)
        messages.listen(runner, Pong, self._on_pong)

    def share(self) -> tuple[Sequence[Planned], Sequence[Shape]]:
        """The events to send, and the shapes of the corpus."""
        schedule, corpus = ("".join(self._received[name]) for name in (messages.SCHEDULE, messages.CORPUS))
        return (
            msgspec.json.Decoder(Planned).decode_lines(schedule),
            msgspec.json.Decoder(Shape).decode_lines(corpus),
        )

    def prepare(self) -> None:
        """Measure the master's clock, and send the journal from now on. Raises HarnessError without an answer."""
        self._measure()
        self.journal.offset = measured(self._trips)
        self.journal.error = self.journal.offset.error
        if not self._prepared:
            gevent.spawn(self._repeat, FLUSH_S, self.journal.flush)
            gevent.spawn(self._repeat, MEASURE_S, self._measure_again)
        self._prepared = True

    def own(self, at: int) -> int:
        """A time of the master's clock by this machine's clock."""
        return at - self.journal.offset.ns

    def _send(self, text: str) -> None:
        messages.send(self._runner, Lines(messages.JOURNAL, text, next(self._numbers)))

    def _repeat(self, every_s: float, act: Callable[[], None]) -> None:
        while True:
            gevent.sleep(every_s)
            act()

    def _measure_again(self) -> None:
        self._measure()
        self.journal.error = max(self.journal.error, drifted(self.journal.offset, measured(self._trips)))

    def _measure(self) -> None:
        self._trips = []
        for _ in range(TRIPS):
            self._answered.clear()
            messages.send(self._runner, Ping(self._clock.now()))
            if not self._answered.wait(TRIP_S):
                raise HarnessError(f"expected an answer of Locust's master within {TRIP_S:g} s, got none")

    def _on_lines(self, message: Lines, _: str) -> None:
        self._received[message.what].append(message.text)

    def _on_pong(self, message: Pong, _: str) -> None:
        self._trips.append(RoundTrip(message.asked, message.at, self._clock.now()))
        self._answered.set()
