"""A reporter that also shows the run on the live page."""

from __future__ import annotations

from types import TracebackType
from typing import Self

from shaketable.cli.live.state import LiveState
from shaketable.runner.progress import Reporter, Status


class WebReporter:
    """Keeps `progress.Reporter`: passes everything on to another reporter, such as the terminal's."""

    def __init__(self, inner: Reporter, state: LiveState) -> None:
        self._inner, self._state = inner, state

    def __enter__(self) -> Self:
        self._inner.__enter__()
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._inner.__exit__(type_, error, trace)

    def print(self, text: str) -> None:
        self._state.say(text)
        self._inner.print(text)

    def update(self, status: Status) -> None:
        self._state.update(status)
        self._inner.update(status)
