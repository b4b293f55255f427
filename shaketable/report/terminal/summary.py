"""The verdict at the terminal: a sentence, the table of checks, examples of failures, and the paths."""

from __future__ import annotations

import textwrap
from pathlib import Path

from rich.console import Console
from rich.text import Text

from shaketable import plural
from shaketable.checks.check import Verdict, ordinary
from shaketable.checks.verdict import Judged, VerdictDoc
from shaketable.report.tables import table as tables
from shaketable.report.tables.table import Styled, Table, TableColumn
from shaketable.text import cut, spaced, visible

#: The most members of a set, and the most faults; verdict.json has all.
SHOWN = 3
#: The most lines of an event's trace; verdict.json, the page and `explain --event` show all of it.
LIFE = 8
#: The most characters of a line.
LINE = 160

STYLE = {Verdict.PASSED: "green", Verdict.FAILED: "bold red", Verdict.UNKNOWN: "yellow", Verdict.NOT_APPLICABLE: "dim"}


def show(
    doc: VerdictDoc, run: Path, page: bool = False, again: str = "", needs: str = "", console: Console | None = None
) -> None:
    """Print the summary; readable without colour, in a pipe, and at 80 columns.

    The summary of a run that did not pass fits about 40 rows and repeats the verdict at the end.
    """
    console = console or Console(highlight=False)
    console.print()
    headline(doc, console)
    console.print()
    if (found := table(doc)).rows:
        tables.show(console, found)
    wrong = [*members(doc), *lives(doc)]
    end = [*faults(doc), *durability(doc), figures(doc), ""]
    for line in [*others(doc), "", *wrong, *[""] * bool(wrong), *end]:
        _say(console, line)
    if doc.verdict is not Verdict.PASSED:
        _verdict(doc, console)
    where = {"report": str(run / "report.html") if page else "", "run": str(run), "again": again, "": needs}
    for name, told in where.items():
        if told:
            label = f"{name}:" if name else ""
            console.print(f"{label:8}{visible(told)}", soft_wrap=True, markup=False)


def headline(doc: VerdictDoc, console: Console | None = None) -> None:
    """Print the verdict in a sentence, unexpected exits of processes, and reasons why the run cannot be judged."""
    console = console or Console(highlight=False)
    _verdict(doc, console)
    for reason in [*doc.deaths, *doc.reasons]:
        _say(console, f"  {reason}")


def _verdict(doc: VerdictDoc, console: Console) -> None:
    said = visible(sentence(doc))
    console.print(Text.assemble("verdict: ", (doc.verdict.value.upper(), STYLE[doc.verdict]), f" – {said}"))


def sentence(doc: VerdictDoc) -> str:
    """The result of the run in plain English."""
    named = {name: found for name, found in doc.checks.items() if found.required}
    failed = [name for name, found in named.items() if found.verdict is Verdict.FAILED]
    unknown = [name for name, found in named.items() if found.verdict is Verdict.UNKNOWN]
    if failed:
        some = f"{len(failed)} of {len(named)} checks that count" if len(named) > 1 else "the one check that counts"
        return f"{some} failed: {', '.join(failed)}"
    if unknown or doc.reasons:
        what = f"; not judged: {', '.join(unknown)}" if unknown else ""
        return f"the run cannot be judged{': ' + doc.reasons[0] if doc.reasons else what}"
    which = f"all {len(named)} checks that count" if len(named) > 1 else "the one check that counts"
    return f"{which} passed: {doc.story}"


def table(doc: VerdictDoc) -> Table:
    """One row per check, in parentheses if not required; for a run that did not pass, only the required failures."""
    rows = [_row(name, found) for name, found in doc.checks.items() if _has_row(doc, found)]
    return Table(tuple(map(TableColumn, ("check", "verdict", "what was found"))), rows)


def others(doc: VerdictDoc) -> list[str]:
    """The checks without a row, one line per verdict."""
    left = {name: found for name, found in doc.checks.items() if not _has_row(doc, found)}
    by = {verdict: [_named(n, f) for n, f in left.items() if f.verdict is verdict] for verdict in STYLE}
    return [f"{verdict.value}: {', '.join(names)}" for verdict, names in by.items() if names]


def _has_row(doc: VerdictDoc, found: Judged) -> bool:
    to_blame = found.required and found.verdict in (Verdict.FAILED, Verdict.UNKNOWN)
    return doc.verdict is Verdict.PASSED or to_blame


def _named(name: str, found: Judged) -> str:
    return name if found.required else f"({name})"


def _row(name: str, found: Judged) -> tuple[str, Styled, str]:
    verdict = found.verdict.value
    shown = Styled(verdict.upper() if found.verdict is Verdict.FAILED else verdict, STYLE[found.verdict])
    counts = ", ".join(f"{key.replace('_', ' ')} {_number(value)}" for key, value in found.counts.items() if value)
    what = "; ".join(filter(None, (found.why, counts)))
    return _named(name, found), shown, textwrap.shorten(what, 240, placeholder=" …")


def members(doc: VerdictDoc) -> list[str]:
    """Members of each set of a failed check, one line each, and the number of further ones."""
    lines = []
    for name, found in doc.checks.items():
        if found.verdict is Verdict.FAILED and _has_row(doc, found):
            for set_, ids in found.members.items():
                if ids and not ordinary(set_):
                    more = int(found.counts.get(set_, len(ids))) - SHOWN
                    lines += [f"{name}: {spaced(set_)}:", *(f"  {each}" for each in ids[:SHOWN])]
                    lines += [f"  … and {more:,} more"] if more > 0 else []
    return lines


def lives(doc: VerdictDoc) -> list[str]:
    """The trace of the first anomalous event in at most LIFE lines, and the number of further ones.

    The limit prevents the verdict above from scrolling off the screen.
    """
    wrong = [life for life in doc.lives if not life.example_of]
    if not wrong:
        return []
    first, more = wrong[0], len(wrong) - 1
    end = [f"  last seen: {first.last_seen}", f"  meanwhile: {'; '.join(first.meanwhile) or 'nothing was broken'}"]
    end += [f"  shared: {first.shares[0]}"] if first.shares else []
    end += [f"… and {plural.counted(more, 'more events')} in verdict.json and on the page"] if more else []
    room = LIFE - 1 - len(end)
    story = [f"  {moment}" for moment in first.story]
    if len(story) > room:
        story = [*story[: room - 1], f"  … and {len(story) - room + 1:,} more moments"]
    return [f"{first.event_id} ({first.fate})", *story, *end]


def _say(console: Console, line: str) -> None:
    """Print one line of foreign text; continuation lines are indented, and ids are not split."""
    told, deeper = visible(cut(line, LINE) if line.startswith("  ") else line), "  "
    deeper += " " * (len(line) - len(line.lstrip()))
    fit = textwrap.fill(told, console.width, subsequent_indent=deeper, break_long_words=False, break_on_hyphens=False)
    console.print(Text(fit), soft_wrap=True)


def faults(doc: VerdictDoc) -> list[str]:
    """The first faults, and all that were not witnessed."""
    seen = {True: "landed", False: "DID NOT LAND", None: "NOT WITNESSED"}
    shown = [f for n, f in enumerate(doc.faults) if n < SHOWN or not f.landed]
    more = plural.counted(len(doc.faults) - len(shown), "more faults")
    lines = [f"fault {f.at:g}–{f.until:g} s: {f.label}: {seen[f.landed]}" for f in shown]
    return lines + [f"… and {more}: landed"] * (len(shown) < len(doc.faults))


def durability(doc: VerdictDoc) -> list[str]:
    """The servers' durability settings in force, in one line."""
    told = [f"{name} {', '.join(f'{k} {v}' for k, v in found.items())}" for name, found in doc.durability.items()]
    return [f"servers: {'; '.join(told)}"] if told else []


def figures(doc: VerdictDoc) -> str:
    """The measured figures in one paragraph."""
    known = {name.replace("_", " "): value for name, value in doc.figures.items() if value is not None}
    return ", ".join(f"{name} {_number(value)}" for name, value in known.items())


def _number(value: float) -> str:
    return f"{value:,.0f}" if float(value).is_integer() else f"{value:,.2f}"
