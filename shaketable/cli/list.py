"""`shaketable list`."""

from __future__ import annotations


def list_() -> int:
    """List the scenarios, grouped by kind of fault, with a sentence on each, and the faults and checks."""
    from shaketable.cli.commands.list import show

    return show()
