"""Becomes a command once its parent says so, and ends when the parent dies first. Run as a script: `spawn` does.

A process that is started outright can be anything by the time its parent has noted its number, and a parent that is
killed before never notes it. This one is nothing yet: it waits for a byte on its standard input, which the parent
sends once the number is in the undo journal. Then the command takes its place, with the same number.

The arguments: a descriptor to say why the command cannot be run, user and group to become (or -1), a mark
(`mark`; 0 for none), the command.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings  # noqa: F401 `os` wants it for a look at PATH, when it may be another user who cannot read Python's files


def main() -> None:
    """Wait, then become the command."""
    told, user, group, mark = map(int, sys.argv[1:5])
    if not os.read(0, 1):
        return  # the parent has died
    os.set_inheritable(told, False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    env = _environment()  # before it becomes another user, who may not read it
    for number in (signal.SIGPIPE, signal.SIGXFSZ):
        signal.signal(number, signal.SIG_DFL)  # Python ignores these
    if mark:
        _carry(mark)
    try:
        if user != -1:
            os.setgroups([])
            os.setgid(group)
            os.setuid(user)
        os.execvpe(sys.argv[5], sys.argv[5:], env)
    except OSError as e:
        os.write(told, str(e.errno).encode())


def _carry(mark: int) -> None:
    try:
        resource.setrlimit(15, (mark, mark))
    except (OSError, ValueError):
        return  # there is no such limit here, or a lower one already


def _environment() -> dict[bytes, bytes]:
    """The one that was given: Python may have added an LC_CTYPE to its own."""
    with open("/proc/self/environ", "rb") as given:
        pairs = (line.partition(b"=") for line in given.read().split(b"\0") if line)
        return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    main()
