"""Spread an exploration over several workers: each plays a share of its trials, and the shares become one outcome."""

from __future__ import annotations

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory

from shaketable import plural
from shaketable.cells import session
from shaketable.cells.machines import Machines
from shaketable.cells.session import CellSession, FinishedCell
from shaketable.cells.task import OUT, CellTask
from shaketable.errors import HarnessError, InputError
from shaketable.explore import found, saved, share
from shaketable.explore.coverage import Coverage
from shaketable.explore.found import Found
from shaketable.explore.lanes import TRIALS
from shaketable.explore.progress import ExplorationProgress
from shaketable.explore.saved import Position
from shaketable.explore.search import Request
from shaketable.explore.share import SharedFinding, ShareOutcome, TrialShare
from shaketable.results.result import Result
from shaketable.rundir import RunDir
from shaketable.target.manifest import Manifest

#: The folder of a share's findings, in the folder of its cell.
FOUND = "found"
#: The exit code of a share that is lost.
LOST = HarnessError.exit_code
#: Exit codes with a verdict.
JUDGED = (0, 1, 2)


@dataclass(frozen=True)
class SharedExploration:
    """What all shares found so far, each thing once; `position` is where the exploration began."""

    manifest: Manifest
    out: Path
    progress: ExplorationProgress
    position: Position
    found: list[Found] = field(default_factory=list)
    coverage: Coverage = field(default_factory=Coverage)
    lost: list[Result] = field(default_factory=list)
    following: list[int] = field(default_factory=list)  # the number of the first trial that each share has not done

    def add(self, outcome: ShareOutcome, folder: Path) -> None:
        """Add the outcome of a share, with the files of findings that are new."""
        done = outcome.position
        self.progress.totals.add(done.trials, done.failed, done.unknown, outcome.doubts)
        self.coverage.add(outcome.coverage)
        self.following.append(done.next)
        for each in outcome.findings:
            one = each.found()
            if not found.explains(self.found, (one.check,), one.scenario):
                self.found.append(replace(one, file=self._file(each, folder), run=self._run(each, folder)))
                self.progress.say(one.sentence)

    def lose(self, what: TrialShare, why: str, machine: str) -> None:
        """Note a share that was not played to its end."""
        name = f"explore share {what.number + 1} of {what.of}"
        self.progress.say(f"{name} is lost: {why}")
        self.lost.append(
            Result(scenario=name, verdict="error", exit_code=LOST, target=self.manifest.name, why=why, machine=machine)
        )

    def save(self) -> None:
        """Save the position, so that the next exploration goes on there. Raises HarnessError."""
        totals, next_ = self.progress.totals, min(self.following, default=self.position.next)
        done = Position(
            self.position.seed, next_, totals.trials, totals.failed, totals.unknown, options=self.position.options
        )
        saved.write(self.out, self.manifest.name, done)

    def _file(self, each: SharedFinding, folder: Path) -> Path | None:
        if not each.file:
            return None
        place = self.out / Path(each.file).name
        if not place.exists():
            shutil.copyfile(folder / place.name, place)
        return place

    def _run(self, each: SharedFinding, folder: Path) -> Path | None:
        run = folder / TRIALS / Path(each.run).name
        return session.moved(RunDir(run), self.out / TRIALS).path if each.run and run.is_dir() else None


@dataclass(frozen=True)
class Spread:
    """The command's words for each share, without its own, and the machines that play them."""

    words: Sequence[str]
    request: Request
    machines: Machines

    def play(self, made: SharedExploration) -> None:
        """Play the shares and merge each when it is done.

        An interruption, and the first finding of a request that wants no other, end the shares that still play; what
        they have found by then is merged, too.

        Raises InputError when no share can be played.
        """
        with session.opened(self.machines, made.out) as opened:
            count = opened.workers()
            shares = [TrialShare(number, count, made.position.next) for number in range(count)]
            made.progress.say(f"{plural.counted(count, 'shares')}; each is shown when it has ended")
            tasks = [self._task(opened, made, each) for each in shares]
            ended: set[int] = set()
            try:
                with closing(opened.play(tasks)) as cells:
                    for cell in cells:
                        ended.add(cell.number)
                        merged = self._merge(made, shares[cell.number], cell)
                        self._check(made, shares[cell.number], cell, merged)
                        if self.request.first and any(one.failed for one in made.found):
                            break
            finally:
                rest = {number: task for number, task in enumerate(tasks) if number not in ended}
                for cell in opened.left(rest):
                    ended.add(cell.number)
                    self._merge(made, shares[cell.number], cell)
                made.following.extend(each.begin for each in shares if each.number not in ended)

    def _merge(self, made: SharedExploration, what: TrialShare, cell: FinishedCell) -> bool:
        """Add what the share found; whether it has an outcome."""
        folder = cell.folder / FOUND if cell.folder is not None else None
        outcome = share.read(folder) if folder is not None else None
        if folder is None or outcome is None:
            made.following.append(what.begin)  # the next exploration plays its trials
            return False
        done = plural.counted(outcome.position.trials, "trials")
        made.progress.say(f"share {what.number + 1} of {what.of}: {done} on {cell.machine}")
        made.add(outcome, folder)
        return True

    def _check(self, made: SharedExploration, what: TrialShare, cell: FinishedCell, merged: bool) -> None:
        """A share that ended by itself has an outcome, and a verdict's exit code."""
        if cell.exit_code == InputError.exit_code:
            raise InputError(cell.why)
        if not merged or cell.exit_code not in JUDGED:
            made.lose(what, cell.why, cell.machine)

    def _task(self, opened: CellSession, made: SharedExploration, what: TrialShare) -> CellTask:
        given = ["--seed", str(made.position.seed), "--share", what.word, "--out", f"{OUT}/{FOUND}"]
        digest = secrets.token_hex(12)  # a share is always played anew
        task = opened.task(digest, [*self.words, *given], whole=share.FILE)
        return task.with_inputs(_earlier(opened, made.out, digest, what))


def _earlier(opened: CellSession, folder: Path, digest: str, what: TrialShare) -> Iterator[tuple[str, str]]:
    """The share's part of the scenarios that were found earlier, as an input of its cell."""
    files = sorted(folder.glob(f"{found.PREFIX}*.py"))[what.number :: what.of]
    if files:
        with TemporaryDirectory() as part:
            for file in files:
                shutil.copyfile(file, Path(part) / file.name)
            yield opened.give(digest, Path(part)), FOUND
