"""PostgreSQL's protocol, version 3: a byte for the type, four for the length, then the content.

Source: https://www.postgresql.org/docs/current/protocol-message-formats.html. A point is a statement's execution:
Query, Execute, and the data and the end of a COPY. Parse and Bind have no effect: they only name the statement. After
an error in a pipeline the server skips messages until Sync, so these are taken as replied to.
"""

from __future__ import annotations

from collections.abc import Iterator

from shaketable.crash_points.frames import statement
from shaketable.crash_points.frames.wire import HEAD, Part, Pending, Reader

#: The codes in place of a version: a request for TLS or GSSAPI, and the cancellation of a query.
SSL, GSS, CANCEL = 80877103, 80877104, 80877102
#: Bytes of a statement's text that its kind is read from.
TEXT = 512
#: The most prepared statements and portals of a connection that are remembered by name.
NAMED = 10_000
#: The kinds of the messages that carry a COPY, and of a Sync, which is no point.
COPY_DATA, COPY_END, SYNC = "COPY data", "COPY end", "\0sync"
#: The types of messages of the client that may follow a startup, and of the server.
CLIENT, SERVER = b"QPBEDSCHFdcfpX", b"123CDEGHIKNRSTVWZAdcnstv"


class PostgresWire:
    """Implements `Wire`."""

    def __init__(self) -> None:
        self._client, self._server = Reader(self._sent), Reader(self._replied)
        self._pending = Pending()
        self._started = False
        self._negotiating = False  # the server answers a request for TLS or GSSAPI with one byte
        self._statements, self._portals = dict[str, str](), dict[str, str]()

    @property
    def opaque(self) -> str:
        return self._client.opaque or self._server.opaque

    def outgoing(self, data: bytes) -> Iterator[Part]:
        return self._client.feed(data)

    def incoming(self, data: bytes) -> Iterator[Part]:
        return self._server.feed(data)

    def _sent(self) -> Part | None:
        reader = self._client
        if not self._started:
            return self._startup()
        if reader.held[0] not in CLIENT:
            return reader.give_up("not PostgreSQL's protocol")
        if (length := _length(reader.held, 1)) is None:
            return None
        type_, whole = chr(reader.held[0]), 1 + length
        needed = min(whole, 5 + (TEXT if type_ in "QP" else HEAD // 2 if type_ in "BE" else 0))
        if len(reader.held) < needed:
            return None
        kind = self._kind(type_, bytes(reader.held[5:needed]))
        reader.skip(whole - needed)
        return reader.take(needed, kind)

    def _startup(self) -> Part | None:
        """The first message has no type."""
        reader = self._client
        if (length := _length(reader.held, 0)) is None or len(reader.held) < 8:
            return None
        code = int.from_bytes(reader.held[4:8])
        if code in (SSL, GSS):
            self._negotiating = True
        elif code == CANCEL or code >> 16 == 3:
            self._started = True
        else:
            return reader.give_up("not PostgreSQL's protocol, or TLS")
        reader.skip(max(0, length - 8))
        return reader.take(8)

    def _kind(self, type_: str, content: bytes) -> str | None:
        """The kind of a message that is a point, which then waits for its reply; None for any other."""
        if type_ == "P":
            name, text, *_ = _strings(content, 2)
            _remember(self._statements, name, statement.kind(text))
        elif type_ == "B":
            portal, name, *_ = _strings(content, 2)
            _remember(self._portals, portal, self._statements.get(name, "statement"))
        elif type_ == "S":
            self._pending.sent(SYNC)
        elif type_ == "d":
            return COPY_DATA
        if (kind := self._point(type_, content)) is None:
            return None
        if type_ in "cf":
            self._pending.drop_last(SYNC)  # the server ignores a Sync while it reads a COPY
        self._pending.sent(f"{type_}{kind}")
        return kind

    def _point(self, type_: str, content: bytes) -> str | None:
        if type_ == "Q":
            return statement.kind(_strings(content, 1)[0])
        if type_ == "E":
            return self._portals.get(_strings(content, 1)[0], "statement")
        return {"F": "function call", "c": COPY_END, "f": COPY_END}.get(type_)

    def _replied(self) -> Part | None:
        reader = self._server
        if self._negotiating:
            return self._negotiated()
        if reader.held[0] not in SERVER:
            return reader.give_up("not PostgreSQL's protocol")
        if (length := _length(reader.held, 1)) is None:
            return None
        reader.skip(length - 4)
        return reader.take(5, self._ended(chr(reader.held[0])))

    def _negotiated(self) -> Part:
        """`S` and `G` are a yes: what follows cannot be read. `N` is a no, and the startup follows."""
        self._negotiating = False
        if self._server.held[0] in b"SG":
            self._client.opaque = self._server.opaque = "encrypted (TLS or GSSAPI)"
        return self._server.take(1)

    def _ended(self, type_: str) -> str | None:
        """The message that a reply of this type ends."""
        first = self._pending.first()
        if first is None or type_ not in _ENDS["" if first == SYNC else first[0]]:
            return None
        self._pending.replied()
        if type_ == "E" and first[0] == "E":  # the rest of the pipeline is skipped
            while self._pending.first() not in (None, SYNC):
                self._pending.replied()
        return None if first == SYNC else first[1:]


#: By the type of a client's message: the types of the server's messages that end it.
_ENDS = {"": "Z", "Q": "ZGW", "E": "CsIEGW", "F": "VE", "c": "CE", "f": "E"}


def _length(held: bytearray, at: int) -> int | None:
    """The length that stands there, at least its own four bytes; None while bytes are missing."""
    return max(4, int.from_bytes(held[at : at + 4])) if len(held) >= at + 4 else None


def _strings(content: bytes, count: int) -> list[str]:
    """The first strings of a message, each ended by a zero byte; "" for those that are missing."""
    found = [part.decode("utf-8", "replace") for part in content.split(b"\0", count)[:count]]
    return found + [""] * (count - len(found))


def _remember(named: dict[str, str], name: str, kind: str) -> None:
    if len(named) >= NAMED:
        named.clear()
    named[name] = kind
