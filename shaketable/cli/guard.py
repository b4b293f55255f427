"""The guard of every command: any error becomes an exit code, and one sentence on stderr.

A traceback would exit 1 and a usage error 2, which here mean a verdict; so neither may reach the shell.
"""

from __future__ import annotations

import errno
import signal
import sys
import traceback
from collections.abc import Callable
from contextlib import suppress

import typer

from shaketable.cli import streams
from shaketable.errors import Interrupted, ShaketableError, unread
from shaketable.text import in_a_line, visible

BAD_INPUT, HARNESS_FAILED = 254, 255
#: Errors of the environment.
NO_BUG = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS, errno.EACCES, errno.EPERM)
#: Something else stands where a file or folder is expected: in a run directory that may be anybody's.
MISPLACED = (errno.EISDIR, errno.ENOTDIR, errno.EEXIST, errno.ELOOP, errno.ENAMETOOLONG)
#: The CLI library's exit code for a KeyboardInterrupt.
CLI_INTERRUPTED = 130


def guarded(command: object) -> int:
    """Run a command and turn all that can happen into the exit code, and one sentence on stderr."""
    assert callable(command)
    streams.prepare()
    signal.signal(signal.SIGTERM, _interrupt)
    streams.end_on_hangup()
    try:
        return _guarded(command)
    finally:
        streams.discard_unwritten()


def _guarded(command: Callable[[], object]) -> int:
    try:
        code = command()
        sys.stdout.flush()
        if code == CLI_INTERRUPTED:
            return _interrupted()
        return code if isinstance(code, int) else 0
    except ShaketableError as e:
        return _say(str(e), e.exit_code)
    except (KeyboardInterrupt, typer.Abort):
        return _interrupted()
    except typer.Exit as e:
        return e.exit_code
    except SystemExit:  # the CLI library's way to end when a pipe is closed
        return _unread()
    except Exception as e:
        if unread(e):
            return _unread()
        if isinstance(e, OSError) and e.errno in NO_BUG:
            return _say(f"{e.filename or 'the disk'}: {e.strerror}: make room, or name another folder", HARNESS_FAILED)
        if isinstance(e, OSError) and e.errno in MISPLACED:
            return _say(f"{e.filename}: {e.strerror}: remove it, or name another folder", BAD_INPUT)
        if callable(show := getattr(e, "show", None)):  # a usage error of the CLI library
            show()
            return BAD_INPUT
        _print("\n".join(visible(line) for line in traceback.format_exc().splitlines()))
        return _say("this is a bug in shaketable, not a verdict on the target", HARNESS_FAILED)


def _interrupted() -> int:
    return _say("interrupted: everything that was started is ended", Interrupted.exit_code)


def _unread() -> int:
    return _say("interrupted: nobody reads the output any more", Interrupted.exit_code)


def _interrupt(*_: object) -> None:
    raise KeyboardInterrupt


def _say(text: str, code: int) -> int:
    """One line, even if an error quotes a target's log."""
    _print(f"shaketable: {in_a_line(text)}")
    return code


def _print(text: str) -> None:
    """Print to stderr, if anybody reads it: an error here would replace the exit code by 1, a verdict."""
    with suppress(OSError):
        print(text, file=sys.stderr, flush=True)
