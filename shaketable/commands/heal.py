"""`shaketable heal`."""

from __future__ import annotations

import psutil

from shaketable import supervisor


def heal() -> int:
    """End and take back what the undo journals name, unless a supervisor still watches over it.

    Returns 255 when something could not be taken back.
    """
    watched = _watched()
    left = [journal for journal in sorted(supervisor.journals().glob("*.jsonl")) if str(journal) not in watched]
    for journal in left:
        done = supervisor.end(journal)
        print(f"{journal.stem}: " + (", ".join(done) or "nothing was left"))
        if journal.exists():
            print(f"  heal again when the server answers; if it is gone for good, remove {journal}")
    if not left:
        print(f"nothing to heal{f' ({len(watched)} run alive)' if watched else ''}")
    return 255 if any(journal.exists() for journal in left) else 0


def _watched() -> set[str]:
    """The journals that a living supervisor was started for."""
    found = set()
    for process in psutil.process_iter(["cmdline"]):
        command = process.info["cmdline"] or []
        if "shaketable.supervisor" in command:
            found.add(command[-1])
    return found
