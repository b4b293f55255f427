"""A user's sender. Only locustfiles and `send_one` import it, because it requires gevent."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import cast

import gevent
from gevent.monkey import get_original

from shaketable.errors import InputError
from shaketable.load import sender
from shaketable.load.reply import Reply
from shaketable.load.sender import BatchSender, Sender

#: Seconds that `close` may take.
CLOSE_S = 1.0
#: Seconds between two looks of the watchdog.
LOOK_S = 0.5

_start, _sleep = get_original("_thread", "start_new_thread"), get_original("time", "sleep")


class SenderConnection:
    """Opens its sender with the first event, and anew after an attempt that raised or took too long."""

    def __init__(self, place: str, make: Callable[[], Sender], timeout_s: float) -> None:
        self._place, self._make, self._timeout_s = place, make, timeout_s
        self._sender: Sender | None = None

    def send(self, event_id: str, body: bytes) -> Reply:
        """Send one event; whatever is not answered within the timeout is indeterminate."""
        (reply,) = self._sent(lambda sender: [sender.send(event_id, body)], 1)
        return reply

    def send_batch(self, events: Sequence[tuple[str, bytes]]) -> list[Reply]:
        """Send several events, each an id and a body, with one call."""
        return self._sent(lambda sender: cast(BatchSender, sender).send_batch(events), len(events))

    def _sent(self, call: Callable[[Sender], object], count: int) -> list[Reply]:
        error = sender.NOT_OPENED
        try:
            with gevent.Timeout(self._timeout_s):
                opened = self._opened()
                error = sender.RAISED
                returned = call(opened)
        except (Exception, SystemExit, gevent.Timeout) as e:
            self.close()
            late = isinstance(e, gevent.Timeout) and error == sender.RAISED
            at = sender.where(e, e.__traceback__, self._place)
            return [Reply(None, sender.TOO_LATE if late else error, at=at)] * count
        try:
            return [Reply(status) for status in sender.statuses(returned, count)]
        except ValueError as e:
            return [Reply(None, sender.RAISED, fatal=sender.nonsense(self._place, str(e)))] * count

    def _opened(self) -> Sender:
        if self._sender is None:
            found = self._make()
            try:
                found.open()
            except BaseException:
                _close(found)  # what it had opened so far would stay open at each further attempt
                raise
            self._sender = found
        return self._sender

    def close(self) -> None:
        """Close the sender."""
        opened, self._sender = self._sender, None
        if opened is not None:
            _close(opened)


def _close(opened: Sender) -> None:
    """Its own error is of no interest, since the next attempt opens another."""
    with suppress(Exception, SystemExit, gevent.Timeout), gevent.Timeout(CLOSE_S):
        opened.close()


def watch(place: str, timeout_s: float) -> None:
    """End the process with a sentence when a sender blocks all users, as a client in C does.

    A greenlet shows that the others still run; a thread of the system looks whether it does.
    """
    limit_s, looks = 2 * timeout_s + LOOK_S, 0

    def beat() -> None:
        nonlocal looks
        while True:
            looks = 0
            gevent.sleep(LOOK_S)

    def look() -> None:
        nonlocal looks
        while looks * LOOK_S < limit_s:  # in looks, since a starved machine delays the thread as well
            _sleep(LOOK_S)
            looks += 1
        told = f"send() of {sender.shown(place)} ({sender.KEY}) stopped the whole load for {limit_s:g} s"
        print(f"locust: {told}: use a client that waits in pure Python, as gevent needs", file=sys.stderr, flush=True)
        os._exit(InputError.exit_code)

    gevent.spawn(beat)
    _start(look, ())
