"""`shaketable heal`."""

from __future__ import annotations


def heal() -> int:
    """Remove the servers and folders that killed runs left behind, and undo their faults on external servers.

    Active runs are not touched.
    """
    from shaketable.cli.commands.heal import heal as command

    return command()
