"""`shaketable list`."""

from __future__ import annotations

import sys
from collections import defaultdict

from rich.console import Console
from rich.table import Table
from rich.text import Text

from shaketable.checks import CHECKS
from shaketable.checks.budget import COMMON
from shaketable.faults import FAULTS
from shaketable.faults.fault import Fault
from shaketable.faults.kinds.processes import ProcessFault
from shaketable.runner import scenario
from shaketable.runner.profile import profiles
from shaketable.runner.scenario import Scenario

#: The groups, in order: what a scenario's faults have in common.
NOTHING, PROCESSES, LINKS, OTHERS, MANY = (
    "nothing is broken",
    "processes of the target",
    "links to a service",
    "store, data and machine",
    "several kinds of faults",
)
#: Columns where nobody's terminal bounds them.
WIDE = 160


def show() -> int:
    """Print every scenario's story, by what goes wrong in it, then the faults and checks there are."""
    console = Console(highlight=False, width=None if sys.stdout.isatty() else WIDE)
    grouped: dict[str, list[Scenario]] = defaultdict(list)
    for path in scenario.names().values():
        found = scenario.load(str(path))
        grouped[group(found)].append(found)
    table = Table(box=None, pad_edge=False, show_header=False)
    for name in (NOTHING, LINKS, OTHERS, PROCESSES, MANY):
        if grouped[name]:
            table.add_row(Text(f"{name}:", "bold"), end_section=False)
            for each in grouped[name]:
                table.add_row(f"  {each.name}", f"{seconds(each):.0f} s{', nightly' * each.nightly}", each.story)
    console.print(table)
    console.print(f"\nfaults: {', '.join(sorted(FAULTS.kinds()))}\nchecks: {', '.join(sorted(CHECKS.kinds()))}")
    for name, profile in profiles().items():
        console.print(f"--profile {name}: {profile.story}", soft_wrap=True)
    console.print(f"--budget {', '.join(COMMON)}, or CHECK.FIELD: `explain CHECK` names its own", soft_wrap=True)
    console.print(
        "\n`shaketable run NAME…` runs some, `run --all` all except the nightly ones; `explain CHECK` prints a law."
    )
    return 0


def group(scenario: Scenario) -> str:
    """By what goes wrong in it."""
    groups = {_group(entry.fault) for entry in scenario.drawn().timeline}
    return MANY if len(groups) > 1 else next(iter(groups), NOTHING)


def _group(fault: Fault) -> str:
    if isinstance(fault, ProcessFault):
        return PROCESSES
    return LINKS if hasattr(fault, "service") else OTHERS


def seconds(scenario: Scenario) -> float:
    """How long the load is on."""
    return scenario.load.baseline_s + scenario.load.shake_s + scenario.load.recover_s
