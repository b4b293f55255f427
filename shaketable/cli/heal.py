"""`shaketable heal`: undo the leftovers of killed runs. Exit code 255 when something could not be undone."""

from __future__ import annotations


def heal() -> int:
    """Remove the servers and folders that killed runs left behind, and undo their faults on external servers.

    Active runs are not touched.
    """
    from shaketable.stack import supervisor

    alive, done, left = 0, 0, 0
    for journal in sorted(supervisor.journals().glob("*.jsonl")):
        try:
            with supervisor.held(journal) as ours:
                if not ours:
                    alive += 1
                    continue
                told = supervisor.end(journal)
        except OSError as e:  # it must not keep the other runs from being healed
            told = [f"NOT healed ({e})"]
        done += 1
        print(f"{journal.stem}: " + (", ".join(told) or "nothing was left"))
        if journal.exists():
            left += 1
            print(f"  heal again when the server answers; if it is gone, or a line is unreadable, remove {journal}")
    if not done:
        print(f"nothing to heal{f' ({alive} of your runs alive)' if alive else ''}")
    return 255 if left else 0
