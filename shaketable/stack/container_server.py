"""A server in a container as a fault sees it: killed, frozen and started again by the engine."""

from __future__ import annotations

from collections.abc import Callable

from shaketable.stack.engine import Box


class ContainerServer:
    """Keeps `shaketable.stack.Server`. What it has on disk stays: it is the same container that starts again."""

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
