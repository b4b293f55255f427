"""Results for GitHub Actions: annotations on stdout, and a table in the step's summary.

The escaping is that of GitHub's own toolkit (actions/toolkit, packages/core/src/command.ts): text of a target cannot
add a command.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from shaketable import plural
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import Judged
from shaketable.errors import HarnessError
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Table, TableColumn
from shaketable.report.terminal import trials
from shaketable.results.metrics import LOST, RECOVERY
from shaketable.results.result import Result, collect
from shaketable.text import cut, number, visible

#: The most annotations of a kind that GitHub shows per step.
MOST = 10
#: The most characters of a message.
LONGEST = 2_000
#: The most bytes of a step's summary, slightly below GitHub's limit, above which it drops the whole summary.
ROOM = 1_000_000
SUMMARY = "GITHUB_STEP_SUMMARY"
SIGNS = {"passed": "✅", "failed": "❌", "unknown": "❔", "error": "💥", "interrupted": "💥", "skipped": "⏭️"}
#: Columns of the summary.
COLUMNS = (
    *map(TableColumn, ("scenario", "verdict", "what was found")),
    *(TableColumn(name, right=True) for name in ("acknowledged", "lost", "recovery")),
    TableColumn("run"),
)


def commands(runs: Sequence[Result]) -> list[str]:
    """One annotation per required check that did not pass, and per run that cannot be judged."""
    lines = [command(name, why) for run in runs for name, why in _wrong(run)]
    if len(lines) <= MOST:
        return lines
    more = len(lines) - MOST + 1
    return [*lines[: MOST - 1], command("shaketable", f"{more} more: the step's summary and the JUnit file have all")]


def _wrong(run: Result) -> Iterator[tuple[str, str]]:
    """All errors; unknown is one, since it fails the step."""
    if run.verdict == "skipped":
        return
    yield from ((f"{run.title}: {run.verdict}", caveat) for caveat in run.caveats)
    for name, found in run.wrong.items():
        yield f"{run.title}: {name} {found.verdict}", found.why or _counts(found)


def _counts(found: Judged) -> str:
    return ", ".join(f"{name.replace('_', ' ')} {number(count)}" for name, count in found.counts.items())


def command(name: str, message: str) -> str:
    """One annotation."""
    properties = _data(visible(cut(name, LONGEST))).replace(":", "%3A").replace(",", "%2C")
    shown = "\n".join(visible(line) for line in cut(message, LONGEST).splitlines())
    return f"::error title={properties}::{_data(shown)}"


def _data(text: str) -> str:
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def append(text: str, environment: Mapping[str, str]) -> None:
    """Append to the step's summary, if there is one, up to its limit. Raises HarnessError."""
    if path := environment.get(SUMMARY, ""):
        try:
            with Path(path).open("ab") as out:
                out.write(fitted(text, ROOM - out.tell()))
        except OSError as e:
            raise HarnessError(f"cannot write the step's summary {path} (${SUMMARY}): {e.strerror}") from e


def fitted(text: str, room: int) -> bytes:
    """The lines that fit into `room` bytes, and the number of omitted ones."""
    whole = text.encode(errors="replace")
    if len(whole) <= room:
        return whole
    lines, kept = whole.splitlines(keepends=True), b""
    for nth, line in enumerate(lines):
        more = plural.counted(len(lines) - nth, "more lines")
        left = f"\n{more}: the summary is full; the JUnit file has all\n\n".encode()
        if len(kept) + len(line) + len(left) > room:
            return kept + left if len(kept) + len(left) <= room else b""
        kept += line
    return kept


def markdown(runs: Sequence[Result]) -> str:
    """A headline, a row per run, and the confidence bound of repeated trials."""
    verdict = collect(runs).verdict
    proved = [f"{name}: {trials.proved(several)}" for name, several in trials.repeated(runs).items()]
    table = Table(COLUMNS, [_row(run) for run in runs], f"{SIGNS[verdict]} shaketable: {verdict}", proved)
    return f"{tables.markdown(table)}\n\n"


def _row(run: Result) -> list[Cell]:
    recovery = RECOVERY.of(run)
    return [
        run.title,
        f"{SIGNS[run.verdict]} {run.verdict}",
        "; ".join(f"{name}: {why}" for name, why in _wrong(run)) or _passed(run),
        run.figures.get("acknowledged"),
        LOST.of(run),
        None if recovery is None else f"{recovery:.1f} s",
        Path(run.run).name,
    ]


def _passed(run: Result) -> str:
    """The number of required checks that passed, without not applicable ones; why a run was skipped."""
    if run.verdict == "skipped":
        return run.why
    passed = sum(found.required and found.verdict is Verdict.PASSED for found in run.checks.values())
    return f"{passed} check{'s' * (passed != 1)} passed"
