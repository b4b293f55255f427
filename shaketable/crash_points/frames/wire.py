"""One connection between a process and a service: bytes in, the same bytes out, with the messages that begin there."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import NamedTuple, Protocol

#: The most bytes of a message that are held until its kind is known; a message that needs more is not understood.
HEAD = 4096
#: The most messages of one connection that wait for their replies; beyond it, replies are no longer matched.
PIPELINED = 100_000
#: The kind of a message of a protocol that the harness does not read.
CHUNK = "chunk"


class Part(NamedTuple):
    """Some bytes, and the kind of a message: the one that begins with them, or the one that they reply to."""

    data: bytes
    kind: str | None = None


class Wire(Protocol):
    """Both directions of a connection. The parts of a direction, joined, are the bytes fed to it."""

    @property
    def opaque(self) -> str:
        """Why the messages can no longer be read, such as "TLS"; "" while they can."""
        ...

    def outgoing(self, data: bytes) -> Iterator[Part]:
        """Bytes of the process. A part with a kind begins a message of that kind, and holds no byte before it."""
        ...

    def incoming(self, data: bytes) -> Iterator[Part]:
        """Bytes of the service. A part with a kind begins the reply that ends a message of that kind."""
        ...


class Pending:
    """The messages that wait for their replies, in order."""

    def __init__(self) -> None:
        self._kinds: deque[str] = deque()
        self.lost = False  # replies cannot be matched any more

    def sent(self, kind: str) -> None:
        """A message has begun that will be replied to."""
        if len(self._kinds) >= PIPELINED:
            self.lost = True
            self._kinds.clear()
        if not self.lost:
            self._kinds.append(kind)

    def replied(self) -> str | None:
        """The message that a reply belongs to; None when nobody waits."""
        return self._kinds.popleft() if self._kinds else None

    def drop_last(self, kind: str) -> None:
        """Forget messages of this kind at the end."""
        while self._kinds and self._kinds[-1] == kind:
            self._kinds.pop()

    def first(self) -> str | None:
        """The message that is to be replied to next."""
        return self._kinds[0] if self._kinds else None


class Reader:
    """Holds bytes until they are understood. `step` reads from `held`, and is repeated while it returns a part.

    A step returns None when it needs more bytes. Once `opaque` is set, everything passes as it comes.
    """

    def __init__(self, step: Callable[[], Part | None]) -> None:
        self._step, self.held, self.opaque, self._skip = step, bytearray(), "", 0

    def feed(self, data: bytes) -> Iterator[Part]:
        """The parts that are complete with these bytes."""
        self.held += data
        while self.held:
            part = self.take(len(self.held)) if self.opaque else self.pass_on() if self._skip else self._step()
            if part is None and len(self.held) <= HEAD:
                return
            yield part or self.give_up(f"a message of more than {HEAD} bytes without a kind")

    def give_up(self, why: str) -> Part:
        """From now on, everything passes unread."""
        self.opaque = why
        return self.take(len(self.held))

    def take(self, length: int, kind: str | None = None) -> Part:
        """The next `length` bytes."""
        data = bytes(self.held[:length])
        del self.held[:length]
        return Part(data, kind)

    def skip(self, length: int) -> None:
        """Let the next `length` bytes pass unread, as they come."""
        self._skip += length

    def pass_on(self) -> Part:
        """The bytes at hand of those to be skipped."""
        part = self.take(min(self._skip, len(self.held)))
        self._skip -= len(part.data)
        return part
