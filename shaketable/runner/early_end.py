"""The early end of a run: a process of the harness failed although no fault ordered it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from types import TracebackType
from typing import Self

from shaketable.errors import UnexpectedFailure
from shaketable.runner.journal import PhaseJournal
from shaketable.runner.liveness import Liveness
from shaketable.runner.progress import Reporter


class EarlyEnd:
    """Encloses a run. Before the load, such an error is raised as UnexpectedFailure; later, the run ends early.

    A run that ended early leaves a run directory that is judged as unknown. Errors while its parts close are printed.
    """

    def __init__(self, alive: Liveness, reporter: Reporter) -> None:
        self._alive, self._reporter = alive, reporter
        self._preparing, self._ended = True, False

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, type_: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if not isinstance(error, Exception):
            return False
        if self._ended:
            self._reporter.print(f"while ending early: {type(error).__name__}: {error}")
            return True
        if self._preparing and (failures := self._alive.behind(error)):
            raise UnexpectedFailure(failures) from error
        return False

    @contextmanager
    def recorded_in(self, journal: PhaseJournal) -> Iterator[None]:
        """Encloses the phases from the load on: a failed process ends them, and is recorded."""
        self._preparing = False
        try:
            yield
        except Exception as e:
            if not (failures := self._alive.behind(e)):
                raise
            self._end(failures, journal)

    def _end(self, failures: Sequence[str], journal: PhaseJournal) -> None:
        self._ended = True
        for text in failures:
            self._reporter.print(f"{text}: the run ends early and is unknown")
            journal.failure(text)
