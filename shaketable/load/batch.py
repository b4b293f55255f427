"""A batch: several events in one request, and the answer to each of them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any, Literal

import msgspec

from shaketable.event import pointer
from shaketable.load.mix.shape import Expect, Shape
from shaketable.load.outcome import TOO_LARGE, TOO_LARGE_STATUS
from shaketable.load.reply import Reply

#: The largest size.
MOST = 10_000
#: The default limit of a request in bytes: servers take at least 64 KiB, and many no more than 100 KB.
BYTES = 1 << 16
#: The journal's error for an event whose own answer is missing or is no status.
NO_ANSWER = "NoAnswer"
#: White space in JSON that would end a line.
_ON_ONE_LINE = bytes.maketrans(b"\r\n", b"  ")
_POINTER = re.compile(r"(/([^~/]|~[01])*)*")


class Batch(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Several events in one request: those that are due together; an event that may be refused goes alone."""

    size: int  # the most events
    path: str | None = None  # default: ingest.path
    format: Literal["array", "ndjson"] = "array"
    member: str | None = None  # the member that holds the array; default: the array is the body
    answers: str | None = None  # the array of the events' answers, in their order; "": the body, or its lines
    status: str = "/status"  # the status in such an answer
    max_bytes: int = BYTES  # the most bytes of a request with several events
    accepted: tuple[int, ...] = ()  # statuses of the whole; default: ingest.accepted

    def mistakes(self) -> Iterator[str]:
        """Sentences on keys that contradict each other, each with the remedy."""
        if not 2 <= self.size <= MOST:
            yield f"expected ingest.batch.size from 2 to {MOST:,}, got {self.size}: leave batch out for single events"
        if self.max_bytes < 1:
            yield f"expected ingest.batch.max_bytes above 0, got {self.max_bytes}: leave it out for {BYTES:,}"
        named = {"member": self.member, "answers": self.answers, "status": self.status}
        for key, found in named.items():
            if found is not None and not _POINTER.fullmatch(found):
                yield f"expected ingest.batch.{key} as a JSON Pointer, got {found!r}: write '/events' or so"
        if self.member is not None and self.format == "ndjson":
            yield "ingest.batch.member is for an array, and format is 'ndjson': leave one out"
        if self.member == "":
            yield "expected ingest.batch.member to name a member, got '': leave it out if the array is the body"
        if any(not 200 <= status < 300 for status in self.accepted):
            yield f"expected ingest.batch.accepted as statuses from 200 to 299, got {list(self.accepted)}"
        if self.answers is not None and self.accepted:
            yield "ingest.batch.answers has a status for each event, and accepted is one for all: leave one out"

    def takes(self, expect: Expect) -> bool:
        """Whether such an event may share a request: one that is to be refused could take the others with it."""
        return expect is Expect.ACCEPT

    def cut(self, sizes: Sequence[int]) -> Iterator[slice]:
        """The events of each request, by the bytes of their bodies; one that is too large for any goes alone."""
        start, frame = 0, len(self.body([]))
        room = self.max_bytes - frame
        for at, size in enumerate(sizes):
            room -= size + 1  # a comma, or a line's end
            if at > start and (at - start == self.size or room < 0):
                yield slice(start, at)
                start, room = at, self.max_bytes - frame - size - 1
        if sizes:
            yield slice(start, len(sizes))

    @property
    def frame(self) -> int:
        """The bytes of a request around its only event."""
        return len(self.body([b"1"])) - 1

    def sendable(self, shapes: Sequence[Shape]) -> list[Shape]:
        """The shapes, numbered anew, but for blank lines if all go in batches: an empty batch is a good one."""
        kept = [each for each in shapes if self.path is not None or self.format == "array" or not each.blank]
        return [msgspec.structs.replace(each, number=number) for number, each in enumerate(kept)]

    def body(self, events: Sequence[bytes], expect: Expect = Expect.ACCEPT) -> bytes:
        """The body of a request; an event that is to be refused stays as it is."""
        if not self.takes(expect) and self.format == "array" and not b"".join(events).strip():
            return b"".join(events)  # within an array it would be an empty batch, which is a good one
        if self.format == "ndjson":
            lines = [event.translate(_ON_ONE_LINE) for event in events] if self.takes(expect) else events
            return b"".join(line + b"\n" for line in lines)
        found = b"[" + b",".join(events) + b"]"
        for name in reversed(pointer.steps(self.member or "")):
            found = b"{" + msgspec.json.encode(name) + b":" + found + b"}"
        return found

    def replies(self, reply: Reply, count: int) -> list[Reply]:
        """The reply to each of `count` events of a request."""
        whole = reply._replace(content=b"", accepted=self.accepted)
        if reply.status == TOO_LARGE_STATUS and count > 1:
            return [whole._replace(status=None, error=TOO_LARGE)] * count
        if self.answers is None or reply.status is None or not 200 <= reply.status < 300:
            return [whole] * count
        found = self._answers(reply.content)
        if len(found) != count:
            return [whole._replace(status=None, error=NO_ANSWER)] * count
        return [self._reply(whole, each) for each in found]

    def _answers(self, content: bytes) -> list[Any]:
        try:
            if self.answers == "" and not content.lstrip().startswith(b"["):
                return msgspec.json.Decoder().decode_lines(content)
            found = pointer.find(msgspec.json.decode(content), pointer.steps(self.answers or ""))
        except (msgspec.DecodeError, LookupError, RecursionError):
            return []
        return found if isinstance(found, list) else []

    def _reply(self, whole: Reply, answer: Any) -> Reply:
        try:
            status = pointer.find(answer, pointer.steps(self.status))
        except LookupError:
            status = None
        if type(status) is not int:
            return whole._replace(status=None, error=NO_ANSWER)
        return whole._replace(status=status)


def encoded(batch: Batch | None) -> str:
    """A batch as an option of the load; "" for single events."""
    return msgspec.json.encode(batch).decode() if batch else ""


def decoded(option: str) -> Batch | None:
    """The batch of an option. Raises msgspec.ValidationError or DecodeError."""
    return msgspec.json.decode(option, type=Batch) if option else None
