"""`shaketable list`."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from shaketable import scenario
from shaketable.checks import CHECKS
from shaketable.faults import FAULTS


def show() -> int:
    """Print a table of scenarios, then the faults and checks there are."""
    console, table = Console(), Table("scenario", "story", box=None, pad_edge=False)
    for name, path in scenario.names().items():
        table.add_row(name, scenario.load(str(path)).story)
    console.print(table)
    console.print(f"\nfaults: {', '.join(FAULTS.kinds())}\nchecks: {', '.join(CHECKS.kinds())}")
    return 0
