"""The manifest's [outbound]: the target delivers its events to a receiver of the harness, as webhooks are."""

from __future__ import annotations

import re
from collections.abc import Iterator

from shaketable.target.body_server import WITNESS
from shaketable.target.strict import Strict

_POINTER = re.compile(r"(/([^~/]|~[01])*)*")
_PATH = re.compile(r"/[!->@-~]*")
_VARIABLE = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class Outbound(Strict, frozen=True, forbid_unknown_fields=True):
    """A receiver of the harness, to which the target delivers events by POST; what it has received is stored."""

    path: str = "/hook"
    env: str = "OUTBOUND_URL"  # the variable that hands its URL to each process, through a link of its own
    event: str = ""  # JSON Pointer to the event in the body; default: the body is the event

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that are no path, variable or pointer, each with the remedy."""
        if not _PATH.fullmatch(self.path):
            yield f"expected outbound.path to begin with a slash and to hold no space, got {self.path!r}: write '/hook'"
        if self.path == WITNESS:
            yield f"expected another outbound.path than {WITNESS}, to which the faults' witnesses post: write '/hook'"
        if not _VARIABLE.fullmatch(self.env):
            yield f"expected outbound.env to name a variable, got {self.env!r}: write 'OUTBOUND_URL' or so"
        if not _POINTER.fullmatch(self.event):
            yield f"expected outbound.event as a JSON Pointer, got {self.event!r}: write '/data' for {{\"data\": …}}"
