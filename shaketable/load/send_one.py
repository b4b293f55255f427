"""Try a sender as the load uses it: `python -m shaketable.load.send_one FILE:NAME single|batch [TIMEOUT_S < BODIES]`.

With a timeout it sends each line of the input, `{"id": …, "body": base64}`, and prints a `Reply` for it, a JSON array.
Otherwise it only imports the class. Exit code 254 and a sentence for a class that is no sender.
"""

from __future__ import annotations

from gevent import monkey

monkey.patch_all()  # before anything else, as in Locust

import base64  # noqa: E402
import io  # noqa: E402
import os  # noqa: E402
import sys  # noqa: E402

import gevent  # noqa: E402
import msgspec  # noqa: E402

from shaketable.errors import InputError  # noqa: E402
from shaketable.load import sender  # noqa: E402
from shaketable.load.sender_connection import SenderConnection, watch  # noqa: E402


def main(place: str, size: str, timeout_s: float | None) -> None:
    """Import the class, and send what comes in, one by one."""
    # What a sender prints is no reply, nor what a program that it starts does.
    out = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(line_buffering=True)  # what it printed last is in the log even where it ends at once
    make = sender.load(place, batch=size == "batch")
    if timeout_s is None:
        return
    watch(place, timeout_s)
    connection = SenderConnection(place, make, timeout_s)
    read = gevent.get_hub().threadpool.apply  # a read that blocked the hub would look like a sender that does
    while line := read(sys.stdin.buffer.readline):
        asked = msgspec.json.decode(line)
        id_, body = asked["id"], base64.b64decode(asked["body"])
        reply = connection.send_batch([(id_, body)])[0] if size == "batch" else connection.send(id_, body)
        print(msgspec.json.encode(reply).decode(), file=out, flush=True)
    connection.close()


if __name__ == "__main__":
    try:
        main(sys.argv[1], sys.argv[2], float(sys.argv[3]) if len(sys.argv) > 3 else None)
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(error.exit_code)
