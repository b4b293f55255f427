"""Something that a fault does again and again while it is active, in a thread that the context holds."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from shaketable.errors import HarnessError

#: Seconds that one turn may take to end once it is asked to, unless a fault says otherwise.
END_S = 15.0


class Repeat:
    """Calls `turn` until it is closed, `pause_s` after each; `turn` gets an event that is set when it must end.

    An error of a turn ends the repetition, and is raised again by `close`, which runs in the injector's thread.
    """

    def __init__(
        self, name: str, turn: Callable[[threading.Event], None], pause_s: float = 0.0, end_s: float = END_S
    ) -> None:
        self._turn, self._pause_s, self._end_s = turn, pause_s, end_s
        self._stop = threading.Event()
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._turn(self._stop)
                self._stop.wait(self._pause_s)
        except BaseException as e:  # reaches the injector through `close`
            self._error = e

    def close(self) -> None:
        """End it. Raises the error of a turn, and HarnessError when a turn does not end: it may still be at work."""
        self._stop.set()
        self._thread.join(self._end_s)
        if self._error is not None:
            error, self._error = self._error, None
            raise error
        if self._thread.is_alive():
            raise HarnessError(
                f"{self._thread.name} did not end within {self._end_s:g} s, and may break what is healed"
            )


def renew(name: str, action: Callable[[], None], every_s: float) -> Repeat:
    """Do `action` now, and again every `every_s` seconds.

    A time at which a server does not answer is skipped: another fault may have ended it, and the witness shows it.
    """

    def turn(stop: threading.Event) -> None:
        if not stop.wait(every_s):
            with suppress(HarnessError):
                action()

    action()
    return Repeat(name, turn)
