"""Results as a JUnit file: one suite per run, one case per check. Only passed checks are reported as passed.

failed is a failure; unknown, and a run without a verdict, is an error; not applicable is skipped, and so is a check
that the scenario does not name, because it does not count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from shaketable import rundir
from shaketable.checks.check import Verdict, ordinary
from shaketable.checks.verdict import Judged
from shaketable.files import atomic
from shaketable.results.result import Result
from shaketable.text import cut, number, visible

#: The most members of a set; verdict.json has all.
SHOWN = 10
#: The most characters of a text: the end of a log may have any length.
MOST = 10_000
#: Characters that XML 1.0 cannot represent and `visible` does not replace.
_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
#: The case for the run itself.
RUN = "run"


def write(path: Path, runs: Sequence[Result]) -> None:
    """Write the file atomically. Raises HarnessError when it cannot be written."""
    with rundir.whole(path, atomic.ORDINARY) as out:
        out.write(document(runs))


def document(runs: Sequence[Result]) -> bytes:
    """The file's content."""
    made: Any = JUnitXml("shaketable")
    for run in runs:
        made.add_testsuite(_suite(run))
    made.update_statistics()
    return bytes(made.tostring())


def _suite(run: Result) -> Any:
    suite = TestSuite(clean(run.title))
    for name, value in _properties(run):
        suite.add_property(clean(name), clean(value))
    for case in _cases(run):
        suite.add_testcase(case)
    return suite


def _properties(run: Result) -> Iterator[tuple[str, str]]:
    """The run's origin, each check's counts as `check.count`, and the known figures."""
    yield from (("target", run.target), ("seed", str(run.seed)), ("trial", str(run.trial)), ("run", run.run))
    yield "verdict", run.verdict
    for name, found in run.checks.items():
        yield from ((f"{name}.{what}", _exact(count)) for what, count in found.counts.items())
    yield from ((name, _exact(value)) for name, value in run.figures.items() if value is not None)


def _exact(value: float) -> str:
    """A count with all its digits: `2000290`, not `2.00029e+06`."""
    return str(int(value)) if float(value).is_integer() else f"{value:g}"


def _cases(run: Result) -> Iterator[Any]:
    yield _case(run, RUN, _of_run(run), run.seconds or 0)
    for name, found in run.checks.items():
        yield _case(run, name, _of_check(found))


def _case(run: Result, name: str, result: Any, seconds: float = 0) -> Any:
    """A case with a unique class and name: readers merge cases with the same ones."""
    trial = f".trial_{run.trial}" if run.trial > 1 else ""
    case = TestCase(clean(name), classname=clean(f"shaketable.{run.scenario}{trial}"), time=seconds)
    if result is not None:
        case.result = [result]
    return case


def _of_run(run: Result) -> Any:
    """An error if the run has no verdict or invalid evidence; a failure if it failed without any check."""
    if run.verdict == "skipped":
        return _result(Skipped, run.why, "")
    kind = Failure if run.verdict == "failed" and not run.checks else Error
    return _result(kind, run.caveats[0], run.verdict, run.caveats) if run.caveats else None


def _of_check(found: Judged) -> Any:
    if not found.required:
        return _result(Skipped, f"does not count here; {found.verdict}{f': {found.why}' * bool(found.why)}", "")
    if found.verdict is Verdict.PASSED:
        return None
    kind = {Verdict.FAILED: Failure, Verdict.UNKNOWN: Error}.get(found.verdict, Skipped)
    return _result(kind, found.why or str(found.verdict), str(found.verdict), list(evidence(found)))


def evidence(found: Judged) -> Iterator[str]:
    """The counts, and the first members of each anomaly set."""
    yield ", ".join(f"{name.replace('_', ' ')} {number(count)}" for name, count in found.counts.items())
    for name, ids in found.members.items():
        if ids and not ordinary(name):
            more = found.counts.get(name, len(ids)) - SHOWN
            yield f"{name}: {', '.join(ids[:SHOWN])}{f' … and {number(more)} more' if more > 0 else ''}"


def _result(kind: Any, message: str, type_: str, lines: Sequence[str] = ()) -> Any:
    made = kind(clean(message), type_ or None)
    if text := "\n".join(clean(line) for line in lines if line):
        made.text = text
    return made


def clean(text: str) -> str:
    """One line of readable XML text; other characters appear as code points."""
    return _ILLEGAL.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", visible(cut(text, MOST)))
