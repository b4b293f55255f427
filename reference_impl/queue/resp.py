"""RESP2, the wire protocol of Redis and Valkey: as much of it as the intake's shared pipeline needs."""

from __future__ import annotations

Reply = bytes | int | None | Exception


class ReplyError(Exception):
    """An error reply: the server did not do it. `code` is its first word (OOM, LOADING, READONLY, …)."""

    def __init__(self, message: str) -> None:
        super().__init__(message)
        self.code = message.split(" ", 1)[0]


def pack(*arguments: bytes) -> bytes:
    """One command."""
    parts = [b"*%d\r\n" % len(arguments)]
    for argument in arguments:
        parts.append(b"$%d\r\n%b\r\n" % (len(argument), argument))
    return b"".join(parts)


def parse(data: bytes | bytearray, start: int) -> tuple[Reply, int] | None:
    """The reply that begins at `start`, and where the next one does; None while it is not whole."""
    end = data.find(b"\r\n", start)
    if end < 0:
        return None
    kind, head = data[start : start + 1], bytes(data[start + 1 : end])
    if kind == b"$":
        return _bulk(data, int(head), end + 2)
    if kind == b":":
        return int(head), end + 2
    if kind == b"-":
        return ReplyError(head.decode("utf-8", "replace")), end + 2
    return head, end + 2


def _bulk(data: bytes | bytearray, length: int, start: int) -> tuple[Reply, int] | None:
    if length < 0:
        return None, start
    end = start + length
    return (bytes(data[start:end]), end + 2) if len(data) >= end + 2 else None
