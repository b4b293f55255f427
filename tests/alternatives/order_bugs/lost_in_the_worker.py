"""The worker deletes one in sixteen orders that it has read, before it stores the others."""

from __future__ import annotations

import runpy
from typing import Any

import psycopg

from alternatives.order_service import worker
from alternatives.order_service.intake import STREAM
from alternatives.order_service.spans import Spans


def careless(queue: Any, database: psycopg.Connection[Any], spans: Spans) -> None:
    for number, entry in queue.xrange(STREAM, count=worker.BATCH):
        if entry[b"id"].endswith(b"7"):
            queue.xdel(STREAM, number)
    store(queue, database, spans)


store = worker.store
worker.store = careless

if __name__ == "__main__":
    runpy.run_module("alternatives.order_service", run_name="__main__", alter_sys=True)
