"""Redis's protocol, RESP 2 and 3: a request is an array of bulk strings, and each has one reply, in order.

Source: https://redis.io/docs/latest/develop/reference/protocol-spec/. A push (RESP 3) replies to nothing. A connection
that subscribes gets replies that belong to no request, so from then on none is matched.
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.crash_points.frames.wire import Part, Pending, Reader

#: Commands whose second word names the action.
CONTAINERS = frozenset({"ACL", "CLIENT", "CLUSTER", "COMMAND", "CONFIG", "DEBUG", "FUNCTION", "LATENCY", "MEMORY"})
CONTAINERS |= {"MODULE", "OBJECT", "PUBSUB", "SCRIPT", "SLOWLOG", "XGROUP", "XINFO"}
#: Commands whose second word names a script; of a digest, the first characters suffice.
SCRIPTS, DIGEST = frozenset({"EVALSHA", "EVALSHA_RO", "FCALL", "FCALL_RO"}), 8
#: Behind the kind of a message whose reply holds nothing: a poll that waited in vain took no message from a queue.
NIL = " (nil)"
#: Commands with replies that belong to no request.
SUBSCRIBE = frozenset({"SUBSCRIBE", "PSUBSCRIBE", "SSUBSCRIBE", "MONITOR"})
#: The first byte of a value: of a string with a length, of an array, and of all.
STRINGS, ARRAYS = b"$=!", b"*~>%|"
MARKS = STRINGS + ARRAYS + b"+-:_#,("
#: The longest word of a command that becomes part of a kind, in bytes; a longer one is no command's name.
WORD = 64
#: The most digits of a length; Redis allows 512 MB.
DIGITS = 10


class RespWire:
    """Implements `Wire`."""

    def __init__(self) -> None:
        self._requests, self._replies = Reader(self._request), Reader(self._reply)
        self._pending = Pending()
        self._words = 0  # of the current request that have not begun to pass
        self._values: list[int] = []  # how many values are left, of each array that encloses the current one

    @property
    def opaque(self) -> str:
        return self._requests.opaque or self._replies.opaque

    def outgoing(self, data: bytes) -> Iterator[Part]:
        return self._requests.feed(data)

    def incoming(self, data: bytes) -> Iterator[Part]:
        return self._replies.feed(data)

    def _request(self) -> Part | None:
        """The head of a request with its kind, or the length of its next word, whose bytes are then skipped."""
        reader = self._requests
        if not self._words and not reader.held.startswith(b"*"):
            return self._inline()
        if (end := reader.held.find(b"\r\n")) < 0:
            return None
        number = _number(reader.held, b"$" if self._words else b"*", end)
        if number is None:
            return reader.give_up("a request that is no array of bulk strings")
        if self._words:
            self._words -= 1
            reader.skip(number + 2)
            return reader.take(end + 2)
        return self._head(number, end + 2) if number > 0 else reader.take(end + 2)

    def _head(self, count: int, at: int) -> Part | None:
        """The words that the kind needs, with all before them. The others, and long ones, pass as they come."""
        reader, words = self._requests, list[str]()
        while len(words) < min(count, 2):
            if (end := reader.held.find(b"\r\n", at)) < 0:
                return None
            if (length := _number(reader.held, b"$", end, at)) is None:
                return reader.give_up("a request that is no array of bulk strings")
            if length > WORD:
                break
            if len(reader.held) < end + 2 + length + 2:
                return None
            words.append(reader.held[end + 2 : end + 2 + length].decode("ascii", "replace"))
            at = end + 2 + length + 2
            if words[0].upper() not in CONTAINERS | SCRIPTS:
                break
        self._words = count - len(words)
        return reader.take(at, self._sent(words))

    def _inline(self) -> Part | None:
        """A request in one line, as typed by hand."""
        reader = self._requests
        if not reader.held[:1].isalpha() and reader.held[0] not in b"\r\n":
            return reader.give_up("not Redis's protocol, or TLS")
        if (end := reader.held.find(b"\n")) < 0:
            return None
        words = [word.decode("ascii", "replace") for word in reader.held[:end].split()[:2]]
        return reader.take(end + 1, self._sent(words) if words else None)

    def _sent(self, words: list[str]) -> str:
        kind = _kind(words)
        self._pending.sent(kind)
        self._pending.lost |= kind in SUBSCRIBE or kind == "CLIENT REPLY"
        return kind

    def _reply(self) -> Part | None:
        """The line with which a value begins; of a reply, the first tells to which request it belongs."""
        reader = self._replies
        if (end := reader.held.find(b"\r\n")) < 0:
            return None if reader.held[0] in MARKS else reader.give_up("not Redis's protocol, or TLS")
        mark, top = bytes(reader.held[:1]), not self._values
        nil = bytes(reader.held[:end]) in (b"_", b"$-1", b"*-1")
        if mark in STRINGS + ARRAYS:
            if (number := _number(reader.held, mark, end)) is None:
                return reader.give_up("a reply of unknown form")
            if mark in STRINGS:
                reader.skip(number + 2 if number >= 0 else 0)
            else:  # an attribute is followed by the value that it belongs to
                self._values.append(max(0, number) * (2 if mark in b"%|" else 1) + (mark == b"|") + 1)
        elif mark not in MARKS:
            return reader.give_up("a reply of unknown form")
        self._close()
        matched = top and mark != b">" and not self._pending.lost
        kind = self._pending.replied() if matched else None
        return reader.take(end + 2, f"{kind}{NIL}" if kind and nil else kind)

    def _close(self) -> None:
        """Count one value, and every array that it completes."""
        while self._values:
            self._values[-1] -= 1
            if self._values[-1]:
                return
            self._values.pop()


def _kind(words: list[str]) -> str:
    """`XADD`, `XGROUP CREATE`, `EVALSHA 3f2a91c0`."""
    name = words[0].upper() if words else "?"
    if len(words) > 1 and words[1]:
        if name in CONTAINERS:
            return f"{name} {words[1].upper()}"
        if name in SCRIPTS:
            return f"{name} {words[1][:DIGEST] if name.startswith('EVALSHA') else words[1]}"
    return name


def _number(held: bytearray, mark: bytes, end: int, at: int = 0) -> int | None:
    """The number between a mark and a line's end; None for anything else."""
    text = bytes(held[at + 1 : end])
    if held[at : at + 1] != mark or not text.lstrip(b"-").isdigit() or len(text) > DIGITS:
        return None
    return int(text)
