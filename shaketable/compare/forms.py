"""A comparison as text: at a terminal, as Markdown, JSON or CSV."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterator, Sequence

from rich import table as rich
from rich.console import Console

from shaketable.checks.check import Verdict
from shaketable.compare import run_index as cells
from shaketable.compare.cell import INFINITE, Block, Compared, Figure, TargetTrials, Trial, worst
from shaketable.compare.comparison import Comparison
from shaketable.compare.environment_summary import environment_summary
from shaketable.compare.measures import EVENT_MEASURES, MEASURES, Measure
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Cell, Form, Styled, Table, TableColumn
from shaketable.report.terminal.summary import STYLE
from shaketable.results import confidence as bound
from shaketable.text import escaped, listed, number, visible

#: Columns of a table of one scenario.
HEADS = (
    "processor",
    "verdict",
    *(measure.name for measure in EVENT_MEASURES),
    "recovery (median)",
    "(worst)",
    *(measure.name for measure in MEASURES[len(EVENT_MEASURES) + 1 :]),
    "machine",
    "trials",
)
#: The number of first columns with outcomes of events; the others show the cost.
EVENTS = 2 + len(EVENT_MEASURES)
#: Those that are left out where there is nothing of the kind.
RARE = ("altered", "invented", "misanswered", "other laws", "machine")
#: Characters of a reason that a row has room for; the list below has all of it.
REASON = 60
_GLUE = {"/s": "/s", "": ""}


def measured(value: float, unit: str) -> str:
    """With its unit; a backlog that never went is never."""
    return "never" if value == INFINITE else f"{number(value)}{_GLUE.get(unit, f' {unit}')}"


def ranged(figure: Figure, unit: str) -> str:
    """`0–12 MiB`, and how many trials have no number, by why."""
    low, high = figure.low, figure.high
    if low is None or high is None:
        return counted(figure.others) or Verdict.UNKNOWN.value
    spread = (
        [measured(low, unit)]
        if low == high
        else [measured(low, unit if high == INFINITE else ""), measured(high, unit)]
    )
    others = "".join(f", {count} {what}" for what, count in figure.others.items())
    return "–".join(spread) + others


def counted(verdicts: Counter[str]) -> str:
    """`failed`, or `failed 2, passed 1` where they differ."""
    if len(verdicts) <= 1:
        return next(iter(verdicts), "")
    return ", ".join(f"{what} {count}" for what, count in verdicts.items())


def proved(line: TargetTrials) -> str:
    """The bound that no loss in all trials proves; "" when there was one."""
    return bound.at_most(line.proved[0], "trials") if line.proved else ""


def told(line: TargetTrials) -> list[str]:
    """The cells of one target's row."""
    if not line.judged:
        return [line.target, "; ".join(not_judged(line))] + [""] * (len(HEADS) - 4) + [line.machine, "0"]
    shown = {measure.name: ranged(line.figure(measure.name), measure.unit) for measure in MEASURES}
    lost = " ".join(filter(None, [shown.pop("lost"), f"({proved(line)})" if line.proved else ""]))
    recovery, both = line.figure("recovery"), [shown.pop("recovery")] * 2
    if recovery.median is not None and recovery.high is not None:
        both = [measured(recovery.median, "s"), measured(recovery.high, "s")]
    events, rest = list(shown.values())[: EVENTS - 3], list(shown.values())[EVENTS - 3 :]
    return [line.target, counted(line.verdicts), lost, *events, *both, *rest, line.machine, str(len(line.judged))]


def heads(block: Block) -> list[str]:
    """The columns of a scenario, without the rare ones of which there is nothing."""
    return [head for head in HEADS if head not in RARE or any(line.has(head) for line in block.lines)]


def not_judged(line: TargetTrials) -> Iterator[str]:
    """`skipped: reason`, once for each reason; beside trials that were judged, how many trials it is."""
    for (outcome, why), count in Counter((trial.outcome, trial.why) for trial in line.others).items():
        many = f"{count} trial{'s' * (count > 1)}: " if line.judged else ""
        yield f"{many}{outcome}{f': {why}' if why else ''}"


def notes(line: TargetTrials) -> Iterator[str]:
    """Remarks on a row."""
    yield from not_judged(line)
    for why, seeds in _doubted(line).items():
        yield f"cannot be judged, seed {listed([str(seed) for seed in seeds], 9)}: {why}"


def _doubted(line: TargetTrials) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for trial in line.judged:
        if trial.why:
            found.setdefault(trial.why, []).append(trial.seed)
    return found


def show(found: Compared, console: Console | None = None) -> None:
    """Print a table for each scenario; in a pipe no line is wrapped."""
    console = console or tables.terminal()
    for block in found.blocks:
        console.print()
        tables.show(console, table(block))
    for caveat in found.caveats:
        console.print(f"not alike: {visible(caveat)}", style="yellow", markup=False)


def table(block: Block) -> Table:
    """A row for each target."""
    shown = heads(block)
    rows: list[list[Cell]] = []
    for line in block.lines:
        cells = dict(zip(HEADS, told(line), strict=True))
        style = STYLE[Verdict(worst(line.verdicts))] if line.judged else "yellow"
        rows.append([Styled(cells[head], style) if head == "verdict" else cells[head] for head in shown])
    remarks = [f"{line.target}: {each}" for line in block.lines if line.judged for each in notes(line)]
    return Table(_columns(shown), rows, block.scenario, remarks)


def _columns(heads: Sequence[str]) -> list[TableColumn]:
    """The first names the target; figures stand to the right."""
    return [
        TableColumn(head, right=place > 0 and head not in ("verdict", "machine")) for place, head in enumerate(heads)
    ]


def progress(held: Comparison) -> rich.Table:
    """How far a comparison is: targets down, scenarios across, what became of each cell so far."""
    found = cells.read([held.path])
    rows: list[list[Cell]] = []
    for target in found.targets:
        lines = [next((line for line in block.lines if line.target == target), None) for block in found.blocks]
        rows.append([target, *(_stand(line) for line in lines)])
    return tables.text(Table([TableColumn(name) for name in ("", *(block.scenario for block in found.blocks))], rows))


def _stand(line: TargetTrials | None) -> Styled:
    if line is None or not any(trial.outcome != "not played" for trial in line.trials):
        return Styled("·", "dim")
    if not line.judged:
        return Styled(line.others[0].outcome, "yellow")
    return Styled(counted(line.verdicts), STYLE[Verdict(worst(line.verdicts))])


def markdown(found: Compared) -> str:
    """Two tables per scenario (outcomes of events, then cost), the legend, and the environment."""
    return "\n\n".join([*(part for block in found.blocks for part in _scenario(block)), legend(), *surroundings(found)])


def _scenario(block: Block) -> Iterator[str]:
    yield f"### {_md(block.scenario)}"
    yield _wrapped(_md(block.story))
    shown = heads(block)
    costs = [HEADS[0], *(head for head in shown if head in HEADS[EVENTS:])]
    for columns in ([head for head in HEADS[:EVENTS] if head in shown], costs):
        yield _grid(columns, [_chosen(line, columns) for line in block.lines])
    others = [f"- {_md(line.target)}: {_md(each)}" for line in block.lines for each in notes(line)]
    if others:
        yield "\n".join(_wrapped(each, "  ") for each in others)


def _chosen(line: TargetTrials, columns: Sequence[str]) -> list[str]:
    """The cells of some columns; of a target that was not judged: why, in short."""
    if line.judged:
        cells = dict(zip(HEADS, told(line), strict=True))
        return [cells[column] for column in columns]
    why = textwrap.shorten("; ".join(not_judged(line)), REASON, placeholder=" …")
    return [line.target, why] + [""] * (len(columns) - 2)


def _wrapped(text: str, indent: str = "") -> str:
    return textwrap.fill(text, tables.WIDTH + 20, subsequent_indent=indent, break_long_words=False,
                         break_on_hyphens=False)  # fmt: skip


def brief(found: Compared) -> str:
    """Lost / doubled: one table of all scenarios that the same targets were tried under."""
    alike: dict[tuple[str, ...], list[Block]] = {}
    for block in found.blocks:
        alike.setdefault(tuple(line.target for line in block.lines), []).append(block)
    return "\n\n".join(_brief_table(targets, blocks) for targets, blocks in alike.items())


def _brief_table(targets: Sequence[str], blocks: Sequence[Block]) -> str:
    heads = ["lost / doubled", *(block.scenario for block in blocks)]
    return _grid(heads, [[target, *(_brief(block, target) for block in blocks)] for target in targets])


def _brief(block: Block, target: str) -> str:
    line = next((line for line in block.lines if line.target == target), None)
    if line is None or not line.judged:
        return line.others[0].outcome if line else "not played"
    return " / ".join(ranged(line.figure(name), "") for name in ("lost", "doubled"))


def _grid(heads: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    return tables.markdown(Table(_columns(heads), rows), _md)


def legend() -> str:
    """What the columns mean."""
    lines = [f"- **{measure.name}**: {measure.about}." for measure in MEASURES]
    most = f"at {bound.CONFIDENCE * 100:g} % confidence, {bound.ASSUMPTION}: 1 − 0.05^(1/trials)"
    lines.append(f"- **≤ of trials**: no trial lost anything; that bounds the share of trials that would, {most}.")
    return "\n".join(
        _wrapped(each, "  ")
        for each in [*lines, "- Figures are ranges over trials. *unknown*: nobody could see it, so it is no 0."]
    )


def surroundings(found: Compared) -> Iterator[str]:
    """When, on what, with which versions, by which command."""
    lines = [*(f"- {_md(line)}" for line in environment_summary(found)), *(f"- {_md(line)}" for line in found.caveats)]
    lines += [f"- again: {_code(command)}" for command in found.commands]
    if lines:
        yield "\n".join(_wrapped(line, "  ") for line in lines)


def csv(found: Compared) -> str:
    """A row for each trial."""
    return tables.csv(map(_row, found.trials))


def _row(trial: Trial) -> dict[str, object]:
    row: dict[str, object] = {name: getattr(trial, name) for name in ("scenario", "target", "seed", "outcome", "why")}
    for measure in MEASURES:
        value = trial.values.get(measure.name)
        row[_key(measure)] = None if value is None else value.number if value.state == "known" else value.state
    return (
        row
        | {name: verdict for name, (verdict, _) in trial.checks.items()}
        | {"run": trial.run, "machine": trial.machine}
    )


def _key(measure: Measure) -> str:
    unit = {"s": "_s", "/s": "_per_s", "ms": "_ms", "MiB": "_mib", "": ""}[measure.unit]
    return measure.name.replace(" ", "_") + unit


def json(found: Compared) -> str:
    """All of it, trial by trial and in sum."""
    return tables.json({
        "schema": 1, "days": found.when, "commands": found.commands, "machines": found.machines,
        "packages": {target: found.packages(target) for target in found.targets}, "not_alike": found.caveats,
        "confidence": bound.CONFIDENCE, "assumption": bound.ASSUMPTION,
        "measures": {_key(measure): measure.about for measure in MEASURES},
        "scenarios": [{"scenario": block.scenario, "story": block.story, "checks_that_count": sorted(block.required),
                       "targets": [_line(line) for line in block.lines]} for block in found.blocks],
    })  # fmt: skip


def _line(line: TargetTrials) -> dict[str, object]:
    figures = {_key(measure): line.figure(measure.name) for measure in MEASURES}
    return {
        "target": line.target, "trials": [_row(trial) for trial in line.trials], "verdicts": line.verdicts,
        "checks": {name: line.check(name) for name in dict.fromkeys(n for t in line.judged for n in t.checks)},
        "figures": {name: {"low": _finite(f.low), "median": _finite(f.median), "high": _finite(f.high), **f.others}
                    for name, f in figures.items()},
        "without_loss": None if line.proved is None else
        {"at_most_of_trials": line.proved[0], "at_most_of_events": line.proved[1]},
    }  # fmt: skip


def _finite(value: float | None) -> float | str | None:
    return "never" if value == INFINITE else value


def _md(text: str) -> str:
    """Foreign text in Markdown: shown as it is, no markup of its own."""
    return escaped(text, linked=True)


def _code(text: str) -> str:
    """Foreign text as code, whatever ticks it holds."""
    text = visible(text)
    fence = "`" * (1 + max(map(len, re.findall("`+", text)), default=0))
    return f"{fence} {text} {fence}" if "`" in text else f"{fence}{text}{fence}"


#: What prints a comparison, by form.
WRITERS = {Form.MD: markdown, Form.JSON: json, Form.CSV: csv}
