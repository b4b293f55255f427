"""Run a command of the manifest that prints events or a number, with the services' direct addresses in its environment.

Its output goes to an unnamed temporary file. It is killed when it takes too long, or prints too much.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

from shaketable.errors import HarnessError, TargetError
from shaketable.stack.process import environment
from shaketable.stack.stack import Stack
from shaketable.target import services
from shaketable.target.manifest import Manifest
from shaketable.target.readers.whole import whole

#: Seconds that a command may take for all events, and for a number.
ROWS_S, NUMBER_S = 60.0, 5.0
#: The most bytes of all events, and of a number.
ROWS_BYTES, NUMBER_BYTES = 1 << 30, 1_000
#: Seconds between two looks at a command that runs, and the most bytes of its error output in a message.
LOOK_S, WORDS = 0.02, 300


def lines(stack: Stack, manifest: Manifest, section: str, command: Sequence[str]) -> list[bytes]:
    """The lines that a command prints, without empty ones. Raises TargetError."""
    found = output(stack, manifest, section, command, ROWS_S, ROWS_BYTES).split(b"\n")  # CR is white space in JSON
    return [line for line in found if line.strip()]


def number(stack: Stack, manifest: Manifest, section: str, command: Sequence[str]) -> int:
    """The whole number that a command prints. Raises TargetError."""
    text = output(stack, manifest, section, command, NUMBER_S, NUMBER_BYTES).decode(errors="replace").strip()
    try:
        return whole(text)
    except ValueError as e:
        said = _without_passwords(text, stack)[:40]
        raise TargetError(f"expected the manifest's [{section}] command to print a number, got {said!r}") from e


def output(stack: Stack, manifest: Manifest, section: str, command: Sequence[str], within_s: float, most: int) -> bytes:
    """What a command prints on its standard output. Raises TargetError unless it ends in time, within bounds, with 0.

    `manifest` is the located one, whose cwd is absolute and whose placeholders are filled in.
    """
    with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
        shell = ["/bin/sh", "-c", 'exec "$@" 2>>"$0"', f"/proc/{os.getpid()}/fd/{err.fileno()}", *command]
        env = environment(Path(tempfile.gettempdir()), **services.direct(stack, manifest))
        log = Path(f"/proc/{os.getpid()}/fd/{out.fileno()}")
        try:
            child = stack.launch(f"{section}-command", shell, env, Path(manifest.cwd), log)
        except HarnessError as e:
            raise TargetError(f"the manifest's [{section}] command does not start: {e}") from e
        try:
            deadline = time.monotonic() + within_s
            while (code := child.wait(LOOK_S)) is None:
                if time.monotonic() > deadline or os.fstat(out.fileno()).st_size > most:
                    break
        finally:
            child.kill()
        size = os.fstat(out.fileno()).st_size
        if code is None or size > most:
            raise TargetError(
                f"expected the manifest's [{section}] command to end within {within_s:g} s and print at most {most:,} "
                f"bytes, got {size:,} bytes so far: does it come to an end?"
            )
        if code != 0:
            err.seek(max(0, os.fstat(err.fileno()).st_size - WORDS))
            said = _without_passwords(" ".join(err.read(WORDS).decode(errors="replace").split()), stack)
            raise TargetError(f"the manifest's [{section}] command ends with exit code {code}: {said or 'no output'}")
        out.seek(0)
        return out.read(most)


def _without_passwords(said: str, stack: Stack) -> str:
    """The output without passwords: it becomes part of the run directory."""
    for password in services.passwords(stack):
        said = said.replace(password, "***")
    return said
