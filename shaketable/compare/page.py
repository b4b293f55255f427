"""compare.html: several targets in one offline file; every figure links to its run."""

from __future__ import annotations

import os
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote

from shaketable import plural, rundir
from shaketable.compare import forms
from shaketable.compare.cell import Block, Compared, TargetTrials, Trial
from shaketable.compare.environment_summary import environment_summary
from shaketable.compare.measures import MEASURES, Measure, Value
from shaketable.report.page import document
from shaketable.report.page.header import Header, Tile
from shaketable.results import confidence as bound
from shaketable.text import listed

#: Measures that must be 0.
COUNTED = (
    "lost",
    "doubled",
    "by itself",
    "out of order",
    "altered",
    "invented",
    "unexplained",
    "misanswered",
    "other laws",
)


#: The measures with a tile.
WRONG = ("lost", "doubled", "altered")
_STORY = (
    "The same events at the same times under the same faults for each. Figures are ranges over trials, and lead to "
    "their runs. What could not be observed is unknown, never 0; what a processor does not claim is not applicable. "
    "There is no score."
)


class TrialLink(NamedTuple):
    """A trial's figure, and the link to its run."""

    text: str
    href: str  # "" if there is none
    title: str


class CellView(NamedTuple):
    """One measure of one target, over all trials."""

    shown: str
    tone: str  # bad, good, unknown, not-applicable, plain
    notes: list[str]
    links: list[TrialLink]


class TargetRow(NamedTuple):
    """One target under one scenario."""

    target: str
    verdicts: list[tuple[str, int]]
    cells: list[CellView]
    others: list[str]  # outcomes of trials that were not judged
    checks: list[list[tuple[str, int]]]
    reasons: list[tuple[str, str, str]]  # check, verdict, why


def write(found: Compared, path: Path) -> Path:
    """Write the page and return its path. Raises HarnessError."""
    with rundir.whole(path) as out:
        out.write(html(found, path.parent).encode())
    return path


def html(found: Compared, place: Path) -> str:
    """The page as HTML, with links relative to the folder `place`."""
    return document.render(
        "compare.html",
        header=_header(found),
        blocks=[
            (block, [each.name for each in _measures(block)], _rows(block, place), block.checks, _reasons(block))
            for block in found.blocks
        ],
        meanings=[(measure.name, measure.about) for measure in MEASURES],
        assumption=bound.ASSUMPTION,
        confidence=f"{bound.CONFIDENCE * 100:g} %",
        stood_on=environment_summary(found),
        again=[("The same comparison once more", command) for command in found.commands],
        packages=[(target, list(packages.items())) for target in found.targets if (packages := found.packages(target))],
    )


def _header(found: Compared) -> Header:
    """What was lost and doubled, and by which targets: a comparison has no verdict of its own, and no score."""
    trials = max((len(line.trials) for block in found.blocks for line in block.lines), default=0)
    counted = [(len(found.targets), "processors"), (len(found.blocks), "scenarios"), (trials, "trials")]
    lost = [target for target in found.targets if _any(found, target, "lost")]
    return Header(
        "not judged",
        _result(found, len(lost)),
        _sentence(found, lost),
        crumbs=[plural.counted(*each) for each in counted],
        when=" to ".join(dict.fromkeys(found.when or ())),
        heading="Comparison",
        story=_STORY,
        gaps=[f"Not alike: {caveat}." for caveat in found.caveats],
        tiles=[_tile(found, measure) for measure in WRONG] if found.trials else [],
    )


def _tile(found: Compared, measure: str) -> Tile:
    """The number of processors with such events, and of those for which it is unknown: an unknown is no 0."""
    count = sum(_any(found, target, measure) for target in found.targets)
    unknown = sum(_unknown(found, target, measure) for target in found.targets)
    tone = "bad" if count else "doubt" if unknown else "good"
    return Tile(f"processors that {measure} events", f"{count}, {unknown} unknown" if unknown else f"{count}", tone)


def _result(found: Compared, losing: int) -> str:
    """For the page's title."""
    if not found.trials:
        return "no run yet"
    return f"{losing} of {plural.counted(len(found.targets), 'processors')} lost events"


def _sentence(found: Compared, lost: list[str]) -> str:
    """The targets that lost events."""
    if not found.trials:
        return "No run has been played yet."
    if not lost:
        return "No trial is known to have lost an acknowledged event; unknown does not mean zero."
    return f"Acknowledged events were lost by {listed(lost, 6)}."


def _any(found: Compared, target: str, measure: str) -> bool:
    return any(line.figure(measure).high for line in _lines(found, target))


def _unknown(found: Compared, target: str, measure: str) -> bool:
    """Whether no trial had such events, and one could not be observed or came to no verdict."""
    lines = _lines(found, target)
    unseen = any("unknown" in line.figure(measure).others for line in lines)
    unseen |= any(trial.outcome == "error" for line in lines for trial in line.others)
    return unseen and not _any(found, target, measure)


def _lines(found: Compared, target: str) -> list[TargetTrials]:
    return [line for block in found.blocks for line in block.lines if line.target == target]


def _measures(block: Block) -> list[Measure]:
    """The measures with a column; rare ones only if they have values."""
    return [measure for measure in MEASURES if measure.name not in forms.RARE or measure.name in forms.heads(block)]


def _rows(block: Block, place: Path) -> list[TargetRow]:
    return [
        TargetRow(
            line.target,
            list(line.verdicts.items()),
            [_cell(line, measure, place) for measure in _measures(block)],
            list(forms.not_judged(line)),
            [list(line.check(name).items()) for name in block.checks],
            [(name, next(iter(line.check(name)), ""), why) for name in block.checks if (why := line.reason(name))],
        )
        for line in block.lines
    ]


def _reasons(block: Block) -> list[tuple[str, str, str, str]]:
    """Each reason for a missing figure: the measure, its state, the reason, and the targets."""
    found: dict[tuple[str, str, str], dict[str, None]] = {}
    for line in block.lines:
        for measure in MEASURES:
            for _, value in line.figure(measure.name).values:
                if value.why:
                    found.setdefault((measure.name, value.state, value.why), {})[line.target] = None
    return [(*what, listed(list(targets), 20)) for what, targets in found.items()]


def _cell(line: TargetTrials, measure: Measure, place: Path) -> CellView:
    figure = line.figure(measure.name)
    shown = forms.ranged(figure, measure.unit)
    links = [_link(trial, value, place) for trial, value in figure.values]
    notes = []
    if measure.name == "lost" and line.proved:
        of_trials, of_events = line.proved
        notes = [
            bound.at_most(of_trials, "trials"),
            *([bound.at_most(of_events, "events")] if of_events else []),
        ]
    if measure.name == "recovery" and len(figure.known) > 1 and figure.median is not None:
        notes = [f"median {forms.measured(figure.median, measure.unit)}"]
    return CellView(shown, _tone(measure, line), notes, links)


def _tone(measure: Measure, line: TargetTrials) -> str:
    figure = line.figure(measure.name)
    if figure.high is None:
        return next(iter(figure.others), "unknown").replace(" ", "-")
    if figure.high == float("inf") or (measure.name in COUNTED and figure.high):
        return "bad"
    return "unknown" if "unknown" in figure.others else "good" if measure.name in COUNTED else "plain"


def _link(trial: Trial, value: Value, place: Path) -> TrialLink:
    told = {"known": forms.measured(value.number or 0.0, ""), "not applicable": "n/a", "unknown": "?"}.get(
        value.state, value.state
    )
    href = quote(os.path.relpath(trial.page, place)) if trial.page else ""
    where = f" on {trial.machine}" if trial.machine else ""
    return TrialLink(told, href, "; ".join(filter(None, [f"seed {trial.seed}: {trial.outcome}{where}", value.why])))
