"""Clean runs: the sound reference must pass N seeds of each scenario. A file holds the results of several calls."""

from __future__ import annotations

import shutil
from collections.abc import Iterator, Sequence
from concurrent.futures import Executor
from functools import partial
from itertools import product
from pathlib import Path
from threading import Lock

import msgspec

from shaketable import rundir
from shaketable.checks.check import Verdict
from shaketable.checks.verdict import VerdictDoc
from shaketable.results import confidence
from shaketable.runner import profile, selection
from tests.seeded_bugs.catalogue import BUGS, shake, target

_WRITING = Lock()


class Clean(msgspec.Struct, frozen=True):
    """One run of the sound reference."""

    scenario: str
    verdict: str
    blamed: dict[str, str]  # what was said, by the checks that did not pass
    run: str = ""
    seed: int = 1


def scenarios(of: str, bugs: Sequence[str]) -> list[str]:
    """The scenarios of `quick`, `all` of them but the nightly ones, or those that show these `bugs`."""
    if of == "quick":
        return list(profile.find("quick").trials)
    return selection.names([], nightly=False) if of == "all" else sorted({BUGS[name].shown_by for name in bugs})


def play(names: Sequence[str], seeds: int, pool: Executor, out: Path, file: Path, before: Sequence[str]) -> list[Clean]:
    """All that `file` holds, once it holds each scenario in each of the seeds from 1 on; each run is added at its end.

    Run directories of what did not pass stay in `out`.
    """
    held = {(one.scenario, one.seed) for one in read(file)}
    wanted = [each for each in product(range(1, seeds + 1), names) if each[::-1] not in held]
    for _ in pool.map(partial(_play, out, file, before), wanted):
        pass
    return read(file)


def read(file: Path) -> list[Clean]:
    """The runs so far."""
    return list(rundir.read_lines(file, Clean)) if file.exists() else []


def _play(out: Path, file: Path, before: Sequence[str], wanted: tuple[int, str]) -> None:
    seed, scenario = wanted
    folder = fresh(out / f"clean-{scenario}-{seed}")
    found = _judged(scenario, seed, folder, before)
    print(f"clean {scenario}, seed {seed}: {found.verdict}", flush=True)
    if found.verdict == Verdict.PASSED:
        shutil.rmtree(folder)
    with _WRITING, file.open("ab") as lines:
        lines.write(msgspec.json.encode(found) + b"\n")


def _judged(scenario: str, seed: int, folder: Path, before: Sequence[str]) -> Clean:
    try:
        _, doc = shake(scenario, target("", folder), folder, before, seed=seed)
    except AssertionError as e:  # no verdict at all: the run itself failed
        return Clean(scenario, "none", {"the run": str(e)[-500:]}, str(folder), seed)
    passed = doc.verdict is Verdict.PASSED
    return Clean(scenario, doc.verdict.value, {} if passed else _blamed(doc), "" if passed else str(folder), seed)


def _blamed(doc: VerdictDoc) -> dict[str, str]:
    required = {name: found for name, found in doc.checks.items() if found.required}
    blamed = {name: found.why for name, found in required.items() if found.verdict is not Verdict.PASSED}
    return blamed | ({"the run": "; ".join(doc.reasons)} if doc.reasons else {})


def fresh(folder: Path) -> Path:
    """An empty folder in place of an earlier one."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    return folder


def table(runs: Sequence[Clean]) -> Iterator[str]:
    """A row for each scenario, the sum with its bound, and the reason of each run that did not pass."""
    width = max([len(one.scenario) for one in runs], default=0)
    yield f"{'':{width}}  passed  unknown  failed"
    for name in [*sorted({one.scenario for one in runs}), ""]:
        mine = [one for one in runs if name in ("", one.scenario)]
        passed, failed = (sum(one.verdict == verdict for one in mine) for verdict in (Verdict.PASSED, Verdict.FAILED))
        yield f"{name or 'in all':{width}}  {passed:6}  {len(mine) - passed - failed:7}  {failed:6}"
    judged = [one for one in runs if one.verdict in (Verdict.PASSED, Verdict.FAILED)]
    if all(one.verdict == Verdict.PASSED for one in judged):
        yield f"failed: {confidence.told(len(judged), 'clean run')}"
    for one in runs:
        if one.verdict != Verdict.PASSED:
            said = "; ".join(f"{check}: {why}" for check, why in one.blamed.items())
            yield f"{one.verdict.upper()} {one.scenario}, seed {one.seed}: {said} {one.run}".rstrip()
