"""Execute a command once the parent permits it, or exit if the parent dies first. `spawn` runs this file as a script.

A child that starts its command at once may be lost if the parent is killed before it has recorded the child's pid.
This script therefore waits for a byte on its standard input, which the parent sends after it has written the pid to the
undo journal. Then it executes the command, under the same pid.

Arguments: a descriptor for the errno if the command cannot be run, the user and group to switch to (or -1), a mark
(`mark`; 0 for none), and the command.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import warnings  # noqa: F401 `os` imports it to search PATH, possibly as a user who cannot read Python's files


def main() -> None:
    """Wait, then execute the command."""
    told, user, group, mark = map(int, sys.argv[1:5])
    if not os.read(0, 1):
        return  # the parent has died
    os.set_inheritable(told, False)
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    env = _environment()  # before switching the user: the other one may not read it
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
        return  # the limit does not exist here, or is lower already


def _environment() -> dict[bytes, bytes]:
    """The original environment: Python may have added LC_CTYPE to os.environ."""
    with open("/proc/self/environ", "rb") as given:
        pairs = (line.partition(b"=") for line in given.read().split(b"\0") if line)
        return {name: value for name, _, value in pairs}


if __name__ == "__main__":
    main()
