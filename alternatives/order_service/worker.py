"""The worker: store the oldest orders in one transaction, then delete them from the queue."""

from __future__ import annotations

import os
import time
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from alternatives.order_service.intake import STREAM
from alternatives.order_service.order import created_at, stored
from alternatives.order_service.spans import Spans

#: Orders of one transaction.
BATCH = 50
#: An order that is stored already adds no items.
INSERT = """
with new as (
    insert into orders (id, customer, name, currency, note, created_at, attributes)
    values (%(id)s, %(customer)s, %(name)s, %(currency)s, %(note)s, %(created_at)s, %(attributes)s)
    on conflict do nothing returning id
)
insert into order_items select new.id, line, sku, quantity, amount
from new, unnest(%(skus)s::text[], %(quantities)s::bigint[], %(amounts)s::numeric[])
    with ordinality as items (sku, quantity, amount, line)
"""

_encode = msgspec.json.Encoder(decimal_format="number").encode


def amount(item: dict[str, Any]) -> Decimal:
    """An item's amount, every digit of it."""
    return Decimal(item["amount"])


def row(order: dict[str, Any]) -> dict[str, Any]:
    """The parameters of INSERT."""
    items = order["items"]
    return {
        "id": order["order"]["id"],
        "currency": order["order"]["currency"],
        "note": order["order"].get("note"),
        "customer": order["customer"]["id"],
        "name": order["customer"].get("name"),
        "created_at": created_at(order),
        "attributes": _encode(order["attributes"]).decode() if "attributes" in order else None,
        "skus": [item["sku"] for item in items],
        "quantities": [int(item["quantity"]) for item in items],
        "amounts": [amount(item) for item in items],
    }


def store(queue: Any, database: psycopg.Connection[Any], spans: Spans) -> None:
    """Store, then delete: a crash in between stores again, and the primary key prevents duplicates."""
    batch = queue.xrange(STREAM, count=BATCH)  # from the head, which preserves order with any number of workers
    traces = [entry.get(b"traceparent", b"").decode() for _, entry in batch]
    with spans.stage("store", *traces), database.transaction(), database.cursor() as cursor:
        for _, entry in batch:
            cursor.execute(INSERT, row(stored(entry[b"order"].decode())))
    if batch:
        queue.xdel(STREAM, *[number for number, _ in batch])
    else:
        time.sleep(0.05)


def work() -> None:
    """Store until killed, and retry after errors. SIGTERM is safe at any time."""
    spans = Spans()
    queue = redis.from_url(os.environ["REDIS_URL"], retry=Retry(NoBackoff(), 0), socket_timeout=3)
    while True:
        try:
            with psycopg.connect(os.environ["DATABASE_URL"], autocommit=True, connect_timeout=3) as database:
                while True:
                    store(queue, database, spans)
        except (psycopg.Error, redis.RedisError) as e:
            print(type(e).__name__, flush=True)  # an order's content stays out of the log
            time.sleep(0.5)
