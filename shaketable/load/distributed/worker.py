"""A worker: receives its share, reports that it is ready, and plays the share from T0 on."""

from __future__ import annotations

from collections.abc import Callable

from shaketable.load.distributed import messages
from shaketable.load.distributed.messages import Assigned, Begin, Done, Ready


class Worker:
    """Follows the master through one test after another. `play` is called with T0."""

    def __init__(self, runner: messages.Runner, play: Callable[[int], None]) -> None:
        self._runner, self._play = runner, play
        self._assigned: Assigned | None = None
        self._current: Assigned | None = None
        messages.listen(runner, Assigned, self._on_assigned)
        messages.listen(runner, Begin, self._on_begin)

    def take(self) -> Assigned | None:
        """The share of the test that begins; None for a worker that connected after the shares were assigned."""
        self._current, self._assigned = self._assigned, None
        return self._current

    def ready(self) -> None:
        """Report that the share is read and the users are started."""
        if self._current is not None:
            messages.send(self._runner, Ready(self._current.test, self._current.share.index))

    def done(self, why: str = "") -> None:
        """Report that the share is played, or why it cannot be."""
        if self._current is not None:
            messages.send(self._runner, Done(self._current.test, self._current.share.index, why))

    def _on_assigned(self, message: Assigned, _: str) -> None:
        self._assigned = message

    def _on_begin(self, message: Begin, _: str) -> None:
        if self._current is not None and message.test == self._current.test:
            self._play(message.at)
