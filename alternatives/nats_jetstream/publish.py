"""A sender for alternatives/nats-publish.toml: publish to JetStream, and wait until the server has stored it.

The client protocol in a few lines, since nats-py stands on asyncio, which does not run under gevent.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
from urllib.parse import urlsplit

from shaketable.op import Outcome

#: The worker's subject, in alternatives/nats_jetstream/hardened.py.
SUBJECT = b"events"


class Publish:
    """Publishes over one connection, one event at a time."""

    def open(self) -> None:
        """Connect, log in, and subscribe to the answers (NATS client protocol: CONNECT, SUB, PING)."""
        url = urlsplit(os.environ["NATS_URL"])
        self._socket = socket.create_connection((url.hostname or "", url.port or 4222), timeout=3)
        self._lines = self._socket.makefile("rb")
        self._lines.readline()  # INFO
        self._inbox = b"_INBOX.%s" % secrets.token_hex(8).encode()  # of this connection alone
        login = {"verbose": False, "pedantic": False, "headers": True, "auth_token": url.username}
        self._socket.sendall(b"CONNECT %s\r\nSUB %s 1\r\nPING\r\n" % (json.dumps(login).encode(), self._inbox))
        if (answer := self._lines.readline()) != b"PONG\r\n":
            raise ConnectionError(answer[:40])

    def send(self, event_id: str, body: bytes) -> Outcome:
        """Return once the server has stored the event, or knows it by its Nats-Msg-Id; raise if that is unknown."""
        header = b"NATS/1.0\r\nNats-Msg-Id: %s\r\n\r\n" % event_id.encode()
        sizes = b"%d %d" % (len(header), len(header) + len(body))
        self._socket.sendall(b"HPUB %s %s %s\r\n%s%s\r\n" % (SUBJECT, self._inbox, sizes, header, body))
        while not (line := self._lines.readline()).startswith(b"MSG "):
            if line == b"PING\r\n":
                self._socket.sendall(b"PONG\r\n")
            elif not line.strip() or line.startswith(b"-ERR"):
                raise ConnectionError(line[:40])
        answer = json.loads(self._lines.read(int(line.split()[-1]) + 2))
        return Outcome.ACKNOWLEDGED if "seq" in answer else Outcome.INDETERMINATE

    def close(self) -> None:
        """Disconnect."""
        self._socket.close()
