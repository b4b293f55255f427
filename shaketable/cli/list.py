"""`shaketable list`: scenarios, faults, checks and budgets."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shaketable.faults.fault import Fault
    from shaketable.runner.scenario import Scenario

#: The groups, in order, by the faults of a scenario.
NOTHING, PROCESSES, LINKS, OTHERS, MANY = (
    "nothing is broken",
    "processes of the target",
    "links to a service",
    "store, data and machine",
    "several kinds of faults",
)


def list_() -> int:
    """List the scenarios, grouped by kind of fault, with a sentence on each, and the faults and checks."""
    from shaketable.checks import CHECKS
    from shaketable.checks.budget import common
    from shaketable.faults import FAULTS
    from shaketable.report.tables import table as tables
    from shaketable.report.tables.table import Cell, Styled, Table, TableColumn
    from shaketable.runner import scenario
    from shaketable.runner.profile import profiles

    console = tables.terminal()
    grouped: dict[str, list[Scenario]] = defaultdict(list)
    for path in scenario.names().values():
        found = scenario.load(str(path))
        grouped[group(found)].append(found)
    rows: list[Sequence[Cell]] = []
    for name in (NOTHING, LINKS, OTHERS, PROCESSES, MANY):
        if grouped[name]:
            rows.append((Styled(f"{name}:", "bold"), "", ""))
            for each in grouped[name]:
                rows.append((f"  {each.name}", f"{seconds(each):.0f} s{', nightly' * each.nightly}", each.story))
    tables.show(console, Table([TableColumn()] * 3, rows))
    console.print(f"\nfaults: {', '.join(sorted(FAULTS.kinds()))}\nchecks: {', '.join(sorted(CHECKS.kinds()))}")
    for name, profile in profiles().items():
        console.print(f"--profile {name}: {profile.story}", soft_wrap=True)
    console.print(f"--budget {', '.join(common())}, or CHECK.FIELD: `explain CHECK` lists its fields", soft_wrap=True)
    console.print(
        "\n`shaketable run NAME…` runs some, `run --all` all except the nightly ones; `explain CHECK` prints a law."
    )
    return 0


def group(scenario: Scenario) -> str:
    """The group of a scenario, by its faults."""
    groups = {_group(entry.fault) for entry in scenario.drawn().timeline}
    return MANY if len(groups) > 1 else next(iter(groups), NOTHING)


def _group(fault: Fault) -> str:
    from shaketable.faults.kinds.processes import ProcessFault

    if isinstance(fault, ProcessFault):
        return PROCESSES
    return LINKS if hasattr(fault, "service") else OTHERS


def seconds(scenario: Scenario) -> float:
    """The duration of the load."""
    return scenario.load.baseline_s + scenario.load.shake_s + scenario.load.recover_s
