"""A server in a container, for faults: the engine kills, pauses and restarts it."""

from __future__ import annotations

from collections.abc import Callable

from shaketable.stack.engine import Box


class ContainerServer:
    """Implements `shaketable.stack.Server`. Its data on disk survive, since the same container starts again."""

    def __init__(self, box: Box, answers: Callable[[], bool]) -> None:
        self._box, self._answers = box, answers

    def kill(self) -> None:
        self._box.kill()

    def bring_back(self) -> None:
        if not self._box.state()["Running"]:
            self._box.start()
        self._box.await_answer(self._answers)

    def pause(self) -> None:
        self._box.pause()

    def resume(self) -> None:
        self._box.resume()

    def is_running(self) -> bool:
        state = self._box.state()
        return bool(state["Running"] and not state["Paused"])
