"""`shaketable list`."""

from __future__ import annotations


def list_() -> int:
    """Tell every scenario's story in a sentence, by what goes wrong in it, and name faults and checks."""
    from shaketable.cli.commands.list import show

    return show()
